"""Bounds on what one operation may build, decided before it is built. Pure functions; no border, no names.

One C call cannot be interrupted, so every operator and method that can make something huge out of something small is
checked here first. Arguments that are harmless cost one or two type tests.
"""

import operator
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from statek.exceptions import Refused
from statek.sandbox.bounds import WATCHDOG

MAX_BYTES = 32 << 20  # text, bytes, and 8 bytes for each member of a container
MAX_BITS = 200_000
MAX_MODULAR_BITS = 16_384
MAX_NODES = 2_000_000
MAX_DIGITS = 10_000  # of a decimal exponent
CHARGE_FROM = 1 << 18

_NESTS = (list, tuple, dict, set, frozenset, deque)
_NEST_TYPES = frozenset(_NESTS)
_LONG_NUMBER = re.compile(r"\d{5,}")
_PERCENT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?[hlL]?.", re.DOTALL)


def refuse_size(what: str, size: int, limit: int) -> Refused:
    """Give the error for something too big."""
    return Refused(f"{what} would take {size:,}, the limit is {limit:,}")


def allow_bytes(what: str, size: int) -> None:
    """Check the size of a value that is about to be built.

    Raises:
        Refused: it is too big.
    """
    if size > MAX_BYTES:
        raise refuse_size(what + " (bytes)", size, MAX_BYTES)
    if size > CHARGE_FROM:
        WATCHDOG.charge(size)


def length_in_bytes(value: Any) -> int | None:
    """Rough size of a sized builtin value; None for others."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    if isinstance(value, list | tuple | dict | set | frozenset | deque):
        return 8 * len(value)
    return None


def weighed(value: Any) -> Any:
    """Pass a value on, unless writing it out or comparing it would take for ever because its parts are shared.

    Raises:
        Refused: it has more than MAX_NODES parts, shared ones counted each time.
    """
    if type(value) in _NEST_TYPES and value:
        _weigh(value, {}, 0)
    return value


def _weigh(value: Any, known: dict[int, int], depth: int) -> int:
    """Count parts with repetition; every container is visited once."""
    if depth > 200:
        return 1  # Python's own recursion limit speaks up
    key = id(value)
    if (seen := known.get(key)) is not None:
        return seen
    known[key] = 1  # a container inside itself is written as `...`
    parts: Iterable[Any] = value.values() if isinstance(value, dict) else value
    total = len(value)
    for part in [p for p in parts if type(p) in _NEST_TYPES]:
        total += _weigh(part, known, depth + 1)
    if total > MAX_NODES:
        raise refuse_size("this value, written out or compared (parts)", total, MAX_NODES)
    known[key] = total
    return total


def allow_format(spec: Any) -> str:
    """Check a format specification: widths and precisions of at most four digits."""
    text = str(spec)
    if len(text) > 200 or _LONG_NUMBER.search(text):
        raise Refused(f"format {text[:40]!r}: at most four digits for width and precision")
    return text


def _add(a: Any, b: Any) -> Any:
    left = length_in_bytes(a)
    if left is not None:
        right = length_in_bytes(b)
        if right is not None and left + right > CHARGE_FROM:
            allow_bytes("the sum of these", left + right)
    return a + b


def _allow_product(a: Any, b: Any) -> None:
    if isinstance(a, int):
        if isinstance(b, int):
            bits = a.bit_length() + b.bit_length()
            if bits > MAX_BITS:
                raise refuse_size("this number (bits)", bits, MAX_BITS)
            return
        a, b = b, a
    if isinstance(b, int) and (size := length_in_bytes(a)) is not None and b > 1:
        allow_bytes("this repetition", size * b)


def _multiply(a: Any, b: Any) -> Any:
    if type(a) is not float and type(b) is not float:
        _allow_product(a, b)
    return a * b


def _bits(value: Any) -> int:
    if isinstance(value, int):
        return value.bit_length()
    numerator, denominator = getattr(value, "numerator", None), getattr(value, "denominator", None)
    if isinstance(numerator, int) and isinstance(denominator, int):
        return max(numerator.bit_length(), denominator.bit_length())
    return 0


def power(a: Any, b: Any, modulus: Any = None) -> Any:
    """`pow` for numbers whose result has a bearable size."""
    if modulus is not None:
        if max(_bits(a), _bits(b), _bits(modulus)) > MAX_MODULAR_BITS:
            raise Refused(f"pow with a modulus takes numbers of at most {MAX_MODULAR_BITS:,} bits")
        return pow(a, b, modulus)
    if isinstance(b, int) and (bits := _bits(a)) > 1:
        size = bits * abs(b)
        if size > MAX_BITS:
            raise refuse_size("this power (bits)", size, MAX_BITS)
    elif _bits(b) > MAX_BITS:
        raise refuse_size("this exponent (bits)", _bits(b), MAX_BITS)
    return a**b


def _shift(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a and a.bit_length() + b > MAX_BITS:
        raise refuse_size("this number (bits)", a.bit_length() + b, MAX_BITS)
    return a << b


def _remainder(a: Any, b: Any) -> Any:
    if isinstance(a, str | bytes):
        _allow_percent(a if isinstance(a, str) else a.decode("latin-1"), b)
    return a % b


def _allow_percent(text: str, values: Any) -> None:
    total, stars = len(text), False
    for match in _PERCENT.finditer(text):
        for number in (match["width"], match["precision"]):
            stars = stars or number == "*"
            if number and number != "*":
                allow_format(number)
                total += int(number)
    given = values if isinstance(values, tuple) else (values,)
    if stars and any(isinstance(value, int) and abs(value) > 9999 for value in given):
        raise Refused("at most four digits for width and precision")
    for value in values.values() if isinstance(values, dict) else given:
        weighed(value)
        total += length_in_bytes(value) or 0
    repeats = 1 if not isinstance(values, dict) else text.count("%")
    allow_bytes("this text", total * max(repeats, 1))


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "*": _multiply,
    "**": power,
    "<<": _shift,
    "%": _remainder,
}

_PLAIN_OPERATORS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "+=": (_add, operator.iadd),
    "*=": (_multiply, operator.imul),
    "**=": (power, operator.ipow),
    "<<=": (_shift, operator.ilshift),
    "%=": (_remainder, operator.imod),
    "-=": (operator.sub, operator.isub),
    "/=": (operator.truediv, operator.itruediv),
    "//=": (operator.floordiv, operator.ifloordiv),
    ">>=": (operator.rshift, operator.irshift),
    "|=": (operator.or_, operator.ior),
    "^=": (operator.xor, operator.ixor),
    "&=": (operator.and_, operator.iand),
    "@=": (operator.matmul, operator.imatmul),
}


def binary(sign: str, a: Any, b: Any) -> Any:
    """Compute `a sign b` for the operators that need a check."""
    return BINARY[sign](a, b)


def inplace(sign: str, a: Any, b: Any, *, may_change: bool) -> Any:
    """Compute `a sign= b`; `may_change` says whether `a` itself may be altered."""
    fresh, altering = _PLAIN_OPERATORS[sign]
    if not may_change:
        return fresh(a, b)
    if sign == "*=":
        _allow_product(a, b)
    elif sign == "+=" and (left := length_in_bytes(a)) is not None:
        allow_bytes("the sum of these", left + (length_in_bytes(b) or 0))
    return altering(a, b)


def total(values: Iterable[Any], start: Any = 0) -> Any:
    """`sum` whose steps are checked when it adds anything but numbers."""
    values = iter(values)
    if isinstance(start, int | float):
        parts = list(values)
        if all(type(part) in (int, float, bool) for part in parts):
            return sum(parts, start)
        values = iter(parts)
    if isinstance(start, str):
        raise TypeError("sum() can't sum strings [use ''.join(seq) instead]")
    result = start
    for value in values:
        WATCHDOG.tick()
        result = _add(result, value)
    return result


def join(separator: Any, parts: Iterable[Any]) -> Any:
    """`separator.join(parts)` of a bearable size."""
    parts = list(parts)
    size = len(separator) * len(parts) + sum(len(part) for part in parts if isinstance(part, str | bytes | bytearray))
    allow_bytes("the joined text", size)
    return type(separator).join(separator, parts) if type(separator) in (str, bytes) else _exact(separator).join(parts)


def _exact(text: Any) -> Any:
    for kind in (str, bytes, bytearray):
        if isinstance(text, kind):
            return kind(text)
    raise TypeError(f"text expected, not {type(text).__name__}")


def padded(method: str) -> Callable[..., Any]:
    """Check the width given to `center`, `ljust`, `rjust` or `zfill`."""

    def pad(text: Any, width: int, *fill: Any) -> Any:
        allow_bytes("the padded text", operator.index(width))
        return getattr(_exact(text), method)(width, *fill)

    return pad


def expandtabs(text: Any, tabsize: int = 8) -> Any:
    """`expandtabs` of a bearable size."""
    allow_bytes("the expanded text", len(text) + len(text) * max(operator.index(tabsize), 0))
    return _exact(text).expandtabs(tabsize)


def replace(text: Any, old: Any, new: Any, count: int = -1) -> Any:
    """`replace` of a bearable size."""
    times = _exact(text).count(old)
    allow_bytes("the replaced text", len(text) + (min(times, count) if count >= 0 else times) * len(new))
    return _exact(text).replace(old, new, count)


def translate(text: Any, table: Any, *more: Any) -> Any:
    """`translate` of a bearable size."""
    longest = 1
    if isinstance(table, dict):
        longest = max((len(v) for v in table.values() if isinstance(v, str)), default=1)
    elif not isinstance(table, bytes | bytearray | str | type(None)):
        raise TypeError("translate takes a dict made by str.maketrans")
    allow_bytes("the translated text", len(text) * max(longest, 1))
    return _exact(text).translate(table, *more)


def to_bytes(number: int, length: int = 1, byteorder: Any = "big", *, signed: bool = False) -> bytes:
    """`int.to_bytes` of a bearable size."""
    allow_bytes("these bytes", operator.index(length))
    return int(number).to_bytes(length, byteorder, signed=signed)


def extend(items: Any, more: Iterable[Any]) -> None:
    """`list.extend` of a bearable size."""
    allow_bytes("the longer list", 8 * len(items) + (length_in_bytes(more) or 0))
    for kind in (list, deque, bytearray):
        if isinstance(items, kind):
            kind.extend(items, more)  # type: ignore[attr-defined]
            return


def allow_mapping(value: Any) -> Mapping[str, Any]:
    """Check what `**value` unpacks: a dict."""
    if not isinstance(value, Mapping):
        raise TypeError(f"a dict is expected after **, not {type(value).__name__}")
    return value
