"""Queues as a user has them: a rate, other tries, dead letters, items that wait too long, edits that act at once."""

import time
from pathlib import Path

import pytest

from tests.acceptance.projects import Project, make_project, until

pytestmark = pytest.mark.timeout(300)

QUEUE = """\
apiVersion: statek/v1
kind: Queue
metadata: {{name: orders}}
spec:
  agent: clerk
  deliver_as: order
  dedupe: {{key: id, keep: 30d}}
  dead_letter: lost
{rules}
---
apiVersion: statek/v1
kind: Queue
metadata: {{name: lost}}
spec: {{max_depth: 100, overflow: drop-oldest}}
"""
FILES = {
    "pyproject.toml": "[tool.statek]\nproject = 'orders'\n",
    "agents/clerk.md": "---\ndescription: Takes them.\nmodel: writer\ninputs:\n  order: {type: object}\n---\nHello.\n",
    "agents/models.yaml": """\
apiVersion: statek/v1
kind: Provider
metadata: {name: rehearsal}
spec: {driver: scripted, retry: {max_attempts: 1}}
---
apiVersion: statek/v1
kind: Model
metadata: {name: writer}
spec: {provider: rehearsal, id: rehearsal}
---
apiVersion: statek/v1
kind: Script
metadata: {name: rehearsal}
spec: {rules: [{error: overloaded}]}
""",
}
WORKS = "{reply: {code: exit(1)}}"


def make(folder: Path, rules: str, answer: str = "{error: overloaded}") -> Project:
    """A project with these rules of its queue, applied."""
    project = make_project(folder / "desk", {**FILES, "queues/orders.yaml": QUEUE.format(rules=rules)})
    if answer != "{error: overloaded}":
        project.edit("agents/models.yaml", "{error: overloaded}", answer)
    project.do("apply", ".", "--yes")
    return project


def put(project: Project, *ids: str) -> list[str]:
    """Put orders on the queue; the ids of their jobs."""
    return [
        project.do("submit", "--queue", "orders", f"id={name}", "-o", "json").json["ids"][0] for name in ids
    ]  # fmt: skip


def test_failed_items_are_tried_again_and_end_on_the_dead_letter_queue(tmp_path: Path) -> None:
    """The worker waits for the other tries; the item can be looked at, put back, and then succeeds."""
    project = make(tmp_path, "  retry: {max_attempts: 2, backoff: {min: 300ms, max: 1s}}")
    (job,) = put(project, "o1")
    project.do("work", "--until-idle", "--no-watch")
    tries = project.do("show", job, "-o", "json").json["job"]["tries"]
    assert tries == [{"id": job, "outcome": "failed"}, {"id": f"{job}~2", "outcome": "failed"}]
    (dead,) = project.do("queue", "ls", "lost", "-o", "json").json["items"]
    assert (dead["from"], dead["item"]) == ("orders", {"id": "o1"})
    assert "overloaded" in dead["reason"]
    assert "lost" in project.do("queue", "ls").out
    for command in ("ps", "status"):
        ran = project.do(command)
        assert "1 given up, on Queue/lost: `statek queue ls lost` shows why" in ran.out + ran.err
    project.edit("agents/models.yaml", "{error: overloaded}", WORKS)
    project.do("apply", ".", "--yes")
    assert project.do("queue", "requeue", "--all", "lost").out.split() == [f"{job}~3"]
    project.do("work", "--until-idle", "--no-watch")
    assert project.do("show", f"{job}~3", "-o", "json").json["job"]["outcome"] == "ok"
    assert project.do("queue", "ls", "lost", "-o", "json").json["items"] == []


def test_a_rate_holds_and_an_edit_of_it_acts_on_what_waits(tmp_path: Path) -> None:
    """Two at once, the others later; the worker takes a higher rate over while they wait."""
    project = make(tmp_path, "  rate: 2/h", WORKS)
    put(project, "a", "b", "c", "d", "e")

    def done() -> int:
        return sum(job["outcome"] == "ok" for job in project.jobs())

    with project.serving("--watch"):
        until(lambda: done() == 2, "two jobs are done")
        time.sleep(0.5)
        assert done() == 2
        project.edit("queues/orders.yaml", "rate: 2/h", "rate: 100/s")
        until(lambda: done() == 5, "all jobs are done")


def test_items_that_waited_too_long_go_to_the_dead(tmp_path: Path) -> None:
    """With the reason; `queue drop` takes them away."""
    project = make(tmp_path, "  ttl: 100ms", WORKS)
    put(project, "a")
    time.sleep(0.2)
    project.do("work", "--until-idle", "--no-watch")
    (dead,) = project.do("queue", "ls", "lost", "-o", "json").json["items"]
    assert dead["reason"] == "waited longer than its ttl of 0.1 s"
    assert project.do("queue", "drop", dead["id"]).out.split() == [dead["id"]]
    assert project.run("queue", "drop", dead["id"]).code == 1


def test_what_is_no_job_says_why(tmp_path: Path) -> None:
    """`show` and `logs` tell where an item is that was refused, lies dead or waits; dead ones take no messages."""
    project = make(tmp_path, "  ttl: 100ms", WORKS)
    (old,) = put(project, "a")
    time.sleep(0.2)
    project.do("work", "--until-idle", "--no-watch")
    gone = project.do("show", old, "-o", "json").json["job"]
    assert (gone["status"], gone["outcome"], gone["inputs"]) == ("refused", "refused", {"id": "a"})
    assert gone["stands"] == f"waited longer than its ttl of 0.1 s; it is on the dead letter queue 'lost' as lost:{old}"
    dead = project.do("show", f"lost:{old}", "-o", "json").json["job"]
    why = "on a dead letter queue, from 'orders': waited longer than its ttl of 0.1 s"
    assert (dead["status"], dead["stands"]) == ("waiting", why)
    for words in (["logs", old], ["logs", "-f", old], ["logs", f"lost:{old}"]):
        assert "is no job:" in project.do(*words).err
    assert [project.run(verb, f"lost:{old}", *text).code for verb, *text in (["push", "hello"], ["cancel"])] == [1, 1]
    project.edit("queues/orders.yaml", "  ttl: 100ms", "  paused: true")
    project.do("apply", ".", "--yes")
    (held,) = put(project, "b")
    assert "waits until its queue is no longer paused" in project.do("show", held).out
