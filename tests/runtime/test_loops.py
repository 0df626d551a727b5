"""The loops of an embedding process: one bad input, agent or function costs only itself; capacity is shared."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.base.prices import set_model_pricing
from statek.exceptions import CannotKeep, StoreError
from statek.runtime import loops
from statek.runtime.delegation import create_new_job, create_sub_task, submit_new_jobs_batch
from statek.runtime.delivery import process_agent_events, process_push_notifications
from statek.runtime.loops import AgentLoopDef, run_agentic_fleet, run_agentic_loop, run_jobs_loop
from statek.runtime.stepper import job_worker, run_job_step, unsuspend_jobs
from statek.settings import LLM_API_Settings, StatekSettings, get_statek_settings, set_statek_settings
from statek.store.agent import SupervisedAgent
from statek.store.future import FutureResult, temporal
from statek.store.job import Job, JobStatus
from statek.store.queue import StatekPushQueue
from statek.store.root import current_root
from statek.store.subtask import SubTaskHandler
from tests.loopback_llm import LoopbackLLM, completion

PREFIX = "t"
failing = {"condition": True}


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model that ends every job."""
    with LoopbackLLM(lambda _: "exit('done')") as server:
        yield server


@pytest.fixture
def store(tmp_path: Path, llm: LoopbackLLM) -> Iterator[Path]:
    """An application's open store, with settings for the model."""
    api = LLM_API_Settings(api_url=llm.url, api_key="test")
    set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": api}))
    db0.init(str(tmp_path), prefix=PREFIX, autocommit=False)
    try:
        yield tmp_path
    finally:
        db0.close()
        set_statek_settings(None)


def agent(role: str, warmup: str | None = None) -> SupervisedAgent:
    """An agent with a warmup."""
    made = SupervisedAgent(role, f"You are {role}.", [], _metadata={"MODEL": "f/m"})
    made.update_warmup_def(warmup)
    return made


def jobs_of(made: SupervisedAgent) -> list[tuple[str, Any]]:
    """How the jobs of an agent stand, oldest first."""
    found = [job for job in current_root().jobs if job is not None and job.agent is made]
    return [(str(job.status), job.exit_value) for job in found]


class Tasks:
    """Work of an application: so many tasks, one gone with each look."""

    def __init__(self, *sizes: Any) -> None:
        self.sizes = list(sizes)

    def __call__(self) -> int:
        size = self.sizes.pop(0) if self.sizes else 0
        if isinstance(size, Exception):
            raise size
        return int(size)


def work(coroutine: Any) -> None:
    """Run a loop to its end, within bounds."""
    asyncio.run(asyncio.wait_for(coroutine, 60))


def test_jobs_by_the_queues_size(store: Path) -> None:
    """As many jobs start as tasks wait, up to the free capacity, with the given warmup in place of the agent's own."""
    clerk = agent("clerk", "x = unknown")
    work(run_agentic_loop(clerk, "print('own')", Tasks(3), [PREFIX], max_concurrency=2, auto_terminate=True))
    assert jobs_of(clerk) == [("DONE", "done")] * 2


def test_capacity_is_shared(store: Path) -> None:
    """Agents of one fleet share its capacity."""
    first, second = agent("first"), agent("second")
    defs = [AgentLoopDef(first, None, Tasks(3)), AgentLoopDef(second, None, Tasks(3))]
    work(run_agentic_fleet(defs, [PREFIX], max_concurrency=4, auto_terminate=True))
    assert (len(jobs_of(first)), len(jobs_of(second))) == (3, 1)


def test_a_failed_warmup_stops_its_agent_only(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a warmup failed no more jobs of that agent start; the others go on; a restart tries again."""
    broken, healthy = agent("broken", "1/0"), agent("healthy")
    defs = [AgentLoopDef(broken, None, Tasks(1, 1, 1, 1)), AgentLoopDef(healthy, None, Tasks(1, 1, 1, 1))]
    work(run_agentic_fleet(defs, [PREFIX], auto_terminate=True))
    assert jobs_of(broken) == [("DONE", None)]
    assert set(jobs_of(healthy)) == {("DONE", "done")}
    assert "starts no more jobs of agent broken" in caplog.text
    assert loops.loop_definition(broken, None).has_errors()
    work(run_agentic_loop(broken, None, Tasks(1), [PREFIX], auto_terminate=True))
    assert len(jobs_of(broken)) == 2


def test_a_broken_size_function(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An agent whose task queue cannot be asked starts none now; the loop goes on."""
    clerk, other = agent("clerk"), agent("other")
    defs = [AgentLoopDef(clerk, None, Tasks(OSError("no queue"))), AgentLoopDef(other, None, Tasks(1))]
    work(run_agentic_fleet(defs, [PREFIX], auto_terminate=True))
    assert (jobs_of(clerk), jobs_of(other)) == ([], [("DONE", "done")])
    assert "no queue" in caplog.text


def test_agents_need_a_model(store: Path) -> None:
    """A loop for an agent without a model does not begin."""
    clerk = SupervisedAgent("clerk", None, [])
    with pytest.raises(ValueError, match="no MODEL"):
        asyncio.run(run_agentic_loop(clerk, None, Tasks(), [PREFIX]))


def test_bad_events_cost_only_themselves(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Events nobody can take stay or are set aside with the reason; the others become jobs, bound to their name."""
    clerk, odd, bare = agent("clerk", "print(event['n'])"), agent("odd", "x = a + b"), agent("bare", "print(event)")
    bare.update_metadata({"OTHER": "x"})
    queue = StatekPushQueue()
    for event in ({"n": 1}, {"m": 2}, {"n": 3}):
        queue.push_to_agent_queue(clerk, event)
    queue.push_to_agent_queue(odd, "stays")
    queue.push_to_agent_queue(bare, "dropped")
    work(run_jobs_loop(queue_prefixes=[PREFIX], auto_terminate=True))
    assert jobs_of(clerk) == [("DONE", "done"), ("DONE", None), ("DONE", "done")]
    assert queue.has_agent_events(odd)
    assert not queue.has_agent_events(bare)
    (line,) = list(current_root().refused)
    assert b"no MODEL" in line
    assert "exactly one external local" in caplog.text


def test_bad_messages_cost_only_themselves(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A message for nobody, and one whose adapter fails, are set aside with the reason; the next is delivered."""
    clerk = agent("clerk")
    job = Job(clerk.create_job_def())
    clerk.context["message_adapter"] = lambda message: message["text"]
    queue = StatekPushQueue()
    queue.push_to_job_console("nobody", "hello")
    queue.push_to_job_console(job.id, {"wrong": 1})
    queue.push_to_job_console(job.id, {"text": "right"})
    process_push_notifications(queue_prefixes=[PREFIX])
    assert [item.message for item in job.chat_log] == ["right"]  # type: ignore[union-attr]
    assert len(current_root().refused) == 2
    assert queue.is_empty()


def test_events_are_bounded_and_checked_first(store: Path) -> None:
    """By hand, an agent that cannot take events is an error before anything is taken; so many jobs are made at most."""
    clerk, odd = agent("clerk", "print(event)"), agent("odd", "x = 1")
    queue = StatekPushQueue()
    for n in range(3):
        queue.push_to_agent_queue(clerk, {"n": n})
    queue.push_to_agent_queue(odd, "x")
    with pytest.raises(ValueError, match="exactly one external local"):
        process_agent_events(queue_prefixes=[PREFIX])
    assert jobs_of(clerk) == []
    process_agent_events([clerk], max_count=2, queue_prefixes=[PREFIX])
    assert len(jobs_of(clerk)) == 2


def fail_or_not(_future: Any) -> bool:
    """A condition that may fail."""
    if failing["condition"]:
        raise KeyError("broken condition")
    return True


def value(_future: Any) -> int:
    """The value."""
    return 5


@temporal(complement=value, condition=fail_or_not)
def later() -> Any:
    """Something that comes later."""
    return FutureResult("x", None)


def test_a_failing_condition_costs_one_job(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A condition that fails leaves its job waiting; the others are let go on."""
    failing["condition"] = True
    definition = agent("clerk").create_job_def()
    broken, fine = (Job(definition, JobStatus.SUSPENDED, awaited_result=future) for future in (later(), None))
    fine.waiting_bytes = b'{"kind":"future","detail":""}'
    unsuspend_jobs()
    assert (broken.status, fine.status) == (JobStatus.SUSPENDED, JobStatus.STARTED)
    assert "broken condition" in caplog.text
    failing["condition"] = False
    unsuspend_jobs()
    assert broken.status == JobStatus.STARTED


def test_one_step(store: Path, llm: LoopbackLLM) -> None:
    """A step runs the warmup and asks; the next one runs the answer and ends the job."""
    job = Job(agent("clerk", "print('hello')").create_job_def())
    assert asyncio.run(run_job_step(job)) is False
    assert (job.status, len(llm.requests), job.num_turns) == (JobStatus.STARTED, 1, 1)
    assert asyncio.run(run_job_step(job)) is True
    assert (job.exit_value, asyncio.run(run_job_step(job))) == ("done", True)


def test_difficulty_chooses_the_model(store: Path, llm: LoopbackLLM) -> None:
    """The model of the job's difficulty is asked, at the provider that the metadata names."""
    metadata = {"MODEL": "L:f/small,M:f/mid,H:f/large", "PROVIDER": "OPENROUTER"}
    clerk = SupervisedAgent("clerk", "Hi.", [], _metadata=metadata)
    job = Job(clerk.create_job_def())
    job.panic()
    asyncio.run(run_job_step(job))
    assert llm.requests[0]["model"] == "f/large"


def test_workers_share_a_semaphore(store: Path, llm: LoopbackLLM) -> None:
    """A worker takes one step when it may; a limit ends its job with the reason on the console and as its status."""
    set_statek_settings(get_statek_settings().model_copy(update={"max_turns": 0}))
    first, second = (create_new_job(agent(role)) for role in ("a", "b"))

    async def both() -> None:
        semaphore = asyncio.Semaphore(1)
        await asyncio.gather(job_worker(semaphore, first), job_worker(semaphore, second, "OPENROUTER"))

    work(both())
    assert [job.status for job in (first, second)] == [JobStatus.DONE, JobStatus.DONE]
    assert first.py_env.console[-1].startswith("LLM_HarnessError: limit turns")
    assert first.py_env.exit_status.startswith("Error: ")


def test_prices_and_reports_of_an_answer(store: Path) -> None:
    """An answer costs what the price of its time says, else what its provider reported; both stay to be seen."""
    said = {**completion("exit(1)"), "usage": {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.5}}
    set_model_pricing("openrouter", "priced", 100, 200, model_family="f")
    with LoopbackLLM(lambda _: said) as llm:
        api = LLM_API_Settings(api_url=llm.url, api_key="test")
        set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": api}))
        models = ("f/priced", "f/unpriced")
        jobs = [create_new_job(SupervisedAgent(m, "p", [], _metadata={"MODEL": m})) for m in models]
        work(run_jobs_loop(queue_prefixes=[PREFIX], auto_terminate=True))
    assert [job.usage.total_cost for job in jobs] == [pytest.approx(0.002), 0.5]
    assert [job.usage.total_reported_cost for job in jobs] == [0.5, 0.5]
    assert all(job.usage.context_bytes > 0 for job in jobs)


@db0.memo
class Own(SubTaskHandler):
    """A handler of an application, with a `complete` of its own."""

    def __init__(self, job: Job, id: Any = None) -> None:  # noqa: A002 - documented name
        super().__init__(job, id)
        self.heard: list[str] = []

    def complete(self, result: Any = None, error: Any = None) -> None:
        self.heard.append(str(result))
        SubTaskHandler.complete(self, result=result, error=error)


def test_a_handler_that_completes_its_own_way(store: Path) -> None:
    """The end of a child calls it as documented."""
    clerk = agent("clerk")
    parent = create_new_job(clerk)
    handler = create_sub_task(create_new_job(clerk, parent_job=parent), Own, id="c")
    work(run_jobs_loop(queue_prefixes=[PREFIX], auto_terminate=True))
    assert (handler.heard, handler.result) == (["done"], "done")
    assert parent.find_sub_task_handler(id="c") is handler


def test_a_second_loop_of_one_store_is_refused(store: Path) -> None:
    """Two would run everything twice; once the first has ended, the next one may begin."""
    entries = [AgentLoopDef(agent(role), None, lambda: 0) for role in ("one", "two")]

    async def both() -> None:
        first = asyncio.create_task(run_agentic_fleet(entries[:1], [PREFIX]))
        await asyncio.sleep(0)
        with pytest.raises(StoreError, match="another loop of this process"):
            await run_agentic_fleet(entries[1:], [PREFIX])
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(both())
    asyncio.run(run_agentic_fleet(entries, [PREFIX], auto_terminate=True))


def test_what_is_refused_leaves_no_job(store: Path) -> None:
    """A value that cannot be stored is refused before there is any job: of several none is made."""
    clerk, broken = agent("clerk"), {"lock": (n for n in range(3))}
    with pytest.raises(CannotKeep):
        submit_new_jobs_batch(clerk, [{"n": 1}, broken])
    with pytest.raises(CannotKeep):
        create_new_job(clerk, broken)
    assert list(db0.find(Job)) == []


@pytest.mark.parametrize("most", [0, -1])
def test_no_room_for_any_job_is_refused(store: Path, most: int) -> None:
    """A loop that could never run a job says so."""
    with pytest.raises(ValueError, match="at least 1"):
        asyncio.run(run_jobs_loop(most, queue_prefixes=[PREFIX]))


def test_what_is_no_settings_is_refused(store: Path) -> None:
    """With a plain message, and what was set before stays."""
    before = get_statek_settings()
    with pytest.raises(TypeError, match="StatekSettings or None, found int"):
        set_statek_settings(5)  # type: ignore[arg-type]
    assert get_statek_settings() is before


def test_an_async_start_function_is_refused(store: Path) -> None:
    """Nobody would await it, so it would start nothing."""

    async def start(_capacity: int) -> None: ...

    with pytest.raises(TypeError, match="expected a plain function, found an async one"):
        work(run_jobs_loop(queue_prefixes=[PREFIX], start_jobs_func=start, auto_terminate=True))
