"""kill -9 at chosen points: nothing that came back from outside is asked for twice, nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.runtime import desk

ROOT = Path(__file__).parents[2]


def live(folder: Path, life: str, *, deaths: int = 1) -> dict[str, Any]:
    """The job at the end of a life in which the process died so many times."""
    for _ in range(deaths):
        assert _run(folder, life).returncode == 9
    done = _run(folder, life)
    assert done.returncode == 0, done.stderr
    desk.use(folder)
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def _run(folder: Path, life: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.runtime.killed", str(folder), life]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)


def test_recorded_results_are_not_called_for_again(tmp_path: Path) -> None:
    """Killed between an outside call's result and the end of a stretch, no call is made and no line printed again."""
    job = live(tmp_path, "after results", deaths=3)
    assert job["value"] == [1, "posted x", None, "survived 1", "posted y", "survived 2"]
    assert job["console"] == ["p", "survived 3"]
    assert [call for call in desk.calls() if call.startswith("post")] == ["post x", "post y"]


def test_call_in_flight_is_unknown(tmp_path: Path) -> None:
    """Killed during an outside call, the job is told that nobody knows, and the call is not made again."""
    assert live(tmp_path, "in flight")["value"] == "OutcomeUnknown"
    assert desk.calls() == ["post x"]


def test_idempotent_call_in_flight_is_made_again(tmp_path: Path) -> None:
    """Killed during an idempotent outside call, the call is made again and the job notices nothing."""
    assert live(tmp_path, "in flight, idempotent")["value"] == "posted x"
    assert desk.calls() == ["post x"] * 2


def test_repeated_call_has_its_key(tmp_path: Path) -> None:
    """A call that is made again after a kill has the key it had; equal calls beside it have others."""
    job = live(tmp_path, "in flight, with a key", deaths=2)
    first, second, third = job["value"]
    assert desk.calls() == [first, first, second, third, third]
    assert len({first, second, third}) == 3


def test_answer_on_record_is_not_asked_for_again(tmp_path: Path) -> None:
    """Killed in the warmup, and again after an answer came in: the model is not asked again."""
    job = live(tmp_path, "in the warmup and after an answer", deaths=2)
    assert (job["value"], job["asked"], job["turns"]) == ("posted x", 0, 1)
    assert desk.calls() == ["post x"]


def test_question_in_flight_is_asked_again(tmp_path: Path) -> None:
    """Killed while a model was asked, the same question is asked again, once."""
    job = live(tmp_path, "while it is asked")
    assert (job["value"], job["turns"]) == ("posted x", 1)
    assert job["asked"] == job["usage"]["inputTokens"] > 0


def test_killed_while_a_child_works(tmp_path: Path) -> None:
    """Parent and child go on where they were; there is one child."""
    job = live(tmp_path, "while a child works")
    assert job["value"] == ["posted before", "from child", "posted after"]
    assert desk.calls() == ["post before", "post child", "post after"]
    assert len(job["children"]) == 1


def test_kill_costs_only_the_call_in_flight(tmp_path: Path) -> None:
    """Other jobs are as if nothing had happened; the one whose call was under way reads OutcomeUnknown."""
    job = live(tmp_path, "two calls at once")
    assert any("OutcomeUnknown" in line for line in job["console"])
    assert desk.calls().count("post x") == 1


def test_store_that_writes_itself(tmp_path: Path) -> None:
    """Where an application's store is written by dbzero itself, a message before a kill still arrives once."""
    command = [sys.executable, "-W", "error", "-m", "tests.runtime.killed_host", str(tmp_path)]
    first, second = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False) for _ in range(2)
    )
    assert first.returncode == 9, first.stderr
    assert second.stdout == "['hello'] 1", second.stderr
