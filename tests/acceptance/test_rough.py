"""Whatever a provider, a model or a tool does ends in one recorded, readable state of that one job."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.projects import Worker
from tests.acceptance.rough import Case, Rough, Shown, longest_gap, look_at, make_rough, run
from tests.loopback_llm import Canned, Raw, completion

pytestmark = pytest.mark.timeout(300)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
BUSY = 1.5  # seconds, apart from waiting for a processor, that nobody may hold up the others
MUTE = "class E(Exception):\n    def __str__(self):\n        {}\nraise E()"
SWALLOWING = """\
class C:
    def __enter__(self):
        return self
    def __exit__(self, *error):
        return True
with C():
    exit('left')
print('after')
"""
CHANGING = "a, b, c = [1], {'k': 1}, {1}\ntry:\n    change(a, b, c)\nexcept ValueError as e:\n    print(e, a, b, c)"


def calls(*given: tuple[str, str], ids: Sequence[str] = ()) -> dict[str, Any]:
    """An answer with tool calls whose arguments are the texts given."""
    made = [
        {"id": ids[n] if ids else f"c{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(given)
    ]
    body = completion(None)
    body["choices"][0]["message"]["tool_calls"] = made
    return body


def choices(found: Any) -> dict[str, Any]:
    """An answer whose choices are that."""
    return {**completion("x"), "choices": found}


SLOW = (
    Case("garbage", [Canned(200, "{'not': json")], "failed", "not JSON"),
    Case("empty-body", [Canned(200, "")], "failed", "not JSON"),
    Case("html", [Canned(200, "<html>Bad gateway</html>", {"Content-Type": "text/html"})], "failed", "not JSON"),
    Case("half", lambda _: Raw([HEAD, b'{"choices": [']), "failed", "connection"),
    Case("slow-parts", lambda _: Raw([HEAD, b"{", 2.0]), "failed", "did not come within 1 s", "hurried"),
    Case("slow-drip", lambda _: Raw([HEAD, *[b" ", 0.1] * 60]), "failed", "did not come within 3 s", "hurried"),
    Case("silent", lambda _: Canned(200, "{}", delay=9), "failed", "did not come within", "hurried"),
    Case("500", lambda _: Canned(500, "boom"), "failed", "gave up after 2 tries"),
    Case("429", lambda _: Canned(429, "slow down"), "failed", "gave up after 2 tries"),
    Case("429-after", lambda _: Canned(429, "later", {"Retry-After": "1"}), "failed", "HTTP 429: later"),
    Case("429-silly", lambda _: Canned(429, "later", {"Retry-After": "-7 bananas"}), "failed", "HTTP 429"),
    Case("401", lambda _: Canned(401, "who are you"), "failed", "HTTP 401: who are you"),
    Case("redirect", lambda _: Canned(302, "", {"Location": "http://169.254.169.254/"}), "failed", "redirect"),
    Case("3mb", lambda _: "# " + "x" * 3_000_000, "failed", "2,000,000 bytes"),
    Case("deep", lambda _: Canned(200, "[" * 200_000), "failed", "recursion"),
    Case("nan", lambda _: Canned(200, '{"choices": [{"message": {"content": NaN}}]}'), "failed", "NaN"),
    Case("no-choices", lambda _: choices([]), "failed", "no choices"),
    Case("null-choices", lambda _: choices(None), "failed", "choices"),
    Case("wrong-shape", lambda _: choices([{"message": {"content": {"a": 1}}}]), "failed", "content"),
    Case("bad-usage", lambda _: {**completion("exit(1)"), "usage": {"prompt_tokens": "many"}}, "failed", "usage"),
    Case("error-in-200", lambda _: {"error": {"message": "no quota", "code": 402}}, "failed", "no quota"),
    Case("surrogate", [completion("print('\ud800')")], "ok", "ud800"),
    Case("nul", [completion("print('a\0b')")], "ok", "SyntaxError: the character"),
    Case("recovers", [Canned(500, "once")]),
    Case("hangs", ["hang()"], "ok", "hang did not come back within 0.3 s"),
    Case("hangs-in-thread", ["hang_in_thread()"], "ok", "did not come back within 0.3 s"),
    Case("warmup-hangs", [], "failed", "warmup: TimeoutError: hang did not come back", "waiter"),
)
MODELS = (
    Case("no-text", [completion(None)], "ok", "no code submitted"),
    Case("no-text-direct", [completion(None)], "ok", "", "talker"),
    Case("prose", lambda _: "Certainly! Here is what I would do:", "failed", "limit exceptions: 4"),
    Case("never-stops", lambda turn: f"print({turn})", "failed", "limit turns: 7 would be used, 6 are allowed"),
    Case("tokens", lambda turn: f"print({turn}, {'9' * 2000!r})", "failed", "limit tokens", "spender"),
    Case("cost", lambda turn: f"print({turn})", "failed", "limit cost_usd", "payer"),
    Case("clock", lambda turn: f"print({turn})", "failed", "limit wall_clock", "late"),
    Case("bad-arguments", [calls(("notes", '{"a": '))], "ok", "malformed", "talker"),
    Case("empty-arguments", [calls(("notes", ""))], "ok", "[]", "talker"),
    Case("list-arguments", [calls(("notes", "[1]"))], "ok", "malformed", "talker"),
    Case("odd-names", [calls(("notes", '{"class": 1, "a b": 2}'))], "ok", "TypeError", "talker"),
    Case("unknown-tool", [calls(("nots", "{}"))], "ok", "there is no tool 'nots'", "talker"),
    Case("no-name-tool", [calls(("rm -rf /", "{}"))], "ok", "there is no tool", "talker"),
    Case("same-ids", [calls(("notes", "{}"), ("fail", '{"how": "plain"}'), ids="cc")], "ok", "on fire", "talker"),
    Case("two-clis", [calls(*[("python_cli", '{"code": "1"}')] * 2)], "ok", "2 calls of python_cli", "talker"),
    Case("cli-of-nothing", [calls(("python_cli", "{}"))], "ok", "takes the text `code`", "talker"),
    Case("endless", ["n = 1\nwhile True:\n    pass"], "ok", "ran longer than 1 s"),
    Case("recursion", ["def f():\n    return f()\nf()"], "ok", "RecursionError"),
    Case("memory", ["x = [0] * 10**10"], "ok", "would take"),
    Case("memory-slowly", ["x = []\nwhile True:\n    x.append(b'x' * 1_000_000)"], "ok", "and was stopped"),
    Case("power", ["x = 10**10**10"], "ok", "would take"),
    Case("regex", ["import re\nre.match('(a+)+$', 'a' * 40 + 'b')"], "ok", "ran longer than 1 s"),
    Case("flood", ["print('x' * 100_000_000)"], "ok", "would take"),
    Case("flood-slowly", ["while True:\n    print('x' * 1000)"], "ok", "x"),
    Case("flood-of-lines", ["for n in range(100):\n    print('x' * 1_000_000)"], "ok", "console"),
    Case("hostile", [MUTE.format("raise RuntimeError('ha')")], "ok", "E"),
    Case("endless-text", [MUTE.format("while True:\n            pass")], "ok", "longer than 1 s"),
    Case("exit-in-try", ["try:\n    exit('left')\nexcept Exception:\n    print('no')\nfinally:\n    print('last')"]),
    Case("exit-in-with", [SWALLOWING]),
    Case("syntax", ["def f(:"], "ok", "SyntaxError"),
    Case("forbidden", ["import os"], "ok", "os"),
    Case("odd-exit", ["exit(n for n in [1])"], "failed", "exit() cannot be kept"),
    Case("huge-name", ["x = ['y' * 1_000_000 for _ in range(100)]"], "ok", "limit"),
)  # fmt: skip

HOWS = {
    "plain": "ValueError: the printer is on fire", "mute": "its text cannot be made", "deep": "cannot be made",
    "exit": "raised SystemExit(3), which ended this call only", "interrupt": "raised KeyboardInterrupt()",
    "cancelled": "raised CancelledError()", "group": "raised BaseExceptionGroup(", "stop": "StopIteration",
    "base": "raised GeneratorExit()", "surrogate": "ud800", "huge": "ValueError: xxx", "arguments": "ValueError",
}  # fmt: skip
GIFTS = {
    "generator": "cannot be recorded", "file": "cannot be recorded", "lock": "cannot be recorded",
    "module": "cannot be recorded", "object": "cannot be recorded", "deep": "deep", "huge": "", "durable": "",
    "class": "", "function": "", "self": "", "nan": "", "bytes": "", "surrogate": "", "bigint": "",
}  # fmt: skip
TOOLS = (
    *(
        Case(f"{tool}-{how}", [f"{tool}({how!r})"], "ok", says)
        for tool in ("fail", "fail_later", "fail_in_thread", "fail_in_store") for how, says in HOWS.items()
    ),
    *(Case(f"gives-{what}", [f"x = give({what!r})\nprint('given', x)"], "ok", says) for what, says in GIFTS.items()),
    Case("steps", ["for n in steps():\n    print(n)"], "ok", "cannot be recorded"),
    Case("changes", [CHANGING], "ok", "changed, then failed [1,4] {} {1,9}"),
    Case("shouts", ["shout(3)"], "ok", "shout 2"),
    Case("shouts-loud", ["shout(200_000)"], "ok", "shout"),
    Case("leaves-in-thread", ["print(leave_in_thread())"], "ok", "still here"),
    Case("imports", ["import_missing()"], "ok", "no_such_module_anywhere"),
    Case("wrong-arguments", ["fail(1, 2, 3)"], "ok", "TypeError"),
    Case("warmup-raises", [], "failed", "warmup: ValueError: the printer is on fire", "raiser"),
    Case("warmup-loops", [], "failed", "warmup: TimeLimit", "looper"),
)  # fmt: skip
DEATHS = (
    Case("dies", ["die()"], "ok", "OutcomeUnknown: die was under way when the worker died"),
    Case("dies-always", ["die_always()"], "poisoned", "killed"),
    Case("writes-and-loops", ["note('one')\nwhile True:\n    pass", "print('noted:', notes())"], "ok", "noted: []"),
    Case("stays", ["stay()"], "ok", "OutcomeUnknown: stay was under way when the worker died"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the project lies."""
    return tmp_path / "rough"


def check(cases: Sequence[Case], worker: Worker, shown: dict[str, Shown], told: dict[str, str]) -> None:
    """Every case ended as it says, in words that a user, and before that the model, can do something with."""
    wrong = []
    for case in cases:
        row, text = shown[case.name].row, shown[case.name].text
        seen = row["error"] or told.get(case.name, "")
        if (row["status"], row["outcome"]) != ("DONE", case.outcome) or case.says not in seen:
            wrong.append(f"{case.name}: {row['status']} {row['outcome']} {str(row['error'])[:300]}\n{seen[-600:]}")
        elif case.outcome != "ok" and row["error"].splitlines()[0] not in text:
            wrong.append(f"{case.name}: not in `show`: {row['error']}")
        elif "Traceback" in text or "error in the kit" in text:
            wrong.append(f"{case.name}: {text}")
    assert not wrong, "\n\n".join(wrong)
    expected = Counter(case.outcome for case in cases) + Counter(ok=1)
    assert worker.reports()[-1]["outcomes"] == expected
    assert "failed inside the kit" not in worker.said, worker.said
    assert "a task of the fleet failed" not in worker.said, worker.said


def test_whatever_a_provider_answers(folder: Path) -> None:
    """Each job fails with what was wrong with the answer, or goes on; nobody waits for a slow provider or tool."""
    llm = Rough(SLOW)
    with llm:
        project = make_rough(folder, llm)
        worker, shown = run(project, SLOW)
    check(SLOW, worker, shown, llm.told)
    assert longest_gap(project) < BUSY


def test_whatever_a_model_writes(folder: Path) -> None:
    """The error stands in front of the model, which goes on; bounds end the rest."""
    llm = Rough(MODELS)
    with llm:
        project = make_rough(folder, llm)
        worker, shown = run(project, MODELS)
    check(MODELS, worker, shown, llm.told)


def test_whatever_a_tool_does(folder: Path) -> None:
    """Whatever it raises or gives, its job reads it and goes on."""
    llm = Rough(TOOLS)
    with llm:
        project = make_rough(folder, llm)
        worker, shown = run(project, TOOLS)
    check(TOOLS, worker, shown, llm.told)


def test_a_call_that_kills_or_holds_up_the_worker_costs_that_job(folder: Path) -> None:
    """The supervisor starts another child; the job is told that nobody knows, or is poisoned; the others go on.

    So it is too with code that is stopped after it has written to the store: what it wrote is taken back. A store that
    is rebuilt from the ledger comes to the same, and asks nobody again.
    """
    llm = Rough(DEATHS, by_turn=True)
    with llm:
        project = make_rough(folder, llm)
        project.environ["STATEK_PLAIN_CALL_SECONDS"] = "1"
        worker, shown = run(project, DEATHS)
        asked = dict(llm.asked)
        for file in project.store.glob("statek.db0*"):
            file.unlink()
        project.run("work", "--until-idle", "--no-watch")
        again = look_at(project, DEATHS)
    check(DEATHS, worker, shown, llm.told)
    assert ([found.row for found in again.values()], llm.asked) == ([found.row for found in shown.values()], asked)
