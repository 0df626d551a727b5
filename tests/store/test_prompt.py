"""Prompts: parsing, stored form, files, and what the model gets."""

from pathlib import Path
from typing import Any

import pytest

from statek.exceptions import InvalidFormat
from statek.store.prompt import (
    PromptSectionData,
    PromptStyle,
    SystemPromptData,
    TaskDifficulty,
    compare_prompts,
    format_system_prompt,
    from_text,
    load_prompt_files,
    make_system_prompt,
    max_task_difficulty,
    parse_prompt_file,
    parse_system_prompt,
    parse_task_difficulty,
    render_prompt,
    to_text,
)

LOW, MEDIUM, HIGH = TaskDifficulty

AUDITOR = """\
# MODEL: L:openrouter/openai/gpt-5-nano,MH:openrouter/anthropic/claude-sonnet/rl=40
# model_note: x
# COST_CENTRE: finance-ops
#IGNORED: no space
# my-key: no word
# EMPTY:

# System prompt \t
You check one supplier invoice.

<method>
Compare line by line.
</method>

--- L: SHORT CUTS ---
Stop early.

--- MH: DEEP CHECK ---
Recompute tax.

## Tool reference
{detailed_tools}
# a line of the prompt
"""


def titles(text: str) -> list[str]:
    """Titles of the sections found in `text`."""
    return [section.title for section in parse_system_prompt(text).sections]


def test_prompt_without_sections_is_all_intro() -> None:
    """Plain text is the intro, trimmed at its ends only."""
    assert make_system_prompt("\n You are\n\n  concise. \n") == SystemPromptData("You are\n\n  concise.")


def test_prompt_is_returned_unchanged() -> None:
    """A prompt may be given where text may."""
    prompt = make_system_prompt("x")
    assert make_system_prompt(prompt) is prompt
    with pytest.raises(TypeError, match="found int"):
        make_system_prompt(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "head", ["--- DONE ---", "***DONE***", "  ##  DONE ##", "###### DONE", "----- DONE -----", "## DONE\t"]
)
def test_section_heads(head: str) -> None:
    """Dashes, stars and headings of level 2 to 6 start a section."""
    prompt = parse_system_prompt(f"intro\n{head}\nline\n\nmore\n")
    assert prompt == SystemPromptData("intro", (PromptSectionData("DONE", "line\n\nmore"),))


@pytest.mark.parametrize("line", ["---", "# Top", "***", "--- x", "#tag", "--- | ---", "<open>", "<br/>", "-- a --"])
def test_plain_lines_that_look_like_heads(line: str) -> None:
    """Rules, level 1 headings and elements never closed are plain text."""
    assert parse_system_prompt(f"a\n{line}\nb") == SystemPromptData(f"a\n{line}\nb")


def test_xml_section_keeps_inner_text() -> None:
    """An element may span lines, keeps inner tags and headings, and takes the text after it."""
    prompt = parse_system_prompt('intro\n<rules difficulty="M|high">\n<b>x</b>\n## y\n</rules> tail\nmore')
    expected = PromptSectionData("rules", "<b>x</b>\n## y\n tail\nmore", frozenset({MEDIUM, HIGH}))
    assert prompt == SystemPromptData("intro", (expected,))


def test_code_fences_hold_no_sections() -> None:
    """A comment line in a fenced block starts no section."""
    assert titles("```python\n## not this\n--- nor this ---\n```\n## this\n~~~\n## no\n```\n## no\n~~~") == ["this"]


@pytest.mark.parametrize(
    ("head", "title", "levels"),
    [
        ("--- L: SHORT ---", "SHORT", {LOW}),
        ("## MH: Deep", "Deep", {MEDIUM, HIGH}),
        ("## low, high: Ends", "Ends", {LOW, HIGH}),
        ("## Medium/HIGH: Ends", "Ends", {MEDIUM, HIGH}),
        ("## API: Contracts", "API: Contracts", None),
        ("## High only {difficulty=H}", "High only", {HIGH}),
        ('## Two {target_difficulties="low medium"}', "Two", {LOW, MEDIUM}),
        ("## L:", "L:", None),
    ],
)
def test_difficulty_marks(head: str, title: str, levels: set[TaskDifficulty] | None) -> None:
    """Titles may name difficulties; what names none is part of the title."""
    expected = PromptSectionData(title, "x", None if levels is None else frozenset(levels))
    assert parse_system_prompt(f"{head}\nx").sections == (expected,)


@pytest.mark.parametrize("text", ['<a difficulty="X">t</a>', "## T {difficulty=easy}"])
def test_unknown_difficulty_in_an_attribute_is_an_error(text: str) -> None:
    """An attribute that names no difficulty is refused, not ignored."""
    with pytest.raises(ValueError, match="unknown difficulty"):
        parse_system_prompt(text)


def test_sections_are_chosen_by_difficulty() -> None:
    """Unmarked sections are always there, marked ones at their difficulty only."""
    prompt = parse_system_prompt("I\n## all\na\n## L: low\nb\n## MH: rest\nc")
    assert format_system_prompt(prompt, LOW) == "I\n\n--- all ---\na\n\n--- low ---\nb"
    assert format_system_prompt(prompt, HIGH) == "I\n\n--- all ---\na\n\n--- rest ---\nc"
    assert format_system_prompt(prompt, None) == "I\n\n--- all ---\na"


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (PromptStyle.XML, "<one>a</one>\n\n<two>\nb\nc\n</two>"),
        (PromptStyle.ASTERISK, "*** one ***\na\n\n*** two ***\nb\nc"),
        (PromptStyle.MARKDOWN, "## one\na\n\n## two\nb\nc"),
    ],
)
def test_styles(style: PromptStyle, expected: str) -> None:
    """Every section is written in the style asked for."""
    assert format_system_prompt(parse_system_prompt("## one\na\n## two\nb\nc"), None, style) == expected


def test_xml_style_needs_xml_names() -> None:
    """A title that cannot be a tag is refused in XML style."""
    with pytest.raises(ValueError, match="no XML name"):
        format_system_prompt(parse_system_prompt("## two words\na"), None, PromptStyle.XML)


def test_formatters_see_their_parts() -> None:
    """One formatter gets section contents, the other intro and whole sections."""
    prompt = parse_system_prompt("i\n## t\nc")
    assert format_system_prompt(prompt, None, section_formatter=str.upper) == "i\n\n--- t ---\nC"
    assert format_system_prompt(prompt, None, prompt_part_formatter=str.upper) == "I\n\n--- T ---\nC"


def test_tools_are_filled_in() -> None:
    """The three placeholders give the short and the detailed text; no tools give nothing."""
    prompt = make_system_prompt("{tools}|{brief_tools}|{detailed_tools}")
    assert render_prompt(prompt, None, brief_tools="B {x}", detailed_tools="D") == "B {x}|B {x}|D"
    assert render_prompt(prompt, None) == "||"


def test_tools_in_a_comment_stay_a_comment() -> None:
    """A placeholder on a comment line becomes a block of comments."""
    prompt = make_system_prompt("x = 1\n  # {tools}\n# Shell {y}")
    assert render_prompt(prompt, None, brief_tools="f(a)\n\ng()") == "x = 1\n# f(a)\n#\n# g()\n# Shell {y}"


def test_braces_stay_without_parameters() -> None:
    """Without parameters code, JSON and f-strings come through unchanged."""
    text = 'f"{name}" {{x}} {"a": 1} {0} {a.b}'
    assert render_prompt(make_system_prompt(text), None) == text


def test_parameters_are_filled_in() -> None:
    """With parameters names are filled, doubled braces become single, code and JSON stay."""
    prompt = make_system_prompt('{who!r} {price:.2f} {{x}} {"a": 1} {a.b} {0} {shared_var_names}')
    params: dict[str, Any] = {"who": "Ann {tools}", "price": 2, "shared_vars": ["event", "user"]}
    expected = "'Ann {tools}' 2.00 {x} {\"a\": 1} {a.b} {0} event, user"
    assert render_prompt(prompt, None, params=params) == expected


def test_unknown_placeholder_is_a_key_error() -> None:
    """With parameters a name that is not among them is an error that shows both."""
    with pytest.raises(KeyError, match=r"\{clinic\}.*source"):
        render_prompt(make_system_prompt("{clinic}"), None, params={"source": "x"})


def test_shared_names_are_empty_without_any() -> None:
    """No shared variables give an empty list; no prompt gives no text."""
    assert render_prompt(make_system_prompt("[{shared_var_names}]"), None) == "[]"
    assert render_prompt(None, None) == ""


def test_stored_form_is_canonical() -> None:
    """Equal prompts have one text, in ASCII without NUL, and it reads back as the same prompt."""
    prompt = parse_system_prompt("é\0\ud800\n## HL: t\nc\n## u")
    text = to_text(prompt)
    assert from_text(text) == prompt
    assert text.isascii()
    assert "\0" not in text
    assert to_text(parse_system_prompt("é\0\ud800\n## LH: t\nc\n## u")) == text


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"intro":"x"}', '{"intro":"x","sections":[{"title":"a"}]}', "{", "5", '{"intro":5,"sections":[]}'],
)
def test_other_text_is_no_stored_prompt(text: str) -> None:
    """Text that `to_text` did not write is refused."""
    with pytest.raises(InvalidFormat, match="not a stored prompt"):
        from_text(text)


def test_order_of_sections_matters() -> None:
    """Prompts with swapped sections differ."""
    one, other = parse_system_prompt("## a\n## b"), parse_system_prompt("## b\n## a")
    assert not compare_prompts(one, other)
    assert compare_prompts(one, parse_system_prompt("--- a ---\n*** b ***"))
    assert compare_prompts("--- a ---\n*** b ***", one)


def test_prompt_file(tmp_path: Path) -> None:
    """Metadata before the header line, the prompt after it."""
    path = tmp_path / "invoice_auditor.md"
    path.write_bytes(b"\xef\xbb\xbf" + AUDITOR.replace("\n", "\r\n").encode())
    found = parse_prompt_file(str(path))
    assert list(found.metadata) == ["MODEL", "MODEL_NOTE", "COST_CENTRE"]
    assert found.metadata["MODEL"].endswith("rl=40")
    found_titles = [section.title for section in found.system.sections]
    assert found_titles == ["method", "SHORT CUTS", "DEEP CHECK", "Tool reference"]
    assert found.system.sections[-1].contents == "{detailed_tools}\n# a line of the prompt"


@pytest.mark.parametrize("head", ["## System Prompt", "# System", "# System Prompt: x", "# SYSTEM_PROMPT", ""])
def test_file_without_header_is_an_error(tmp_path: Path, head: str) -> None:
    """A file without the header line is named."""
    (tmp_path / "a.md").write_text(f"# MODEL: x\n{head}\ntext\n")
    with pytest.raises(ValueError, match=r"a\.md: no line"):
        load_prompt_files(tmp_path)


def test_folder_of_prompt_files(tmp_path: Path) -> None:
    """Markdown files directly in the folder, by stem; no folder is no definition."""
    (tmp_path / "sub").mkdir()
    for name in ("b.md", "a.md", "c.txt", "sub/d.md"):
        (tmp_path / name).write_text("# System Prompt\nhi")
    assert list(load_prompt_files(tmp_path)) == ["a", "b"]
    assert load_prompt_files(tmp_path / "none") == load_prompt_files(None) == {}


@pytest.mark.parametrize(
    ("value", "level"), [("L", LOW), ("medium", MEDIUM), ("High", HIGH), (HIGH, HIGH), (None, None)]
)
def test_difficulty_names(value: Any, level: TaskDifficulty | None) -> None:
    """Letters and words in any case name a difficulty."""
    assert parse_task_difficulty(value) is level


@pytest.mark.parametrize("value", ["", "LM", "easy", 1])
def test_other_difficulty_names_are_refused(value: Any) -> None:
    """Anything else is an error that lists what is known."""
    with pytest.raises(ValueError, match="expected L, M, H"):
        parse_task_difficulty(value)


def test_harder_of_two() -> None:
    """The harder difficulty wins, and nothing is easier than low."""
    assert max_task_difficulty(LOW, HIGH) is HIGH
    assert max_task_difficulty(None, LOW) is LOW
    assert max_task_difficulty(None, None) is None
