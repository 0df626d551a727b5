"""What reading a prompt template finds: the names it asks for, the partials it includes, what is wrong. Only values.

Here too is which names a prompt knows at all, for both who read templates: `template` any, `prompts` the plain ones.
"""

from typing import NamedTuple

from statek.text.marks import TemplateProblem
from statek.text.steps import Step

ROOTS = ("inputs", "vars", "agent", "job", "tools")
FULL_NAMES = {"agent": ("agent", "name"), "job": ("job", "id"), "tools": ("tools",)}
FORBIDDEN_ROOTS = ("secrets", "env")
LOOP = ("index", "index0", "first", "last", "length")  # what a prompt knows of `loop`

Span = tuple[int, int, int]
Path = tuple[str, ...]


class Name(NamedTuple):
    """A value that a template reads.

    Attributes:
        path: its parts as far as they are written out: `inputs.event.id` is ("inputs", "event", "id").
        line, column, end_column: place of the whole name, from 1, end exclusive.
        defaulted: an absent value does no harm here: it is only tested, guarded by an `if`, or has a default.
        parts: line, column and end column of every part.
    """

    path: Path
    line: int
    column: int
    end_column: int
    defaulted: bool
    parts: tuple[Span, ...] = ()


class Read(NamedTuple):
    """What is asked of an input, written with `inputs` or with a loop variable that comes from one.

    Attributes:
        base: steps from `inputs` to the loop variable; none for `inputs` itself.
        path: the name as written, and EACH behind it where a loop goes through it.
        parts: line, column and end column of every part that is written.
    """

    base: tuple[Step, ...]
    path: tuple[Step, ...]
    parts: tuple[Span, ...]


class Include(NamedTuple):
    """A partial that a template includes; the place is that of its name, without the quotes."""

    name: str
    line: int
    column: int
    end_column: int


class Parsed(NamedTuple):
    """What a template needs, what is wrong with it, and what it asks of inputs, each in the order of the text."""

    names: tuple[Name, ...]
    includes: tuple[Include, ...]
    problems: tuple[TemplateProblem, ...]
    reads: tuple[Read, ...] = ()
