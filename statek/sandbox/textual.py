"""Text made by model code: `format`, f-strings, `str`, `repr`, encodings. Every value in it is read through the guards.

Bound to the attribute and item guards of one namespace, because `"{0.a[b]}".format(x)` reads like code does.
"""

import operator
import re
import string
from _string import formatter_field_name_split  # type: ignore[import-not-found]
from collections.abc import Mapping, Sequence
from typing import Any

from statek.exceptions import Refused
from statek.sandbox import kinds, sizes
from statek.sandbox.access import Access
from statek.sandbox.set_order import KINDS, in_order
from statek.sandbox.sizes import weighed
from statek.text.llm_repr import llm_repr

_ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>)")
_ENCODINGS = frozenset(
    {"utf8", "ascii", "latin1", "iso88591", "utf16", "utf32", "utf16le", "utf16be", "utf8sig", "cp1252"}
)
_MAX_FIELDS = 1000
_OWN_TEXT = frozenset({"builtins", "functools", "typing", "types", "re", "enum", "string", "datetime"})


class _Shown:
    """Stands for an object of the host where Python would write it out with its private fields."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return llm_repr(self._value)


class _ShownSet:
    """Stands for a set where Python would write it out in an order of its own."""

    __slots__ = ("_kind", "_parts")

    def __init__(self, kind: type, parts: list[Any]) -> None:
        self._kind, self._parts = kind, parts

    def __repr__(self) -> str:
        text = f"{{{', '.join(map(repr, self._parts))}}}"
        return text if self._kind is set else f"frozenset({text})"


def disguised(value: Any) -> Any:
    """Give what may be written out in place of `value`: without private fields of host objects, at any depth."""
    kind = type(value)
    if kind in KINDS and len(value) > 1:
        return _ShownSet(kind, list(map(disguised, in_order(value))))
    if kind in (list, tuple, set, frozenset):
        parts = [disguised(part) for part in value]
        return value if all(map(operator.is_, parts, value)) else kind(parts)
    if kind is dict:
        named = {key: disguised(part) for key, part in value.items()}
        return value if all(map(operator.is_, named.values(), value.values())) else named
    if kinds.is_plain(value) or isinstance(value, type | BaseException) or kinds.is_job_class(kind):
        return value
    return value if kind.__module__ in _OWN_TEXT or not hasattr(value, "__dict__") else _Shown(value)


def safe_repr(value: Any) -> str:
    """`repr` without object addresses and private fields of host objects, of a bearable size."""
    return _ADDRESS.sub("", repr(disguised(weighed(value))))


def safe_str(value: Any = "", *more: Any, **named: Any) -> str:
    """`str` without object addresses, of a bearable size."""
    if more or named:
        return str(value, *more, **named)
    if isinstance(value, str):
        return str(value)
    shown = weighed(value) if _says_itself(value) else disguised(weighed(value))
    return _ADDRESS.sub("", str(shown))


def _says_itself(value: Any) -> bool:
    return "__str__" in {name for base in type(value).__mro__[:-1] for name in vars(base)}


def show(value: Any) -> str:
    """Part of an f-string without conversion and format: as the console shows it."""
    return value if type(value) is str else llm_repr(value)


def encode(text: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    """`str.encode` with the encodings that do not run Python code or blow up."""
    return str.encode(text, _known(encoding), errors)


def decode(data: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    """`bytes.decode` with the encodings that do not run Python code or blow up."""
    return data.decode(_known(encoding), errors)


def _known(encoding: str) -> str:
    if re.sub(r"[-_ ]", "", str(encoding).lower()) not in _ENCODINGS:
        raise Refused(f"the encoding {encoding!r} is not available here; use 'utf-8'")
    return encoding


class Text(string.Formatter):
    """`str.format` and f-strings of one namespace."""

    def __init__(self, access: Access) -> None:
        """Read through `access`."""
        self._access = access

    def format_text(self, template: str, *args: Any, **named: Any) -> str:
        """`template.format(*args, **named)`."""
        return self._format(template, args, named)

    def format_map(self, template: str, values: Mapping[str, Any]) -> str:
        """`template.format_map(values)`."""
        return self._format(template, (), values)

    def _format(self, template: str, args: Sequence[Any], named: Mapping[str, Any]) -> str:
        if template.count("{") > _MAX_FIELDS:
            raise Refused(f"at most {_MAX_FIELDS} fields in one format")
        text = self.vformat(str(template), args, named)
        sizes.allow_bytes("the formatted text", len(text))
        return text

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Read `name.a[b]` as code would."""
        first, rest = formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            value = self._access.get_attribute(value, key) if is_attribute else self._access.get_item(value, key)
        return value, first

    def format_field(self, value: Any, format_spec: str) -> str:
        """Apply a format specification."""
        if not format_spec:
            return safe_str(value)
        text = format(value, sizes.allow_format(format_spec))
        sizes.allow_bytes("the formatted text", 2 * len(text))
        return text

    def convert_field(self, value: Any, conversion: Any) -> Any:
        """Apply `!r`, `!s` or `!a`."""
        if conversion in ("s", "r", "a"):
            return converted(value, ord(conversion))
        return value

    def format_value(self, value: Any, conversion: int, spec: str) -> str:
        """Part of an f-string with a conversion or a format."""
        return self.format_field(converted(value, conversion), spec)


def converted(value: Any, conversion: int) -> Any:
    """Apply the conversion of an f-string part, given as its character code; -1 is none."""
    if conversion == -1:
        return value
    if conversion == ord("s"):
        return safe_str(value)
    text = safe_repr(value)
    return text if conversion == ord("r") else ascii(text)[1:-1].replace("\\'", "'") if not text.isascii() else text


def joined(*parts: str) -> str:
    """Put the parts of an f-string together."""
    size = sum(map(len, parts))
    if size > sizes.CHARGE_FROM:
        sizes.allow_bytes("the formatted text", size)
    return "".join(parts)
