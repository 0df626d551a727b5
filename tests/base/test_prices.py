"""Prices of models that no document declares."""

from pathlib import Path

import pytest

from statek.base.prices import ModelPricing, get_model_pricing, init_model_pricing, set_model_pricing

HEAD = "PROVIDER,MODEL_FAMILY,MODEL,INPUT_PRICE_PER_M,INPUT_PRICE_PER_CACHED_M,OUTPUT_PRICE_PER_M\n"


def read(folder: Path, name: str, *lines: str, head: str = HEAD) -> None:
    """Read one price file."""
    (folder / name).write_text(head + "\n".join(lines), encoding="utf-8-sig")
    init_model_pricing(folder)


def test_files(tmp_path: Path) -> None:
    """Names are the same in any letter case; a line without a price is left out, and so is one cut short."""
    read(tmp_path, "p.CSV", "Filed, openai ,gpt five,2,0.5,8", "filed,,lost,,1,2", "filed,,words,a,,2", "filed,,short")
    found = get_model_pricing("FILED", "gptfive", "OpenAI", no_create=True)
    assert found is not None
    assert found.cost(1_000_000, 400_000, 500_000) == pytest.approx(1.2 + 0.2 + 4.0)
    assert [get_model_pricing("filed", name, no_create=True) for name in ("lost", "words", "short")] == [None] * 3
    init_model_pricing(None)
    assert get_model_pricing("filed", "gptfive", no_create=True) is None


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    """With the file, the column, and nothing changed."""
    read(tmp_path, "good.csv", "kept,,m,1,,1")
    with pytest.raises(ValueError, match=r"worse\.txt: no column OUTPUT_PRICE_PER_M"):
        read(tmp_path, "worse.txt", head=HEAD.replace(",OUTPUT_PRICE_PER_M", ""))
    assert get_model_pricing("kept", "m", no_create=True) is not None
    init_model_pricing(None)


def test_prices_of_an_application() -> None:
    """Equal prices are one object, another takes its place, a price below 0 is refused."""
    first = set_model_pricing("Set", "m", 1, 2, input_price_per_cached_M="0.5")
    assert set_model_pricing("set", "M", 1.0, 2.0, 0.5) == first
    later = set_model_pricing("set", "m", 3, 4)
    assert get_model_pricing("SET", "m") is later
    with pytest.raises(ValueError, match="-1"):
        set_model_pricing("set", "m", -1, 2)
    assert get_model_pricing("set", "unknown") == ModelPricing()


def test_families() -> None:
    """A model of OpenRouter is told apart by its family; of others the name is enough. Never another provider's."""
    set_model_pricing("openrouter", "fam-m", 1, 2, model_family="openai")
    set_model_pricing("elsewhere", "fam-m", 3, 4, model_family="x")
    assert get_model_pricing("openrouter", "fam-m", "other", no_create=True) is None
    assert get_model_pricing("elsewhere", "fam-m", "y") == get_model_pricing("elsewhere", "fam-m")
    assert get_model_pricing("nobody", "fam-m") == ModelPricing()
    assert not ModelPricing().is_valid
