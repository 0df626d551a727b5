"""The client API beside a worker: what it writes, and what it learns of a job's end."""

import threading
from collections.abc import Iterator
from pathlib import Path

import dbzero as db0
import pytest

from statek.exceptions import NotApplied, StatekError
from statek.ledger import compiled, inbox, items
from statek.ledger.file import LedgerFile
from statek.ledger.submit import BadInputs
from statek.statek_client_api import StatekClientAPI
from statek.store.agent import SupervisedAgent
from statek.store.job import new_job
from statek.store.job_def import JobDef
from statek.testing import LocalFleet, answer, declare_agent, declare_queue, open_fleet

AGAIN = compiled.Retry(2, compiled.Backoff(10_000_000, 10_000_000, 1.0))
CLERK = declare_agent("clerk", inputs={"x": {"type": "object", "optional": True}})
TEXT = {"topic": {"type": "string"}}
ANSWERS = [
    answer("exit({'n': [1, 2]})", agent="clerk"), answer("exit({1, 2})", agent="painter"),
    answer("1/0", agent="faulty"), answer("exit('x' * 70_000)", agent="long"),
]  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[LocalFleet]:
    """Agents that end in different ways."""
    agents = [declare_agent(name, limits={"exceptions": 0}) for name in ("clerk", "painter", "faulty", "long")]
    agents.append(declare_agent("reader", inputs=TEXT))
    with open_fleet(tmp_path, agents=agents, answers=[*ANSWERS, answer("exit(topic)", agent="reader")]) as found:
        yield found


@pytest.fixture
def api(fleet: LocalFleet, tmp_path: Path) -> Iterator[StatekClientAPI]:
    """A client of the store, with a connection of its own."""
    found = StatekClientAPI(tmp_path)
    yield found
    found.close()


def test_a_job_goes_from_waiting_to_done_with_its_result(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """What the job gave to exit comes back as JSON data."""
    job = api.submit("clerk", id="1")
    assert (job.id, job.status(), job.told()) == ("clerk/1", "WAITING", None)
    fleet.run()
    assert (job.status(), job.wait(0), job.result(0)) == ("DONE", "ok", {"n": [1, 2]})


def test_inputs_are_checked_and_reach_the_code(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """Wrong ones are refused before anything is written."""
    with pytest.raises(BadInputs, match="topic"):
        api.submit_batch("reader", [{"topic": "a"}, {"topic": 1}])
    assert inbox.depth(fleet.ledger, "submit") == 0
    job = api.submit("reader", {"topic": "a"})
    fleet.run()
    assert job.result(0) == "a"


@pytest.mark.parametrize("agent", ["painter", "long"])
def test_a_result_that_is_no_short_data_is_named(fleet: LocalFleet, api: StatekClientAPI, agent: str) -> None:
    """A set and a long text stay in the store; the client learns their type."""
    job = api.submit(agent)
    fleet.run()
    assert job.wait(0) == "ok"
    with pytest.raises(StatekError, match=r"set|str"):
        job.result(0)


def test_a_job_that_failed_has_no_result_but_a_reason(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """The error is the job's own."""
    job = api.submit("faulty")
    fleet.run()
    with pytest.raises(StatekError, match=r"ended failed: .+"):
        job.result(0)


def test_an_input_that_is_refused_when_it_is_taken_in_ends_too(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """Nobody waits for ever for a job that will never be: there is no such agent by then."""
    job = api.job(fleet.submit("nobody"))
    fleet.run()
    assert job.wait(0) == "refused"
    assert "nobody" in (job.told() or {})["error"]


def test_a_message_brings_a_newer_end(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """With a key it is sent once; what is told is the newest end."""
    job = api.submit("clerk", id="1")
    fleet.run()
    fleet.apply([declare_agent("clerk")], [answer("exit('again')")])
    for _ in range(2):
        api.push(job.id, "once more", key="m")
    fleet.run()
    assert job.result(0) == "again"
    assert [item["text"] for item in fleet.show(job.id)["pushLog"]] == ["once more"]


def test_a_job_is_cancelled_once(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """Asked before it began, it ends cancelled; asked again there is nothing to do."""
    job = api.submit("clerk")
    assert [api.cancel(job.id), job.cancel()] == [True, False]
    fleet.run()
    assert job.wait(0) == "cancelled"
    assert not job.cancel()


def test_jobs_that_nobody_submitted_are_not_known(api: StatekClientAPI) -> None:
    """Neither told something nor ended."""
    assert not api.job("clerk/nothing").exists()
    for act in (lambda: api.push("clerk/nothing", "x"), lambda: api.cancel("clerk/nothing")):
        with pytest.raises(NotApplied, match="there is no job"):
            act()


def test_waiting_has_an_end(api: StatekClientAPI) -> None:
    """TimeoutError after the time given."""
    with pytest.raises(TimeoutError):
        api.submit("clerk").wait(0.01)


def test_the_end_is_that_of_the_last_try(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """Between two tries it has not ended; what is told then, and to whom a message goes, is the try that goes on."""
    agents, queues = [CLERK], [declare_queue("in", "clerk", deliver_as="x", retry=AGAIN)]
    fleet.apply(agents, [answer(error="overloaded")], queues=queues)
    job = api.job(api.put("in", [{"id": 1}]).ids[0])
    fleet.run()
    assert (job.status(), job.told()) == ("WAITING", None)
    fleet.apply(agents, [answer("exit('second')")], queues=queues)
    fleet.clock.advance(11)
    fleet.run()
    assert (job.status(), job.result(0)) == ("DONE", "second")
    job.push("once more")
    fleet.run()
    assert [len(fleet.show(name)["pushLog"]) for name in (job.id, f"{job.id}~2")] == [0, 1]


def test_an_item_that_became_no_job_ends(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """One that waited too long is refused with the reason and where it went to; nobody can tell it anything there."""
    queues = [declare_queue("in", "clerk", deliver_as="x", paused=True, ttl_us=1_000_000, dead_letter="dead")]
    fleet.apply([CLERK], queues=[*queues, declare_queue("dead", None)])
    job = api.job(fleet.put("in", {"id": 1}, key="1"))
    fleet.clock.advance(2)
    fleet.run()
    assert job.wait(0) == "refused"
    assert f"on the dead letter queue 'dead' as dead:{job.id}" in (job.told() or {})["error"]
    assert not job.cancel()
    for told in (job, api.job(f"dead:{job.id}")):
        with pytest.raises(NotApplied, match=r"became no job|is an item of the dead letter queue 'dead'"):
            told.push("hello")


def test_what_was_dropped_is_waited_for_no_longer(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """Nor what was never submitted; jobs that code makes are waited for, they are known only once they have ended."""
    fleet.apply([CLERK], queues=[declare_queue("in", "clerk", deliver_as="x", paused=True)])
    job = api.job(api.put("in", [{"id": 1}]).ids[0])
    items.drop(fleet.ledger, items.waiting_items(fleet.ledger, "in"))
    for unknown in (job, api.job("nope")):
        with pytest.raises(NotApplied, match="there is no job"):
            unknown.wait(1)
    for name in ("job-0a1b2c", f"{job.id}.1.0.1", "clerk/event-abc-1"):
        with pytest.raises(TimeoutError):
            api.job(name).wait(0.01)


def test_usage_is_asked_from_python(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """By agent, model or day; another word is refused."""
    api.submit("clerk")
    fleet.run()
    assert [(row.name, row.answers, row.scripted) for row in api.usage()] == [("clerk", 1, 1)]
    assert api.usage("day", "2026-01-02") == []
    with pytest.raises(StatekError, match="expected one of agent, model, day"):
        api.usage("moon")


def test_each_thread_has_an_api_of_its_own(fleet: LocalFleet, tmp_path: Path) -> None:
    """Clients in other threads see the same ledger."""
    found: list[str] = []

    def submit() -> None:
        api = StatekClientAPI(tmp_path / "ledger.sqlite")
        found.append(api.submit("clerk", id="t").id)
        api.close()

    thread = threading.Thread(target=submit)
    thread.start()
    thread.join()
    fleet.run()
    assert found == ["clerk/t"]
    assert fleet.job("clerk/t").outcome == "ok"


def test_agents_from_files_take_inputs_only(fleet: LocalFleet, api: StatekClientAPI) -> None:
    """Prompt parameters and a language are refused, not dropped."""
    with pytest.raises(BadInputs, match="no locale or prompt parameters"):
        api.submit_new_job("clerk", {}, locale="EN-US", source="test")
    assert inbox.depth(fleet.ledger, "submit") == 0


def test_the_open_store_has_one_api_in_a_thread(tmp_path: Path) -> None:
    """As documented; it can be closed and used again."""
    db0.init(str(tmp_path), prefix="app", autocommit=False)
    try:
        api, others = StatekClientAPI(), list[StatekClientAPI]()
        thread = threading.Thread(target=lambda: others.append(StatekClientAPI()))
        thread.start()
        thread.join()
        assert StatekClientAPI() is api is not others[0]
        path = api.ledger_path
        api.close()
        assert StatekClientAPI().ledger_path == path
        api.close()
    finally:
        db0.close()


def test_a_client_goes_on_after_a_restore(fleet: LocalFleet, api: StatekClientAPI, tmp_path: Path) -> None:
    """What it submits after another file took the ledger's place is in that file."""
    path, beside = api.ledger_path, tmp_path / "new.sqlite"
    fleet.ledger.back_up(beside)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).rename(tmp_path / f"aside.sqlite{end}")
    beside.rename(path)
    api.submit("clerk", id="1")
    with LedgerFile.open(path) as found:
        assert inbox.find(found, "clerk/1") is not None


def test_agents_made_in_python_keep_parameters_and_language(tmp_path: Path) -> None:
    """What is submitted beside their worker reaches the definition of the job."""
    with open_fleet(tmp_path) as fleet:
        with fleet.store.together():
            SupervisedAgent("tri", "p", [], _metadata={"MODEL": "m"}).update_warmup_def("exit(event)")
        api = StatekClientAPI(tmp_path)
        job = api.submit_new_job("tri", {"event": 7}, locale="EN-US", source="test")
        fleet.run()
        assert (job.result(0), fleet.job(job.id).job_def.job_params) == (7, {"source": "test"})
        assert str(fleet.job(job.id).job_def.locale) == "EN-US"
        api.close()


def test_jobs_that_code_began_can_be_told_something(tmp_path: Path) -> None:
    """A client in another place pushes to a job that an application made, and cancels it, as any other."""
    rules = [answer("exit(1)")]
    with open_fleet(tmp_path, agents=[declare_agent("clerk")], answers=rules) as fleet:
        fleet.run()
        with fleet.store.together():
            made = [new_job(catalog_definition(fleet), f"job-00000000000{n}", 1) for n in (1, 2)]
        for job in made:
            fleet.fleet.passes.take_notice([job.id], ())
        api = StatekClientAPI(tmp_path)
        first, second = (api.job(job.id) for job in made)
        assert (first.status(), first.cancel(), first.cancel()) == ("TAKEN", True, False)
        second.push("now")
        fleet.run()
        assert (first.wait(0), first.status(), second.status()) == ("cancelled", "DONE", "DONE")
        with pytest.raises(NotApplied, match="there is no job 'clerk/never'"):
            api.job("clerk/never").status()
        api.close()


def catalog_definition(fleet: LocalFleet) -> JobDef:
    """The definition of jobs of `clerk`."""
    job_def: JobDef = fleet.fleet.catalog.start_of("clerk")[0]
    return job_def
