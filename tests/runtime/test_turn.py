"""History as messages, answers as code: what the model reads of what it did, by chat style."""

from typing import Any

import pytest

from statek.llm.messages import Message
from statek.runtime import turn
from statek.runtime.offer import Part
from statek.store.history import CUT_OFF
from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


def messages(fleet: LocalFleet, job: str) -> list[Message]:
    """What the job's next question would hold, without the prompt."""
    offer = fleet.fleet.catalog.of(fleet.job(job))
    return turn.History(offer.chat_style).messages(fleet.job(job))


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


def test_failed_formal_call_stops_no_other(open_desk: OpenDesk) -> None:
    """When one of several formal calls fails, the others run; each failure is answered and counted once."""
    calls = [
        {"name": "fail", "arguments": {"text": "bad"}, "id": "one"},
        {"name": "post", "arguments": {"text": "y"}, "id": "two"},
    ]
    fleet = open_desk(answer(calls=calls, turn=1), answer(text="Done."), agents=in_style("direct"))
    job = run(fleet)
    assert [(m.call_id, m.text) for m in messages(fleet, job)[1:3]] == [
        ("one", "ValueError: bad"),
        ("two", "posted y"),
    ]
    assert fleet.job(job).exception_count == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nothing", "NameError: there is no tool 'nothing'"),
        ("pots", "NameError: there is no tool 'pots'; did you mean 'post'?"),
        ("functions.post", "NameError: there is no tool 'functions.post'"),
        ("unseen", "NameError: tool 'unseen' is not exposed"),
        ("python_cli", "TypeError: python_cli takes the text `code`"),
    ],
)
def test_formal_call_of_no_tool(open_desk: OpenDesk, name: str, text: str) -> None:
    """A formal call that leads nowhere is answered with what is wrong, and counted."""
    fleet = open_desk(
        answer(calls=[{"name": name, "id": "one"}], turn=1), answer(text="Done."), agents=in_style("direct")
    )
    job = run(fleet)
    assert str(messages(fleet, job)[1].text).startswith(text)
    assert fleet.job(job).exception_count == 1


def test_several_codes_in_one_answer(open_desk: OpenDesk) -> None:
    """Of several `python_cli` calls none runs, and each says so; other calls beside them run. It is one failed turn."""
    calls = [{"name": "python_cli", "arguments": {"code": "count('x')"}, "id": str(n)} for n in range(2)]
    calls.append({"name": "post", "arguments": {"text": "y"}, "id": "2"})
    fleet = open_desk(answer(calls=calls, turn=1), answer(text="Done."), agents=in_style("direct"))
    job = run(fleet)
    told = [str(m.text) for m in messages(fleet, job)[1:4]]
    assert [text.partition(",")[0] for text in told[:2]] == ["ValueError: 2 calls of python_cli in one answer"] * 2
    assert (told[2], desk.calls(), fleet.job(job).exception_count) == ("posted y", ["post y"], 2)
    assert fleet.job(job).max_consecutive_exceptions == 1


def test_calls_beside_code(open_desk: OpenDesk) -> None:
    """In the other styles an answer's calls run, then its fenced code, whose output stands behind the results."""
    call = {"name": "post", "arguments": {"text": "y"}, "id": "one"}
    said = "Prose is no code.\n```python\nprint('from code')\n```"
    fleet = open_desk(answer(text=said, calls=[call], turn=1), answer("exit(1)"))
    found = messages(fleet, run(fleet))
    assert [(m.role, m.text) for m in found[1:3]] == [("tool", "posted y"), ("user", "from code")]


def test_message_between_call_and_result(open_desk: OpenDesk) -> None:
    """A message that comes in while a call is under way costs neither: the result stays at its call, it follows."""
    calls = [
        {"name": "push", "arguments": {"job": "clerk/1", "text": "hurry"}, "id": "one"},
        {"name": "post", "arguments": {"text": "y"}, "id": "two"},
    ]
    fleet = open_desk(answer(calls=calls, turn=1), answer(text="Done."), agents=in_style("direct"))
    found = messages(fleet, run(fleet))
    assert [(m.role, m.call_id) for m in found[1:3]] == [("tool", "one"), ("tool", "two")]
    assert (found[3].role, "hurry" in str(found[3].text)) == ("user", True)
    assert desk.calls() == ["post y"]


def test_call_that_exit_cut_off(open_desk: OpenDesk) -> None:
    """A call whose code ended the job has a result of a kind: a later question must not leave it open."""
    calls = [{"name": "python_cli", "arguments": {"code": "exit(3)"}, "id": "one"}]
    fleet = open_desk(answer(calls=calls, turn=1), answer(text="Done."), agents=in_style("direct"))
    job = run(fleet)
    fleet.push(job, "go on")
    fleet.run()
    found = messages(fleet, job)
    assert [(m.role, m.text) for m in found[1:3]] == [("tool", CUT_OFF), ("user", "go on")]


@pytest.mark.parametrize(
    ("style", "scope", "sent"),
    [
        ("direct", "", ["python_cli"]),
        ("console", "", []),
        ("console", "APPLICATION-post", ["count"]),
        ("direct", "+python_cli,brief", ["python_cli", "brief"]),
        (
            "console",
            "ALL-post,count",
            [
                "get_pending_notifications",
                "find_sub_task_handler",
                "send_notification_to",
                "docstr",
                "brief",
                "panic",
            ],
        ),
    ],
)
def test_formal_tools_by_scope(open_desk: OpenDesk, style: str, scope: str, sent: list[str]) -> None:
    """`LLM_TOOLS_SCOPE` says which tools a request names; hidden ones never."""
    metadata = {"LLM_TOOLS_SCOPE": scope} if scope else {}
    agent = declare_agent("clerk", tools=[desk.post, desk.count, desk.unseen], chat_style=style, metadata=metadata)
    fleet = open_desk(answer("exit()"), agents=[agent])
    offer = fleet.fleet.catalog.of(fleet.job(run(fleet)))
    assert [tool["name"] for tool in offer.formal_tools()] == sent


def test_scope_that_names_no_tool(open_desk: OpenDesk) -> None:
    """A job of an agent whose scope leads nowhere ends with the reason, before anything is asked."""
    fleet = open_desk(answer("exit()"), agents=in_style("direct", metadata={"LLM_TOOLS_SCOPE": "+pots"}))
    assert "there is no tool 'pots'; did you mean 'post'?" in fleet.show(run(fleet))["error"]


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
    assert (job.usage.cost_usd, job.used.scripted, job.turn) == (0.0, True, 2)


def test_parts_survive_as_bytes() -> None:
    """Code to run comes back from its stored form."""
    parts = [Part("a = '\x00\ud800'", True), Part("f()", call="one")]
    assert turn.decode_parts(turn.encode_parts(parts)) == tuple(parts)


def test_the_documented_history_says_the_same(open_desk: OpenDesk) -> None:
    """`Job.get_chat_history` tells the words that a request tells, in the same order."""
    code = "print('in')\nh = helper()\npost('x')\nprint(h.result)"
    clerk = declare_agent("clerk", tools=desk.TOOLS, subagents=("helper",), warmup="print(1)")
    rules = [answer("exit('c')", agent="helper"), answer(code, turn=1), answer("1/0", turn=2), answer("exit()")]
    fleet = open_desk(*rules, agents=[clerk, declare_agent("helper")])
    job = run(fleet)
    fleet.push(job, "more")
    fleet.run()
    said = [item.content for item in fleet.job(job).get_chat_history()]
    assert said == [message.text for message in messages(fleet, job)]
    assert "more" in said
