"""Puts the guards of one namespace together: the `__builtins__` that a job's code runs with.

The namespace itself holds the job's own names only, so it can be kept; every guard, builtin, import and tool is found
behind it. Guards are called `_name_`, which model code cannot write (`names.py`).
"""

import builtins as real
import collections
import datetime
import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from types import GeneratorType
from typing import Any

from statek.exceptions import FutureError, Refused, Signal
from statek.sandbox import classes, facades, kinds, modules, operators, replacements, set_order, sizes, textual
from statek.sandbox.access import Access
from statek.sandbox.border import Border as Border  # re-exported
from statek.sandbox.bounds import WATCHDOG, declare_pure
from statek.sandbox.calls import Calls
from statek.sandbox.cleanup import Cleanup
from statek.sandbox.facades import Console, Facades
from statek.sandbox.kinds import is_job_class as is_job_class  # re-exported
from statek.sandbox.policy import EXCEPTION_NAMES, UNOFFERED_NAMES, Policy
from statek.sandbox.unpacking import iter_unpack_sequence, unpack_sequence
from statek.text import llm_repr

GUARDS = "_guards_"
_NUMBERS = frozenset({int, float})

for _module in (textual, facades, llm_repr):
    declare_pure(str(_module.__file__))

_METHODS: dict[tuple[type, str], Callable[..., Any]] = {
    **{(str, name): sizes.padded(name) for name in ("center", "ljust", "rjust", "zfill")},
    **{
        (kind, name): sizes.padded(name)
        for kind in (bytes, bytearray)
        for name in ("center", "ljust", "rjust", "zfill")
    },
    **{(kind, "join"): sizes.join for kind in (str, bytes, bytearray)},
    **{(kind, "replace"): sizes.replace for kind in (str, bytes, bytearray)},
    **{(kind, "expandtabs"): sizes.expandtabs for kind in (str, bytes, bytearray)},
    **{(kind, "translate"): sizes.translate for kind in (str, bytes, bytearray)},
    **{(kind, "decode"): textual.decode for kind in (bytes, bytearray)},
    **{(kind, "extend"): sizes.extend for kind in (list, collections.deque, bytearray)},
    **{(kind, "strftime"): replacements.strftime for kind in (datetime.date, datetime.time)},
    **{
        (kind, name): sizes.split(name)
        for kind in (str, bytes, bytearray)
        for name in ("split", "rsplit", "splitlines")
    },
    **{(string.Template, name): sizes.substitute(name) for name in ("substitute", "safe_substitute")},
    (set, "pop"): set_order.pop,
    (dict, "class fromkeys"): set_order.fromkeys,
    (re.Pattern, "findall"): replacements.pattern_findall,
    (re.Pattern, "split"): replacements.pattern_split,
    (str, "encode"): textual.encode,
    (int, "to_bytes"): sizes.to_bytes,
    (re.Pattern, "sub"): replacements.pattern_sub,
    (re.Pattern, "subn"): replacements.pattern_subn,
    (re.Match, "expand"): replacements.match_expand,
    (random.Random, "randbytes"): replacements.bounded_bytes,
    (random.Random, "getrandbits"): replacements.bounded_bits,
}


class Guards:
    """Everything that stands between one job's code and the world."""

    def __init__(self, border: Border, allowances: Policy, host: Mapping[str, object]) -> None:
        """Build the guards; `host` names tools, exposed classes and objects."""
        self.border = border
        self.console = Console(border, allowances.console_bytes)
        exported = modules.exported_classes()
        shown = {id(value) for value in host.values()} | set(exported)
        opaque = {id(v) for v in host.values() if callable(v) and not isinstance(v, type)}
        self.access = Access(border, shown, opaque)
        self.text = textual.Text(self.access)
        self.access.use(_METHODS | replacements.clock_guards(border) | self._bound_methods())
        self.facades = Facades(self.access, border, self.console, shown)
        self.calls = Calls(border, self.facades.looking_inside())
        self.cleanup = Cleanup(border)
        kit = replacements.Kit(self.access, border, self.facades.callee, shown)
        self.modules = modules.Modules(kit, allowances.imports)
        self.cases = classes.Cases(shown)

    def _bound_methods(self) -> dict[tuple[type, str], Callable[..., Any]]:
        def elements(counts: Any) -> Iterator[Any]:
            return self.access.iterate(collections.Counter.elements(counts))

        return {
            (str, "format"): self.text.format_text,
            (str, "format_map"): self.text.format_map,
            (collections.Counter, "elements"): elements,
        }

    def names(self) -> dict[str, object]:
        """The guards under the names the transform writes."""
        return {
            GUARDS: self,
            "_getattr_": self.access.get_attribute,
            "_getitem_": self.access.get_item,
            "_write_": self.access.writable,
            "_getiter_": self.access.iterate,
            "_delegate_": self._delegate,
            "_iter_unpack_sequence_": iter_unpack_sequence,
            "_unpack_sequence_": unpack_sequence,
            "_mapping_": sizes.allow_mapping,
            "_callee_": self.facades.callee,
            "_binary_": operators.binary,
            "_inplace_": self._inplace,
            "_load_attr_": self._load_attribute,
            "_load_item_": self._load_item,
            "_store_": self._store,
            "_weighed_": sizes.weighed,
            "_show_": textual.show,
            "_format_": self.text.format_value,
            "_join_": textual.joined,
            "_tick_": WATCHDOG.tick,
            "_signals_": (FutureError, Signal),
            "_any_error_": Exception,
            "_pausing_": self.cleanup.is_pausing,
            "_cm_": self.cleanup.managed,
            "_match_": self.cases.prepare,
            "_cases_": self.cases.values,
            "_case_class_": self.cases.checked_class,
            **self.calls.names(),
            "__build_class__": classes.build_class,
            "__import__": self.modules.import_hook,
            "__name__": kinds.JOB_MODULE,
        }

    def _delegate(self, values: Any) -> Any:
        return values if isinstance(values, GeneratorType) else self.access.iterate(values)

    def _inplace(self, sign: str, old: Any, new: Any) -> Any:
        if sign == "+=" and type(old) in _NUMBERS:
            return old + new
        return operators.inplace(sign, old, new, may_change=self.access.may_change(old))

    def _load_attribute(self, owner: Any, name: str) -> tuple[Any, str, Any]:
        return owner, name, self.access.get_attribute(owner, name)

    def _load_item(self, owner: Any, key: Any) -> tuple[Any, None, Any, Any]:
        return owner, None, key, self.access.get_item(owner, key)

    def _store(self, place: tuple[Any, ...], sign: str, value: Any) -> None:
        owner, name, *rest = place
        new = self._inplace(sign, rest[-1], value)
        if name is not None:
            setattr(self.access.writable(owner, name), name, new)
        else:
            self.access.writable(owner)[rest[0]] = new


def builtins_for(border: Border, policy: Policy, host: Mapping[str, object]) -> dict[str, object]:
    """Give the `__builtins__` of a job's namespace.

    Args:
        border: the world, as this job meets it.
        policy: bounds and further imports.
        host: what is offered by name: callables, classes, objects.
    """
    guards = Guards(border, policy, host)
    found: dict[str, object] = {name: _unoffered(name, hint) for name, hint in UNOFFERED_NAMES.items()}
    found |= {name: getattr(real, name) for name in EXCEPTION_NAMES}
    found |= guards.facades.names()
    found |= {name: value for name, value in host.items() if not _is_reserved(name)}
    return found | guards.names()


def named_values(builtins: Mapping[str, object]) -> dict[str, object]:
    """Give every value that model code gets from outside, by a name that lasts: `print`, `math`, `math.sqrt`.

    For keeping names of a job that are bound to such a value.
    """
    guards = guards_of(builtins)
    own = {name: value for name, value in builtins.items() if not _is_reserved(name)}
    return guards.modules.everything() | own


def guards_of(builtins: Mapping[str, object]) -> Guards:
    """Give the guards that `builtins_for` built."""
    guards = builtins[GUARDS]
    assert isinstance(guards, Guards)
    return guards


def _is_reserved(name: str) -> bool:
    return name.startswith("_") and name.endswith("_")


def _unoffered(name: str, hint: str) -> Callable[..., Any]:
    def refuse(*_args: Any, **_named: Any) -> Any:
        raise Refused(f"{name}() is not available here: {hint}")

    refuse.__name__ = name
    return refuse
