"""Fleets in the test's folder; closed afterwards whatever happens."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from statek.testing import LocalFleet, declare_agent, open_fleet
from tests.runtime import desk

OpenDesk = Callable[..., LocalFleet]


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[OpenDesk]:
    """`open_desk(*answers, agents=..., queues=...)`: a fleet with an agent "clerk" that has all tools of the desk.

    Called again it closes the fleet before and opens its folder once more.
    """
    desk.use(tmp_path)

    def start(*answers: Any, agents: Any = None, **more: Any) -> LocalFleet:
        close()
        chosen = [declare_agent("clerk", tools=desk.TOOLS)] if agents is None and answers else agents or ()
        desk.running.append(open_fleet(tmp_path / "store", agents=chosen, answers=answers, **more))
        return desk.running[-1]

    def close() -> None:
        while desk.running:
            desk.running.pop().close()

    try:
        yield start
    finally:
        close()
