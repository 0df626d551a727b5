"""A log file for each job, as it works."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statek.runtime.joblogs import Logging, file_name, logging_of, tell_of_jobs
from statek.settings import StatekSettings
from statek.testing import LocalFleet, answer, declare_agent, open_fleet

TWO_TURNS = [answer("print('one')\nn = 1", turn=1), answer("print('two')\nexit(n)", turn=2)]


def logs_of(fleet: LocalFleet, folder: Path, most: int = 1_000_000) -> Logging:
    """Logs of the fleet in `folder`, begun."""
    found = logging_of(fleet.fleet, StatekSettings(logs_path=str(folder), logs_max_bytes=most))
    assert found is not None
    found.begin()
    return found


def lines(folder: Path, job: str = "clerk/1") -> list[dict[str, Any]]:
    """What the log of the job says."""
    text = (folder / file_name("clerk", job)).read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    """A clerk that needs two turns."""
    with open_fleet(tmp_path / "store", agents=[declare_agent("clerk")], answers=TWO_TURNS) as found:
        yield found


def test_a_job_is_told_from_prompt_to_end(fleet: LocalFleet, tmp_path: Path) -> None:
    """Prompt first, then answers and what they printed, in order, then the outcome; each with job, agent and turn."""
    logs = logs_of(fleet, tmp_path / "logs")
    fleet.submit("clerk")
    fleet.run()
    logs.end()
    found = lines(tmp_path / "logs")
    assert [line["kind"] for line in found] == ["prompt", "answer", "print", "answer", "print", "end"]
    assert {(line["job"], line["agent"]) for line in found} == {("clerk/1", "clerk")}
    assert (found[-1]["text"], found[-1]["turn"]) == ("ok", 2)


def test_a_new_process_goes_on_where_the_last_one_wrote(fleet: LocalFleet, tmp_path: Path) -> None:
    """Nothing is missing and nothing is there twice."""
    logs = logs_of(fleet, tmp_path / "logs")
    fleet.submit("clerk")
    fleet.run()
    fleet.push("clerk/1", "once more")
    logs.end()
    logs = logs_of(fleet, tmp_path / "logs")
    fleet.run()
    logs.end()
    kinds = [line["kind"] for line in lines(tmp_path / "logs")]
    assert kinds[:6] == ["prompt", "answer", "print", "answer", "print", "end"]
    assert kinds[6] == "user"
    assert kinds.count("prompt") == 1


def test_logs_that_cannot_be_written_cost_no_job(fleet: LocalFleet, tmp_path: Path) -> None:
    """A folder that cannot be made: the job ends as it would."""
    (tmp_path / "logs").write_text("no folder")
    logs = logs_of(fleet, tmp_path / "logs")
    fleet.submit("clerk")
    fleet.run()
    logs.end()
    assert fleet.job("clerk/1").outcome == "ok"


def test_without_a_folder_there_are_no_logs(fleet: LocalFleet) -> None:
    """The setting is empty by default."""
    assert logging_of(fleet.fleet, StatekSettings()) is None


def test_names_of_files_are_plain_and_no_two_jobs_share_one() -> None:
    """Ids with slashes get a digest; those without keep their whole name."""
    assert file_name("clerk", "job-1") == "clerk_job-1.log"
    names = {file_name("a", job) for job in ("b/c", "b_c", "b:c", "../b", "x" * 300, "x" * 301)}
    assert len(names) == 6
    assert all("/" not in name and len(name) < 200 for name in names)


def test_jobs_are_told_at_info(fleet: LocalFleet, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With that level the log says where each job is after a pass; files are written as well."""
    with caplog.at_level("INFO", logger="statek"):
        logs = logs_of(fleet, tmp_path / "logs")
        tell_of_jobs(fleet.fleet)
        fleet.submit("clerk")
        fleet.run()
        logs.end()
    assert caplog.messages[-1] == "job clerk/1 of clerk: DONE (ok), turn 2, 0.0000 USD"
    assert lines(tmp_path / "logs")[-1]["kind"] == "end"


def test_nothing_is_told_below_info(fleet: LocalFleet) -> None:
    """With the usual level nobody looks at the jobs."""
    tell_of_jobs(fleet.fleet)
    assert fleet.fleet.watch is None
