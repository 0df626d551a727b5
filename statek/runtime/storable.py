"""What the store keeps exactly: checked before a value of a job becomes a part of a durable object. Pure.

dbzero cuts some values without a word (whole numbers beyond 64 bits, time zones, long decimals) and dies of others (a
list that contains itself); here these are errors that say what to store instead. Containers are copied, and references
become the objects they stand for.
"""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from statek.store.reference import Reference
from statek.store.session import is_durable

DEPTH: Final = 100  # containers inside each other
DIGITS: Final = 17  # of a Decimal
_INT64: Final = range(-(2**63), 2**63)
_FREE: Final = frozenset({type(None), bool, float, bytes, date})


def storable(value: Any, depth: int = 0) -> Any:
    """The value as it is given to the store.

    Raises:
        ValueError: the store would keep something else, or it contains itself.
        TypeError: the store keeps nothing of that type.
    """
    kind = type(value)
    if kind in _FREE:
        return value
    if kind is int or kind is str:
        return _checked_int(value) if kind is int else _checked_text(value)
    if isinstance(value, Reference):
        return value.raw
    if depth > DEPTH:
        raise ValueError(f"a stored value has at most {DEPTH} lists inside each other, and none that contains itself")
    if kind is list or kind is tuple:
        return kind([storable(part, depth + 1) for part in value])
    if kind is dict:
        return {storable_key(key): storable(part, depth + 1) for key, part in value.items()}
    if kind is set:
        return {storable_key(part) for part in value}
    if kind in (datetime, time):
        return _checked_time(value)
    if kind is Decimal:
        return _checked_decimal(value)
    if not isinstance(value, type) and is_durable(value):
        return value
    raise TypeError(f"a stored object cannot hold a {kind.__name__}; give it plain data: text, numbers, lists, dicts")


def storable_key(key: Any) -> Any:
    """A key of a stored dict, or a member of a stored set. Raises ValueError or TypeError like `storable`."""
    kind = type(key)
    if kind is int and key < 0:
        raise ValueError(f"a stored dict or set cannot hold the number {key} as a key: use text")
    if kind is tuple:
        return tuple([storable_key(part) for part in key])
    if kind not in _FREE and kind not in (int, str) and not isinstance(key, Reference):
        raise TypeError(f"a stored dict or set cannot have a {kind.__name__} as a key: use text")
    return storable(key)


def _checked_int(value: int) -> int:
    if value not in _INT64:
        raise ValueError("the store keeps whole numbers in 64 bits, this one is larger: store it as text")
    return value


def _checked_text(value: str) -> str:
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("the store does not keep text with NUL or lone surrogates: store bytes")
    return value


def _checked_time(value: Any) -> Any:
    if value.tzinfo is not None:
        raise ValueError(
            "the store does not keep time zones exactly: store the time in UTC without one, "
            "x.astimezone(timezone.utc).replace(tzinfo=None)"
        )
    return value


def _checked_decimal(value: Decimal) -> Decimal:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent > 0 or len(digits) > DIGITS:
        raise ValueError(f"the store keeps decimals of at most {DIGITS} digits, and none as large: store it as text")
    return value
