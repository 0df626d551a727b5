"""The guards on attributes, items, writing and iteration: who may touch what. One per namespace, bound to a Border.

Called by every rewritten `x.a`, `x[k]`, `for`; so the common cases are decided by one table lookup. Own instances are
free, plain values have their public methods (some replaced by size-checked ones), durable objects go through the
border, other host objects are read-only with public names, host callables show nothing.
"""

import enum
import functools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from statek.exceptions import Refused
from statek.sandbox import kinds, names, set_order
from statek.sandbox.border import Border
from statek.sandbox.bounds import WATCHDOG

MethodGuard = Callable[..., Any]
MethodGuards = Mapping[tuple[type, str], MethodGuard]

_ITERATE_BATCH = 256
_GENERATOR_NAMES = frozenset({"send", "throw", "close"})
_FUNCTION_NAMES = frozenset({"__name__", "__doc__", "__qualname__", "cache_info", "cache_clear"})
_PROPERTY_NAMES = frozenset({"setter", "getter", "deleter"})
_NAMED_TUPLE_NAMES = frozenset({"_replace", "_asdict", "_fields", "_make"})
_ERROR_NAMES = frozenset({"args"})
_SHARED_CHANGES = frozenset({"clear_cache", "register", "mro"})
_CALLABLES = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
)  # fmt: skip
_LONG = 1 << 20  # members of a text or range from which going through it in one call ticks
_LONG_TYPES = frozenset({str, range})


class ModuleProxy:
    """What model code holds after `import x`: a name and explicit exports, nothing else."""

    __slots__ = ("_exports", "_name")

    def __init__(self, name: str, exports: Mapping[str, Any]) -> None:
        """Keep the exports; they never change."""
        self._name, self._exports = name, exports

    def __repr__(self) -> str:
        """Look like a module."""
        return f"<module '{self._name}'>"

    def export(self, name: str) -> Any:
        """Give an export.

        Raises:
            AttributeError: it has none of that name.
        """
        if name not in self._exports:
            offered = ", ".join(sorted(self._exports)[:12])
            raise AttributeError(f"module '{self._name}' does not offer '{name}' here; it offers {offered}, ...")
        return self._exports[name]

    def exports(self) -> Mapping[str, Any]:
        """All of them, by name."""
        return types.MappingProxyType(dict(self._exports))

    @property
    def name(self) -> str:
        """Name of the module."""
        return self._name


class Access:
    """Guards of one namespace."""

    def __init__(self, border: Border, shown: set[int], opaque: set[int]) -> None:
        """Bind to a border.

        Args:
            border: the world.
            shown: ids of host classes and values offered to the job.
            opaque: ids of host callables, whose attributes are closed.
        """
        self._border = border
        self._shown, self._opaque = shown, opaque
        self._method_guards: MethodGuards = {}
        self._named: set[int] = set()
        self._plain_names: Mapping[type, frozenset[str]] = {}

    def use(self, method_guards: MethodGuards) -> None:
        """Say what stands in for methods of plain classes, by class and name (`class x`: for classmethod x)."""
        self._method_guards = method_guards
        self._plain_names = _plain_names(frozenset(method_guards))

    def show_name(self, value: object) -> None:
        """Let model code read `__name__` of this value."""
        self._named.add(id(value))

    # --- reading ----------------------------------------------------------------------------------------------------

    def get_attribute(self, owner: Any, name: str) -> Any:
        """Read `owner.name`.

        Raises:
            AttributeError: there is none.
            Refused: it is not for model code.
        """
        public = self._plain_names.get(type(owner))
        if public is not None and name in public:
            return getattr(owner, name)
        return self._attribute(owner, name)

    def _attribute(self, owner: Any, name: str) -> Any:
        if type(name) is not str:
            raise TypeError("attribute names are text")
        if (problem := names.attribute_problem(name)) is not None:
            raise Refused(problem)
        if type(owner) in kinds.STAND_INS and not name.startswith("_") and name not in names.HOLDER_NAMES:
            return self._entering(self._border.get_attribute(owner, name))
        if self._border.is_placeholder(owner):
            return self.get_attribute(self._border.resolve(owner), name)
        if name == "__class__":
            return self.class_of(owner)
        if isinstance(owner, type):
            return self._class_attribute(owner, name)
        if type(owner) is super:
            return self._inherited(owner, name)
        if kinds.is_job_value(owner):
            return self._own_attribute(owner, name)
        if type(owner) is ModuleProxy:
            return owner.export(name)
        if name in names.READABLE_DUNDERS and (
            isinstance(owner, (*_CALLABLES, HiddenType)) or id(owner) in self._named
        ):
            return getattr(owner, name)
        if name.startswith("_"):
            raise Refused(f"the attribute '{name}' of {kinds.type_name(owner)} is private")
        return self._host_attribute(owner, name)

    def class_of(self, value: Any) -> Any:
        """Give the class of a value, or what stands for it when model code may not hold it."""
        kind = value.__class__ if self._border.is_durable(value) else type(value)
        if kinds.is_shown_class(kind) or id(kind) in self._shown:
            return kind
        return type_facade_of(kind)

    def _own_attribute(self, owner: Any, name: str) -> Any:
        kind = type(owner)
        if name.startswith("_") and (_is_reserved(name) or not self._is_own_name(owner, kind, name)):
            raise Refused(f"the attribute '{name}' of {kind.__name__} is not its own")
        if isinstance(owner, BaseException) and name == "obj" and name not in getattr(owner, "__dict__", ()):
            raise Refused("the attribute 'obj' is not available here")
        return self._replaced(kind, name, owner) or getattr(owner, name)

    @staticmethod
    def _is_own_name(owner: Any, kind: type, name: str) -> bool:
        if names.is_dunder(name):
            return name in names.READABLE_DUNDERS or any(
                name in vars(c) for c in kind.__mro__ if kinds.is_job_class(c) and name in names.MAGIC_METHODS
            )
        if name in _NAMED_TUPLE_NAMES and isinstance(owner, tuple):
            return True
        inside = getattr(owner, "__dict__", None)
        if isinstance(inside, dict) and name in inside:
            return not isinstance(owner, enum.Enum)
        known = any(name in vars(c) for c in kind.__mro__ if kinds.is_job_class(c))
        return known or not hasattr(kind, name)  # unknown everywhere: let Python say AttributeError

    def _replaced(self, kind: type, name: str, owner: Any) -> Any:
        """Give the checked stand-in for an inherited method of a plain class, bound to `owner`, or None."""
        for base in kind.__mro__:
            if name in vars(base):
                guard = self._method_guards.get((base, name))
                if guard is None:
                    return None
                return types.MethodType(guard, owner) if owner is not None else guard
        return None

    def _class_attribute(self, owner: type, name: str) -> Any:
        if owner is type or not (kinds.is_shown_class(owner) or id(owner) in self._shown):
            raise Refused("the attributes of this class are not available here")
        if name in ("__name__", "__qualname__", "__doc__"):
            return type.__getattribute__(owner, name)
        if (guard := self._replaced(owner, name, None)) is not None:
            return guard
        if (bound := self._method_guards.get((owner, "class " + name))) is not None:
            return bound
        is_own = kinds.is_job_class(owner)
        found = next((c for c in owner.__mro__ if name in vars(c)), None)
        own_private = is_own and found is not None and (kinds.is_job_class(found) or name in _NAMED_TUPLE_NAMES)
        if name.startswith("_") and (_is_reserved(name) or not own_private):
            raise Refused(f"the attribute '{name}' of {owner.__name__} is private")
        if found is None and isinstance(owner, enum.EnumType) and name in owner.__members__:
            return owner[name]
        if found is None:
            raise AttributeError(f"type '{owner.__name__}' has no attribute '{name}'")
        if name in _SHARED_CHANGES and not is_own:
            raise Refused(f"'{name}' changes what others share")
        value = getattr(owner, name)
        return value if is_own or kinds.is_shown_class(owner) else self._handed_out(value, owner, name)

    def _inherited(self, owner: Any, name: str) -> Any:
        start = object.__getattribute__(owner, "__thisclass__")
        instance = object.__getattribute__(owner, "__self__")
        if not kinds.is_job_class(start):
            raise Refused("super() works inside classes made here")
        kind = instance if isinstance(instance, type) else type(instance)
        behind = kind.__mro__[kind.__mro__.index(start) + 1 :]
        found = next((c for c in behind if name in vars(c)), None)
        if found is not None and not kinds.is_job_class(found):
            if name.startswith("_") and name not in names.MAGIC_METHODS:
                raise Refused(f"the attribute '{name}' of {found.__name__} is private")
            if (guard := self._method_guards.get((found, name))) is not None:
                return types.MethodType(guard, instance)
        return getattr(owner, name)

    def _host_attribute(self, owner: Any, name: str) -> Any:
        kind = type(owner)
        if (guard := self._replaced(kind, name, owner)) is not None:
            return guard
        if id(owner) in self._opaque or isinstance(owner, _CALLABLES):
            if name not in _FUNCTION_NAMES:
                raise Refused(f"the attribute '{name}' of {getattr(owner, '__name__', 'this')} is not available here")
            return getattr(owner, name)
        if isinstance(owner, types.GeneratorType) and name not in _GENERATOR_NAMES:
            raise Refused(f"the attribute '{name}' of a generator is not available here")
        if isinstance(owner, property) and name in _PROPERTY_NAMES:
            return getattr(owner, name)
        if isinstance(owner, kinds.NEVER):
            raise Refused(f"a {kind.__name__} has nothing to read here")
        if name in names.HOLDER_NAMES and not (name in _ERROR_NAMES and isinstance(owner, Exception)):
            raise Refused(f"the attribute '{name}' of {kind.__name__} is not available here")
        if self._border.is_durable(owner):
            return self._entering(self._border.get_attribute(owner, name))
        return self._handed_out(getattr(owner, name), owner, name)

    def _entering(self, value: Any) -> Any:
        return self._border.admit(value) if self._border.is_placeholder(value) else value

    def hide(self, value: object) -> None:
        """Close the attributes of a host callable that is offered while the namespace is in use."""
        self._opaque.add(id(value))

    def _handed_out(self, value: Any, owner: Any, name: str) -> Any:
        """Check what a host object gives: containers as copies, never modules, functions, classes or loggers."""
        if kinds.is_plain(value):
            return self._copied(value, 0)
        if isinstance(value, types.MethodType) and value.__self__ is owner:
            return value
        if id(value) in self._shown or id(value) in self._opaque:
            return value
        kind = owner if isinstance(owner, type) else type(owner)
        if isinstance(value, types.FunctionType) and _is_static_method(kind, name):
            return value
        if kinds.is_withheld(value):
            raise Refused(f"the attribute '{name}' of {kind.__name__} is not for code here")
        return value

    def _copied(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in (list, tuple, set, frozenset):
            return kind(self._copied(part, depth + 1) for part in value)
        if kind is dict:
            return {key: self._copied(part, depth + 1) for key, part in value.items()}
        if kind in kinds.CONTAINERS:
            return kind.copy(value)
        if not kinds.is_plain(value) and id(value) not in self._shown and kinds.is_withheld(value):
            raise Refused(f"a {kind.__name__} is not for code here")
        return value

    # --- items ------------------------------------------------------------------------------------------------------

    def get_item(self, owner: Any, key: Any) -> Any:
        """Read `owner[key]`."""
        kind = type(owner)
        if kind in self._plain_names and kind is not types.SimpleNamespace:
            return owner[key]
        if kind in kinds.STAND_INS:
            return self._entering(self._border.get_item(owner, key))
        if self._border.is_placeholder(owner):
            return self.get_item(self._border.resolve(owner), key)
        if kinds.is_job_value(owner) or isinstance(owner, type):
            return owner[key]
        if self._border.is_durable(owner):
            return self._entering(self._border.get_item(owner, key))
        value = owner[key]
        if kinds.is_withheld(value) and id(value) not in self._shown:
            raise Refused(f"a {type(value).__name__} is not for code here")
        return value

    # --- writing ----------------------------------------------------------------------------------------------------

    def writable(self, owner: Any, name: str | None = None) -> Any:
        """Give what may be written to: `owner` itself, or a stand-in for a durable object.

        Raises:
            Refused: it does not belong to the job.
        """
        kind = type(owner)
        if name is None and kind in kinds.CONTAINERS:
            return owner
        if kind in kinds.STAND_INS and (name is None or not name.startswith("_")):
            return _Written(self._border, owner)
        if kinds.is_job_class(kind) and name not in names.CLASS_BODY_NAMES:
            return owner
        if self._border.is_placeholder(owner):
            return self.writable(self._border.resolve(owner), name)
        if kind is types.SimpleNamespace and name is not None and not name.startswith("_"):
            return owner
        if name is not None and isinstance(owner, type) and kinds.is_job_class(owner):
            return self._writable_class(owner, name)
        if not isinstance(owner, type) and self._border.is_durable(owner):
            if name is not None and name.startswith("_"):
                raise Refused(f"the attribute '{name}' of {kind.__name__} is private")
            return _Written(self._border, owner)
        what = f"attribute '{name}'" if name is not None else "items"
        raise Refused(f"the {what} of {_described(owner)} cannot be changed from here")

    @staticmethod
    def _writable_class(owner: type, name: str) -> type:
        if isinstance(owner, enum.EnumType) or names.is_dunder(name):
            raise Refused(f"the attribute '{name}' of class {owner.__name__} cannot be changed")
        return owner

    def may_change(self, owner: Any) -> bool:
        """Whether an in-place operator may alter this value."""
        kind = type(owner)
        if kind in kinds.CONTAINERS:
            return True
        return kind not in self._plain_names and (kinds.is_job_class(kind) or self._border.is_durable(owner))

    # --- iteration --------------------------------------------------------------------------------------------------

    def iterate(self, values: Any) -> Iterator[Any]:
        """Go through `values`, ticking."""
        if type(values) in set_order.KINDS:
            return _ticking(set_order.in_order(values))
        if type(values) in self._plain_names:
            return _ticking(iter(values))
        return _ticking(self.iterator(values))

    def iterator(self, values: Any) -> Iterator[Any]:
        """Give an iterator of `values` without ticks of its own."""
        if type(values) in set_order.KINDS:
            ordered = set_order.in_order(values)
            return _ticking(ordered) if len(values) > _LONG else ordered
        if type(values) in self._plain_names:
            if type(values) in _LONG_TYPES and len(values) > _LONG:
                return _ticking(iter(values))
            return iter(values)
        if self._border.is_placeholder(values):
            return self.iterator(self._border.resolve(values))
        if kinds.is_job_value(values) or isinstance(values, type):
            return iter(values)
        if isinstance(values, Iterator):
            return values
        if self._border.is_durable(values):
            return map(self._entering, self._border.iterate(values))
        return self._vetted(iter(values))

    def _vetted(self, values: Iterator[Any]) -> Iterator[Any]:
        for value in values:
            if not kinds.is_plain(value) and id(value) not in self._shown and kinds.is_withheld(value):
                raise Refused(f"a {type(value).__name__} is not for code here")
            yield value


class _Written:
    """Stands for a durable object on the left of `=` or behind `del`."""

    _border: Border
    _owner: Any

    def __init__(self, border: Border, owner: Any) -> None:
        object.__setattr__(self, "_border", border)
        object.__setattr__(self, "_owner", owner)

    def __setattr__(self, name: str, value: Any) -> None:
        self._border.set_attribute(self._owner, name, value)

    def __delattr__(self, name: str) -> None:
        self._border.delete_attribute(self._owner, name)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._border.set_item(self._owner, key, value)

    def __delitem__(self, key: Any) -> None:
        self._border.delete_item(self._owner, key)


class HiddenType:
    """Stands for a host class that model code may compare and name but not hold."""

    __slots__ = ("__name__", "_kind")

    def __init__(self, kind: type) -> None:
        """Stand for `kind`."""
        self.__name__, self._kind = kind.__name__, kind

    def __repr__(self) -> str:
        """Look like a class."""
        return f"<class '{self.__name__}'>"

    def __eq__(self, other: object) -> bool:
        """Two of the same class are equal."""
        return isinstance(other, HiddenType) and other._kind is self._kind

    def __hash__(self) -> int:
        """Hash as the class does."""
        return hash(self._kind)

    def __instancecheck__(self, value: object) -> bool:
        """Serve `isinstance(x, type(y))`."""
        return isinstance(value, self._kind)


_hidden: dict[type, HiddenType] = {}


def type_facade_of(kind: type) -> HiddenType:
    """Give the one stand-in for a class."""
    return _hidden.setdefault(kind, HiddenType(kind))


def counted(values: Iterable[Any]) -> Iterator[Any]:
    """Go through plain values, ticking."""
    return _ticking(iter(values))


def _ticking(values: Iterator[Any]) -> Iterator[Any]:
    left = _ITERATE_BATCH
    watchdog = WATCHDOG
    watchdog.tick()
    for value in values:
        left -= 1
        if watchdog.overdue or not left:
            left = _ITERATE_BATCH
            watchdog.turns(_ITERATE_BATCH)
        yield value


@functools.lru_cache(maxsize=4)
def _plain_names(guarded: frozenset[tuple[type, str]]) -> Mapping[type, frozenset[str]]:
    """What may be read from each plain type without another look."""
    replaced = {(kind, name.removeprefix("class ")) for kind, name in guarded}
    closed = names.FRAME_NAMES | names.HOLDER_NAMES
    return {
        kind: frozenset(
            name
            for name in dir(kind)
            if not name.startswith("_") and name not in closed and not any((c, name) in replaced for c in kind.__mro__)
        )
        for kind in kinds.PLAIN_TYPES
    }


def _is_static_method(kind: type, name: str) -> bool:
    return any(isinstance(vars(c).get(name), staticmethod) for c in kind.__mro__ if name in vars(c))


def _is_reserved(name: str) -> bool:
    """`_x_`: how `enum` calls what it holds."""
    return name.endswith("_") and not names.is_dunder(name)


def _described(owner: Any) -> str:
    if isinstance(owner, type):
        return f"class {owner.__name__}"
    if isinstance(owner, _CALLABLES):
        return f"function {getattr(owner, '__name__', '?')}"
    return f"a {type(owner).__name__}"
