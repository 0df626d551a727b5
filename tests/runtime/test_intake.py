"""What enters: messages, cancellations, releases, and what is done with those that do not fit."""

from typing import Any

from statek.ledger import inbox
from statek.runtime.passes import Done
from statek.testing import answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def test_message_reopens_a_finished_job(open_desk: OpenDesk) -> None:
    """A message to a job that has ended brings it back, with its names and with a new value at its end."""
    fleet = open_desk(answer("exit([a, 'again'])", last="more"), answer("a = 1\nexit('first')"))
    job = fleet.submit("clerk")
    fleet.run()
    fleet.push(job, "more please")
    fleet.run()
    assert (fleet.job(job).exit_value, fleet.job(job).turn) == ([1, "again"], 2)


def test_message_reaches_a_working_job(open_desk: OpenDesk) -> None:
    """A message to a job at work is in its next question."""
    fleet = open_desk(answer("exit('heard')", last="hello"), answer("push('clerk/1', 'hello')"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == "heard"


def test_message_before_exit_is_not_swallowed(open_desk: OpenDesk) -> None:
    """A job that exits while a message it has not seen waits for it goes on and reads it."""
    fleet = open_desk(
        answer("exit('heard')", last="hello"), answer("push('clerk/1', 'hello')\npost('x')\nexit('deaf')")
    )
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).exit_value, fleet.job(job).turn) == ("heard", 2)


def test_message_to_nobody_is_refused(open_desk: OpenDesk) -> None:
    """A message to a job that does not exist is listed as refused."""
    fleet = open_desk(answer("exit()"))
    fleet.push("clerk/77", "hello")
    fleet.run()
    assert "there is no job 'clerk/77'" in fleet.refused[0]["reason"]


def test_cancel_a_working_job(open_desk: OpenDesk) -> None:
    """A job that is cancelled in the middle ends there and then."""
    fleet = open_desk(answer("cancel('clerk/1')\npost('x')\npost('y')\nexit()"))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == "cancelled"
    assert "post y" not in desk.calls()


def test_cancel_a_job_that_has_not_begun(open_desk: OpenDesk) -> None:
    """A job that is cancelled before it began never runs."""
    fleet = open_desk(answer("exit(post('x'))"))
    job = fleet.submit("clerk")
    fleet.cancel(job)
    fleet.run()
    assert (fleet.job(job).outcome, desk.calls()) == ("cancelled", [])


def test_a_cancel_outlives_a_restart(open_desk: OpenDesk) -> None:
    """A job that was asked to end is ended by the next worker when this one died before it came to that."""
    fleet = open_desk(answer("exit(post('x'))"))
    job = fleet.submit("clerk")
    fleet.cancel(job)
    fleet.fleet.passes._take_inputs(Done())
    fleet.fleet.checkpoint()
    fleet.close()
    fleet = open_desk()
    fleet.run()
    assert (fleet.job(job).outcome, desk.calls()) == ("cancelled", [])


def test_cancel_a_waiting_job(open_desk: OpenDesk) -> None:
    """A job that waits for a stored value can be cancelled; nothing waits for it any more."""
    agents = [declare_agent("clerk", tools=desk.TOOLS), declare_agent("other", tools=desk.TOOLS)]
    fleet = open_desk(
        answer("exit(wait_for_box())", agent="clerk"), answer("exit(cancel('clerk/1'))", agent="other"), agents=agents
    )
    job = fleet.submit("clerk")
    fleet.submit("other")
    fleet.run()
    assert fleet.job(job).outcome == "cancelled"


def test_cancel_a_finished_job_changes_nothing(open_desk: OpenDesk) -> None:
    """A job that has ended keeps its outcome."""
    fleet = open_desk(answer("exit(1)"))
    job = fleet.submit("clerk")
    fleet.run()
    fleet.cancel(job)
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).exit_value) == ("ok", 1)


def test_unknown_kind_is_refused(open_desk: OpenDesk) -> None:
    """An input of a newer build is listed and harms nothing."""
    fleet = open_desk(answer("exit(1)"))
    inbox.append(fleet.ledger, [inbox.NewEntry("x", "poison", "clerk/9", {}, 1)])
    inbox.append(fleet.ledger, [inbox.NewEntry("y", "cancel", "clerk/9", {}, 1)])
    fleet.run()
    assert [line["id"] for line in fleet.refused] == ["x", "y"]


def test_release_moves_new_jobs_only(open_desk: OpenDesk) -> None:
    """By default a job keeps the revision it began with; later ones use the new release."""

    def speaking(word: str) -> Any:
        return [declare_agent("clerk", tools=desk.TOOLS, prompt=f"Say {word}.")]

    fleet = open_desk(answer("pause()", turn=1), answer("exit()"), agents=speaking("one"))
    old = fleet.submit("clerk", key="old")
    fleet.run()
    fleet.apply(speaking("two"), [answer("exit()")])
    new = fleet.submit("clerk", key="new")
    fleet.run()
    assert [fleet.show(job)["prompt"] for job in (old, new)] == ["Say one.", "Say two."]
