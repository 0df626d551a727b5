"""Promises of `statek.text.reply`."""

import ast
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.text.reply import Reply, block_comment, extract_dialog, has_statements, read_reply, strip_markup

MIXED = "I look it up.\n```python\nx = 1\n```\nDone?"
STYLES = ["console", "markdown", "md_dialog", "direct", None]
TOKENS = st.lists(
    st.sampled_from(
        [
            "'a'",
            '"b"',
            "r",
            "Rb",
            "f",
            "u",
            "x",
            "_",
            "'''",
            "#",
            " ",
            "\t",
            "\n",
            "\r",
            "\f",
            "(",
            ")",
            ";",
            "\\\n",
            "é",
            "=",
            "1",
        ]
    ),
    max_size=12,
)
PIECES = st.lists(st.sampled_from(["```", "~~~", "````", "```python", "python", "\n", "x = 1", " ", "é", "\r", "`"]))


@pytest.mark.parametrize(
    ("style", "code", "dialog"),
    [
        ("console", "# I look it up.\nx = 1\n# Done?", None),
        (None, "# I look it up.\nx = 1\n# Done?", None),
        ("markdown", "# I look it up.\nx = 1\n# Done?", None),
        ("md_dialog", "# I look it up.\nx = 1\n# Done?", "I look it up.\n\nDone?"),
        ("direct", None, "I look it up.\n\nDone?"),
    ],
)
def test_each_style_reads_a_mixed_reply(style: str | None, code: str | None, dialog: str | None) -> None:
    """Fenced code runs, prose becomes comments, and only the dialog styles tell the user something."""
    assert read_reply(MIXED, style) == Reply(code, dialog)


def test_console_text_without_fences_is_code() -> None:
    """In console style the reply itself is the code, unchanged."""
    assert read_reply("x = 1\n\nprint(x)\n", "console").code == "x = 1\n\nprint(x)\n"


@pytest.mark.parametrize("style", ["markdown", "md_dialog"])
def test_prose_never_runs_in_strict_styles(style: str) -> None:
    """Text without a python fence is comments only."""
    assert read_reply("import os\nos.remove('x')", style).code == "# import os\n# os.remove('x')"


@pytest.mark.parametrize("fence", ["```py", "```Python", "```", "```json"])
def test_strict_styles_take_only_python_fences(fence: str) -> None:
    """A fence of another kind is quoted as comments, the fence included."""
    assert read_reply(f"{fence}\nx = 1\n```", "markdown").code == f"# {fence}\n# x = 1\n# ```"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", [None, "", " \n\t"])
def test_an_empty_reply_is_nothing(text: str | None, style: str | None) -> None:
    """No text gives neither code nor dialog."""
    assert read_reply(text, style) == Reply(None, None)


@pytest.mark.parametrize("style", ["md_dialog", "direct"])
def test_fences_alone_say_nothing(style: str) -> None:
    """A reply of code only tells the user nothing."""
    assert read_reply("```python\nx = 1\n```", style).dialog is None


def test_dialog_keeps_its_lines() -> None:
    """Lists and paragraphs reach the user as they were written."""
    assert extract_dialog("One:\n\n- a\n- b\n\n```python\nx\n```\n\nEnd") == "One:\n\n- a\n- b\n\nEnd"


@pytest.mark.parametrize(
    "text",
    [
        "~~~python\nx = '```'\n~~~",
        "````python\nx = '''\n```\n'''\n````",
        "```python title=x\nx = 1\n`````",
        "  ```python\n  x = 1\n  ```",
        "```python\nx = 1\n```  ",
    ],
)
def test_fences_of_every_form_are_understood(text: str) -> None:
    """Tildes, longer fences, info texts and indented fences hold code."""
    assert "# " not in read_reply(text, "markdown").code


def test_a_longer_fence_holds_a_shorter_one() -> None:
    """Code may itself contain a fence."""
    assert read_reply("````python\na = 1\n```\nb = 2\n````", "markdown").code == "a = 1\n```\nb = 2"


@pytest.mark.parametrize("style", ["console", "markdown"])
def test_a_fence_never_closed_ends_with_the_text(style: str) -> None:
    """A forgotten closing fence does not turn code into prose."""
    assert read_reply("So:\n```python\nx = 1", style).code == "# So:\nx = 1"


def test_inline_code_is_prose() -> None:
    """Backticks that close on their own line open nothing."""
    assert read_reply("```x = 1``` is code\n```python\ny\n```", "markdown").code == "# ```x = 1``` is code\ny"


def test_a_lone_carriage_return_does_not_smuggle_code() -> None:
    """Python ends a comment at a carriage return, so prose is cut there, too."""
    assert not has_statements(read_reply("hello\rimport os", "markdown").code)


@pytest.mark.parametrize("code", [None, "", "  \n", "# only\n# comments", "'text'", '"""doc"""\n# x', "'a' 'b'"])
def test_comments_and_texts_are_no_statements(code: str | None) -> None:
    """There is nothing to run in blanks, comments and bare texts."""
    assert not has_statements(code)


@pytest.mark.parametrize("code", ["x = 1", "pass", "1", "f'{x}'", "b'x'", "'a'\nprint(1)", "x =", "(" * 300, "a\0"])
def test_everything_else_is_a_statement(code: str) -> None:
    """Broken code counts: running it tells the model what is wrong."""
    assert has_statements(code)


def test_block_comment_keeps_blank_lines() -> None:
    """A commented text has as many lines as before."""
    assert block_comment("a\n\n b") == "# a\n\n#  b"


@given(PIECES, st.sampled_from(STYLES))
def test_reading_never_raises(pieces: list[str], style: str | None) -> None:
    """Any text can be read in any style."""
    reply = read_reply("".join(pieces), style)
    assert reply.code is None or isinstance(has_statements(reply.code), bool)


@given(st.text(st.characters(exclude_characters="\0")))
def test_prose_is_never_code_in_strict_mode(text: str) -> None:
    """Without a python fence nothing of a reply runs, whatever characters it holds."""
    assert not has_statements(strip_markup(text.replace("python", ""), strict=True))


@given(TOKENS.map("".join))
def test_what_begins_like_code_is_code(code: str) -> None:
    """Whether there is anything to run is what Python's own parser says, however the code begins."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(code).body
    except SyntaxError:
        assert has_statements(code)
        return
    texts = [isinstance(s, ast.Expr) and isinstance(getattr(s.value, "value", None), str) for s in body]
    assert has_statements(code) == (not all(texts))
