"""Which source text a piece of compiled job code came from, and the way back.

A function made in a job is kept by its source, so every code object nested in a compiled block is indexed here under
`(digest of the source, qualified name, first line, nth of that name and line)`. The restricted compiler registers, the
reading and writing of workspaces looks up; nothing here compiles on its own. The index belongs to the process: jobs
that run the same text share it. It remembers the last 4,096 sources, and beyond that the text of every source some
function of which is still alive; a source that was forgotten comes back through the caller's compiler. Used from one
thread.
"""

import inspect
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Final, NamedTuple, Protocol

from statek.exceptions import Refused

SOURCES: Final = 4_096  # how many sources keep their compiled code here
_PASSED_THROUGH = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


class Compiler(Protocol):
    """Compiles a source under the rules of the sandbox and registers it."""

    def __call__(self, source: str) -> None:
        """Raise Refused, SyntaxError or ValueError when the source is not allowed any more."""
        ...


@dataclass(frozen=True)
class CodeKey:
    """Where a function's code stands: `nth` counts functions of one qualified name and first line, from 0."""

    digest: str
    qualname: str
    line: int
    nth: int


class _Text:
    """One source; lives as long as the recent list or any of its code objects needs it."""

    __slots__ = ("__weakref__", "text")

    def __init__(self, text: str) -> None:
        self.text = text


class _Recent(NamedTuple):
    text: _Text
    outer: tuple[CodeType, ...]
    codes: dict[CodeKey, CodeType]


class _Live(NamedTuple):
    code: "weakref.ref[CodeType]"
    key: CodeKey
    text: _Text  # held, so that a living function never loses its source


_recent: OrderedDict[str, _Recent] = OrderedDict()
_texts: "weakref.WeakValueDictionary[str, _Text]" = weakref.WeakValueDictionary()
_live: dict[int, _Live] = {}  # by id: equal code of two sources must not be confused


def register(source: str, digest: str, codes: Iterable[CodeType]) -> None:
    """Index every function nested in `codes`, the code objects of the top-level statements of `source`, in order."""
    outer = tuple(codes)
    known_before = _recent.get(digest)
    if known_before is not None and tuple(map(id, known_before.outer)) == tuple(map(id, outer)):
        _recent.move_to_end(digest)
        return
    text = _texts.get(digest)
    if text is None or text.text != source:
        text = _texts[digest] = _Text(source)
    counts: dict[tuple[str, int], int] = {}
    known: dict[CodeKey, CodeType] = {}
    for code in _functions(outer):
        place = (code.co_qualname, code.co_firstlineno)
        nth = counts.get(place, 0)
        counts[place] = nth + 1
        key = CodeKey(digest, *place, nth)
        known[key] = code
        _watch(code, key, text)
    _recent[digest] = _Recent(text, outer, known)
    _recent.move_to_end(digest)
    while len(_recent) > SOURCES:
        _recent.popitem(last=False)


def key_of(code: CodeType) -> CodeKey | None:
    """Give the key of a code object, or None when it was not made in a job."""
    live = _live.get(id(code))
    return live.key if live is not None and live.code() is code else None


def source_of(digest: str) -> str | None:
    """Give the text registered under `digest`, or None when it is unknown or forgotten."""
    text = _texts.get(digest)
    return None if text is None else text.text


def code_of(key: CodeKey, source: str, compile_source: Compiler) -> CodeType:
    """Give the code object of `key`, compiling `source` if its digest is not registered.

    Raises:
        LookupError: the source no longer compiles, or has no such code.
    """
    if key.digest not in _recent:
        try:
            compile_source(source)
        except (Refused, SyntaxError, ValueError, RecursionError) as error:
            raise LookupError(f"its source does not compile any more: {error}") from error
    recent = _recent.get(key.digest)
    code = recent.codes.get(key) if recent is not None else None
    if code is None:
        raise LookupError(f"its source has no {key.qualname!r} at line {key.line} any more")
    _recent.move_to_end(key.digest)
    return code


def _functions(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """Walk functions and lambdas in the order of the text; class bodies and comprehensions are only walked through."""
    for outer in codes:
        for code in outer.co_consts:
            if isinstance(code, CodeType):
                if code.co_flags & inspect.CO_OPTIMIZED and code.co_name not in _PASSED_THROUGH:
                    yield code
                yield from _functions((code,))


def _watch(code: CodeType, key: CodeKey, text: _Text) -> None:
    number = id(code)

    def forget(dead: "weakref.ref[CodeType]") -> None:
        if (live := _live.get(number)) is not None and live.code is dead:
            del _live[number]

    _live[number] = _Live(weakref.ref(code, forget), key, text)
