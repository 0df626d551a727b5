"""Every verb does its work with a worker running and without one, and its JSON can be read."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.acceptance.conftest import copy_of, fill, put_events
from tests.acceptance.projects import Project, as_lines, events, until

pytestmark = pytest.mark.timeout(300)
PYTHON = sys.executable
SIX = events(6)
LARGE = next(event for event in SIX if event["mag"] >= 5)
JOB = f"quakes:{LARGE['id']}"


@pytest.fixture(scope="module", params=["live", "stopped"])
def six(
    request: pytest.FixtureRequest, applied_once: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """The desk after six events, and beside it a worker or none."""
    desk = copy_of(applied_once, tmp_path_factory.mktemp("verbs") / "desk")
    put_events(desk, 6)
    desk.do("work", "--until-idle", "--no-watch")
    beside = desk.serving("--no-watch") if request.param == "live" else nullcontext()
    with beside:
        yield desk


def outcomes(desk: Project, *jobs: str) -> dict[str, str]:
    """How these jobs ended, once they have; a worker is run for them when none runs."""

    def look() -> dict[str, str]:
        found = {job["id"]: job["outcome"] for job in desk.jobs() if job["id"] in jobs and job["outcome"]}
        return found if len(found) == len(jobs) else {}

    if desk.run("work", "--until-idle", "--no-watch").code == 9:  # the worker beside the desk does it
        return until(look, "the jobs have ended")
    return look()


def test_ps_lists_every_job(six: Project) -> None:
    """`ps --all` has a row for each event, and filters by agent."""
    jobs = six.do("ps", "--all", "--agent", "triage", "-o", "json").json["jobs"]
    assert {f"quakes:{event['id']}" for event in SIX} <= {job["id"] for job in jobs}
    assert "analyst" not in {job["agent"] for job in jobs}


def test_show_tells_one_job_whole(six: Project) -> None:
    """`show` has result, prompt and chat of a job, as text and as JSON."""
    assert f"Event {LARGE['id']}: a reported earthquake" in six.do("show", JOB).out
    job = six.do("show", JOB, "-o", "json").json["job"]
    assert (job["id"], job["agent"], job["outcome"], job["turns"]) == (JOB, "triage", "ok", 2)


def test_logs_tell_what_a_job_said_in_order(six: Project) -> None:
    """`logs` begins with the warmup and has the bulletin's turn after the filing."""
    entries = six.do("logs", JOB, "-o", "json").json["entries"]
    kinds = [entry["kind"] for entry in entries]
    assert kinds[0] == "warmup"
    assert kinds.count("answer") == 2


def test_a_unique_beginning_is_enough_and_an_ambiguous_one_is_refused(six: Project) -> None:
    """A job is found by the beginning of its id; several that fit are named."""
    assert six.do("show", JOB[:-1] + JOB[-1], "-o", "json").json["job"]["id"] == JOB
    many = six.run("show", "quakes:")
    assert many.code == 1
    assert "begin with 'quakes:'" in many.err


def test_status_says_that_files_and_release_agree(six: Project) -> None:
    """`status` finds the files valid and applied."""
    found = six.do("status", "--exit-code", "-o", "json").json
    truth = {condition["type"]: condition["status"] for condition in found["conditions"]}
    assert (truth["Valid"], truth["Synced"]) == ("True", "True")


def test_plan_and_apply_have_nothing_to_do(six: Project) -> None:
    """The same files again change nothing and add nothing to the history."""
    assert "nothing to do" in six.do("plan").out
    six.do("apply", ".", "--yes", "-o", "json").json  # noqa: B018 - it can be read
    assert len(six.do("history", "-o", "json").json["releases"]) == 1


def test_the_same_item_again_is_the_same_job(six: Project) -> None:
    """Items that were seen are acknowledged and start nothing."""
    done = six.do("submit", "--queue", "quakes", "--from", "events.jsonl", "--key", "id", "-o", "json").json
    assert (done["new"], done["known"], len(done["ids"])) == (0, 6, 6)


def test_jobs_are_submitted_in_every_way(six: Project) -> None:
    """As words, as JSON under a key, as lines; a second submission of a key is the first job; all of them run."""
    words = six.do("submit", "triage", f"event={json.dumps(SIX[0] | {'id': 'words'})}").out.strip()
    text = json.dumps({"event": SIX[0] | {"id": "keyed"}})
    keyed = [six.do("submit", "triage", "--json", "-", "--key", "event.id", stdin=text).out.strip() for _ in range(2)]
    lines = as_lines([SIX[0] | {"id": f"line-{number}"} for number in range(3)])
    assert "3 new" in six.do("submit", "--queue", "quakes", "--from", "-", "--key", "id", stdin=lines).out
    assert keyed[0] == keyed[1]
    assert set(outcomes(six, words, keyed[0], "quakes:line-2").values()) == {"ok"}


def test_an_unknown_agent_is_refused_with_the_nearest_name(six: Project) -> None:
    """A wrong name ends with 1, names the right one, and writes nothing."""
    ran = six.run("submit", "triag", "event={}")
    assert (ran.code, "did you mean 'triage'?" in ran.err) == (1, True)


def test_an_unknown_job_is_refused(six: Project) -> None:
    """`show`, `logs`, `push` and `cancel` of a job that is not there end with 1."""
    commands = (["show", "nix"], ["logs", "nix"], ["push", "nix", "hello"], ["cancel", "nix"])
    assert [six.run(*words).code for words in commands] == [1, 1, 1, 1]


def test_a_message_brings_a_job_back_that_has_ended(six: Project) -> None:
    """`push` to it says so, and the next worker lets it go on; `cancel` leaves it as it is."""
    other = f"quakes:{next(event for event in SIX[2:] if event is not LARGE)['id']}"  # nobody else looks at it
    assert "has ended already (ok)" in six.do("cancel", other).err
    assert "it has ended (ok); the message brings it back to work" in six.do("push", other, "hello").err


def test_errors_are_json_too_when_asked_for(six: Project) -> None:
    """With `-o json` an error is one document on stdout with the exit code in it."""
    ran = six.run("show", "nix", "-o", "json")
    assert (ran.code, ran.json["kind"], ran.json["exitCode"]) == (1, "Error", 1)


def test_a_reader_that_stops_reading_is_no_error(six: Project) -> None:
    """`statek ps | head -1` ends with 0 and without a message."""
    ran = six.call(["bash", "-c", f"set -o pipefail; {PYTHON} -m statek ps --all | head -1"])
    assert (ran.code, ran.err) == (0, ""), ran.told


def test_a_waiting_job_is_cancelled_and_one_gets_a_message(applied: Project) -> None:
    """Both reach jobs that no worker has seen yet."""
    put_events(applied, 6)
    first, second = (f"quakes:{event['id']}" for event in SIX[:2])
    applied.do("cancel", first)
    applied.do("push", second, "please hurry")
    applied.do("work", "--until-idle", "--no-watch")
    assert applied.do("show", first, "-o", "json").json["job"]["outcome"] == "cancelled"
    assert "please hurry" in applied.do("show", second).out


def test_a_job_whose_own_job_failed_can_be_shown(desk: Project) -> None:
    """`show` tells of a parent that the child failed, without failing itself."""
    desk.edit("agents/rehearsal.yaml", "agent: analyst, turn: 1", "agent: analyst, turn: 9")
    fill(desk, 6)
    desk.do("work", "--until-idle", "--no-watch")
    assert "no rule for agent 'analyst'" in desk.do("show", JOB).out


def test_a_second_worker_is_refused(applied: Project) -> None:
    """One store has one worker: the second ends with 9 and names the first."""
    with applied.serving("--no-watch") as first:
        second = applied.run("work", "--no-watch")
        assert second.code == 9
        assert f"another worker (pid {first.process.pid}) already runs" in second.err


def test_a_worker_ends_cleanly_when_asked(applied: Project) -> None:
    """SIGTERM to an idle worker ends it with 0, and the next one starts."""
    for _ in range(2):
        with applied.serving("--no-watch") as worker:
            assert worker.terminate() == 0
            assert "Traceback" not in worker.said
