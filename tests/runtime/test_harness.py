"""Limits of a job: N is allowed, N + 1 is refused, before it is paid for, and it costs that job only."""

from typing import Any

import pytest

from statek.exceptions import LLM_HarnessError
from statek.runtime import harness
from statek.runtime.delegation import create_new_job
from statek.store.agent import SupervisedAgent
from statek.store.usage import Used
from statek.testing import LIMITS, answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def limited(**limits: Any) -> list[Any]:
    """One agent with these limits."""
    return [declare_agent("clerk", tools=desk.TOOLS, limits=limits)]


@pytest.mark.parametrize(("allowed", "outcome"), [(2, "failed"), (3, "ok")])
def test_turns(open_desk: OpenDesk, allowed: int, outcome: str) -> None:
    """A job that needs three turns ends well with three and fails with two, after two were paid."""
    fleet = open_desk(answer("count('x')"), agents=limited(turns=allowed))
    fleet.apply(limited(turns=allowed), [answer("exit()", turn=3), answer("count('x')")])
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).turn) == (outcome, allowed)
    if outcome == "failed":
        assert "limit turns: 3 would be used, 2 are allowed" in fleet.show(job)["error"]


def test_exceptions(open_desk: OpenDesk) -> None:
    """A job may fail as often as is allowed; errors are told to the model meanwhile."""
    fleet = open_desk(answer("1/0"), agents=limited(exceptions=2))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.show(job)["console"] == ["ZeroDivisionError: division by zero"] * 3
    assert "limit exceptions" in fleet.show(job)["error"]


def test_consecutive_exceptions_start_again(open_desk: OpenDesk) -> None:
    """A turn that goes well ends a row of errors."""
    rules = [answer("exit()", turn=5), answer("pass", turn=2), answer("pass", turn=4), answer("1/0")]
    fleet = open_desk(*rules, agents=limited(consecutive_exceptions=1))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == "ok"


def test_wall_clock(open_desk: OpenDesk) -> None:
    """A job that has been at work too long asks no more."""
    fleet = open_desk(answer("pause()", turn=1), answer("exit()"), agents=limited(wall_clock_us=60_000_000))
    job = fleet.submit("clerk")
    fleet.run()
    fleet.clock.advance(61)
    fleet.run()
    assert "limit wall_clock" in fleet.show(job)["error"]


def test_endless_loop_costs_only_that_job(open_desk: OpenDesk) -> None:
    """Code that does not end is stopped; its job reads why and goes on; others notice nothing."""
    agents = [*limited(), declare_agent("other")]
    rules = [answer("exit(1)", agent="other"), answer("a = 1\nwhile True: a += 1", turn=1), answer("exit('on')")]
    fleet = open_desk(*rules, agents=agents, step_seconds=0.2)
    job, other = fleet.submit("clerk"), fleet.submit("other")
    fleet.run()
    assert (fleet.job(job).exit_value, fleet.job(other).exit_value) == ("on", 1)
    assert fleet.show(job)["console"] == ["TimeLimit: the code ran longer than 0.2 s and was stopped"]


def test_stopped_code_leaves_no_names_and_lines(open_desk: OpenDesk) -> None:
    """What stopped code had done to names and printed since its last wait is undone."""
    rules = [answer("a = 1", turn=1), answer("a = 2\nprint(a)\nwhile True: pass", turn=2), answer("exit(a)")]
    fleet = open_desk(*rules, step_seconds=0.2)
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).exit_value == 1
    assert fleet.show(job)["console"] == ["TimeLimit: the code ran longer than 0.2 s and was stopped"]


def test_endless_warmup_fails_the_job(open_desk: OpenDesk) -> None:
    """A warmup that does not end fails its job before anything is paid."""
    agents = [declare_agent("clerk", warmup="while True: pass")]
    fleet = open_desk(answer("exit()"), agents=agents, step_seconds=0.2)
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).turn) == ("failed", 0)
    assert "warmup: TimeLimit" in fleet.show(job)["error"]


def test_failing_warmup_fails_the_job(open_desk: OpenDesk) -> None:
    """A warmup that raises fails its job with the error, before anything is paid."""
    fleet = open_desk(answer("exit()"), agents=[declare_agent("clerk", warmup="a = 1\n1/0")])
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).outcome, fleet.job(job).turn) == ("failed", 0)
    assert "ZeroDivisionError" in fleet.show(job)["error"]


def test_warmup_may_exit(open_desk: OpenDesk) -> None:
    """A warmup that calls `exit` ends the job without asking a model."""
    fleet = open_desk(answer("exit(1)"), agents=[declare_agent("clerk", warmup="exit('soon')")])
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).exit_value, fleet.job(job).turn) == ("soon", 0)


class _Counters:
    """What the checks read of a job."""

    turn, exception_count, exception_streak, started_us = 0, 0, 0, 0
    subjobs, depth, num_completions, difficulty_token_extension = 0, 0, None, 0

    def __init__(self, field: str, value: float) -> None:
        self.approx_token_usage, self.used = 0, Used(cost_usd=value if field == "cost_usd" else None)
        if field != "cost_usd":
            setattr(self, field, value)


@pytest.mark.parametrize(
    ("field", "limit", "value"),
    [("approx_token_usage", "tokens", 10), ("cost_usd", "cost_usd", 0.5), ("exception_streak", "exceptions", 3)],
)
def test_exactly_the_limit_is_allowed(field: str, limit: str, value: float) -> None:
    """What is used up to the limit is allowed, anything more is refused."""
    bound = "consecutive_exceptions" if field == "exception_streak" else limit
    limits = _with(**{bound: value})
    harness.check_before_asking(_Counters(field, value), limits, 0)
    with pytest.raises(LLM_HarnessError, match=f"limit {bound}"):
        harness.check_before_asking(_Counters(field, value * 2), limits, 0)


def _with(**changed: Any) -> Any:
    fields = {name: getattr(LIMITS, name) for name in LIMITS.__slots__}
    return type(LIMITS)(**{**fields, **changed})


def made_in_python(open_desk: OpenDesk, code: str, **metadata: str) -> tuple[Any, Any]:
    """A fleet, and a job of an agent made in Python whose definition says these limits."""
    fleet = open_desk(answer(code))
    agent = SupervisedAgent("worker", "Work.", [], _metadata={"MODEL": "scripted", **metadata})
    job = create_new_job(agent)
    fleet.fleet.passes.ready.add_new(job.id)
    return fleet, job


def test_limits_of_a_definition(open_desk: OpenDesk) -> None:
    """The metadata of an agent made in Python may say other limits than the process's; `none` is no bound."""
    fleet, job = made_in_python(open_desk, "1/0", MAX_TURNS="2", MAX_EXCEPTIONS="none", MAX_CONSECUTIVE_EXCEPTIONS="9")
    fleet.run()
    assert job.turn == 2
    assert job.error.error_message == "LLM_HarnessError: limit turns: 3 would be used, 2 are allowed"
    assert job.py_env.exit_status.startswith("Error: LLM_HarnessError")


def test_limits_grow_with_completions(open_desk: OpenDesk) -> None:
    """Each message to a finished job adds its part of the limit."""
    fleet, job = made_in_python(open_desk, "exit(1)", MAX_TURNS="1", LIMIT_EXTENSION_PER_COMPLETION="1.0")
    fleet.run()
    for _ in range(3):
        job.push_user_message("more")
        fleet.fleet.passes.ready.wake(job.id)
        fleet.run()
    assert (job.outcome, job.turn, job.num_completions) == ("ok", 4, 3)


def test_a_row_of_errors_ends_with_a_message(open_desk: OpenDesk) -> None:
    """A job that was stopped for errors in a row works again after a message: what counts is the row since then."""
    rules = [answer("exit('on')", last="again"), answer("1/0")]
    fleet = open_desk(*rules, agents=limited(consecutive_exceptions=1))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome == "failed"
    fleet.push(job, "try again")
    fleet.run()
    assert fleet.job(job).exit_value == "on"


def test_a_wrong_limit_is_named(open_desk: OpenDesk) -> None:
    """A limit that cannot be read ends the job with the name of the metadata."""
    fleet, job = made_in_python(open_desk, "exit(1)", MAX_TURNS="many")
    fleet.run()
    assert "MAX_TURNS 'many'" in job.error.error_message
