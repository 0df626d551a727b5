"""Who runs here."""

from types import SimpleNamespace

from statek.store.current import get_current_agent_name
from statek.testing import statek_context


class Helper:
    """An agent that a test made up."""


def test_the_name_of_the_agent() -> None:
    """It is its role; of an object without one the name of its class; outside of a job there is none."""
    assert get_current_agent_name() is None
    with statek_context(SimpleNamespace(), SimpleNamespace(role="clerk")):
        assert get_current_agent_name() == "clerk"
    with statek_context(SimpleNamespace(), Helper()):
        assert get_current_agent_name() == "Helper"
