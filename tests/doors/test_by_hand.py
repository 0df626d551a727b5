"""Jobs that an application makes and drives by itself: every documented way in, and what it reads of them."""

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dbzero as db0
import pytest

from statek.agents.agent import Agent, SupervisedAgent
from statek.executors.chat_log_item import LLM_LogItem, UserLogItem, WarmupLogItem
from statek.executors.job import Job, JobDef, JobDefError, JobStatus
from statek.executors.utils import run_job_step
from statek.prompt_config import make_system_prompt
from statek.pyenv import Error, ErrorKind, PyEnv
from statek.settings import ChatStyle, LLM_API_Settings, StatekSettings, set_statek_settings
from statek.store.session import Store
from statek.task import create_new_job, submit_new_job
from statek.task_difficulty import TaskDifficulty
from statek.text.warmup import CallSpec, CodeBlock
from statek.utils import statek_ctx_get, statek_ctx_set
from tests.loopback_llm import LoopbackLLM


@db0.memo(id="tests/Pot")
class Box:
    """A stored object of an application."""

    def __init__(self, value: int) -> None:
        self.value = value

    def set(self, value: int) -> None:
        """Change it."""
        self.value = value

    def read(self) -> int:
        """Look at it."""
        return self.value


@db0.memo(id="tests/Initialised")
class Initialised(SupervisedAgent):
    """An agent with a context of its own."""

    def init_context(self) -> None:
        """Fill it."""
        self.context["made"] = 3


def count(text: str) -> int:
    """How long a text is."""
    return len(text)


@pytest.fixture
def llm() -> Iterator[LoopbackLLM]:
    """A model that ends the job."""
    with LoopbackLLM(lambda _: "exit('end')") as server:
        yield server


@pytest.fixture
def store(tmp_path: Path, llm: LoopbackLLM) -> Iterator[Store]:
    """An open store, with settings for the model."""
    api = LLM_API_Settings(api_url=llm.url, api_key="test")
    set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": api}))
    with Store.open(tmp_path, "by hand") as opened:
        yield opened
    set_statek_settings(None)


@pytest.fixture
def agent(store: Store) -> SupervisedAgent:
    """An agent with a model."""
    return SupervisedAgent("clerk", make_system_prompt("Work."), [count], _metadata={"MODEL": "f/m"})


def step(job: Job) -> bool:
    """One step."""
    return asyncio.run(run_job_step(job))


def answered(agent: SupervisedAgent, text: Any, style: ChatStyle | None = None, **fields: Any) -> Job:
    """A job whose history ends with an answer."""
    job = Job(JobDef(agent, _chat_style=style), JobStatus.STARTED, **fields)
    job.append_chat_log({}, text)
    return job


def test_signatures_show_what_is_documented(store: Store) -> None:
    """No parameter of the kit's own is shown, and a new job's status is the documented one."""
    assert inspect.signature(Job).parameters["job_status"].default == JobStatus.READY
    shown = [name for kind in (Job, JobDef, Agent, SupervisedAgent) for name in inspect.signature(kind).parameters]
    assert not {"_id", "_attach", "_revision", "self"} & set(shown)


def test_time_comes_back_as_it_was_given(agent: SupervisedAgent) -> None:
    """A naive local time stays one; without any it is an aware one."""
    local, aware = datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)  # noqa: DTZ001 - meant
    assert Job(JobDef(agent), created_at=local).created_at == local
    assert Job(JobDef(agent), created_at=aware).created_at == aware
    assert Job(JobDef(agent)).created_at.tzinfo is UTC


def test_a_history_comes_back_as_it_was_given(agent: SupervisedAgent) -> None:
    """Texts, blocks of the warmup, answers and messages, in order."""
    given = ["hello", WarmupLogItem(), LLM_LogItem(llm_resp="x = 1"), UserLogItem("more")]
    job = Job(JobDef(agent, warmup_code="print(1)"), chat_log=given)
    first, warmup, answer, message = job.chat_log
    assert (first, answer.llm_resp, message.message) == ("hello", "x = 1", "more")
    assert isinstance(first, str)
    assert isinstance(warmup, WarmupLogItem)
    assert [item.content for item in job.get_chat_history()][:2] == ["hello", "print(1)"]


@pytest.mark.parametrize("style", [ChatStyle.DIRECT, ChatStyle.MD_DIALOG])
def test_a_dialog_begins_with_a_text(agent: SupervisedAgent, style: ChatStyle) -> None:
    """The first message is a plain text that knows its time, later ones are items."""
    job = Job(JobDef(agent, _chat_style=style))
    job.push_user_message("hello")
    job.push_user_message("more")
    assert job.chat_log[0] == "hello"
    assert job.chat_log[0].timestamp is not None
    assert isinstance(job.chat_log[1], UserLogItem)


def test_what_is_added_to_a_view_is_added_to_the_job(agent: SupervisedAgent) -> None:
    """History, console and names take what is given; what they cannot do they refuse."""
    job = Job(JobDef(agent))
    job.chat_log.append(LLM_LogItem(llm_resp="x = 1"))
    job.py_env.console.append("line")
    assert job.py_env.local_state.setdefault("a", 1) == 1
    names = job.py_env.local_state
    names |= {"b": 2}
    assert (job.last_response, job.py_env.console, job.read_names()) == ("x = 1", ["line"], {"a": 1, "b": 2})
    for refused in (job.chat_log.clear, job.py_env.console.pop, names.clear):
        with pytest.raises(TypeError):
            refused()


def test_blocks_of_a_warmup_are_steps(agent: SupervisedAgent, llm: LoopbackLLM) -> None:
    """Each block is a step, counted from None; the last one has the question behind it."""
    job = create_new_job(agent, warmup_code=["a = 1", "b = a + 1", "print(b)"])
    seen = [(step(job), str(job.status), job.warmup_block_num, len(llm.requests)) for _ in range(4)]
    assert seen == [
        (False, "WARMING_UP", 1, 0), (False, "WARMING_UP", 2, 0), (False, "STARTED", 2, 1), (True, "DONE", 2, 1)
    ]  # fmt: skip
    assert [item.warmup_block_num for item in job.chat_log if isinstance(item, WarmupLogItem)] == [0, 1, 2]


def test_a_step_is_in_the_file(tmp_path: Path) -> None:
    """What a step did outlives a process that is killed right behind it."""
    code = """if True:
        import asyncio, os, sys
        import dbzero as db0
        from statek.agents.agent import SupervisedAgent
        from statek.executors.utils import run_job_step
        from statek.task import create_new_job
        db0.init(dbzero_root=sys.argv[1], read_write=True)
        db0.open("shop", "rw")
        clerk = SupervisedAgent("clerk", "Work.", [], _metadata={"MODEL": "f/m"})
        asyncio.run(run_job_step(create_new_job(clerk, warmup_code=["a = 1", "b = 2"])))
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)
    db0.init(dbzero_root=str(tmp_path), read_write=True)
    db0.open("shop", "rw")
    try:
        (job,) = db0.find(Job, JobStatus.WARMING_UP)
        found = (job.warmup_block_num, dict(job.py_env.local_state))
    finally:
        db0.close()
    assert found == (1, {"a": 1})


@pytest.mark.parametrize("scope", ["+python_cli", "SYSTEM+python_cli"])
def test_a_formal_tool_without_a_chat_style(agent: SupervisedAgent, llm: LoopbackLLM, scope: str) -> None:
    """What a tool is made for does not count where no style was chosen."""
    agent.update_metadata({"MODEL": "f/m", "LLM_TOOLS_SCOPE": scope})
    step(create_new_job(agent))
    assert "python_cli" in [tool["function"]["name"] for tool in llm.requests[-1]["tools"]]


def test_inside_a_transaction_of_the_application(tmp_path: Path) -> None:
    """What is to be durable on return is written with the end of the transaction."""
    db0.init(dbzero_root=str(tmp_path), read_write=True)
    try:
        db0.open("shop", "rw")
        clerk = SupervisedAgent("clerk", "Work.", [], _metadata={"MODEL": "f/m"})
        clerk.update_warmup_def("b = a + 1\nexit(b)")
        with db0.atomic():
            job = submit_new_job(clerk, {"a": 1})
            step(job)
        assert job.py_env.exit_status == 2
    finally:
        db0.close()


def test_the_language_of_a_job(agent: SupervisedAgent, llm: LoopbackLLM) -> None:
    """Its rule stands behind the prompt, a hint behind words of the user, unless the metadata says otherwise."""
    job = create_new_job(agent, locale="pl-PL")
    job.push_user_message("Hello.")
    step(job)
    assert llm.requests[-1]["messages"][-1]["content"] == "Hello. (Respond in Polish.)"
    assert job.job_def.locale == "PL-PL"
    assert job.system_prompt().startswith("Work.\n\nYour responses to the user are exclusively in Polish")
    assert llm.requests[-1]["messages"][0]["content"] == job.system_prompt()
    agent.update_metadata({"MODEL": "f/m", "AUTO_LANG_RULE": "false"})
    assert create_new_job(agent, parent_job=job).system_prompt() == "Work."
    with pytest.raises(ValueError, match="no language 'polish'"):
        create_new_job(agent, locale="polish")


def test_a_job_begins_at_its_block_and_statement(agent: SupervisedAgent) -> None:
    """What a job is made to have behind it does not run."""
    definition = JobDef(agent, warmup_code=["print('a')", "print('b')\nprint('c')"])
    assert Job(definition, JobStatus.STARTED, next_instr_num=2).next_instr_num == 2
    job = Job(definition, warmup_block_num=1, next_instr_num=1)
    assert (job.next_instr_num, job.get_next_code_block()) == (1, "print('b')\nprint('c')")
    step(job)
    assert (job.py_env.console, job.next_instr_num) == (["c"], None)


def test_blocks_are_counted_by_hand(agent: SupervisedAgent) -> None:
    """As the documents name it."""
    job = Job(JobDef(agent, warmup_code=["a = 1", "b = 2"]))
    assert (job.get_next_code_block(), job.has_more_warmup_blocks()) == ("a = 1", True)
    job.advance_warmup_block()
    assert (job.get_next_code_block(), job.has_more_warmup_blocks()) == ("b = 2", False)
    job.set_status(JobStatus.DONE)
    assert job.get_next_code_block() is None


@pytest.mark.parametrize(
    ("style", "text"),
    [(None, "x = count('a')"), (ChatStyle.MARKDOWN, "Look:\n```python\nx = count('a')\n```\ndone")],
)
def test_an_answer_given_by_hand_runs_next(agent: SupervisedAgent, style: ChatStyle | None, text: str) -> None:
    """By the job's chat style, once; then the model is asked."""
    job = answered(agent, text, style)
    assert (job.num_turns, job.last_response) == (1, text)
    step(job)
    assert "x" in job.py_env.local_state
    assert job.num_turns == 2


def test_formal_calls_given_by_hand_run_next(agent: SupervisedAgent) -> None:
    """In whatever form the answer has them."""
    calls = [CallSpec("c1", "python_cli", None, {"code": "x = 2\nprint(x)"})]
    for given in (CodeBlock(None, calls), SimpleNamespace(text=None, call_requests=calls)):
        job = answered(agent, given, ChatStyle.DIRECT)
        step(job)
        first = next(item for item in job.chat_log if isinstance(item, LLM_LogItem))
        assert (job.py_env.local_state["x"], first.tool_log) == (2, "2")
    with pytest.raises(TypeError, match="not a int"):
        job.append_chat_log({}, 5)


def test_what_is_told_next(agent: SupervisedAgent) -> None:
    """All that came since the newest answer, as one text."""
    job = answered(agent, "x = 1")
    job.console_append("one")
    job.push_user_message("two")
    assert job.get_next_prompt() == "one\ntwo" or job.get_next_prompt() == "two\none"
    assert Job(JobDef(agent)).get_next_prompt() == ""


def test_final_answers(agent: SupervisedAgent) -> None:
    """Only a text to the user ends a job, in the dialog styles."""
    text, code, comment = "Hello", "```python\nx = 1\n```", "```python\n# nothing\n```"
    direct, dialog, console = (
        Job(JobDef(agent, _chat_style=style)) for style in (ChatStyle.DIRECT, ChatStyle.MD_DIALOG, ChatStyle.CONSOLE)
    )
    assert [direct.is_step_final(given) for given in (text, code)] == [True, True]
    assert [dialog.is_step_final(given) for given in (text, code, comment)] == [True, False, True]
    assert not console.is_step_final(text)
    assert not direct.is_step_final(CodeBlock(text, [CallSpec("c", "count")]))


def test_console_entries_that_tell_of_errors(agent: SupervisedAgent) -> None:
    """They count as failed code, those of a limit do not."""
    job = Job(JobDef(agent))
    job.console_append("fine")
    job.console_append("ValueError: bad", error=ValueError("bad"))
    job.console_append("limit", error=Error(ErrorKind.HARNESS, "limit"))
    assert (job.exception_count, job.py_env.exceptions) == (1, {1: Error(ErrorKind.EXECUTION, "ValueError: bad")})


def test_a_python_side_is_taken_over(agent: SupervisedAgent) -> None:
    """All that a job may begin with comes back."""
    errors = {1: Error(ErrorKind.EXECUTION, "b")}
    env = PyEnv({"g": 1}, {"a": 2}, ["a", "b"], errors, {0: "one", 2: ["two", "three"]}, exit_status="done")
    found = Job(JobDef(agent), JobStatus.DONE, env).py_env
    assert (found.local_state, found.console, found.exceptions) == ({"g": 1, "a": 2}, ["a", "b"], errors)
    assert (found.push_log, found.exit_status) == ({0: "one", 2: ["two", "three"]}, "done")


def test_errors_are_found_by_their_definition(store: Store, agent: SupervisedAgent) -> None:
    """A definition's errors are tagged with it until they are cleared."""
    one, other = JobDef(agent), JobDef(agent, job_params={"n": 1})
    one.set_error(ValueError("a"))
    other.set_error(ValueError("b"))
    assert [error.error_message for error in db0.find(JobDefError, db0.as_tag(one))] == ["a"]
    one.clear_errors()
    assert list(db0.find(JobDefError, db0.as_tag(one))) == []
    assert other.has_errors()


def test_internal_tools_are_not_shown(agent: SupervisedAgent, llm: LoopbackLLM) -> None:
    """Code calls them, the prompt does not know them, whatever their names."""
    clerk = SupervisedAgent("c", "{tools}", [], _internal_tools=[count], _metadata={"MODEL": "f/m"})
    assert (clerk.tools, clerk.all_tools) == ([], [count])
    job = answered(clerk, "x = count('a')")
    step(job)
    assert "x" in job.py_env.local_state
    assert "count" not in llm.requests[0]["messages"][0]["content"]


def test_a_context_is_filled_beside_given_tools(store: Store) -> None:
    """`init_context` runs once, also for an agent that was made with names of its own."""

    def nested(**_kwargs: Any) -> int:
        return 1

    clerk = Initialised("c", None, [nested], _X__context={"given": 2})
    assert (clerk.context["made"], clerk.context["given"]) == (3, 2)
    assert [tool.__name__ for tool in clerk.tools] == ["nested"]


def test_default_difficulty(store: Store) -> None:
    """The metadata's, else the settings' at the time of the definition, else medium."""
    clerk = SupervisedAgent("c", None, [], _metadata={"MODEL": "L:a,M:b,H:c"})
    before = Job(JobDef(clerk))
    set_statek_settings(StatekSettings(statek_default_difficulty="H"))
    after = Job(JobDef(clerk))
    chosen = Job(JobDef(clerk, metadata={"MODEL": "L:a,M:b,H:c", "DEFAULT_DIFFICULTY": "low"}))
    assert [job.get_current_model() for job in (before, after, chosen)] == ["b", "c", "a"]
    assert after.get_current_difficulty() is TaskDifficulty.high
    assert create_new_job(clerk).job_def is not before.job_def


def test_volatile_context(agent: SupervisedAgent) -> None:
    """Code reads the agent's context; outside of a job there is none."""
    agent.context["box"] = 5
    job = answered(agent, "a = statek_ctx_get('box')\nb = statek_ctx_get('none', 6)")
    step(job)
    assert (job.py_env.local_state["a"], job.py_env.local_state["b"]) == (5, 6)
    assert statek_ctx_get("a", 1) == 1
    for call in (lambda: statek_ctx_get("a"), lambda: statek_ctx_set(a=1)):
        with pytest.raises(RuntimeError):
            call()
    with pytest.raises(TypeError):
        statek_ctx_get("a", 1, 2)


def test_methods_of_stored_objects_are_names(agent: SupervisedAgent) -> None:
    """`f = box.add` is kept, in lists too, and is the method itself when it is looked at from outside."""
    box = Box(1)
    job = answered(agent, "f = box.set\nfs = [box.read]", py_env=PyEnv(local_state={"box": box}))
    step(job)
    job.append_chat_log({}, "f(5)\nprint(fs[0]())")
    step(job)
    assert (box.value, job.py_env.console[-1]) == (5, "5")
    assert job.py_env.local_state["fs"][0]() == 5
