"""What stands for the builtins that look at, make or go through values. One set per namespace, bound to its guards.

Classes stay themselves, so that `isinstance` and `type(x) is list` work; `callee` decides at the call what runs in
their place. Called by `guards.py` only.
"""

import builtins
import enum
import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from statek.exceptions import ExitSignal, Refused
from statek.sandbox import kinds, names, operators, sizes, textual
from statek.sandbox.access import Access, HiddenType, type_facade_of
from statek.sandbox.border import Border
from statek.text.llm_repr import llm_repr

REAL_RANGE = 200_000  # elements; longer ranges tick
_MAX_IDS = 10_000
_DIRECT = (FunctionType, BuiltinFunctionType, MethodType)
_MISSING = object()


class LongRange(Sequence[int]):
    """A range so long that going through it must tick."""

    __slots__ = ("_range", "_tick")

    def __init__(self, values: range, tick: Callable[[Iterable[int]], Iterator[int]]) -> None:
        """Stand for `values`."""
        self._range, self._tick = values, tick

    def as_range(self) -> range:
        """Give the range it stands for."""
        return self._range

    def __len__(self) -> int:
        """Count of numbers."""
        return len(self._range)

    def __getitem__(self, index: Any) -> Any:
        """Give one number, or a part."""
        part = self._range[index]
        return LongRange(part, self._tick) if isinstance(part, range) else part

    def __iter__(self) -> Iterator[int]:
        """Go through it, ticking."""
        return self._tick(self._range)

    def __contains__(self, value: object) -> bool:
        """Decide without going through it."""
        return value in self._range

    def __repr__(self) -> str:
        """Look like the range."""
        return repr(self._range)


class Console:
    """Where `print` and echoes go: one border entry per call, capped for each block."""

    def __init__(self, border: Border, limit: int) -> None:
        """Write to `border`, at most `limit` bytes until `restart`."""
        self._border, self._limit, self._written = border, limit, 0

    def restart(self) -> None:
        """Start counting for a new block."""
        self._written = 0

    def write(self, text: str) -> None:
        """Write one entry.

        Raises:
            Refused: the console of this block is full.
        """
        size = len(text) if len(text) > self._limit else len(text.encode("utf-8", "surrogatepass"))
        if self._written + size > self._limit:
            raise Refused(f"the console of one block holds {self._limit:,} bytes; print less")
        self._written += size + 1
        self._border.write(text)


class TypeFacade:
    """The name `type`: tells the class of a value, makes none."""

    __name__ = "type"

    def __init__(self, class_of: Callable[[Any], Any]) -> None:
        """Ask `class_of`."""
        self._class_of = class_of

    def __call__(self, *args: Any) -> Any:
        """Give the class of one value."""
        if len(args) != 1:
            raise Refused("type() takes one value here; write a `class` statement")
        found = self._class_of(args[0])
        return self if isinstance(found, HiddenType) and found == type_facade_of(type) else found

    def __instancecheck__(self, value: object) -> bool:
        """Serve `isinstance(x, type)`."""
        return isinstance(value, type)

    def __repr__(self) -> str:
        """Look like a class."""
        return "<class 'type'>"


class Facades:
    """Builtins of one namespace."""

    def __init__(self, access: Access, border: Border, console: Console, allowed_classes: set[int]) -> None:
        """Bind to the guards.

        Args:
            access: attribute and item guards.
            border: the world.
            console: where `print` goes.
            allowed_classes: ids of host classes that may be called.
        """
        self._access, self._border, self._console = access, border, console
        self._allowed_classes = allowed_classes
        self._ids: dict[int, tuple[int, object]] = {}
        self.leaving: ExitSignal | None = None
        self._type = TypeFacade(self._access.class_of)
        access.show_name(self._type)
        self._replaced: dict[type, Callable[..., Any]] = {
            range: self.range,
            str: textual.safe_str,
            bytes: _sized(bytes),
            bytearray: _sized(bytearray),
            Decimal: decimal_of,
            Fraction: fraction_of,
            map: self.map,
            filter: self.filter,
            zip: self.zip,
            enumerate: self.enumerate,
            reversed: self.reversed,
        }
        self._replaced |= {kind: self._collected(kind) for kind in (list, tuple, set, frozenset)}
        self._free_classes = frozenset({super, property, staticmethod, classmethod, object})
        self._offered = self._builtins()

    def names(self) -> dict[str, Any]:
        """The builtins, by name: always the same objects."""
        return dict(self._offered)

    def _builtins(self) -> dict[str, Any]:
        direct = """abs bin bool bytearray bytes callable chr classmethod complex dict divmod filter float frozenset hex
            int isinstance issubclass len list map object oct ord property range reversed set slice staticmethod str
            super tuple zip enumerate NotImplemented Ellipsis"""
        own = {name: getattr(builtins, name) for name in direct.split()}
        for name in [
            "all",
            "any",
            "max",
            "min",
            "sorted",
            "next",
            "iter",
            "getattr",
            "hasattr",
            "setattr",
            "delattr",
            "dir",
            "vars",
            "id",
            "hash",
            "round",
            "print",
            "exit",
        ]:
            own[name] = getattr(self, name)
        own |= {"type": self._type, "repr": textual.safe_repr, "pow": operators.power}
        own |= {"sum": self.sum, "format": self.format, "ascii": lambda value: textual.converted(value, ord("a"))}
        own["ascii"].__name__ = "ascii"
        return own

    def looking_inside(self) -> set[int]:
        """Ids of the builtins that use the members of what they are given: as they are called, see `callee`."""
        chosen = ("print", "exit", "repr", "ascii", "format", "sum", "sorted", "max", "min", "any", "all")
        replaced = [self._replaced[kind] for kind in (str, set, frozenset)]
        return {id(function) for function in (*(self._offered[name] for name in chosen), *replaced)}

    # --- calls ------------------------------------------------------------------------------------------------------

    def callee(self, function: Any) -> Any:
        """Give what is called when model code calls `function`.

        Raises:
            Refused: a class that was not offered.
        """
        if type(function) in _DIRECT:
            return function
        if not isinstance(function, type):
            is_later = self._border.is_placeholder(function)
            return self.callee(self._border.resolve(function)) if is_later else function
        if isinstance(function, enum.EnumType) and not function.__members__ and not kinds.is_job_class(function):
            return functools.partial(function, module=kinds.JOB_MODULE)  # Enum("Color", "RED BLUE")
        replaced = self._replaced.get(function)
        if replaced is not None:
            return replaced
        free = kinds.is_shown_class(function) or function in self._free_classes or id(function) in self._allowed_classes
        if not free:
            raise Refused(f"the class {function.__name__} is not offered to code here")
        return function

    # --- leaving and printing ---------------------------------------------------------------------------------------

    def exit(self, status: Any = None) -> None:
        """End the job with this status."""
        self.leaving = ExitSignal(status)
        raise self.leaving

    def print(self, *args: Any, sep: str | None = " ", end: str | None = "\n", **_ignored: Any) -> None:
        """Write one console entry."""
        parts = [arg if isinstance(arg, str) else llm_repr(arg) for arg in args]
        text = sizes.join(" " if sep is None else sep, parts) + ("\n" if end is None else end)
        self._console.write(text.rstrip("\n"))

    # --- going through values ---------------------------------------------------------------------------------------

    def range(self, *args: Any) -> Any:
        """`range`, ticking when it is long."""
        values = builtins.range(*args)
        try:
            short = len(values) <= REAL_RANGE
        except OverflowError:
            raise Refused("this range has more numbers than can ever be visited; use itertools.count") from None
        return values if short else LongRange(values, self._access.iterate)

    def _collected(self, kind: type) -> Callable[..., Any]:
        def collect(*args: Any) -> Any:
            return kind(self._access.iterator(args[0])) if len(args) == 1 else kind(*args)

        return collect

    def iter(self, values: Any, *sentinel: Any) -> Any:
        """`iter`; the form with a sentinel ticks."""
        if sentinel:
            return self._access.iterate(builtins.iter(self.callee(values), *sentinel))
        return self._access.iterator(values)

    def next(self, values: Any, *default: Any) -> Any:
        """`next`."""
        return builtins.next(values, *default)

    def map(self, function: Any, *many: Any) -> Any:
        """`map` over guarded iterators."""
        return builtins.map(self.callee(function), *[self._access.iterator(values) for values in many])

    def filter(self, function: Any, values: Any) -> Any:
        """`filter` over a guarded iterator."""
        chosen = function if function is None else self.callee(function)
        return builtins.filter(chosen, self._access.iterator(values))

    def zip(self, *many: Any, strict: bool = False) -> Any:
        """`zip` over guarded iterators."""
        return builtins.zip(*[self._access.iterator(values) for values in many], strict=strict)

    def enumerate(self, values: Any, start: int = 0) -> Any:
        """`enumerate` over a guarded iterator."""
        return builtins.enumerate(self._access.iterator(values), start)

    def reversed(self, values: Any) -> Any:
        """`reversed`; long ranges tick."""
        if isinstance(values, LongRange):
            return iter(values[::-1])
        return builtins.reversed(values)

    def sorted(self, values: Any, *, key: Any = None, reverse: bool = False) -> list[Any]:
        """`sorted` over a guarded iterator."""
        chosen = None if key is None else self.callee(key)
        return builtins.sorted(self._access.iterator(values), key=chosen, reverse=reverse)

    def all(self, values: Any) -> bool:
        """`all` over a guarded iterator."""
        return builtins.all(self._access.iterator(values))

    def any(self, values: Any) -> bool:
        """`any` over a guarded iterator."""
        return builtins.any(self._access.iterator(values))

    def sum(self, values: Any, /, start: Any = 0) -> Any:
        """`sum` of bearable size."""
        return operators.total(self._access.iterator(values), start)

    def max(self, *args: Any, **options: Any) -> Any:
        """`max` over a guarded iterator."""
        return self._extreme(builtins.max, args, options)

    def min(self, *args: Any, **options: Any) -> Any:
        """`min` over a guarded iterator."""
        return self._extreme(builtins.min, args, options)

    def _extreme(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.get("key") is not None:
            options["key"] = self.callee(options["key"])
        return function(self._access.iterator(args[0]), **options) if len(args) == 1 else function(*args, **options)

    # --- looking at values ------------------------------------------------------------------------------------------

    def getattr(self, owner: Any, name: str, *default: Any) -> Any:
        """`getattr` through the guard."""
        try:
            return self._access.get_attribute(owner, name)
        except AttributeError:
            if default:
                return default[0]
            raise

    def hasattr(self, owner: Any, name: str) -> bool:
        """`hasattr` through the guard; what is refused is not there."""
        try:
            self._access.get_attribute(owner, name)
        except (AttributeError, Refused):
            return False
        return True

    def setattr(self, owner: Any, name: str, value: Any) -> None:
        """`setattr` through the guard."""
        builtins.setattr(self._access.writable(owner, _settable(name)), name, value)

    def delattr(self, owner: Any, name: str) -> None:
        """`delattr` through the guard."""
        builtins.delattr(self._access.writable(owner, _settable(name)), name)

    def dir(self, owner: Any) -> list[str]:
        """Public names of a value."""
        return [name for name in builtins.dir(owner) if not name.startswith("_") and self.hasattr(owner, name)]

    def vars(self, owner: Any) -> dict[str, Any]:
        """A copy of the attributes of an own instance."""
        if not kinds.is_job_value(owner):
            raise Refused(f"vars() shows instances of classes made here, not a {kinds.type_name(owner)}")
        return dict(builtins.vars(owner))

    def id(self, value: Any) -> int:
        """A number for this object, the same at every run."""
        if builtins.id(value) not in self._ids:
            if len(self._ids) >= _MAX_IDS:
                raise Refused(f"id() of more than {_MAX_IDS:,} objects")
            self._ids[builtins.id(value)] = (len(self._ids) + 1, value)
        return self._ids[builtins.id(value)][0]

    def hash(self, value: Any) -> int:
        """`hash`, the same at every run for text."""
        if isinstance(value, str | bytes):
            data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            return builtins.hash(int.from_bytes(data[:64], "big") ^ len(data))
        if not any("__hash__" in vars(base) for base in type(value).__mro__[:-1]):
            return self.id(value)
        return builtins.hash(sizes.weighed(value))

    def round(self, number: Any, *digits: Any) -> Any:
        """`round`, with digits in a bearable range."""
        if digits and digits[0] is not None and abs(operator.index(digits[0])) > sizes.MAX_DIGITS:
            raise Refused(f"at most {sizes.MAX_DIGITS:,} digits")
        return builtins.round(number, *digits)

    def format(self, value: Any, spec: str = "") -> str:
        """`format` of a bearable size."""
        return builtins.format(value, sizes.allow_format(spec)) if spec else textual.safe_str(value)


def _settable(name: Any) -> str:
    if type(name) is not str:
        raise TypeError("attribute names are text")
    if names.is_dunder(name) or names.attribute_problem(name) is not None:
        raise Refused(f"the attribute '{name}' cannot be set")
    return name


def _sized(kind: Any) -> Callable[..., Any]:
    def build(*args: Any, **named: Any) -> Any:
        if args and isinstance(args[0], int):
            sizes.allow_bytes(f"this {kind.__name__}", args[0])
        return kind(*args, **named)

    return build


def decimal_of(value: Any = "0", *more: Any) -> Decimal:
    """`Decimal` with a bearable exponent."""
    result = Decimal(value, *more)
    if result.is_finite() and (
        abs(result.adjusted()) > sizes.MAX_DIGITS or len(result.as_tuple().digits) > sizes.MAX_DIGITS
    ):
        raise sizes.refuse_size("this Decimal (digits)", abs(result.adjusted()), sizes.MAX_DIGITS)
    return result


def fraction_of(*args: Any) -> Fraction:
    """`Fraction` with a bearable exponent."""
    args = tuple(_small_text(arg) if isinstance(arg, str) else arg for arg in args)
    return Fraction(*args)


def _small_text(text: str) -> str:
    _, mark, exponent = text.lower().partition("e")
    if len(text) > sizes.MAX_DIGITS or (mark and len(exponent.strip(" +-_0")) > 4):
        raise Refused(f"a Fraction of at most {sizes.MAX_DIGITS:,} digits")
    return text


def ticking(access: Access, make: Callable[..., Iterable[Any]]) -> Callable[..., Iterator[Any]]:
    """Give a function whose iterator ticks."""

    def start(*args: Any, **named: Any) -> Iterator[Any]:
        return access.iterate(make(*args, **named))

    start.__name__ = getattr(make, "__name__", "iterator")
    return start


class Chain:
    """`itertools.chain`, ticking."""

    __name__ = "chain"

    def __init__(self, access: Access) -> None:
        """Read through `access`."""
        self._access = access

    def __call__(self, *many: Any) -> Iterator[Any]:
        """Go through one after the other."""
        return self._access.iterate(itertools.chain(*[self._access.iterator(values) for values in many]))

    def from_iterable(self, many: Any) -> Iterator[Any]:
        """Go through the members of each."""
        return self._access.iterate(
            itertools.chain.from_iterable(map(self._access.iterator, self._access.iterator(many)))
        )
