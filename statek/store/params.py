"""Prompt parameters as JSON data, and back: what JSON cannot say is written with the name of its kind.

Beside JSON: dates and times, Decimal, tuples, sets, bytes and stored objects. Of a stored object the data has the
place in a list, and who keeps the data keeps that list: addresses change when a store is written anew.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import dbzero as db0

Json = Any
KIND = "$statek"
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda micros: timedelta(microseconds=micros),
    "decimal": Decimal,
    "bytes": bytes.fromhex,
}
_HOLDERS: dict[str, Callable[[Any], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}


def params_data(params: Mapping[str, Any] | None, place: Callable[[Any], Json]) -> Json:
    """`params` as JSON data, stored objects as `place` writes them.

    Raises:
        TypeError: a parameter cannot be kept; it is named.
    """
    if params is None:
        return None
    found = {}
    for name, value in params.items():
        try:
            found[name] = _data(value, place)
        except TypeError as error:
            raise TypeError(f"prompt parameter {name!r}: {error}") from error
    return found


def kept_params(params: Mapping[str, Any] | None) -> tuple[Json, list[Any]]:
    """`params` as data and the list of the stored objects in them. Raises as `params_data`."""
    objects: list[Any] = []

    def place(item: Any) -> int:
        objects.append(item)
        return len(objects) - 1

    return params_data(params, place), objects


def params_of(data: Json, objects: Sequence[Any]) -> dict[str, Any] | None:
    """What `kept_params` was given."""
    return None if data is None else {name: _value(value, objects) for name, value in data.items()}


def _data(value: Any, place: Callable[[Any], Json]) -> Json:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [_data(item, place) for item in value]
        case dict() if KIND not in value and all(isinstance(key, str) for key in value):
            return {key: _data(item, place) for key, item in value.items()}
        case _:
            kind, said = _said(value, place)
            return {KIND: kind, "value": said}


def _said(value: Any, place: Callable[[Any], Json]) -> tuple[str, Json]:
    match value:
        case datetime() | date() | time():
            return type(value).__name__, value.isoformat()
        case timedelta():
            return "timedelta", value // timedelta(microseconds=1)
        case Decimal():
            return "decimal", str(value)
        case bytes():
            return "bytes", value.hex()
        case tuple():
            return "tuple", [_data(item, place) for item in value]
        case set() | frozenset():
            return type(value).__name__, [_data(item, place) for item in sorted(value, key=repr)]
        case dict():
            return "dict", [[_data(key, place), _data(item, place)] for key, item in value.items()]
        case _:
            pass
    if not isinstance(value, type) and db0.is_memo(value):
        return "object", place(value)
    raise TypeError(
        f"a {type(value).__name__} cannot be kept; expected JSON data, a date or time, Decimal, tuple, set, bytes or "
        "a stored object"
    )


def _value(data: Json, objects: Sequence[Any]) -> Any:
    match data:
        case list():
            return [_value(item, objects) for item in data]
        case {"$statek": "object", "value": number}:
            return objects[number]
        case {"$statek": kind, "value": said} if kind in _PLAIN:
            return _PLAIN[kind](said)
        case {"$statek": kind, "value": said}:
            return _HOLDERS[kind](_value(said, objects))
        case dict():
            return {key: _value(item, objects) for key, item in data.items()}
        case _:
            return data
