"""Promises of `statek.text.prompts`: what it reads itself it reads as the template engine's reader does."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from statek.text import template
from statek.text.fences import FenceError, split
from statek.text.prompts import parse, read_plain

EXAMPLES = sorted(Path(__file__).parents[1].glob("examples/*/*/agents/*.md"))


class Writer:
    """Writes prompts at random: most often plain, now and then with an odd word, which makes it one for the engine."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def mostly(self, usual: list[str], *odd: str) -> str:
        """One of the usual words, or an odd one."""
        return self.random.choice(usual if self.random.random() < 0.97 else odd)

    def space(self) -> str:
        """White space, or none."""
        return self.mostly([" ", " ", " ", "", "\n", "\t ", "\r\n"], "\u2028")

    def name(self, inside: bool) -> str:
        """A value; `inside` of a loop, also of that."""
        usual = ["inputs.event.id", "inputs.event", "inputs", "vars.x", "agent.name", "job.id", "tools"]
        odd = ("agent", "loop", "loop.nope", "secrets.k", "inputs.a..b", "inputs.1", "not", "none", "inputs.if", "y")
        return self.mostly([*usual, *(["x", "x.title", "loop.index"] if inside else [])], *odd)

    def literal(self) -> str:
        """A text or number."""
        return self.mostly(['"a"', "'b c'", '""', "0", "12"], "007", "none", "true", '"}}"', '"%}"', r'"\n"', '"é"')

    def value(self, inside: bool) -> str:
        """A name with filters."""
        text = self.mostly(["", "", "-"], "+") + self.space() + self.name(inside)
        for _ in range(self.random.choice([0, 0, 1, 2])):
            known = ["default({})", "default", "json", "upper", "length", "join('-')", "truncate"]
            found = self.mostly(known, "json({})", "join({})", "truncate({})", "default({}, true)", "d({})", "nope")
            text += f"{self.space()}|{self.space()}{found.format(self.literal())}"
        return "{{" + text + self.space() + self.mostly(["", "", "-"], "+") + "}}"

    def term(self, inside: bool) -> str:
        """A condition without `and` and `or`."""
        name = self.name(inside)
        compared = name + self.mostly([" == ", "!="], " < ", " in ") + self.literal()
        tested = name + self.mostly([" is defined", " is not defined"], " is none", " is nope")
        return self.random.choice([name, f"not {name}", compared, tested])

    def condition(self, inside: bool) -> str:
        """What an `if` asks."""
        text = self.term(inside)
        joint = self.random.choice(["and", "or"])
        for _ in range(self.random.choice([0, 0, 1, 2])):
            text += f" {self.mostly([joint], 'and', 'or')} {self.term(inside)}"
        return text

    def tag(self, words: str) -> str:
        """A tag of a block."""
        marks = [self.mostly(["", "", "-"], "+") for _ in range(2)]
        return "{%" + marks[0] + self.space() + words + self.space() + marks[1] + "%}"

    def block(self, depth: int, inside: bool) -> str:
        """An `if`, `for` or `raw`, most often closed."""
        kind = self.random.choice(["if", "if", "for", "raw"])
        if kind == "raw":
            return self.tag("raw") + self.prompt(depth, inside) + self.mostly(["{% endraw %}", "{%- endraw -%}"], "")
        if kind == "for":
            head = f"for {self.mostly(['x'], 'loop', 'in', 'x, y')} in {self.name(inside)}"
            text = self.tag(head) + self.prompt(depth, inside=True)
        else:
            text = self.tag(f"if {self.condition(inside)}") + self.prompt(depth, inside)
            if self.random.random() < 0.4:
                text += self.tag(f"elif {self.condition(inside)}") + self.prompt(depth, inside)
        if self.random.random() < 0.4:
            text += self.tag("else") + self.prompt(depth, inside)
        return text + self.tag(self.mostly([f"end{kind}"], "endif", "endfor", "else"))

    def prompt(self, depth: int = 0, inside: bool = False) -> str:
        """A few pieces."""
        text = ""
        for _ in range(self.random.choice([0, 1, 2, 3])):
            piece = self.random.choice(["text", "value", "value", "block", "include"])
            if piece == "text":
                text += self.mostly(["text", "\n", "{ ", "}}", "{#", "\r\nline\r\n", "é"], "{{{", "{{ '", "\\", "\0")
            elif piece == "include":
                text += self.tag(
                    self.mostly(['include "tone"', "include 'a b'"], 'include ""', "include x", "set x = 1")
                )
            elif piece == "value" or depth > 6:
                text += self.value(inside)
            else:
                text += self.block(depth + 1, inside)
        return text


@pytest.mark.parametrize("seed", range(10))
def test_plain_prompts_are_read_as_the_engine_reads_them(seed: int) -> None:
    """Names with their places and whether they must be there, includes, and no problem where there is one."""
    writer, plain = Writer(seed), 0
    for _ in range(300):
        source = writer.prompt()
        found = read_plain(source)
        if found is not None:
            assert found == template.parse(source), source
            plain += bool(found.names)
    assert plain > 30


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-4:]))
def test_prompts_of_the_examples_are_read_as_the_engine_reads_them(path: Path) -> None:
    """Good ones and bad ones."""
    source = path.read_bytes().decode(errors="replace")
    try:
        body = split(source.replace("\r\n", "\n")).body
    except FenceError:
        body = source
    assert parse(body) == template.parse(body)


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'tone' %}\n\nTicket {{ inputs.id }}: {{ inputs.event.subject | default('none') }}\n{{ tools }}",
        "no mark at all { } {# }} %}",
        "{{ inputs.event.title | default('none') | upper }}",
        "{%- if inputs.a is defined and inputs.b != 'x' -%}{{ inputs.a }}{% elif not vars.b %}{% else %}{% endif %}",
        "{% for x in inputs.items %}{{ loop.index }} {{ x.name | json }}{% else %}none{% endfor %}",
        "{% raw %}{{ this is text }}{% endraw %}{% include 'tone' %}",
    ],
)
def test_usual_prompts_are_plain(source: str) -> None:
    """Else nothing would be saved."""
    plain = read_plain(source)
    assert plain is not None
    assert plain == template.parse(source)


def test_names_that_an_if_has_found_may_be_absent() -> None:
    """Inside of its branch only."""
    parsed = parse("{% if inputs.a and not inputs.b %}{{ inputs.a }}{{ inputs.b }}{% else %}{{ inputs.a }}{% endif %}")
    assert [name.defaulted for name in parsed.names] == [True, True, True, False, False]


def test_plain_prompts_do_without_the_engine() -> None:
    """It takes as long to load as a small project takes to check."""
    code = "import sys; from statek.text.prompts import parse; parse('{{ tools }}'); sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0
