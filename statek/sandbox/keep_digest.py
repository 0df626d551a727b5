"""Structural digest of a value: says whether two calls have the same arguments.

Equal structure gives equal digests whatever is shared, interned or in which order a set is walked; `1`, `1.0` and
`True` differ, and so do `Decimal('1.0')` and `Decimal('1.00')`. The order of a dict does not count, that of an
OrderedDict does. It never looks at pickle bytes: those differ for equal values. `keep` offers it to the runner.

A list that contains itself is written by how many levels up it points; parts that point to no level above them are
digested once.
"""

import collections
import contextlib
import hashlib
import itertools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from statek.exceptions import CannotKeep
from statek.sandbox import keep_applications, keep_errors, keep_shapes, keep_values, sources
from statek.sandbox.keep_reasons import reason_for
from statek.sandbox.keep_values import Parts
from statek.sandbox.kinds import is_job_class

VISITS: Final = 2_000_000  # parts looked at before giving up on a value that multiplies without end
_SCALARS: Final = frozenset({type(None), bool, int, float})
_FLAT: Final = frozenset({type(None), bool, int, float, str, bytes})
_ORDERED: Final = frozenset({list, tuple, collections.deque})
_SETS: Final = frozenset({set, frozenset})
_MAPPINGS: Final = frozenset({dict, collections.Counter})


def digest_of(value: object, number_of: Callable[[object], int]) -> str:
    """Give 12 hex digits.

    Args:
        value: plain data, the values that a workspace keeps, functions of a job, durable objects.
        number_of: gives the number of a durable object in its job; raises CannotKeep, LookupError or TypeError for
            anything that is not durable.

    Raises:
        CannotKeep: something in it has no structure (a generator, a host object).
    """
    text = _Digest(number_of).of(value)
    return hashlib.blake2b(text, digest_size=6).hexdigest()


def digest_of_call(args: tuple[object, ...], kwargs: dict[str, object], number_of: Callable[[object], int]) -> str:
    """Give 12 hex digits for the arguments of a call; see `digest_of`. Plain values take a shorter way."""
    if all(type(value) in _FLAT for value in args) and all(type(value) in _FLAT for value in kwargs.values()):
        with contextlib.suppress(ValueError):  # a whole number too long for decimal digits
            text = repr((args, sorted(kwargs.items())))
            return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return digest_of([list(args), kwargs], number_of)


class _Order(Enum):
    """What the order of parts means."""

    COUNTS = 1
    FREE = 2
    PAIRS = 3  # key, value, key, value: the order of the pairs is free


@dataclass(slots=True)
class _Node:
    """A value whose parts are being walked."""

    value: object  # held, so that its id is not used again
    level: int
    name: str
    order: _Order
    rest: Iterator[Any]
    done: list[bytes] = field(default_factory=list)
    highest: int = 0  # the level nearest to the root that a part points up to

    def digest(self) -> bytes:
        """Digest what the parts gave."""
        texts = self.done
        if self.order is _Order.PAIRS:
            texts = sorted(_hash("", texts[at : at + 2]) for at in range(0, len(texts), 2))
        elif self.order is _Order.FREE:
            texts = sorted(texts)
        return _hash(self.name, texts)


class _Digest:
    """One walk over a value, with a stack of its own: depth is no reason to refuse."""

    def __init__(self, number_of: Callable[[object], int]) -> None:
        self.number_of = number_of
        self.open: list[_Node] = []
        self.levels: dict[int, int] = {}  # id of an open value -> its level
        self.known: dict[int, tuple[object, bytes]] = {}  # the value is held for the sake of its id
        self.visits = 0

    def of(self, value: Any) -> bytes:
        """Give a text that is short for a scalar, a digest for the rest."""
        text = self.leaf(value)
        while text is None or self.open:
            if text is not None:
                self.open[-1].done.append(text)
            text = self.next_part()
        return text

    def next_part(self) -> bytes | None:
        """Go on with the innermost open value: the text of its next part, None if that was opened, or its own."""
        node = self.open[-1]
        for part in node.rest:
            text = self.leaf(part)
            if text is None:
                return None
            node.done.append(text)
        return self.close(node)

    def leaf(self, value: Any) -> bytes | None:
        """Give the text of a value without parts or already digested; otherwise open it and give None."""
        kind = type(value)
        if kind is str:
            return b"s" + str(value).encode("utf-8", "surrogatepass")
        if kind in _SCALARS:
            return f"{kind.__name__} {_number(value)}".encode()
        if kind is bytes or kind is bytearray:
            return f"{kind.__name__} ".encode() + bytes(value)
        level = self.levels.get(id(value))
        if level is not None:
            self.open[-1].highest = min(self.open[-1].highest, level)
            return b"up %d" % (len(self.open) - level)
        if id(value) in self.known:
            return self.known[id(value)][1]
        self.visits += 1
        if self.visits > VISITS:
            raise CannotKeep(f"a value of more than {VISITS:,} parts is too large to be compared")
        level = len(self.open)
        node = _Node(value, level, *self.parts(value), highest=level)
        self.levels[id(value)] = level
        self.open.append(node)
        return None

    def close(self, node: _Node) -> bytes:
        """Digest an open value; it is known from now on unless it points to something above it."""
        self.open.pop()
        del self.levels[id(node.value)]
        digest = node.digest()
        if node.highest >= node.level:
            self.known[id(node.value)] = (node.value, digest)
        else:
            self.open[-1].highest = min(self.open[-1].highest, node.highest)
        return digest

    def parts(self, value: Any) -> tuple[str, _Order, Iterator[Any]]:
        """Choose how a value is taken apart."""
        kind = type(value)
        name = kind.__name__
        if kind in _ORDERED:
            extra = (value.maxlen,) if kind is collections.deque else ()
            return name, _Order.COUNTS, iter((*extra, *value))
        if kind in _SETS:
            return name, _Order.FREE, iter(value)
        if kind in _MAPPINGS:
            return name, _Order.PAIRS, itertools.chain.from_iterable(value.items())
        if kind is collections.OrderedDict:
            return name, _Order.COUNTS, itertools.chain.from_iterable(value.items())
        if kind is collections.defaultdict:
            return name, _Order.COUNTS, iter((value.default_factory, dict(value)))
        if kind is collections.ChainMap:
            return name, _Order.COUNTS, iter(value.maps)
        if kind is types.SimpleNamespace:
            return name, _Order.COUNTS, iter((dict(vars(value)),))
        if (row := keep_values.BY_TYPE.get(kind)) is not None:
            return row.name, _Order.COUNTS, iter(row.parts(value))
        if is_job_class(kind):
            return "instance", _Order.COUNTS, iter(_instance_parts(value))
        special, found = self.special(value)
        return special, _Order.COUNTS, iter(found)

    def special(self, value: Any) -> tuple[str, Parts]:
        """Take functions, exceptions, types and durable objects apart."""
        kind = type(value)
        if kind is types.FunctionType and (key := sources.key_of(value.__code__)) is not None:
            return "function", _function_parts(value, key)
        if kind is types.MethodType:
            return "method", (value.__func__, value.__self__)
        if is_job_class(value):
            return "class", (value.__qualname__,)
        if kind in keep_errors.NAMES:
            return "error", (keep_errors.NAMES[kind], value.args, keep_errors.state_of(value))
        if isinstance(value, type) and value in keep_values.TYPE_NAMES:
            return "type", (keep_values.TYPE_NAMES[value],)
        try:
            return "durable", (self.number_of(value),)
        except (LookupError, TypeError) as error:
            sort = keep_applications.sort_of(kind)
            if sort is None:
                raise CannotKeep(reason_for(value)) from error
        content = (value.name,) if sort == "enum" else keep_applications.state_of(value)
        return sort, (kind.__module__, kind.__qualname__, *content)


def _instance_parts(value: Any) -> Parts:
    """Name of the class, and everything an instance holds."""
    kind = type(value)
    if isinstance(value, Enum):
        return kind.__qualname__, value._name_, value._value_
    layout = keep_shapes.layout_of(kind)
    plain = keep_shapes.FROZEN.get(layout) or keep_shapes.FILLED.get(layout)
    content: Parts = (plain(value),) if plain is not None else ()
    if isinstance(value, Exception):
        content = (value.args, keep_errors.state_of(value))
    slots = {name: getattr(value, name) for name in keep_shapes.slots_of(kind) if hasattr(value, name)}
    return kind.__qualname__, *content, dict(getattr(value, "__dict__", {})), slots


def _function_parts(function: types.FunctionType, key: sources.CodeKey) -> Parts:
    """Where the source of a function of the job stands, its defaults, and what it closes over."""
    bound = [_contents(cell) for cell in function.__closure__ or ()]
    return key.digest, key.qualname, key.line, key.nth, function.__defaults__, function.__kwdefaults__, bound


def _number(value: object) -> str:
    return hex(value) if type(value) is int else repr(value)  # int to decimal is bounded in Python, hex is not


def _contents(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # unbound
        return ()


def _hash(name: str, parts: list[bytes]) -> bytes:
    text = b"".join([b"%d:%b" % (len(part), part) for part in parts])
    return b"#" + hashlib.blake2b(name.encode() + text, digest_size=16).digest()
