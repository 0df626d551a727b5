"""Bounds on what one call may build, decided before it is built. Pure functions; no border, no names.

One C call cannot be interrupted, so every method that can make something huge out of something small is checked here
first; operators are in `operators.py`. Arguments that are harmless cost one or two type tests.
"""

import operator
import re
import string
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from statek.exceptions import Refused
from statek.sandbox.bounds import WATCHDOG
from statek.sandbox.set_order import KINDS, in_order

MAX_BYTES = 32 << 20  # text, bytes, and 8 bytes for each member of a container
MAX_BITS = 200_000
MAX_MODULAR_BITS = 16_384
MAX_NODES = 2_000_000
MAX_PARTS = 2_000_000  # of a text that is split
MAX_DIGITS = 10_000  # of a decimal exponent
CHARGE_FROM = 1 << 18

_NESTS = (list, tuple, dict, set, frozenset, deque)
_NEST_TYPES = frozenset(_NESTS)
_LONG_NUMBER = re.compile(r"\d{5,}")


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


def join(separator: Any, parts: Iterable[Any]) -> Any:
    """`separator.join(parts)` of a bearable size."""
    parts = list(in_order(parts) if type(parts) in KINDS else parts)
    size = len(separator) * len(parts) + sum(len(part) for part in parts if isinstance(part, str | bytes | bytearray))
    allow_bytes("the joined text", size)
    return type(separator).join(separator, parts) if type(separator) in (str, bytes) else _exact(separator).join(parts)


def _exact(text: Any) -> Any:
    kinds: tuple[Any, ...] = (str, bytes, bytearray)
    for kind in kinds:
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
    kinds: tuple[Any, ...] = (list, deque, bytearray)
    for kind in kinds:
        if isinstance(items, kind):
            kind.extend(items, in_order(more) if type(more) in KINDS else more)
            return


def split(method: str) -> Callable[..., Any]:
    """Check how many parts `split`, `rsplit` or `splitlines` would make."""

    def cut(text: Any, *args: Any, **named: Any) -> Any:
        if len(text) > MAX_PARTS:
            separator = args[0] if args and method != "splitlines" else named.get("sep")
            parts = _exact(text).count(separator) if separator else len(text) // 2
            if parts > MAX_PARTS:
                raise refuse_size("the list of parts", parts, MAX_PARTS)
        return getattr(_exact(text), method)(*args, **named)

    return cut


def substitute(method: str) -> Callable[..., Any]:
    """Check what `Template.substitute` or `safe_substitute` would build."""

    def fill(template: Any, mapping: Any = None, /, **named: Any) -> Any:
        values = [*(mapping or {}).values(), *named.values()]
        longest = max((len(v) for v in values if isinstance(v, str)), default=20)
        allow_bytes("the filled template", template.template.count("$") * longest)
        return getattr(string.Template, method)(template, mapping or {}, **named)

    return fill


def allow_mapping(value: Any) -> Mapping[str, Any]:
    """Check what `**value` unpacks: a dict."""
    if not isinstance(value, Mapping):
        raise TypeError(f"a dict is expected after **, not {type(value).__name__}")
    return value
