"""Promises of `statek.text.warmup`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.text.warmup import CallSpec, CodeBlock, DirectiveError, parse_warmup_code, split_blocks

DASHES = "# ----------"
INVOICE = """#STATEK: hidden = True
init_shared_context(invoice.supplier)

# ------------------------------
#STATEK: label = "reference material"
list_of_documents(topic="Tax rules") #STATEK: as tool
show_example(example_id=0) #STATEK: as tool

# ------------------------------
order = invoice.find_order()
print("Order total:", order.total)
"""
CODE_LINES = st.lists(
    st.sampled_from(["x = 1", "print(x)", "", "  ", "# note", DASHES, "# ---", "y = 'é'"]), max_size=12
)


@pytest.mark.parametrize("nothing", [None, "", " \n\t\n", f"\n{DASHES}\n", [], ["", "  "]])
def test_nothing_stays_nothing(nothing: str | list[str] | None) -> None:
    """Blank warmups give None, apart from a separator without text around it."""
    parsed = parse_warmup_code(nothing)
    assert parsed is None or parsed == DASHES


def test_one_block_is_given_alone() -> None:
    """A single block is not wrapped into a list."""
    assert parse_warmup_code("\nx = 1\n") == "x = 1"


@pytest.mark.parametrize("line", [DASHES, "#----------", "#   ---------------", "# ---------- "])
def test_dashed_lines_separate_blocks(line: str) -> None:
    """Ten or more dashes behind a hash split the text."""
    assert parse_warmup_code(f"a = 1\n{line}\nb = 2") == ["a = 1", "b = 2"]


@pytest.mark.parametrize("line", ["# ---------", "----------", " # ----------", "# ---------- x"])
def test_other_lines_do_not_separate(line: str) -> None:
    """Fewer dashes, no hash, or text beside the dashes leave the block whole."""
    assert parse_warmup_code(f"a = 1\n{line}\nb = 2") == f"a = 1\n{line}\nb = 2"


def test_a_separator_needs_text_lines_around_it() -> None:
    """At the very start or end, and directly behind another one, the line stays a comment."""
    assert parse_warmup_code(f"{DASHES}\na = 1\n{DASHES}") == f"{DASHES}\na = 1\n{DASHES}"
    assert parse_warmup_code(f"a\n{DASHES}\n{DASHES}\nb") == ["a", f"{DASHES}\nb"]


def test_a_sequence_counts_as_split() -> None:
    """Texts of a sequence are not split again, blank ones vanish."""
    assert parse_warmup_code([f"a\n{DASHES}\nb", " ", "c"]) == [f"a\n{DASHES}\nb", "c"]


def test_directives_become_metadata_and_calls() -> None:
    """A hidden block, a block of tool calls and a block of code are told apart."""
    hidden, calls, code = parse_warmup_code(INVOICE)
    assert hidden == CodeBlock("init_shared_context(invoice.supplier)", metadata={"hidden": True})
    assert hidden.hidden
    assert calls == CodeBlock(
        "",
        [
            CallSpec("STATEK-001", "list_of_documents", kwargs={"topic": "Tax rules"}),
            CallSpec("STATEK-002", "show_example", kwargs={"example_id": 0}),
        ],
        {"label": "reference material"},
    )
    assert isinstance(code, str)


def test_parsing_again_changes_nothing() -> None:
    """Ready blocks pass through unchanged."""
    once = parse_warmup_code(INVOICE)
    assert parse_warmup_code(once) == once


def test_calls_are_numbered_over_all_blocks() -> None:
    """Numbers go on from block to block and spare those that ready blocks use."""
    ready = CodeBlock("", [CallSpec("STATEK-001", "old")])
    second, third = parse_warmup_code([ready, "f() #STATEK: as tool", "g() #STATEK: as tool"])[1:]
    assert [second.tool_calls[0].id, third.tool_calls[0].id] == ["STATEK-002", "STATEK-003"]


def test_arguments_are_literals_or_bare_names() -> None:
    """Literals keep their value, a bare name becomes text, of a dotted call the last part counts."""
    block = parse_warmup_code("desk.show(Order, -1, [1, 'x'], on=None) #STATEK: as tool")
    assert block.tool_calls == [CallSpec("STATEK-001", "show", ["Order", -1, [1, "x"]], {"on": None})]


def test_other_comments_stay_comments() -> None:
    """A directive behind code, with a blank in its mark, or in a commented-out call is a comment."""
    text = "x = 1 #STATEK: hidden = True\n# STATEK: a = 1\n# f() #STATEK: as tool"
    assert parse_warmup_code(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "#STATEK: as tool",
        "#STATEK: hidden",
        "#STATEK: tags = [1]",
        "#STATEK: n = 1 + 1",
        "#STATEK: x = y",
        "#STATEK:",
        "3 #STATEK: as tool",
        "f(g()) #STATEK: as tool",
        "f(**x) #STATEK: as tool",
        "f()() #STATEK: as tool",
    ],
)
def test_bad_directives_are_refused_with_their_line(line: str) -> None:
    """A directive outside the grammar is a ValueError that knows its line in the file."""
    text = f"a = 1\n{DASHES}\n\n{line}\nb = 2"
    with pytest.raises(ValueError, match="line"):
        parse_warmup_code(text)
    with pytest.raises(DirectiveError) as caught:
        split_blocks(text)
    assert caught.value.line == 4


@pytest.mark.parametrize("line", ["x = f()", "f(", ") "])
def test_calls_that_are_no_expression_are_syntax_errors(line: str) -> None:
    """What stands before `as tool` must be Python, and an expression."""
    with pytest.raises(SyntaxError) as caught:
        split_blocks(f"a = 1\n{line} #STATEK: as tool")
    assert caught.value.lineno == 2


def test_a_block_without_directives_equals_its_text() -> None:
    """CodeBlocks and texts can be compared as long as they mean the same."""
    assert CodeBlock("x") == "x"
    assert CodeBlock("x", metadata={"a": 1}) != "x"
    assert CodeBlock("x", [CallSpec("i", "f")]) != CodeBlock("x")
    assert CodeBlock("x", []) == CodeBlock("x", None)


def test_hidden_means_true_itself() -> None:
    """Only the boolean hides a block."""
    assert not CodeBlock("x", metadata={"hidden": 1}).hidden


def test_a_call_can_be_written_out() -> None:
    """A call spec reads as Python."""
    assert CallSpec("i", "f", [1, "x"], {"on": None}).format() == "f(1, 'x', on=None)"


def test_blocks_know_where_they_stand() -> None:
    """Every block has the line of its first code in the file, so that errors point there."""
    blocks = split_blocks(INVOICE)
    assert [(block.line, block.hidden, block.label) for block in blocks] == [
        (2, True, None),
        (5, False, "reference material"),
        (10, False, None),
    ]
    assert [call.func_name for call in blocks[1].calls] == ["list_of_documents", "show_example"]


def test_lines_inside_a_block_keep_their_distance() -> None:
    """A directive in the middle leaves an empty line, so that later lines are still found."""
    (block,) = split_blocks("\n\na = 1\nf() #STATEK: as tool\nb = 2\n")
    assert (block.line, block.code) == (3, "a = 1\n\nb = 2")


@given(CODE_LINES)
def test_every_line_of_code_is_in_one_block_and_in_its_place(lines: list[str]) -> None:
    """Joined blocks hold all lines of code in order, each on the line it has in the file."""
    text = "\n".join(lines)
    found = [(b.line + n, line) for b in split_blocks(text) for n, line in enumerate(b.code.split("\n"))]
    assert all(lines[number - 1].strip() == line.strip() for number, line in found)
    kept = [line.strip() for _, line in found if line.strip() and line.strip() != DASHES]
    assert kept == [line.strip() for line in lines if line.strip() and line != DASHES]


@given(CODE_LINES)
def test_both_readers_find_the_same_blocks(lines: list[str]) -> None:
    """What is executed is what has a place."""
    text = "\n".join(lines)
    parsed = parse_warmup_code(text)
    blocks = parsed if isinstance(parsed, list) else [parsed] if parsed is not None else []
    assert [block.code for block in split_blocks(text)] == blocks
