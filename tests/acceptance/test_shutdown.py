"""SIGTERM: the worker ends cleanly, in time, with 0, and nothing is missing afterwards."""

import signal
import time

import pytest

from tests.acceptance.checks import nothing_lost_nothing_twice
from tests.acceptance.conftest import EVENTS, hurry, slow_down
from tests.acceptance.projects import Project, until
from tests.acceptance.providers import END, held_desk

pytestmark = pytest.mark.timeout(300)


def test_sigterm_under_load_ends_with_0_and_the_next_worker_finishes(filled: Project) -> None:
    """Asked to end in the middle of its work it ends well within the drain time; another worker does the rest."""
    filled.edit("queues/fleet.yaml", "drain: 30s", "drain: 10m")  # longer than this file waits for any end
    slow_down(filled, "20/m")  # the work lasts for two minutes
    with filled.worker("--no-watch", "--max-concurrency", "4", "-o", "json") as worker:
        until(lambda: any(report.get("done") for report in worker.reports()), "some events are done")
        assert worker.terminate() == 0, worker.said
        assert worker.reports()[-1]["kind"] == "End"
        assert worker.reports()[-1]["done"] < EVENTS
    hurry(filled)
    ran = filled.do("work", "--until-idle", "--no-watch")
    assert "recover" not in ran.err  # the end was clean: nothing had to be put right
    nothing_lost_nothing_twice(filled, EVENTS)


def test_an_answer_under_way_is_waited_for(desk: Project) -> None:
    """A model request that was sent before SIGTERM is answered within the drain time, kept, and not sent again."""
    desk.write("one.jsonl", '{"id": "one", "time": "2018-02-06T12:00:00Z", "mag": 1, "mag_type": "ml", "place": "x", '
               '"lon": 1, "lat": 1, "depth_km": 1, "felt": null, "mmi": null, "alert": null, "status": "reviewed", '
               '"type": "earthquake"}')  # fmt: skip
    with held_desk(desk) as llm:
        desk.do("submit", "--queue", "quakes", "--from", "one.jsonl")
        with desk.worker("--no-watch") as worker:
            llm.next_prompt(1)
            worker.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            llm.give(END)
            assert worker.wait() == 0, worker.said
        desk.do("work", "--until-idle", "--no-watch")
        assert len(llm.requests) == 1
    assert [job["outcome"] for job in desk.jobs()] == ["ok"]


def test_interrupt_ends_with_130(filled: Project) -> None:
    """Ctrl-C is a clean end too, told apart by its exit code."""
    with filled.worker("--no-watch", "-o", "json") as worker:
        until(worker.reports, "the first report")
        worker.process.send_signal(signal.SIGINT)
        assert worker.wait() == 130, worker.said
    assert "Traceback" not in worker.said
