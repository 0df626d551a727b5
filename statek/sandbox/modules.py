"""What model code gets from `import`: stand-ins with explicit exports, made once for each namespace when first asked.

No real module ever enters a namespace. Functions that could build something huge, look at attributes, read the clock or
draw random numbers are replaced (`replacements.py`); the rest are the real ones.
"""

import abc
import base64
import bisect
import calendar
import collections
import collections.abc
import contextlib
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import html
import importlib
import itertools
import json
import numbers
import re
import statistics
import string
import textwrap
import typing
import uuid
import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any

from statek.sandbox import classes, facades, replacements
from statek.sandbox.access import ModuleProxy
from statek.sandbox.exports import EXPORTS
from statek.sandbox.policy import MODULES, NEVER_IMPORTED
from statek.sandbox.replacements import Kit


def _of(module: Any, names: str) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names.split()}


def _whole(module: Any) -> dict[str, Any]:
    """What `exports` lists, as the real module has it."""
    return {name: getattr(module, name) for name in EXPORTS[module.__name__]}


def _itertools(kit: Kit) -> dict[str, Any]:
    made = _of(
        itertools,
        """accumulate combinations combinations_with_replacement compress count cycle dropwhile filterfalse groupby
        islice pairwise permutations product repeat starmap takewhile zip_longest""",
    )
    exports: dict[str, Any] = {name: facades.ticking(kit.access, make) for name, make in made.items()}
    return exports | {"chain": facades.Chain(kit.access), "tee": itertools.tee}


_FIXED: dict[str, dict[str, Any]] = {
    "base64": _whole(base64),
    "bisect": _whole(bisect),
    "calendar": _whole(calendar),
    "collections.abc": _whole(collections.abc),
    "contextlib": _whole(contextlib),
    "datetime": _whole(datetime),
    "enum": _whole(enum),
    "hashlib": _whole(hashlib),
    "heapq": _whole(heapq),
    "html": _whole(html),
    "numbers": _whole(numbers),
    "statistics": _whole(statistics),
    "string": _whole(string),
    "zoneinfo": _whole(zoneinfo),
    "typing": _whole(typing) | {"NamedTuple": classes.named_tuple, "TypedDict": classes.typed_dict},
    "abc": _whole(abc),
}

_MADE: dict[str, Callable[[Kit], dict[str, Any]]] = {
    "collections": lambda kit: (
        _of(collections, "Counter deque defaultdict OrderedDict ChainMap")
        | {"namedtuple": replacements.namedtuple, "abc": ModuleProxy("collections.abc", _FIXED["collections.abc"])}
    ),
    "copy": lambda kit: {"copy": replacements.shallow_copy(kit), "deepcopy": replacements.deep_copy(kit)},
    "dataclasses": lambda kit: (
        _of(dataclasses, "field KW_ONLY InitVar FrozenInstanceError MISSING")
        | {"dataclass": replacements.dataclass, "asdict": replacements.asdict, "astuple": replacements.astuple}
        | {"fields": replacements.fields, "replace": replacements.replace, "is_dataclass": dataclasses.is_dataclass}
    ),
    "decimal": lambda kit: (
        {"Decimal": decimal.Decimal, "InvalidOperation": decimal.InvalidOperation}
        | {"DivisionByZero": decimal.DivisionByZero}
        | {name: getattr(decimal, name) for name in dir(decimal) if name.startswith("ROUND_")}
    ),
    "fractions": lambda kit: {"Fraction": fractions.Fraction},
    "functools": lambda kit: (
        _of(functools, "lru_cache cache cmp_to_key cached_property")
        | {"wraps": replacements.wraps, "total_ordering": replacements.total_ordering}
        | {"reduce": replacements.reduce_of(kit), "partial": replacements.partial_of(kit)}
    ),
    "itertools": _itertools,
    "json": lambda kit: (
        {"JSONDecodeError": json.JSONDecodeError} | {"loads": replacements.json_loads, "dumps": replacements.json_dumps}
    ),
    "math": lambda kit: replacements.math_exports(),
    "operator": replacements.operator_exports,
    "random": replacements.random_exports,
    "re": lambda kit: replacements.re_exports(),
    "textwrap": lambda kit: _of(textwrap, "dedent shorten wrap fill") | {"indent": replacements.indent},
    "time": replacements.time_exports,
    "uuid": lambda kit: (
        _of(uuid, "UUID uuid3 uuid5 NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID NAMESPACE_X500")
        | {"uuid4": replacements.uuid4_of(kit)}
    ),
}


class Modules:
    """Imports of one namespace."""

    def __init__(self, kit: Kit, allowed: tuple[str, ...]) -> None:
        """Offer `MODULES` and the `allowed` ones."""
        self._kit = kit
        self._allowed = (MODULES | frozenset(allowed)) - NEVER_IMPORTED
        self._proxies: dict[str, ModuleProxy] = {}

    def module(self, name: str) -> ModuleProxy:
        """Give the stand-in for a module.

        Raises:
            ImportError: it is not offered.
        """
        if name not in self._allowed:
            raise ImportError(f"the module '{name}' is not available here")
        if name not in self._proxies:
            self._proxies[name] = ModuleProxy(name, self._exports(name))
        return self._proxies[name]

    def _exports(self, name: str) -> Mapping[str, Any]:
        if name in _FIXED:
            return _FIXED[name]
        if name in _MADE:
            return _MADE[name](self._kit)
        return self._foreign(name)

    def _foreign(self, name: str) -> Mapping[str, Any]:
        """Exports of a module that the operator allowed: its public names without modules."""
        module = importlib.import_module(name)
        public = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
        exports = {n: getattr(module, n) for n in public if not isinstance(getattr(module, n, module), type(module))}
        self._kit.shown.update(id(value) for value in exports.values())
        return exports

    def import_hook(
        self, name: str, _globals: Any = None, _locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> "ModuleProxy | _Chosen":
        """Serve the import statement."""
        if level:
            raise ImportError("there are no relative imports here")
        proxy = self.module(name)
        return _Chosen(proxy, tuple(fromlist)) if fromlist else proxy

    def everything(self) -> dict[str, Any]:
        """All modules and their exports, named `math` and `math.sqrt`, for keeping values by name."""
        named: dict[str, Any] = {}
        for name in sorted(self._allowed):
            proxy = self.module(name)
            named[name] = proxy
            named |= {f"{name}.{key}": value for key, value in proxy.exports().items()}
        return named


class _Chosen:
    """Serves `from x import a, b`: Python reads the names as attributes of what the hook gave."""

    def __init__(self, proxy: ModuleProxy, chosen: tuple[str, ...]) -> None:
        for name in chosen:
            if name.startswith("_"):
                raise ImportError(f"'{name}' is private to {proxy.name}")
            try:
                setattr(self, name, proxy.export(name))
            except AttributeError as error:
                raise ImportError(f"cannot import name '{name}': {error}") from None


def exported_classes() -> frozenset[int]:
    """Ids of the classes that imports may give to model code."""
    found = {id(value) for exports in _FIXED.values() for value in exports.values() if isinstance(value, type)}
    more = (
        dataclasses.InitVar,
        dataclasses.FrozenInstanceError,
        json.JSONDecodeError,
        re.error,
        functools.cached_property,
    )
    return frozenset(found | {id(kind) for kind in (*more, decimal.InvalidOperation, decimal.DivisionByZero)})
