"""The one form of spec files: spelling stays, comments stay at their entries, meaning never changes."""

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statek.spec.formatting.form import format_file
from statek.spec.reading.nodes import compose
from statek.spec.reading.snapshot import SourceFile

ROOT = Path(__file__).parents[2]
TEXTS = {
    "spaces": ("a:   1\nb :   [ x,y ,  z ]\nc: {d:   1,e : 2}\n", "a: 1\nb: [x, y, z]\nc: {d: 1, e: 2}\n"),
    "indentation": ("a:\n     b:\n        c: 1\n", "a:\n  b:\n    c: 1\n"),
    "list under its key": ("a:\n- b\n-   c: 1\n    d: 2\n", "a:\n  - b\n  - c: 1\n    d: 2\n"),
    "list in a list": ("a:\n  -\n    - 1\n    -    2\n", "a:\n  - - 1\n    - 2\n"),
    "value on the next line": ("a:\n  text\n", "a: text\n"),
    "spelling": ("a: 'x'\nb: \"y\"\nc: 010\nd: 1.50\ne: ~\n", "a: 'x'\nb: \"y\"\nc: 010\nd: 1.50\ne: ~\n"),
    "trailing blanks": ("a: 1   \nb: 2\t\n", "a: 1\nb: 2\n"),
    "blank lines": ("\n\na: 1\n\n\n\nb:\n\n  c: 2\n\n\n", "a: 1\n\nb:\n  c: 2\n"),
    "end of the file": ("a: 1", "a: 1\n"),
    "flow over lines": ("a: [x,\n    y,\n]\nb: {\n  c: 1 }\n", "a: [x, y]\nb: {c: 1}\n"),
    "flow with a comment": ("a: [x, # one\n  y]\n", "a:\n  - x  # one\n  - y\n"),
    "comment behind brackets": ("a: {  # open\n  b: 1\n}  # close\n", "a:  # open\n  b: 1\n  # close\n"),
    "comment behind a list item": ("a:\n  - {b: 1, # b\n     c: 2} # c\n", "a:\n  # c\n  - b: 1  # b\n    c: 2\n"),
    "empty with a comment": ("a: [ # none\n  # yet\n  ]\n", "a: []  # none\n       # yet\n"),
    "pairs in a list": ("a: [b: 1, c]\n", "a: [{b: 1}, c]\n"),
    "keys without value": ("a: {b, c: , d: }\ne:\n", "a: {b, c, d}\ne:\n"),
    "keys that end with a colon": ("a: {b::  , c }\n", "a: {b:: , c}\n"),
    "explicit keys": ("? a\n: 1\n? b\n:\n  - 2\n", "a: 1\nb:\n  - 2\n"),
    "comment above a key": ("a: 1\n  # of b\nb: 2\n", "a: 1\n# of b\nb: 2\n"),
    "comment behind a key": ("a: # of a\n   b: 1\nc:  # of c\n", "a:  # of a\n  b: 1\nc:  # of c\n"),
    "comment between key and value": ("a:\n   # of a\n   x\n", "a:\n  # of a\n  x\n"),
    "comment behind a dash": ("a:\n- # of it\n  b: 1\n", "a:\n  -  # of it\n    b: 1\n"),
    "comment of an empty field": ("a:\n   # b: 1\nc: 2\n", "a:\n  # b: 1\nc: 2\n"),
    "comments in columns": ("a: 1     # x\nbb: 2    # y\n", "a: 1     # x\nbb: 2    # y\n"),
    "a column that is too near": ("a: 1  # x\nb: 22 # y\n", "a: 1   # x\nb: 22  # y\n"),
    "columns move with their lines": ("a:\n    b: 1   # x\n    c: 2   # y\n", "a:\n  b: 1   # x\n  c: 2   # y\n"),
    "a comment that goes on": ("a:   1   # x\n         # y\nb: 2\n", "a: 1     # x\n         # y\nb: 2\n"),
    "tails": (
        "a:\n  b:\n    c: 1\n    # of b\n  # of a\n# of d\nd: 1\n# end\n",
        "a:\n  b:\n    c: 1\n    # of b\n  # of a\n# of d\nd: 1\n# end\n",
    ),
    "text": ("a: |\n     one\n       two\n\n     # three\n\n\nb: 1\n", "a: |\n  one\n    two\n\n  # three\n\nb: 1\n"),
    "text with a header": ("a: >-   # why\n   one\n   two\n", "a: >-   # why\n  one\n  two\n"),
    "text with its indentation": ("a:\n    b: |2\n        one\n       two\n", "a:\n  b: |2\n      one\n     two\n"),
    "text that keeps its end": ("a: |+\n  one\n\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n"),
    "text without end": ("a: |\n  one", "a: |-\n  one\n"),
    "text that ends in blanks": ("a: |\n  one\n    ", "a: |-\n  one\n    \n"),
    "text of blank lines": ("a: |\n\nb: |+\n\n\nc: 1\n", "a: |\n\nb: |+\n\n\nc: 1\n"),
    "quoted over lines": ('a: "one\n       two   \n\n  three"\n', 'a: "one\n  two\n\n  three"\n'),
    "plain over lines": ("a: one\n      two\n    three  # end\n", "a: one\n  two\n  three  # end\n"),
    "separators": (
        "---\na: 1\n\n---\n\n# of b\nb: 1\n...\n---  # third\nc: 1\n...\n",
        "a: 1\n---\n# of b\nb: 1\n---  # third\nc: 1\n",
    ),
    "a document in brackets": ('{"a": 1,\n "b": {"c":2}}\n', '"a": 1\n"b": {"c": 2}\n'),
    "order of fields": (
        "x-a: 1\n# of s\nspec: {}\n# of m\nmetadata: {labels: {z: a, b: c}, name: q}\nkind: K\napiVersion: v\n",
        "apiVersion: v\nkind: K\n# of m\nmetadata: {labels: {z: a, b: c}, name: q}\n# of s\nspec: {}\nx-a: 1\n",
    ),
    "order of a kind": (
        "kind: Queue\nmetadata: {labels: {z: a}, name: q}\nspec: {ttl: 1s, y: 1, deliver_as: e, x-b: 1, agent: a}\n",
        "kind: Queue\nmetadata: {name: q, labels: {z: a}}\nspec: {agent: a, deliver_as: e, ttl: 1s, y: 1, x-b: 1}\n",
    ),
    "nothing": ("{ # of all\n}\n# end\n", "# of all\n# end\n{}\n"),
    "an opening comment": ("{ # of all\n a: 1 } # end\n", "# of all\na: 1\n# end\n"),
    "text that is a dash": ("a: {b: -, # x\n}\n", 'a:\n  b: "-"  # x\n'),
    "head of a file": (
        "# yaml-language-server: $schema=q.json\n# Ours.\nkind: Queue\napiVersion: statek/v1\n",
        "# yaml-language-server: $schema=q.json\n# Ours.\napiVersion: statek/v1\nkind: Queue\n",
    ),
}  # fmt: skip


def formatted(text: str, path: str = "agents/a.yaml") -> str:
    """The formatted text of a file that can be read; formatting it again changes nothing."""
    done = format_file(SourceFile(path, "agents", text.encode()))
    assert (done.problems, done.left) == ((), "")
    again = format_file(SourceFile(path, "agents", done.raw))
    assert again.raw == done.raw
    return done.raw.decode()


@pytest.mark.parametrize(("before", "after"), TEXTS.values(), ids=TEXTS)
def test_the_form(before: str, after: str) -> None:
    """Each text has one form, which stays as it is when it is formatted again."""
    assert formatted(before) == after


def test_what_does_not_fit_on_a_line_becomes_a_block() -> None:
    """Up to 100 columns a flow collection stays; what is inside of it is looked at by itself."""
    word = "x" * (100 - len("a: {b: {c: 1}, d: }"))

    assert formatted(f"a: {{b: {{c: 1}}, d: {word}}}\n") == f"a: {{b: {{c: 1}}, d: {word}}}\n"
    assert formatted(f"a: {{b: {{c: 1}}, d: {word}x}}\n") == f"a:\n  b: {{c: 1}}\n  d: {word}x\n"


def test_the_front_matter_has_the_order_of_the_reference() -> None:
    """Fields first as they are listed, then those with `x-`; comments go with their fields, the body stays."""
    before = "--- \n\n# One.\n\nx-a: 1\nlimits: {turns: 1}\n# Which.\nmodel: m/n\ndescription: D.\n\n---\n"
    after = "---\n# One.\n\ndescription: D.\n# Which.\nmodel: m/n\nlimits: {turns: 1}\nx-a: 1\n---\n"
    body = "\n  Body  \n\n\ttab"

    assert formatted(before + body, "agents/a.md") == f"{after}{body}\n"


@pytest.mark.parametrize("path", ["agents/_part.md", "warmups/w.py", "agents/a.md"])
def test_prompts_and_code_keep_every_byte_but_line_ends(path: str) -> None:
    """CRLF becomes LF, a byte order mark goes, and one line feed stands at the end."""
    head = "---\ndescription: D.\nmodel: m/n\n---\n" if path == "agents/a.md" else ""
    body = "x = 1   \n\n\n\n# odd\t\n   y: {{ a }}\n"
    raw = b"\xef\xbb\xbf" + (head + body + "\n\n").replace("\n", "\r\n").encode()

    assert format_file(SourceFile(path, "agents", raw)).raw.decode() == head + body


@pytest.mark.parametrize("text", ["a: [1\n", "a: 1\na: 2\n", "a: &x 1\n", "- 1\n", "a: \x01\n", "\ta: 1\n"])
def test_a_file_that_cannot_be_read_stays_as_it_is(text: str) -> None:
    """Its problems are given back with the bytes that were there."""
    done = format_file(SourceFile("agents/a.yaml", "agents", text.encode()))

    assert done.raw == text.encode()
    assert done.problems


@pytest.mark.parametrize("folder", ["agents", "queues", "warmups", "tests/examples/valid"])
def test_the_files_of_the_repository_have_the_form(folder: str) -> None:
    """Nothing would be changed but in the example about line ends."""
    files = [path for path in (ROOT / folder).rglob("*.*") if path.suffix in {".md", ".yaml"}]
    assert files or folder == "warmups"
    for path in files:
        raw = path.read_bytes()
        done = format_file(SourceFile(path.relative_to(ROOT).as_posix(), folder, raw))
        assert done.raw == raw or "crlf-and-bom" in path.parts, path


def test_lines_that_only_yaml_sees_are_left_alone() -> None:
    """A text with U+2028 is formatted only where that changes nothing; else the file stays, with the reason."""
    assert formatted("a:   'x\u2028y'\n") == "a: 'x\u2028y'\n"
    raw = "a: |\n    x\u2028    y\n".encode()

    done = format_file(SourceFile("agents/a.yaml", "agents", raw))

    assert (done.raw, done.is_bug) == (raw, False)
    assert "U+2028" in done.left


def test_every_text_of_the_reference_can_be_formatted() -> None:
    """No example of the invalid ones that can be read is refused or changed in its meaning."""
    for path in (ROOT / "tests/examples/invalid").rglob("*.*"):
        if path.suffix in {".md", ".yaml"}:
            done = format_file(SourceFile(path.relative_to(ROOT).as_posix(), "tests", path.read_bytes()))
            assert not done.left, path


SCALARS = [
    "1", "-2.50", "true", "null", "~", "", "word", "two words", "'it''s'", '"a \\" # b"', "${env:A}", "a#b", "10m",
    "'{'", "x:y",
]  # fmt: skip
FLOW_SCALARS = [word for word in SCALARS if word and "$" not in word]
HEADERS = ["|", "|-", "|+", ">", "|2", ">1+"]
KINDS = ["scalar", "flow", "text", "long", "map", "list", "compact"]


class Draft:
    """Writes a random document line by line; every comment has its own number."""

    def __init__(self, seed: int) -> None:
        self.random, self.lines, self.count = random.Random(seed), list[str](), 0

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def blanks(self, least: int, most: int) -> str:
        return " " * self.random.randint(least, most)

    def comment(self) -> str:
        self.count += 1
        return f"# c{self.count}."

    def above(self, indent: int) -> None:
        while self.chance(25):
            odd = self.random.choice([None, None, 0, indent, indent + 3])
            self.lines.append("" if odd is None else " " * odd + self.comment())

    def behind(self) -> str:
        return self.blanks(1, 8) + self.comment() if self.chance(25) else ""

    def block(self, indent: int, depth: int, *, as_list: bool) -> None:
        for number in range(self.random.randint(1, 3)):
            self.above(indent)
            self.value(" " * indent + ("-" if as_list else f"k{number}{self.blanks(0, 2)}:"), indent, depth)
        self.above(indent)

    def value(self, start: str, indent: int, depth: int) -> None:
        kind = self.random.choice(KINDS) if depth > 0 else "scalar"
        inner, space = indent + self.random.randint(1, 4), self.blanks(1, 3)
        if kind == "scalar":
            self.lines.append(start + space + self.random.choice(SCALARS) + self.behind())
        elif kind == "flow":
            self.lines += (start + space + self.flow(depth, " " * inner)).split("\n")
            self.lines[-1] += self.behind()
        elif kind == "text":
            self.text(start + space, indent)
        elif kind == "long":
            self.lines += [f'{start}{space}"one  ', "", f"{' ' * inner}two \\", f'{" " * inner}three"{self.behind()}']
        elif kind == "compact" and start.endswith("-"):
            column = len(start) + len(space)
            self.lines.append(f"{start}{space}k8: 1{self.behind()}")
            self.value(f"{' ' * column}k9:", column, depth - 1)
        else:
            self.lines.append(start + self.behind())
            self.block(inner, depth - 1, as_list=kind == "list")

    def text(self, start: str, indent: int) -> None:
        header = self.random.choice(HEADERS)
        inner = " " * (indent + (int(header[1]) if header[1:2].isdigit() else self.random.randint(1, 4)))
        self.lines += [start + header + self.behind(), f"{inner}first", ""]
        self.lines += [inner + self.random.choice(["more", "  deeper ", "- # no comment", ""]) for _ in range(2)]
        self.lines += [""] * self.random.randint(0, 2)

    def flow(self, depth: int, indent: str) -> str:
        parts = []
        as_list = self.chance(50)
        for number in range(self.random.randint(0, 3)):
            value = self.flow(depth - 1, indent) if depth and self.chance(30) else self.random.choice(FLOW_SCALARS)
            note = f"{self.behind()}\n{indent}" if self.chance(20) else ""
            parts.append(f"{self.blanks(0, 2)}{'' if as_list else f'f{number}: '}{value}{self.blanks(0, 2)},{note}")
        opening, closing = "[]" if as_list else "{}"
        return opening + (f"{self.behind()}\n{indent}" if self.chance(15) else "") + "".join(parts) + closing


@given(st.integers(0, 2**64))
@settings(max_examples=300, deadline=None)
def test_any_document_keeps_its_meaning_and_its_comments(seed: int) -> None:
    """Formatted once it is stable, means the same, and has exactly the comments that it had."""
    draft = Draft(seed)
    for number in range(draft.random.randint(1, 2)):
        draft.lines += ["---"] * bool(number)
        draft.block(0, 3, as_list=False)
    text = "\n".join(draft.lines) + draft.random.choice(["", "\n", "\n\n"])

    after = formatted(text)

    assert sorted(re.findall(r"# c\d+\.", after)) == sorted(f"# c{n}." for n in range(1, draft.count + 1))
    assert meanings(after) == meanings(text)


def meanings(text: str) -> list[str]:
    """What the documents of a text mean."""
    return [json.dumps(node.data, sort_keys=True) for node in compose(text, "a.yaml").nodes]
