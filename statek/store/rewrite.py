"""Making every object of one prefix again in another one: the only way in which a store file gets smaller.

Needs `bare.patch` before everything else, so it runs in a process of its own. What a store file is, and what of it is
ours, is `compacted`'s knowledge; here objects are objects, of the kit or of the application.

Objects are made in the order of their addresses, because that is the order in which the store finds them. A field that
refers to one not yet made is set afterwards. What the generic way cannot carry (an index, a tag that nobody names) is
done by the class: `__statek_rewrite__(self, rewrite)` is called on the old object when all others are made, and
`rewrite(value)` gives the new counterpart of any old value, `rewrite(self)` its own. For classes of others a function
can be registered with `rewritten_by`. The idea to keep in mind: the store counts references, so what was overlooked
shows: an object that was referred to more often before than after stops the whole.
"""

import datetime
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import dbzero as db0

from statek.exceptions import StoreError
from statek.store.garbage import left_over
from statek.store.layout import late_fields, lay_out

HOOK = "__statek_rewrite__"
Rewrite = Callable[[Any], Any]
_hooks: dict[type, Callable[[Any, Rewrite], None]] = {}

_PLAIN = (
    type(None), bool, int, float, str, bytes, datetime.datetime, datetime.date, datetime.time, Decimal, type,
    types.FunctionType, types.BuiltinFunctionType, types.ModuleType,
)  # fmt: skip
_HOW = "give its class a method `__statek_rewrite__(self, rewrite)`, or leave it out of the store; nothing was changed"


class CannotRewrite(StoreError):  # noqa: N818 - says what happened
    """An object that cannot be made again. Names class, object and field."""


class _Later(Exception):  # noqa: N818 - not an error
    """A value refers to an object that is not made yet."""


@db0.memo(id="statek/Gone")
class Gone:
    """What weak references to nothing refer to until they are stored."""


@dataclass
class Outcome:
    """What was done: objects by class, and how many references nothing was found for (only when that was accepted)."""

    objects: dict[str, int] = field(default_factory=dict)
    lost: int = 0


def rewritten_by(cls: type, function: Callable[[Any, Rewrite], None]) -> None:
    """Do for `cls` with `function(old, rewrite)` what its own `__statek_rewrite__` would."""
    _hooks[cls] = function


class Rewriter:
    """The objects of the prefix `old`, made again in the current one."""

    def __init__(self, old: str, untagged: tuple[type, ...] = ()) -> None:
        """Read from the prefix `old`. Of classes that are `untagged` what no field refers to is left behind."""
        self._old = old
        self._untagged = untagged
        self._made: dict[str, tuple[Any, Any]] = {}  # by address: old and new
        self._containers: dict[int, tuple[Any, Any]] = {}  # by identity of the old one, which is kept so that it stays
        self._order: list[Any] = []
        self._seen: set[str] = set()
        self._weak: dict[type, frozenset[str]] = {}
        self._rest: list[tuple[Any, str]] = []
        self._left_over: Counter[str] = Counter()  # references of objects that nothing refers to
        self._gone: list[Any] = []

    def read(self) -> None:
        """Look at what there is; the old prefix has to be the current one."""
        found: dict[str, Any] = {}
        loose: dict[str, Any] = {}
        for kind in db0.get_memo_classes():
            if kind.get_class().type_exists():
                self._weak[kind.get_type()] = _weak_fields(kind.get_type())
            for item in kind.all():
                if type(item).__name__ == "MemoBase":
                    raise CannotRewrite(
                        f"the class {kind.name} of stored objects cannot be imported",
                        hint=f"put module {kind.module} back, or keep it in `python_path`; nothing was changed",
                    )
                is_loose = not (kind.is_singleton or db0.getrefcount(item))
                (loose if is_loose else found)[db0.uuid(item)] = item
        gone, self._left_over = left_over(loose.values())
        for address in gone & found.keys():
            del found[address]
        self._order = sorted(found.values(), key=db0.get_address)
        self._seen = set(found)

    def run(self, *, accept_lost: bool = False) -> Outcome:
        """Make everything again. Raises CannotRewrite for the first thing that cannot be, or would be overlooked."""
        made = 0
        while made < len(self._order):
            for item in self._order[made:]:
                self._make(item)
                made += 1
            self._fill_in()  # objects of classes without default tags are found by reference alone: perhaps here
        for item in self._order:
            hook = _hook_of(item)
            if hook is not None:
                hook(item, self)
        self._gone.clear()
        for cls in self.kinds:
            self._lay_out(cls)
        outcome = Outcome()
        for item in self._order:
            kind = type(item).__qualname__
            outcome.objects[kind] = outcome.objects.get(kind, 0) + 1
        outcome.lost = self._check_references(accept_lost=accept_lost)
        return outcome

    @property
    def kinds(self) -> set[type]:
        """Classes of what was made again."""
        return {type(item) for item in self._order}

    def _lay_out(self, cls: Any) -> None:
        """Make the new file know the late fields of a class, by an object that nothing refers to."""
        names = late_fields(cls)
        if names:
            item = cls(dict.fromkeys(names))
            lay_out(item, [name for name in names if name in item.__dict__])  # a singleton is what there is already

    def _fill_in(self) -> None:
        """Set the fields that referred to what was not made yet; what refers to others still stays."""
        rest, self._rest = self._rest, []
        for item, name in rest:
            try:
                setattr(self(item), name, self._field(item, name, getattr(item, name)))
            except _Later:
                self._rest.append((item, name))

    def __call__(self, value: Any) -> Any:
        """The new counterpart of an old value."""
        try:
            return self._value(value)
        except _Later as error:
            raise CannotRewrite(f"{error} is not made yet: use it in `{HOOK}` only", hint=_HOW) from None

    def at(self, address: str) -> Any | None:
        """The new object of an old address, None when there was none."""
        found = self._made.get(address)
        return None if found is None else found[1]

    def _make(self, item: Any) -> None:
        fields: dict[str, Any] = {}
        for name, value in sorted(item.__dict__.items(), key=_first):
            try:
                fields[name] = self._field(item, name, value)
            except _Later:
                self._rest.append((item, name))
                fields[name] = None
            except CannotRewrite:
                if _hook_of(item) is None:
                    raise
        self._made[db0.uuid(item)] = (item, type(item)(fields))

    def _field(self, item: Any, name: str, value: Any) -> Any:
        try:
            if db0.expired(value):  # first: whatever else looks at its type crashes
                return self._expired()
            new = self._value(value)
        except CannotRewrite as error:
            of = f"{_named(item)}, field {name!r}: {error}"
            raise CannotRewrite(of, hint=error.hint) from None
        return db0.weak_proxy(new) if name in self._weak_of(item) and value is not None else new

    def _expired(self) -> Any:
        """A weak reference to an object that will be gone when it is stored, as the old one's is."""
        self._gone.append(Gone({}))  # type: ignore[call-arg]
        return db0.weak_proxy(self._gone[-1])

    def _weak_of(self, item: Any) -> frozenset[str]:
        return self._weak.get(type(item), frozenset())

    def _value(self, value: Any) -> Any:
        if db0.expired(value):
            raise CannotRewrite("a weak reference in a container, to an object that is gone", hint=_HOW)
        if isinstance(value, _PLAIN):
            return value
        kind = type(value).__name__
        if db0.is_memo(value):
            return self._object(value)
        if kind == "EnumValue":
            return value
        if id(value) in self._containers:
            return self._containers[id(value)][1]
        if kind not in _MAKERS:
            raise CannotRewrite(f"a {kind} cannot be rewritten", hint=_HOW)
        new = _MAKERS[kind](self._value, value)
        self._containers[id(value)] = (value, new)
        return new

    def _object(self, item: Any) -> Any:
        address = db0.uuid(item)
        if address in self._made:
            return self._made[address][1]
        home = db0.get_prefix_of(item).name
        if home != self._old:
            raise CannotRewrite(f"{_named(item)} lives in another store file, {home!r}", hint=_HOW)
        if address not in self._seen:
            self._seen.add(address)
            self._order.append(item)
        raise _Later(_named(item))

    def _check_references(self, *, accept_lost: bool) -> int:
        """Find tags by the texts that the application's code and objects hold, then compare what the store counts."""
        self._find_tags(dict(self._surplus()))
        lost = 0
        for address, surplus in self._surplus():
            old, new = self._made[address]
            if surplus < 0:
                what = f"{_named(old)} is referred to weakly from within a container, which cannot be told from outside"
                raise CannotRewrite(what, hint=_HOW)
            lost += surplus
            if not accept_lost:
                raise _unexplained(old, surplus, is_held=db0.getrefcount(new) > 0)
        return lost

    def _find_tags(self, missing: dict[str, int]) -> None:
        items = [self._made[address][0] for address in missing]
        kinds, texts = {type(item) for item in items}, sorted(filter(_can_be_stored, _texts(items)))
        for kind, text in [(kind, text) for kind in kinds for text in texts]:
            for item in db0.find(kind, text, prefix=self._old):
                address = db0.uuid(item)
                if missing.get(address, 0) > 0 and text not in _tagged_by_fields(item):
                    db0.tags(self._made[address][1]).add(text)
                    missing[address] -= 1
        db0.commit()

    def _surplus(self) -> Iterator[tuple[str, int]]:
        """Objects without a hook whose number of references is not what it was, and by how much it was higher."""
        for address, (old, new) in self._made.items():
            if not db0.is_singleton(old) and _hook_of(old) is None:
                count = db0.getrefcount(new)
                surplus = db0.getrefcount(old) - count - self._left_over[address]
                if surplus and (count or not isinstance(old, self._untagged)):
                    yield address, surplus


def _unexplained(item: Any, surplus: int, *, is_held: bool) -> CannotRewrite:
    """More references than were found: by tags or an index, or by what is left over of a list."""
    what = f"{_named(item)} is referred to {surplus} times more than fields and known tags explain"
    return CannotRewrite(
        what if is_held else f"{what}, and by none of these",
        hint="if it has tags or stands in an index: give its class `__statek_rewrite__(self, rewrite)` that sets them; "
        "if not, it was taken from a list with pop or remove, or was in a list that a process still held when it ended "
        f"although nothing stored did: --accept-lost, which {'keeps it' if is_held else 'lets go of it'}",
    )


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _hook_of(item: Any) -> Callable[[Any, Rewrite], None] | None:
    found: Callable[[Any, Rewrite], None] | None = getattr(type(item), HOOK, None) or _hooks.get(type(item))
    return found


def _named(item: Any) -> str:
    shown = getattr(item, "id", None)
    return f"{type(item).__module__}.{type(item).__qualname__} {shown if isinstance(shown, str) else db0.uuid(item)}"


def _weak_fields(cls: type) -> frozenset[str]:
    """Fields of a class that refer weakly. Raises CannotRewrite for one that does so in some objects only."""
    found = set()
    for name, about in db0.get_schema(cls).items():
        kinds = {kind.__name__ for kind in about["all_types"] if kind is not None}
        if "WeakProxy" in kinds:
            if "MemoBase" in kinds and not hasattr(cls, HOOK):
                what = f"field {name!r} of {cls.__module__}.{cls.__qualname__} refers weakly in some objects only"
                raise CannotRewrite(what, hint=_HOW)
            found.add(name)
    return frozenset(found)


def _tagged_by_fields(item: Any) -> list[Any]:
    """Values of the fields that are tags by themselves, which count no reference."""
    return [getattr(item, name, None) for name in getattr(type(item), "__DBZERO_TAG_FIELDS_ATTR", ())]


def _texts(items: Iterable[Any]) -> set[str]:
    """Texts that may be tags: constants of the modules that the objects' classes come from, and values of fields."""
    found: set[str] = set()
    modules = set()
    for item in items:
        modules.add(type(item).__module__)
        found |= {value for value in item.__dict__.values() if isinstance(value, str) and value}
    for name in modules:
        found |= {text for text in _constants(name) if text}
    return found


def _can_be_stored(text: str) -> bool:
    """Whether it is UTF-8, as all that is searched for has to be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _constants(module: str) -> Iterator[str]:
    waiting = list(vars(sys.modules[module]).values())
    seen = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | frozenset):
            waiting.extend(value)
        elif isinstance(value, types.CodeType):
            waiting.extend(value.co_consts)
        elif isinstance(value, types.FunctionType) and value.__module__ == module:
            waiting.append(value.__code__)
        elif isinstance(value, type) and value.__module__ == module and value not in seen:
            seen.add(value)
            waiting.extend(vars(value).values())


def _dict(rewrite: Rewrite, old: Any) -> Any:
    new = db0.dict()
    for key in old:
        new[rewrite(key)] = rewrite(old[key])
    return new


def _weak_set(rewrite: Rewrite, old: Any) -> Any:
    new = db0.weak_set()
    for item in [rewrite(member) for member in old]:
        new.add(item)
    return new


_MAKERS: dict[str, Callable[[Rewrite, Any], Any]] = {
    "List": lambda rewrite, old: db0.list([rewrite(item) for item in old]),
    "list": lambda rewrite, old: db0.list([rewrite(item) for item in old]),
    "Tuple": lambda rewrite, old: db0.tuple([rewrite(item) for item in old]),
    "tuple": lambda rewrite, old: db0.tuple([rewrite(item) for item in old]),
    "Set": lambda rewrite, old: db0.set([rewrite(item) for item in old]),
    "Dict": _dict,
    "ByteArray": lambda _rewrite, old: db0.bytearray(bytes([old[n] for n in range(len(old))])),
    "WeakSet": _weak_set,
}
