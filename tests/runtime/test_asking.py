"""Asking: along the chain of models, each asked in its turn, and honest when none answers."""

from typing import Any

import pytest

from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.llm.messages import Message, Request
from statek.runtime.asking import Asker
from statek.runtime.catalog import Catalog
from statek.runtime.turn import Ask
from statek.testing import NO_RETRY, FakeClock, answer
from tests.loopback_llm import LoopbackLLM

TIMEOUTS = compiled.Timeouts(1, 1, 1, 1)


def provider(name: str, **fields: Any) -> compiled.Provider:
    """A scripted provider."""
    defaults: dict[str, Any] = {
        "driver": "scripted", "base_url": None, "api_key": None, "headers": {}, "timeout": TIMEOUTS, "concurrent": None,
        "rpm": None, "tpm": None, "cost_usd_per_day": None, "retry": NO_RETRY,
    }  # fmt: skip
    return compiled.Provider(name=name, **{**defaults, **fields})


def model(name: str, fallback: tuple[str, ...] = ()) -> compiled.Model:
    """A model that answers from the script of its name."""
    return compiled.Model(name=name, provider="p", id=name, fallback=fallback, params={"seed": 1}, price=None)


def asker(*models: compiled.Model, **scripts: compiled.Rule) -> Asker:
    """An asker over these models; every script has one rule."""
    catalog = Catalog(None)
    catalog.models = {m.name: m for m in models}
    catalog.providers = {"p": provider("p")}
    catalog.scripts = {name: compiled.Script(name, (rule,)) for name, rule in scripts.items()}
    return Asker(catalog, FakeClock(), lambda _: None, None)


def ask(*chain: str) -> Ask:
    """A question to these models."""
    request = Request("", (Message("user", "hi"),), {}, (), "clerk", "clerk/1", 1, "k")
    return Ask(request, chain)


async def test_first_model_answers() -> None:
    """When the first model answers, no other is asked."""
    found = await asker(model("a"), model("b"), a=answer(text="A"), b=answer(text="B")).ask(ask("a", "b"))
    assert found.text == "A"


async def test_fallback_answers() -> None:
    """When a model fails, its own fallback is asked before the next of the chain."""
    models = [model("a", ("c",)), model("b"), model("c")]
    found = await asker(*models, a=answer(error="server"), b=answer(text="B"), c=answer(text="C")).ask(ask("a", "b"))
    assert found.text == "C"


async def test_circular_fallbacks_end() -> None:
    """Models that fall back on each other are each asked once; the last error is told."""
    models = [model("a", ("b",)), model("b", ("a",))]
    with pytest.raises(StatekError, match="no more money"):
        await asker(*models, a=answer(error="x"), b=answer(error="no more money")).ask(ask("a"))


async def test_no_model() -> None:
    """An agent without a model is told so."""
    with pytest.raises(StatekError, match="agent 'clerk' has no model"):
        await asker().ask(ask())


async def test_undeclared_model() -> None:
    """A model that is declared nowhere is named with what to do."""
    with pytest.raises(StatekError, match="model 'x' is not declared") as caught:
        await asker().ask(ask("x"))
    assert "declare a Model" in caught.value.hint


async def test_a_new_release_keeps_the_connections() -> None:
    """Its new client asks over what the former one had connected, and nothing is left open at the end."""
    with LoopbackLLM(lambda _: "hi") as llm:
        found = asker(model("a"))
        patient = compiled.Timeouts(*[100_000_000] * 4)
        found._catalog.providers = {"p": provider("p", driver="openai", base_url=llm.url, timeout=patient)}
        ports = set()
        for release in ("r-1", "r-2"):
            found._catalog.release = release
            assert (await found.ask(ask("a"))).text == "hi"
            ports |= {request.getpeername()[1] for request in llm._server._open}
        await found.close()
    assert len(ports) == 1
