"""What is read off a job: requests, dialog, figures, Python side, names and difficulty."""

from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import FutureError
from statek.settings import ChatStyle
from statek.store import current
from statek.store.agent import SupervisedAgent
from statek.store.chat import ChatItem
from statek.store.future import FutureResult, temporal
from statek.store.job import Job, JobStatus
from statek.store.job_def import JobDef, JobDefError
from statek.store.prompt import TaskDifficulty, make_system_prompt
from statek.store.pyenv import PERM_CTX, Error, ErrorKind, PyEnv
from statek.store.usage import Used

ready: list[int] = []


def value_of(future: Any) -> int:
    """The number, once it is there."""
    if not ready:
        raise FutureError(future)
    return ready[0]


def is_there(_future: Any) -> bool:
    """Is it?"""
    return bool(ready)


@temporal(complement=value_of, condition=is_there)
def later() -> Any:
    """A number that comes later."""
    return FutureResult("x", None)


@pytest.fixture
def agent(store: Path) -> SupervisedAgent:
    """An agent with a model for each difficulty."""
    ready.clear()
    metadata = {"MODEL": "L:small,M:mid,H:p/f/large", "TEMPERATURE": "0.5"}
    return SupervisedAgent(
        "clerk", make_system_prompt("Be kind.\n\n--- H: Care ---\nThink twice."), [], _metadata=metadata
    )


def answer(text: str | None, at: int = 1, console: int = 0, **more: Any) -> ChatItem:
    """An answer of the model."""
    return ChatItem("answer", at, console, text, **more)


def test_panic_raises_the_difficulty(agent: SupervisedAgent) -> None:
    """Each panic goes one level up, with model, prompt and token limit; at the top it is refused."""
    job = Job(JobDef(agent))
    assert (job.get_current_difficulty(), job.get_current_model()) == (TaskDifficulty.medium, "mid")
    assert "Think twice" not in job.system_prompt()
    job.used_bytes = Used(bytes_sent=400).encode()
    assert job.panic() is TaskDifficulty.high
    assert (job.get_current_model(), job.get_current_model("L")) == ("p/f/large", "small")
    assert "Think twice" in job.system_prompt()
    assert job.difficulty_token_extension == 100
    with pytest.raises(RuntimeError, match="highest"):
        job.panic()
    assert list(job.get_chat_history()) == []


@pytest.mark.parametrize("start", [0, 1, 3, 9, -1, -9])
def test_console_from_a_line_on(agent: SupervisedAgent, start: int) -> None:
    """As a slice of a list is."""
    job, lines = Job(JobDef(agent)), ["a", "b", "c"]
    for line in lines:
        job.console_append(line)
    assert job.read_console(start) == lines[start:]


def test_next_request(agent: SupervisedAgent) -> None:
    """The next request has all that a provider needs; those of past turns can be looked at again."""
    job = Job(JobDef(agent, _chat_style=ChatStyle.CONSOLE), chat_log=["hello"])
    job.append_chat(answer("print(1)"))
    job.console_append("1")
    request = job.get_next_request()
    assert (request["model"], request["temperature"], request["chat_style"]) == ("mid", 0.5, ChatStyle.CONSOLE)
    assert [item.content for item in request["chat_history"]] == ["hello", "print(1)", "1"]
    assert [item.content for item in job.get_request_data(0)["chat_history"]] == ["hello"]
    for wrong in (-1, 1):
        with pytest.raises(IndexError):
            job.get_request_data(wrong)


def test_dialog(agent: SupervisedAgent) -> None:
    """In the dialog styles what is said to the user counts, code does not; logged answers of the console do."""
    job = Job(JobDef(agent, _chat_style=ChatStyle.MD_DIALOG), chat_log=["hello"])
    job.append_chat(answer("Good morning.\n```python\nx = 1\n```", 2_000_001))
    job.append_chat(answer("```python\nx = 1\n```", console=0))
    job.console_append("log: answer(body='done', media=None)")
    job.console_append("log: answer(unreadable")
    assert [item.content for item in job.get_dialog()] == ["hello", "Good morning."]
    assert list(job.get_chat_responses()) == ["Good morning.", "done"]
    assert job.count_llm_actions() == 3


def test_times_and_sizes(agent: SupervisedAgent) -> None:
    """Waiting times are in seconds, sizes a fourth of the characters."""
    job = Job(JobDef(agent))
    job.append_chat(ChatItem("user", 1_000_000, 0, "four"))
    job.append_chat(answer("x" * 8, 3_500_000, note={"seconds": 1.25}))
    job.append_chat(answer(None, 4_000_000, calls=({"id": "a", "name": "look", "arguments": {}},)))
    assert (job.get_response_times(), job.get_llm_response_times()) == ([2.5], [1.25])
    assert job.get_llm_step_sizes() == [2, 1]
    assert job.get_llm_initial_step_size() == (len("Be kind.") + len("four")) // 4


def test_python_side(agent: SupervisedAgent) -> None:
    """Names, console, errors and messages; a name that is set is given to the job."""
    job = Job(JobDef(agent), py_env=PyEnv(local_state={"a": 1}, console=["hello"]))
    job.console_append("ValueError: x")
    job.count_exception()
    job.push_user_message("one")
    job.push_user_message("two")
    job.error = JobDefError(StopAsyncIteration("LLM_HarnessError: limit turns"))
    job.py_env.local_state["b"] = [2]
    env = job.py_env
    said = ["hello", "ValueError: x", "LLM_HarnessError: limit turns"]
    assert (env.global_state, env.local_state, env.console) == ({}, {"a": 1, "b": [2]}, said)
    assert env.exceptions == {
        1: Error(ErrorKind.EXECUTION, "ValueError: x"), 2: Error(ErrorKind.HARNESS, "LLM_HarnessError: limit turns"),
    }  # fmt: skip
    assert (env.push_log, env.exit_status) == ({2: ["one", "two"]}, "Error: LLM_HarnessError: limit turns")
    with pytest.raises(TypeError):
        del env.local_state["a"]


def test_an_environment_by_itself() -> None:
    """Without a job it is a plain value whose containers are made when needed."""
    env = PyEnv()
    assert (env.console, env.perm_ctx, env.push_log) == (None, None, None)
    env.console_append("x")
    env.update_locals(**{PERM_CTX: {"k": 1}})
    assert (env.console, env.perm_ctx) == (["x"], {"k": 1})


def test_find_locals(agent: SupervisedAgent) -> None:
    """Names come before the persistent context; futures give their values, or are left out while there is none."""
    job = Job(JobDef(agent))
    job.add_locals(a=1, f=later(), **{PERM_CTX: {"a": 9, "k": 2}})
    assert (list(job.find_locals(int)), list(job.find_locals(int, ext_scan=False))) == ([1, 2], [1])
    assert list(job.find_locals(var_name="k")) == [2]
    with pytest.raises(FutureError):
        list(job.find_locals(var_name="f"))
    ready.append(5)
    assert list(job.find_locals(int, "f")) == [5]
    assert sorted(job.find_locals()) == [1, 2, 5]


def test_external_references(agent: SupervisedAgent) -> None:
    """Stored objects are remembered, once and weakly; anything else is ignored."""
    job, other = Job(JobDef(agent)), JobDefError(ValueError("x"))
    job.add_ext_ref("text")
    job.add_ext_ref(other)
    job.add_ext_ref(other)
    assert (job.contains_ext_ref(other), job.contains_ext_ref("text"), len(job.ext_refs)) == (True, False, 1)


def test_messages_that_are_no_text(agent: SupervisedAgent) -> None:
    """The agent's adapter writes them; without one `str` does. A stored one is remembered."""
    job, thing = Job(JobDef(agent)), JobDefError(ValueError("x"))
    job.push_user_message(5)
    agent.context["_message_adapter"] = lambda message: f"<{message.error_message}>"
    job.push_user_message(thing)
    assert [item.message for item in job.chat_log] == ["5", "<x>"]  # type: ignore[union-attr]
    assert job.contains_ext_ref(thing)


def test_names_given_while_code_runs(agent: SupervisedAgent) -> None:
    """What a tool gives to the running job is seen at once by those who ask, and waits for the call's end."""
    job = Job(JobDef(agent))
    with current.running(job, current.Scene(job, names={"a": 1, "__builtins__": {}})) as scene:
        job.add_locals(b=2)
        assert (job.read_names(), scene.added) == ({"a": 1, "b": 2}, {"b": 2})
    assert job.py_env.local_state == {}


def test_notifications(agent: SupervisedAgent) -> None:
    """A working job keeps texts until they are told; one that ended well goes back to work, others do not."""
    job = Job(JobDef(agent), JobStatus.STARTED)
    job.send_notification("look")
    assert [item.message for item in job.pending_notifications()] == ["look"]  # type: ignore[union-attr]
    for outcome, status in (("ok", JobStatus.STARTED), ("cancelled", JobStatus.DONE)):
        other = Job(JobDef(agent), JobStatus.DONE)
        other.outcome = outcome
        other.send_notification("look")
        assert (other.status, other.num_completions) == (status, None)


def test_longest_row_of_errors(agent: SupervisedAgent) -> None:
    """The longest row stays known when a turn went well."""
    job = Job(JobDef(agent))
    job.count_exception()
    job.count_exception()
    job.exception_streak = 0
    job.count_exception()
    assert (job.exception_count, job.max_consecutive_exceptions, job.exception_streak) == (3, 2, 1)


def test_found_by_tag(agent: SupervisedAgent) -> None:
    """Status and agent of a job, and the agent of a definition, are tags to query by; a job's definition is none."""
    definition = JobDef(agent)
    job = Job(definition)
    assert list(db0.find(Job, JobStatus.READY)) == [job]
    assert [found for found in db0.find(Job, db0.as_tag(agent)) if found.job_def == definition] == [job]
    assert list(db0.find(JobDef, db0.as_tag(agent))) == [definition]
