"""How a value is shown to the model: short, on one line, without private parts.

It formats and nothing else: no store, no console. The idea: collections are written out up to a bound, the fields of an
object one level deep; what lies deeper is named by its kind and size. An object may say it itself (`__llm_repr__`, else
its own `__str__`). Names that start with an underscore are never read, and no text grows beyond CAP. An error from an
object's own method passes through: a value that is not ready must suspend the job. Called by the console of a job.
"""

import datetime
import decimal
import enum
import inspect
import itertools
import types
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

CAP = 20_000  # characters of one value
MAX_ITEMS = 25
_MAX_DEPTH = 20
_MARK = 40  # room for the mark
_WORK = 3 * CAP  # characters written before formatting stops; what lies between is only counted

_PLAIN = (datetime.date, datetime.time, datetime.timedelta, enum.Enum, uuid.UUID)
_STORED = {
    "List": "list",
    "Dict": "dict",
    "Set": "set",
    "Tuple": "tuple",
}  # of the object store: no abstract base class
_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")"), "set": ("{", "}"), "dict": ("{", "}")}
_UNSET = object()
# objects whose own method is under way: when it asks for the default form of itself it must not be called again
_speaking: ContextVar[tuple[int, ...]] = ContextVar("_speaking", default=())


@dataclass(frozen=True)
class _Options:
    """What a caller may ask for.

    `hide`, `show_only`, `expand` name fields of objects; `hide` wins. `max_len` bounds the items of a collection.
    `repeated` leaves out what says nothing the second time. `members_of` names the fields of a stored object.
    """

    hide: frozenset[str] = frozenset()
    show_only: frozenset[str] | None = None
    expand: frozenset[str] = frozenset()
    max_len: int = MAX_ITEMS
    repeated: bool = False
    members_of: Callable[[object], Iterable[str] | None] | None = None


def llm_repr(value: object, **options: Any) -> str:
    """What the model sees of `value`, at most CAP characters, a mark saying how many more there are included.

    A text comes back as it is. Options: `hide`, `show_only`, `expand` (field names), `max_len` (items, 25),
    `members_of` (function from an object to its field names, None for those it does not know); others are ignored here
    and handed to an `__llm_repr__` that accepts them.

    Raises:
        TypeError: `__llm_repr__` gave something else than text. Whatever the object's own method raises passes through.
    """
    if isinstance(value, str):
        return _capped(str(value))
    text = _scalar(value)
    if text is not None:
        return _capped(text)
    page = _Page(options)
    text = page.value(value, _options(options), depth=0)
    return _capped(text, exact=page.left > 0)


def format_default_llm_repr(obj: object, **kwargs: Any) -> str:
    """The documented name of `llm_repr`; inside an object's own `__llm_repr__` it gives the default form."""
    return llm_repr(obj, **kwargs)


def format_llm_repr(value: object, **kwargs: Any) -> str:
    """The default form: fields of an object even when it has an own `__llm_repr__` or `__str__`."""
    if isinstance(value, str):
        return _capped(_quoted(value))
    page = _Page(kwargs)
    text = page.default(value, _options(kwargs), depth=0)
    return _capped(text, exact=page.left > 0)


def _options(given: Mapping[str, Any]) -> _Options:
    show_only = given.get("show_only")
    return _Options(
        hide=frozenset(given.get("hide") or ()),
        show_only=None if show_only is None else frozenset(show_only),
        expand=frozenset(given.get("expand") or ()),
        max_len=given.get("max_len", MAX_ITEMS),
        repeated=given.get("repeated", False),
        members_of=given.get("members_of"),
    )


def _capped(text: str, *, exact: bool = True, cap: int = CAP) -> str:
    if len(text) <= cap:
        return text
    kept = cap - _MARK
    return f"{text[:kept]}... ({len(text) - kept}{'' if exact else '+'} more)"


class _Page:
    """One formatting: how much may still be written, and which values are being written."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.left = _WORK
        self.open: tuple[int, ...] = ()

    def value(self, value: object, options: _Options, *, depth: int) -> str:
        """A value in full: as a scalar, as a collection, in its own words or with its fields."""
        text = _scalar(value)
        if text is None and _kind(value) is None:
            text = self.own_words(value, options)
        return self.default(value, options, depth=depth) if text is None else self.spend(text)

    def default(self, value: object, options: _Options, *, depth: int) -> str:
        """A value without asking for its own words."""
        text = _scalar(value)
        if text is not None:
            return self.spend(text)
        if id(value) in self.open or depth >= _MAX_DEPTH or self.left <= 0:
            return self.spend(_collapsed(value))
        before, self.open = self.open, (*self.open, id(value))
        try:
            kind = _kind(value)
            if kind is None:
                return self.fields(value, options, depth)
            return self.items(value, kind, options, depth)
        finally:
            self.open = before

    def spend(self, text: str) -> str:
        """Count what was written."""
        self.left -= len(text)
        return text

    def own_words(self, value: object, options: _Options) -> str | None:
        """What `__llm_repr__`, else an own `__str__`, says; None when there is neither."""
        if id(value) in _speaking.get():
            return None
        speak = getattr(type(value), "__llm_repr__", None)
        if speak is None and (type(value).__str__ is object.__str__ or isinstance(value, type)):
            return None
        token = _speaking.set((*_speaking.get(), id(value)))
        try:
            said = str(value) if speak is None else speak(value, **self.accepted(speak, options))
        finally:
            _speaking.reset(token)
        if not isinstance(said, str):
            raise TypeError(f"{_name(value)}.__llm_repr__ gave a {type(said).__name__}, expected text")
        return said

    def accepted(self, speak: Callable[..., object], options: _Options) -> dict[str, Any]:
        """The options that `__llm_repr__` has parameters for."""
        offered = {**self.given, "repeated": True} if options.repeated else dict(self.given)
        parameters = inspect.signature(speak).parameters.values()
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return offered
        named = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
        return {key: offered[key] for key in offered if key in named}

    def items(self, value: Any, kind: str, options: _Options, depth: int) -> str:
        """A collection: at most `max_len` items, no spaces. A set is in the order of its texts, so always the same."""
        bound = len(value) if kind == "set" else options.max_len
        self.spend("[]")
        shown: list[str] = []
        seen: set[type] = set()
        for item in itertools.islice(value, bound):
            shown.append(self.item(value, item, kind, seen, options, depth))
            if self.left <= 0:
                break
        if kind == "set":
            shown = sorted(shown)[: options.max_len]
        left, right = _BRACKETS[kind]
        text = ",".join(shown)
        if len(shown) == len(value):
            return f"{left}{text}{right}"
        return f"{left}{text}, ...{right} ({len(value)} items total)"

    def item(self, owner: Any, item: object, kind: str, seen: set[type], options: _Options, depth: int) -> str:
        """One item of a collection; of a mapping, key and value."""
        if kind == "dict":
            key = self.value(item, options, depth=depth + 1)
            return f"{key}:{self.item(None, owner[item], 'list', seen, options, depth)}"
        again = replace(options, repeated=options.repeated or type(item) in seen)
        seen.add(type(item))
        return self.value(item, again, depth=depth + 1)

    def fields(self, value: object, options: _Options, depth: int) -> str:
        """`Class(field=value,...)`; `<Object>` when there are no fields to speak of."""
        held = [(name, getattr(value, name, _UNSET)) for name in _members(value, options)]
        there = [(name, content) for name, content in held if content is not _UNSET]
        if not there:
            return self.spend(_collapsed(value))
        shown = []
        for name, content in there:
            text = self.field(content, name in options.expand, options, depth)
            if text is not None and self.left > 0:
                shown.append(self.spend(f"{name}=") + text)
        return f"{_name(value)}({','.join([*shown, *(['...'] if len(shown) < len(there) else [])])})"

    def field(self, value: object, expand: bool, options: _Options, depth: int) -> str | None:
        """A field: a scalar, the name of something deeper, or None for what repeats."""
        if expand:
            return self.value(value, options, depth=depth + 1)
        text = _scalar(value)
        if text is None and isinstance(value, _PLAIN):
            text = str(value)
        if text is None and options.repeated and _kind(value) is None:
            return None
        return self.spend(_collapsed(value) if text is None else text)


def format_value_repr(value: object, is_nested: bool = True) -> str:
    """A scalar as text; anything deeper by its kind and size: `<List of 3 items>`, `<Object>`."""
    if isinstance(value, str) and not is_nested:
        return str(value)
    text = _scalar(value)
    return _collapsed(value) if text is None else text


def _scalar(value: object) -> str | None:
    """The text of a scalar, None for everything else."""
    if value is None or isinstance(value, bool | float | decimal.Decimal):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, datetime.datetime):
        return f'datetime("{value:%Y-%m-%d %H:%M}")'
    return None


def _quoted(text: str) -> str:
    return f'"{_capped(text, cap=CAP // 2)}"'


def _integer(value: int) -> str:
    # Python refuses to write out integers beyond 4300 digits
    return str(value) if value.bit_length() < 10_000 else f"<int of {value.bit_length()} bits>"


def _kind(value: object) -> str | None:
    """list, tuple, set or dict; None for what is no collection."""
    if isinstance(value, str | bytes | bytearray | memoryview):
        return None
    if isinstance(value, tuple):
        return "tuple"
    if isinstance(value, Mapping):
        return "dict"
    if isinstance(value, Set):
        return "set"
    if isinstance(value, Sequence):
        return "list"
    return _STORED.get(type(value).__name__) if type(value).__module__ == "builtins" else None


def _collapsed(value: object) -> str:
    """A value by its kind and size."""
    if _kind(value) is not None:
        return f"<{type(value).__name__.capitalize()} of {len(value)} items>"  # type: ignore[arg-type]  # a collection
    if isinstance(value, type | types.ModuleType):
        return f"<{'class' if isinstance(value, type) else 'module'} {value.__name__}>"
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return f"<function {value.__name__}>"
    return "<Object>"


def _name(value: object) -> str:
    return type(value).__name__.removeprefix("Memo_")


def _members(value: object, options: _Options) -> Iterator[str]:
    """Names of the fields to show. Hidden and private ones are never read."""
    for name in dict.fromkeys(_declared(value, options)):
        wanted = options.show_only is None or name in options.show_only
        if wanted and not name.startswith("_") and name not in options.hide:
            yield name


def _declared(value: object, options: _Options) -> Iterable[str]:
    if isinstance(value, type | types.ModuleType | types.FunctionType | types.MethodType):
        return ()
    known = options.members_of(value) if options.members_of is not None else None
    if known is not None:
        return known
    if is_dataclass(value):
        return [entry.name for entry in fields(value)]
    slots = [name for base in reversed(type(value).__mro__) for name in _slots(base)]
    return [*slots, *getattr(value, "__dict__", {})]


def _slots(base: type) -> Sequence[str]:
    slots = vars(base).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
