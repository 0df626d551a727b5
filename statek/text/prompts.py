"""Reading a prompt for checking: plain ones at once, all others by the template engine.

Most prompts ask for values, test them, loop and include in the plainest forms. These are read here with one regular
expression for each tag, which takes a fiftieth of the time and leaves the engine unloaded. `template` stays the law:
whatever is not plain here, or wrong in any way, is for it to read, so a plain look may give up where nothing is wrong
and must find in what it does read exactly what `template` finds. Nothing is rendered by what is found here.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from statek.text.marks import Places
from statek.text.parsed import FORBIDDEN_ROOTS, FULL_NAMES, LOOP, ROOTS, Include, Name, Parsed, Path, Read, Span
from statek.text.steps import Some, Step

_MOST_BLOCKS, _MOST_PARTS, _MOST_TERMS = 5, 20, 5  # blocks inside of each other, parts of a name; more are not plain
_MARK = re.compile(r"\{[{%]")
_WORD = "[A-Za-z_][A-Za-z0-9_]*"
_PATH = "[A-Za-z_][A-Za-z0-9_.]*"  # its parts are looked at when it is read
_TEXT = r""""[^"\\{}\n]+"|'[^'\\{}\n]+'"""
_LITERAL = rf"""(?:{_TEXT}|""|''|0|[1-9][0-9]{{0,9}})"""
_FILTER = rf"(?:default(?:\(\s*{_LITERAL}\s*\))?|join(?:\(\s*(?:{_TEXT})\s*\))?|truncate|json|upper|lower|length)"
_TAG = re.compile(
    rf"""
    \{{\{{ -? \s* (?P<value>{_PATH}) (?P<filters>(?:\s*\|\s*{_FILTER}){{0,4}}) \s* -? \}}\}}
    | \{{% -? \s* (?:
        include \s* (?P<include>{_TEXT})
        | (?P<if>if|elif) \s (?P<test>[^{{}}%]+?)
        | for \s+ (?P<item>{_WORD}) \s+ in \s+ (?P<items>{_PATH})
        | (?P<word>else|endif|endfor)
        | (?P<raw>raw)
    ) \s* -? %\}}
    """,
    re.VERBOSE,
)
_RAW_END = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TERM = re.compile(
    rf"""
    \s* (?P<not>not \s+)? (?P<path>{_PATH})
    (?P<compared> \s* (?P<sign>==|!=) \s* {_LITERAL} | \s+ is (?P<absent> \s+ not)? \s+ defined)?
    (?: \s+ (?P<joint>and|or) (?=\s) | \Z)
    """,
    re.VERBOSE,
)
_WORDS = ("and", "elif", "else", "if", "in", "is", "not", "or", "recursive", "true", "false", "none")  # of the engine
_NO_ITEM = frozenset((*ROOTS, *FORBIDDEN_ROOTS, "loop", *_WORDS, *(word.title() for word in _WORDS)))


@lru_cache(maxsize=4096)  # those of a large project: a prompt is checked, then compiled
def parse(source: str) -> Parsed:
    """Read a template. Never raises: whatever is wrong is among the problems. Line ends are normalised first."""
    plain = read_plain(source)
    if plain is not None:
        return plain
    from statek.text import template  # it loads the engine

    return template.parse(source)


def read_plain(source: str) -> Parsed | None:
    """What a template asks for when all of it is plain; None when it is not."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in source:
        return None
    reader = _Reader(Places(source))
    found = _MARK.search(source)
    while found is not None:
        tag = _TAG.match(source, found.start())
        if tag is None or not reader.read(tag):
            return None
        rest = _RAW_END.search(source, tag.end()) if tag.lastgroup == "raw" else tag
        if rest is None:
            return None
        found = _MARK.search(source, rest.end())
    return None if reader.blocks else reader.parsed()


class _Block(NamedTuple):
    """An open `if` or `for`: what is known to be there around it and in its other branches, and the names around it."""

    tag: str
    around: frozenset[Path]
    otherwise: frozenset[Path]
    local: Mapping[str, tuple[Step, ...] | None]
    has_else: bool = False


class _Reader:
    """Takes the tags of a template in their order; each `read` says whether its tag is plain and fits."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.names: list[Name] = []
        self.includes: list[Include] = []
        self.reads: list[Read] = []
        self.blocks: list[_Block] = []
        self.present: frozenset[Path] = frozenset()  # paths that an `if` around this place has found to be there
        self.local: Mapping[str, tuple[Step, ...] | None] = {}  # loop variables in scope, and where in the inputs

    def parsed(self) -> Parsed:
        """What was found, where nothing is wrong."""
        return Parsed(tuple(self.names), tuple(self.includes), (), tuple(self.reads))

    def read(self, tag: re.Match[str]) -> bool:
        """Whatever a tag can be."""
        match tag.lastgroup:
            case "filters":
                first = tag["filters"].lstrip()[1:].lstrip()  # behind the bar
                return self.name(tag, "value", tested=first.startswith("default"))
            case "include":
                start, end = tag.span("include")
                self.includes.append(Include(tag["include"][1:-1], *self.places.span(start + 1, end - 1)))
                return True
            case "test":
                return self.if_(tag)
            case "items":
                return self.for_(tag)
            case "word":
                return self.word(tag["word"])
            case _:
                return True  # what is raw asks for nothing

    def name(self, tag: re.Match[str], group: str, *, tested: bool = False) -> bool:
        """A name of the job is noted, one of a loop is there."""
        path = tuple(tag[group].split("."))
        if len(path) > _MOST_PARTS or not all(map(str.isidentifier, path)):
            return False
        if path[0] in self.local:
            base = self.local[path[0]]
            if base is not None:
                line, column, _ = self.places.span(*tag.span(group))
                self.ask(path, group, base, _parts(path, line, column))
            return path[0] != "loop" or (len(path) == 2 and path[1] in LOOP)
        if path[0] not in ROOTS or FULL_NAMES.get(path[0], path) != path:
            return False
        line, column, end_column = self.places.span(*tag.span(group))
        parts = _parts(path, line, column)
        guarded = any(known[: len(path)] == path for known in self.present)
        self.names.append(Name(path, line, column, end_column, tested or guarded, parts))
        if path[0] == "inputs":
            self.ask(path, group, (), parts)
        return True

    def ask(self, path: Path, group: str, base: tuple[Step, ...], parts: tuple[Span, ...]) -> None:
        """Note what is asked of an input, or of a loop variable that comes from one."""
        if group == "items":
            self.reads.append(Read(base, (*path, Some.EACH), parts))
        elif len(path) > 1:
            self.reads.append(Read(base, path, parts))

    def if_(self, tag: re.Match[str]) -> bool:
        """`if` and `elif`."""
        if tag["if"] == "if":
            found = self.test(tag)
            return found is not None and self.open("if", *found)
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.tag != "if" or block.has_else:
            return False
        self.present = block.otherwise
        found = self.test(tag)
        self.present = block.otherwise | (found[0] if found else frozenset())
        return found is not None

    def test(self, tag: re.Match[str]) -> tuple[frozenset[Path], frozenset[Path]] | None:
        """The paths that are there when a test comes out true, and when it does not; None when it is not plain."""
        there: list[set[Path]] = [set(), set()]
        joints: set[str] = set()
        at, end = tag.span("test")
        for _ in range(_MOST_TERMS):
            term = _TERM.match(tag.string, at, end)
            if term is None or (term["not"] and term["compared"]) or not self.name(term, "path", tested=True):
                return None
            denied = bool(term["not"] or term["absent"]) or term["sign"] == "!="
            there[denied].add(tuple(term["path"].split(".")))
            at = term.end()
            if term["joint"] is None:
                true, false = map(frozenset, there)
                return (frozenset() if "or" in joints else true, frozenset() if "and" in joints else false)
            joints.add(term["joint"])
            if len(joints) > 1:
                return None
        return None

    def for_(self, tag: re.Match[str]) -> bool:
        """Its variable exists inside only, and inside there is something to go through."""
        item = tag["item"]
        if item in _NO_ITEM or not self.name(tag, "items"):
            return False
        path = tuple(tag["items"].split("."))
        base = () if path[0] == "inputs" else self.local.get(path[0])
        inner = None if base is None else (*base, *path[1:], Some.EACH)
        return self.open("for", frozenset({path}), local={item: inner, "loop": None})

    def open(
        self,
        tag: str,
        there: frozenset[Path],
        otherwise: frozenset[Path] = frozenset(),
        *,
        local: Mapping[str, tuple[Step, ...] | None] = MappingProxyType({}),
    ) -> bool:
        """A block begins; the paths `there` are known to be there in its first branch, `otherwise` in the others."""
        around = self.present
        self.blocks.append(_Block(tag, around, around | otherwise, self.local))
        self.present = around | there
        self.local = {**self.local, **local}
        return len(self.blocks) <= _MOST_BLOCKS

    def word(self, word: str) -> bool:
        """`else` and the ends."""
        if not self.blocks:
            return False
        block = self.blocks[-1]
        if word == "else":
            fits = not block.has_else
            self.blocks[-1], self.present, self.local = block._replace(has_else=True), block.otherwise, block.local
            return fits
        self.blocks.pop()
        self.present, self.local = block.around, block.local
        return word == f"end{block.tag}"


def _parts(path: Path, line: int, column: int) -> tuple[Span, ...]:
    """The place of every part of a name that begins at `column`."""
    parts = []
    for step in path:
        parts.append((line, column, column + len(step)))
        column += len(step) + 1
    return tuple(parts)
