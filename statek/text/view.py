"""What a prompt template sees of the job: read-only views with item access, and values that are absent.

A template never touches a Python object of the program: `look_up` is the only way from one value to a part of it, and
it knows keys and indexes alone. The idea: what is not there, and what is null, is one `Absent` that knows its own path;
it is false, `default()` fills it, and printing it is an error with a name. Called by `template.py` only; no jinja2.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from statek.exceptions import StatekError

Json = Any


class RenderError(StatekError):
    """A prompt cannot be rendered with these values."""


class Absent:
    """A declared value that is not there, or is null. False in conditions; using it otherwise is a RenderError."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        """Keep the path by which a template asked for it, such as `inputs.event.id`."""
        self.path = path

    def refuse(self, *_: object) -> NoReturn:
        """Raise the RenderError that names the value."""
        raise RenderError(
            f"{self.path} is absent, and the prompt uses it without a default",
            hint=f'write {{{{ {self.path} | default("...") }}}} or put it inside {{% if {self.path} %}}',
        )

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Absent)

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return f"<absent {self.path}>"

    __str__ = __iter__ = __len__ = __contains__ = __lt__ = __le__ = __gt__ = __ge__ = refuse


class View:
    """A list or a mapping of JSON data, read only. Printed as JSON."""

    __slots__ = ("_data", "_path")

    def __init__(self, data: Mapping[str, Json] | Sequence[Json], path: str) -> None:
        """Show `data`, which a template reached as `path`."""
        self._data = data
        self._path = path

    def item(self, key: object) -> object:
        """The view of one part; Absent when there is none."""
        path = f"{self._path}.{key}"
        if isinstance(self._data, Mapping):
            return view(self._data.get(key), path) if isinstance(key, str) else Absent(path)
        if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(self._data):
            return view(self._data[key], path)
        return Absent(path)

    def plain(self) -> Json:
        """The data itself, for printing."""
        return self._data

    def __iter__(self) -> Iterator[object]:
        if isinstance(self._data, Mapping):
            return iter(list(self._data))
        return (view(value, f"{self._path}.{n}") for n, value in enumerate(self._data))

    def __len__(self) -> int:
        return len(self._data)

    def __contains__(self, value: object) -> bool:
        return (value.plain() if isinstance(value, View) else value) in self._data

    def __eq__(self, other: object) -> bool:
        return bool(self._data == (other.plain() if isinstance(other, View) else other))

    __hash__ = None  # type: ignore[assignment]  # compares by content, which is not frozen

    def __str__(self) -> str:
        return as_json(self)


def view(value: Json, path: str) -> object:
    """`value` as a template may see it: scalars as they are, lists and mappings as views, null as Absent."""
    if value is None:
        return Absent(path)
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping | Sequence):
        return View(value, path)
    raise RenderError(f"{path} is a {type(value).__name__}; a prompt can only show JSON data")


def look_up(value: object, key: object) -> object:
    """The part of `value` called `key`; Absent when there is none. Never an attribute of a Python object."""
    if isinstance(value, View):
        return value.item(key)
    if isinstance(value, Absent):
        return Absent(f"{value.path}.{key}")
    if isinstance(value, Mapping | list | tuple):
        return View(value, "(literal)").item(key)
    return Absent(f"({type(value).__name__}).{key}")


def as_json(value: object, indent: int | None = None) -> str:
    """JSON text of a value that a template holds. `indent` is at most 8: no template asks for gigabytes."""
    if indent is not None and not 0 <= indent <= 8:
        raise RenderError(f"json(indent={indent}): the indent must be between 0 and 8")
    return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, indent=indent)


def as_text(value: object) -> str | object:
    """What `{{ value }}` prints. Lists and mappings become JSON; Absent and none are refused."""
    if isinstance(value, Absent):
        value.refuse()
    if value is None:
        raise RenderError("the prompt prints none", hint="give it a default, or put it inside {% if %}")
    if isinstance(value, Mapping | list | tuple | View):
        return as_json(value)
    return value


def _plain(value: object) -> Json:
    if isinstance(value, Absent):
        value.refuse()
    if isinstance(value, View):
        return value.plain()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise RenderError(f"a {type(value).__name__} cannot be printed; a prompt can only show JSON data")
