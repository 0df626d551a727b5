"""Prompt parameters are kept as they were given, with the stored objects among them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.store.agent import SupervisedAgent
from statek.store.job_def import JobDef
from statek.store.params import KIND, kept_params, params_of

VALUES = [
    None, True, 1.5, "text", [1, "a"], {"a": {"b": []}}, (1, (2,)), {"b", "a"}, frozenset({1}), {1: "one", (2,): "two"},
    date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), timedelta(days=-1, microseconds=1), Decimal("1.50"),
    b"\x00\xff", {KIND: "date", "value": "no date"},
]  # fmt: skip


@db0.memo
class Topic:
    """A stored object of an application."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_there_and_back(value: Any) -> None:
    """Each value comes back with its kind."""
    found = params_of(*kept_params({"p": value}))
    assert found == {"p": value}
    assert type(found["p"]) is type(value)


def test_the_parameter_is_named() -> None:
    """A value that cannot be kept is refused with the name of its parameter."""
    with pytest.raises(TypeError, match="prompt parameter 'lines': a generator cannot be kept"):
        kept_params({"topic": 1, "lines": (n for n in ())})


def test_stored_objects_are_held(store: Path) -> None:
    """A definition holds the objects among its parameters; the same object makes the same definition."""
    clerk = SupervisedAgent("clerk", "About {topic}.", [], _metadata={"MODEL": "m"})
    definition = clerk.create_job_def(topic=Topic("wheels"), days=[date(2026, 1, 2)])
    address = db0.uuid(definition)
    topic = definition.job_params["topic"]
    assert clerk.create_job_def(topic=topic, days=[date(2026, 1, 2)]) is definition
    assert clerk.create_job_def(topic=Topic("wheels"), days=[date(2026, 1, 2)]) is not definition
    del topic, definition
    db0.commit()
    db0.clear_cache()
    found = db0.fetch(JobDef, address)
    assert (found.job_params["topic"].name, found.job_params["days"]) == ("wheels", [date(2026, 1, 2)])
