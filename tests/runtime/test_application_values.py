"""Values of the application's own classes, which its tools take and give, in the names of a job."""

from dataclasses import dataclass, field

import pytest

from statek.testing import answer, declare_agent, declare_tool
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


@dataclass
class Ticket:
    """What a tool gives."""

    subject: str
    history: list[str] = field(default_factory=list)


def look_up(number: int) -> Ticket:
    """Give a ticket."""
    return Ticket(f"Invoice {number}", ["a"])


async def look_up_slowly(number: int) -> Ticket:
    """Give a ticket after a while."""
    return look_up(number)


def assign(ticket: Ticket, to: str) -> Ticket:
    """Take a ticket, and give it back changed."""
    desk.post(f"{ticket.subject} to {to}")
    return Ticket(ticket.subject, [*ticket.history, to])


@pytest.mark.parametrize("effect", ["read", "write", "external"])
@pytest.mark.parametrize("function", [look_up, look_up_slowly])
def test_they_are_kept(open_desk: OpenDesk, function: object, effect: str) -> None:
    """Across turns and restarts, in lists and twice, whoever performs the call; and go back into other tools."""
    find = declare_tool(function, name="find", effect=effect if function is look_up else "external")  # type: ignore[arg-type]
    agents = [declare_agent("clerk", tools=[find, declare_tool(assign), *desk.TOOLS])]
    fleet = open_desk(
        answer("t = find(7)\nall = [t, t]\npause()", turn=1),
        answer("done = assign(all[0], to='ann')\npause()", turn=2),
        answer("exit([done.subject, done.history, all[0] is t, t.history])"),
        agents=agents,
    )
    job = fleet.submit("clerk")
    fleet.run()
    while not fleet.job(job).outcome:
        fleet = open_desk()
        fleet.run()
    assert fleet.job(job).exit_value == ["Invoice 7", ["a", "ann"], True, ["a"]]
    assert [call for call in desk.calls() if call.startswith("post")] == ["post Invoice 7 to ann"]
