"""History as messages, answers as code: what the model reads of what it did, by chat style."""

from typing import Any

from statek.llm.messages import Message
from statek.runtime import turn
from statek.runtime.offer import Part
from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def messages(fleet: LocalFleet, job: str) -> list[Message]:
    """What the job's next question would hold, without the prompt."""
    offer = fleet.fleet.catalog.of(fleet.job(job))
    return list(turn.history(fleet.job(job), offer.chat_style))


def in_style(style: str, **fields: Any) -> list[Any]:
    """One agent of that chat style."""
    return [declare_agent("clerk", tools=desk.TOOLS, chat_style=style, **fields)]


def run(fleet: LocalFleet) -> str:
    """A job, run to its end."""
    job = fleet.submit("clerk")
    fleet.run()
    return job


def test_console_style(open_desk: OpenDesk) -> None:
    """Every answer is followed by what its code printed, or by word that it printed nothing."""
    fleet = open_desk(answer("print('a')\nprint('b')", turn=1), answer("x = 1", turn=2), answer("exit()"))
    texts = [(m.role, m.text) for m in messages(fleet, run(fleet))]
    assert texts[:4] == [
        ("assistant", "```python\nprint('a')\nprint('b')\n```"),
        ("user", "a\nb"),
        ("assistant", "```python\nx = 1\n```"),
        ("user", "(no output)"),
    ]


def test_warmup_is_shown_as_if_the_model_had_run_it(open_desk: OpenDesk) -> None:
    """The model sees warmup code and its output; hidden blocks run unseen, their output is seen."""
    line = "#" + "-" * 30
    warmup = f"#STATEK: hidden = True\nsecret = 1\nprint('from the dark')\n{line}\nprint('warm', secret)"
    fleet = open_desk(answer("exit()"), agents=[declare_agent("clerk", warmup=warmup)])
    texts = [m.text for m in messages(fleet, run(fleet))]
    assert "secret = 1" not in "".join(map(str, texts))
    assert "warm 1" in texts[1 if "print('warm'" in str(texts[0]) else 2]


def test_begin_without_warmup(open_desk: OpenDesk) -> None:
    """A job with nothing to show begins the conversation with a word of its own."""
    fleet = open_desk(answer("exit('begun')", last="begin"))
    assert fleet.job(run(fleet)).exit_value == "begun"


def test_no_code_is_told(open_desk: OpenDesk) -> None:
    """An answer without code, where code is wanted, is told so and counts as an error."""
    fleet = open_desk(answer(text="# only words", turn=1), answer("exit()", last="no code submitted"))
    job = run(fleet)
    assert (fleet.job(job).outcome, fleet.job(job).exception_count) == ("ok", 1)


def test_markdown_style(open_desk: OpenDesk) -> None:
    """In markdown style only fenced Python runs."""
    fleet = open_desk(answer("exit(1)", text="Let me think: count('x')"), agents=in_style("markdown"))
    assert fleet.job(run(fleet)).exit_value == 1
    assert desk.calls() == []


def test_dialog_without_code_ends_the_job(open_desk: OpenDesk) -> None:
    """In dialog style an answer without code is the last word."""
    fleet = open_desk(answer(text="Done, goodbye."), agents=in_style("md_dialog"))
    job = run(fleet)
    assert (fleet.job(job).outcome, fleet.job(job).exited) == ("ok", False)


def test_formal_calls_get_their_results(open_desk: OpenDesk) -> None:
    """In direct style every formal call runs, in order, and is answered under its own id."""
    calls = [
        {"name": "python_cli", "arguments": {"code": "a = post('x')\nprint(a)"}, "id": "one"},
        {"name": "post", "arguments": {"text": "y"}, "id": "two"},
    ]
    fleet = open_desk(answer(calls=calls, turn=1), answer(text="Done."), agents=in_style("direct"))
    found = messages(fleet, run(fleet))
    assert [call.id for call in found[0].calls] == ["one", "two"]
    assert [(m.role, m.call_id, m.text) for m in found[1:3]] == [
        ("tool", "one", "posted x"),
        ("tool", "two", "posted y"),
    ]
    assert desk.calls() == ["post x", "post y"]


def test_failed_formal_call_answers_all(open_desk: OpenDesk) -> None:
    """When one of several formal calls fails, the others are answered as not run."""
    calls = [
        {"name": "fail", "arguments": {"text": "bad"}, "id": "one"},
        {"name": "post", "arguments": {"text": "y"}, "id": "two"},
    ]
    fleet = open_desk(answer(calls=calls, turn=1), answer(text="Done."), agents=in_style("direct"))
    found = messages(fleet, run(fleet))
    assert [(m.call_id, m.text) for m in found[1:3]] == [
        ("one", "ValueError: bad"),
        ("two", "not run: an earlier call failed"),
    ]
    assert desk.calls() == ["fail bad"]


def test_stopped_formal_call_is_answered(open_desk: OpenDesk) -> None:
    """A formal call whose code did not end is answered with the reason: providers refuse a call without an answer."""
    calls = [{"name": "python_cli", "arguments": {"code": "while True: pass"}, "id": "one"}]
    rules = [answer(calls=calls, turn=1), answer(text="Done.")]
    fleet = open_desk(*rules, agents=in_style("direct"), step_seconds=0.2)
    found = messages(fleet, run(fleet))
    assert [(m.call_id, m.text[:9]) for m in found if m.role == "tool" and m.text] == [("one", "TimeLimit")]


def test_exit_in_a_formal_call(open_desk: OpenDesk) -> None:
    """`exit` in a formal call ends the job."""
    calls = [{"name": "python_cli", "arguments": {"code": "exit(3)"}, "id": "one"}]
    fleet = open_desk(answer(calls=calls), agents=in_style("direct"))
    assert fleet.job(run(fleet)).exit_value == 3


def test_usage_is_counted(open_desk: OpenDesk) -> None:
    """What answers used adds up on the job, marked as scripted."""
    fleet = open_desk(answer("x = 1", turn=1), answer("exit()"))
    job = fleet.job(run(fleet))
    assert job.usage.input_tokens > 0
    assert (job.usage.cost_usd, job.scripted, job.turn) == (0.0, True, 2)


def test_parts_survive_as_bytes() -> None:
    """Code to run comes back from its stored form."""
    parts = [Part("a = '\x00\ud800'", True), Part("f()", call="one")]
    assert turn.decode_parts(turn.encode_parts(parts)) == parts
    assert turn.decode_parts(None) == []
