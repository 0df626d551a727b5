"""Prices belong to the store that is open when they are set."""

from pathlib import Path

import dbzero as db0

from statek.model_pricing import get_model_pricing, init_model_pricing, set_model_pricing

HEAD = "PROVIDER,MODEL_FAMILY,MODEL,INPUT_PRICE_PER_M,INPUT_PRICE_PER_CACHED_M,OUTPUT_PRICE_PER_M\n"


def known(*models: str) -> list[bool]:
    """Which models have a price."""
    return [get_model_pricing("scoped", model, no_create=True) is not None for model in models]


def test_prices_of_the_open_store(tmp_path: Path) -> None:
    """What was set or read with a store open counts in all its prefixes, not in another; what came before, in all."""
    set_model_pricing("scoped", "before", 1, 2)
    (tmp_path / "prices.csv").write_text(f"{HEAD}scoped,,filed,1,,2\n", encoding="utf-8")
    try:
        for name, expected in (("a", [True, True, True]), ("b", [True, False, False]), ("a", [True, True, True])):
            (tmp_path / name).mkdir(exist_ok=True)
            db0.init(str(tmp_path / name))
            db0.open("main")
            if name == "a" and not known("set")[0]:
                set_model_pricing("scoped", "set", 1, 2)
                init_model_pricing(tmp_path)
            db0.open("second")
            assert known("before", "set", "filed") == expected
            db0.close()
    finally:
        db0.close()
        init_model_pricing(None)
