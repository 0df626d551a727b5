"""The kit's own tools: what they show, and that they are there for code of every agent."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from statek.runtime import system_tools
from statek.system import brief, docstr, find_tools, statek_print
from statek.testing import answer, declare_agent
from statek.tools.describe import format_tool_spec
from statek.tools.kit_names import KIT_NAMES
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk
from tests.tools import sample


class Ledger:
    """Money that came and went.

    Kept by day.

    Tags:
        money - what it is about

    Attributes:
        owner: whose it is

    STATEK-ACL:
        +*
        -close
        +close: Auditor
    """

    @property
    def balance(self) -> int:
        """What is left.

        Returns:
            int: cents
        """
        return 0

    def add(self, cents: int, note: str = "") -> int:
        """Add money.

        Much of it.

        Args:
            cents: how much
            note: what for

        Returns:
            the balance
        """
        return cents

    def close(self) -> None:
        """Close it."""

    def undocumented(self) -> None: ...

    def half(self, cents: int) -> None:
        """Say nothing of a parameter."""


@dataclass
class Line:
    """A line."""

    cents: int = field(default=0, metadata={"doc": "how much"})


LEDGER = '''\
class Ledger:
    """Money that came and went.

    Kept by day.

    Tags:
        money - what it is about

    Attributes:
        balance: int: cents
        owner: whose it is
    """

    def add(cents: int, note: str = '') -> int:
        """Add money.

        Returns:
            the balance
        """

    def half(cents: int) -> None:
        """Say nothing of a parameter."""
'''


def test_class_page(capsys: pytest.CaptureFixture[str]) -> None:
    """A class shows what it is, its attributes and its documented methods in short; an instance shows its class."""
    docstr(Ledger())
    assert capsys.readouterr().out == LEDGER
    docstr(Line)
    assert "    Attributes:\n        cents: how much" in capsys.readouterr().out


def test_short_pages(capsys: pytest.CaptureFixture[str]) -> None:
    """In short: the call, the first paragraph, and what comes back."""
    brief(Ledger)
    brief(Ledger, " add ")
    brief(Ledger, " ")
    short = "Ledger\n    Money that came and went.\n"
    assert capsys.readouterr().out == f"{short}add(cents, note='')\n    Add money.\n    Returns: the balance\n{short}"


@pytest.mark.parametrize(
    ("what", "method", "text"),
    [
        ("Ledger", None, "NameError: 'Ledger' is a text"),
        (Ledger, "ad", "AttributeError: Ledger has no method 'ad'; did you mean 'add'?"),
        (Ledger, "close", "AttributeError: Ledger has no method 'close'"),
        (Ledger, "half", "DocstringParseError: the docstring of half says nothing of cents"),
        (Ledger, "undocumented", "DocstringParseError: undocumented has no docstring"),
        (sample.search_notes, "x", "TypeError: search_notes is a function and has no method 'x'"),
        (sample.bare, None, "DocstringParseError: bare has no docstring"),
    ],
)
def test_what_has_no_page(capsys: pytest.CaptureFixture[str], what: Any, method: str | None, text: str) -> None:
    """What cannot be shown is told in one line; nothing is raised."""
    docstr(what, method)
    assert capsys.readouterr().out.startswith(text)


def test_statek_print(capsys: pytest.CaptureFixture[str]) -> None:
    """Values are printed as the model sees them."""
    statek_print("a", ["b", 1], Line(3), sep="|", end="!")
    assert capsys.readouterr().out == 'a|["b",1]|Line(cents=3)!'


def test_offered_to_every_agent(open_desk: OpenDesk) -> None:
    """Code of every agent finds them by name; its own tool of that name comes first; prompts do not list them."""
    code = "docstr(post)\nbrief(post_slowly)\nstatek_print([1, 'x'])\nprint(get_pending_notifications())\nexit(panic())"
    fleet = open_desk(
        answer(code), agents=[declare_agent("clerk", tools=[desk.post, desk.post_slowly, panic], prompt="{{ tools }}")]
    )
    job = fleet.submit("clerk")
    fleet.run()
    assert fleet.show(job)["console"] == [
        "DocstringParseError: the docstring of post says nothing of text", "None",
        "DocstringParseError: the docstring of post_slowly says nothing of text", "None",
        '[1,"x"]', "None",
        "[]",
    ]  # fmt: skip
    assert fleet.job(job).exit_value == "my own"
    assert fleet.show(job)["prompt"].startswith("post(text)")
    assert "docstr" not in fleet.show(job)["prompt"]


def panic() -> str:
    """Keep calm."""
    return "my own"


def test_names_are_known_to_the_compiler() -> None:
    """What a check of warmups takes for granted is what jobs find."""
    assert set(system_tools.IN_CODE) == KIT_NAMES


def test_they_are_system_tools() -> None:
    """Discovery tells them from an application's; `python_cli` is for direct style only."""
    visible = {function.__name__ for function in find_tools("SYSTEM", chat_style="console")}
    assert {"docstr", "brief", "panic", "find_sub_task_handler", "send_notification_to"} <= visible
    assert "python_cli" not in visible
    assert system_tools.PYTHON_CLI.call in find_tools("SYSTEM", chat_style="DIRECT")
    with pytest.raises(RuntimeError, match="write the code itself"):
        system_tools.python_cli("1")


def test_format_tool_spec() -> None:
    """The specification of a function in the shape of OpenAI's."""
    assert format_tool_spec(system_tools.python_cli) == {
        "type": "function",
        "function": {
            "name": "python_cli",
            "description": "Run Python code in the job.",
            "parameters": {
                "type": "object",
                "properties": {"code": {"type": "string", "description": "Python code to run in the job"}},
                "required": ["code"],
            },
        },
    }
