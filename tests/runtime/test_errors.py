"""Error handlers of jobs: called once when a job ends with an error, outside of any transaction, never again."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statek.testing import answer, declare_agent
from tests.runtime import claims, desk
from tests.runtime.conftest import OpenDesk

ROOT = Path(__file__).parents[2]


def clerk(**fields: Any) -> list[Any]:
    """An agent that claims."""
    return [declare_agent("clerk", tools=(*claims.TOOLS, *desk.TOOLS), **fields)]


def released() -> list[str]:
    """What was given back."""
    lines = [line.removeprefix("post ") for line in desk.calls()]
    return [line for line in lines if line.startswith(("release", "break"))]


@pytest.mark.parametrize(
    ("code", "rest", "limits", "said"),
    [
        ("claim('a')", answer(error="no-key"), {}, "StatekError"),
        ("claim_inside('a')\n1/0", answer("1/0"), {"exceptions": 1}, "LLM_HarnessError: limit exceptions"),
        ("claim('a')", answer("cancel('clerk/1')\npost('x')"), {}, "StatekError: cancelled"),
    ],
)
def test_called_at_the_end(open_desk: OpenDesk, code: str, rest: Any, limits: dict[str, int], said: str) -> None:
    """A provider, a limit or a cancellation ends the job: the handler gets what was claimed, and why."""
    fleet = open_desk(answer(code, turn=1), rest, agents=clerk(limits=limits))
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.job(job).outcome in ("failed", "cancelled")
    (line,) = released()
    assert line.startswith(f"release a {said}")
    fleet = open_desk()
    fleet.run()
    assert (released(), fleet.job(job).error_handlers) == ([line], None)


def test_called_for_a_failed_warmup(open_desk: OpenDesk) -> None:
    """What a warmup claimed before it failed is given back."""
    fleet = open_desk(answer("exit()"), agents=clerk(warmup="claim_inside('w')\n1/0"))
    fleet.submit("clerk")
    fleet.run()
    assert released() == ["release w StatekError: warmup: ZeroDivision"]


def test_not_called_when_it_ends_well(open_desk: OpenDesk) -> None:
    """Errors of code that the model can mend, and the end itself, call no handler."""
    fleet = open_desk(answer("claim('a')\n1/0", turn=1), answer("exit('ok')"), agents=clerk())
    job = fleet.submit("clerk")
    fleet.run()
    assert (fleet.job(job).outcome, released()) == ("ok", [])


def test_a_broken_handler_costs_nobody(open_desk: OpenDesk, caplog: pytest.LogCaptureFixture) -> None:
    """The other handlers of the job are called, other jobs go on, and the error stays what it was."""
    fleet = open_desk(
        answer("claim_badly('a')\nclaim_inside('b')", turn=1, agent="clerk"), answer("exit(1)", agent="other"),
        answer(error="no-key"), agents=[*clerk(), declare_agent("other")],
    )  # fmt: skip
    job, other = fleet.submit("clerk"), fleet.submit("other")
    fleet.run()
    assert [line.split()[:2] for line in released()] == [["break", "a"], ["release", "b"]]
    assert (fleet.job(other).outcome, "no-key" in fleet.show(job)["error"]) == ("ok", True)
    assert "broken handler" in caplog.text


def test_what_a_handler_wrote_stays(open_desk: OpenDesk) -> None:
    """A handler that writes to the store does so once, also over a restart."""
    fleet = open_desk(answer("claim_box()", turn=1), answer(error="no-key"), agents=clerk())
    fleet.submit("clerk")
    fleet.run()
    assert desk.box().value == 1
    open_desk().run()
    assert desk.box().value == 1


def test_killed_in_a_handler(tmp_path: Path) -> None:
    """A process that dies in a handler has called it: no handler of that end is called again, and the job has ended."""
    runs = [_run(tmp_path, "deadly") for _ in range(2)]
    assert [run.returncode for run in runs] == [9, 0], runs[1].stderr
    desk.use(tmp_path)
    assert [line.split()[1:3] for line in desk.calls()] == [["claim", "deadly"], ["release", "deadly"]]
    assert runs[1].stdout == "failed None"


def test_killed_before_its_handlers(tmp_path: Path) -> None:
    """On record, and then in the file too, before a handler is called: a third process calls them."""
    runs = [_run(tmp_path, "a", "early"), _run(tmp_path, "a", "early"), _run(tmp_path, "a")]
    assert [run.returncode for run in runs] == [8, 8, 0], runs[2].stderr
    desk.use(tmp_path)
    assert [line.split()[1:3] for line in desk.calls()] == [["claim", "a"], ["release", "a"], ["release", "second"]]
    assert runs[2].stdout == "failed None"


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.runtime.claims", str(folder), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
