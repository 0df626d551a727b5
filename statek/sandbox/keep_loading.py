"""One load of a stored workspace: what it made itself, the names of makers, and what stands for things that are gone.

The makers (`keep_makers`, `keep_class_makers`) work on a `Loading`; the writer only names them. Nothing here reads
bytes. Nothing of the job runs while a load goes on: classes get their attributes when everything is there (`late`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from weakref import WeakKeyDictionary, WeakValueDictionary

from statek.exceptions import BugError
from statek.sandbox.keep_format import MODULE, Surroundings

CLASSES: Final = "__classes__"  # key of the class book in a namespace; no name of a job begins so
MAKERS: dict[str, "Maker"] = {}


class ClassBook:
    """The classes of one job by number, so that a value stored alone finds the class that is alive."""

    def __init__(self) -> None:
        """Start with none."""
        self.by_number: WeakValueDictionary[int, type] = WeakValueDictionary()
        self.last = 0

    def number_of(self, kind: type) -> int:
        """Give the number of a class, a new one when it has none in this job."""
        number = _numbers.get(kind, 0)
        if self.by_number.get(number) is not kind:
            number = self.last + 1
            self.enter(number, kind)
        return number

    def enter(self, number: int, kind: type) -> None:
        """Note a class under the number it was stored with."""
        self.by_number[number] = kind
        self.last = max(self.last, number)
        _numbers[kind] = number


_numbers: "WeakKeyDictionary[type, int]" = WeakKeyDictionary()


def number_without_book(kind: type) -> int:
    """Give the number that a class was last stored with; 0 when it was not."""
    return _numbers.get(kind, 0)


@dataclass
class MadeClass:
    """A class of this load; `live` was there before and is not to be changed."""

    kind: type
    live: bool
    layout: Any = object
    state: dict[str, Any] | None = None


@dataclass
class Loading:
    """One load: where it takes things from, and which objects it made itself."""

    refs: Sequence[object]
    around: Surroundings
    namespace: dict[str, object] | None  # becomes __globals__ of functions
    made: dict[int, object] = field(default_factory=dict)
    classes: dict[int, MadeClass] = field(default_factory=dict)  # in the order of making: bases first
    numbers: dict[int, type] = field(default_factory=dict)
    last: int = 0  # how many classes the job has had

    def own(self, value: Any) -> Any:
        """Note that `value` was made here, so that it may be filled."""
        self.made[id(value)] = value
        return value

    def mine(self, value: Any, *kinds: type) -> Any:
        """Give `value` back if it was made here and has one of `kinds`; TypeError otherwise."""
        if self.made.get(id(value)) is not value or type(value) not in kinds:
            raise TypeError(f"{type(value).__name__} is not to be filled")
        return value

    def class_made(self, kind: Any) -> MadeClass:
        """Give the note on a class of this load; TypeError for everything else."""
        found = self.classes.get(id(kind))
        if found is None or found.kind is not kind:
            raise TypeError(f"{kind!r:.80} is no class of this workspace")
        return found

    def live_class(self, number: int) -> type | None:
        """Give the class of that number which is alive in the namespace, or None."""
        book = (self.namespace or {}).get(CLASSES)
        return book.by_number.get(number) if isinstance(book, ClassBook) else None

    def enter_classes(self) -> None:
        """Note the classes of this load in the namespace, once it has succeeded."""
        if self.namespace is None or not (self.numbers or self.last):
            return
        book = book_of(self.namespace)
        for number, kind in self.numbers.items():
            book.enter(number, kind)
        book.last = max(book.last, self.last)


def book_of(namespace: dict[str, Any]) -> ClassBook:
    """Give the class book of a namespace, a new one when it has none."""
    book: ClassBook | None = namespace.get(CLASSES)
    if book is None:
        book = namespace[CLASSES] = ClassBook()
    return book


class Maker:
    """The name of a maker, as the writer puts it into the stream."""

    __slots__ = ("build", "name")
    __module__ = MODULE  # where the pickler says that makers are

    def __init__(self, build: Callable[..., Any]) -> None:
        self.name: str = build.__name__
        self.build = build
        MAKERS[self.name] = self

    def __call__(self, *_: Any) -> NoReturn:
        """Refuse: makers run inside a load only; the pickler merely wants something callable."""
        raise BugError(f"maker {self.name} was called outside of a load")


class Stub:
    """Stands for what was offered to the job and is no more; using it says so.

    It remembers how it was written, so that the real object comes back when it is offered again.
    """

    __slots__ = ("_stub_filler", "_stub_recipe", "_stub_state", "_stub_text")

    def __init__(self, name: str, why: str, *recipe: Any) -> None:
        """Keep the message and the `recipe`: the maker and its arguments."""
        self._stub_text = f"{name!r} is no longer offered to this job{why}"
        self._stub_recipe = recipe
        self._stub_filler: Any = None
        self._stub_state: Any = None

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse; special names are merely absent, so that looking at a stub is harmless."""
        if name[:2] == "__":
            raise AttributeError(name)
        raise NameError(self._stub_text)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NameError(self._stub_text)

    __call__ = __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __next__ = _refuse
    __len__ = __enter__ = __exit__ = _refuse
    __bool__: Callable[..., bool] = _refuse
    __str__: Callable[..., str] = _refuse

    def __repr__(self) -> str:
        return f"<{self._stub_text}>"

    def __getstate__(self) -> tuple[tuple[Any, ...], Any, Any]:
        """Give how the missing object was written: (maker, arguments...), its filler and state or None twice."""
        return self._stub_recipe, self._stub_filler, self._stub_state

    def __setstate__(self, filled: tuple[Any, Any]) -> None:
        """Remember the filler and the state that the missing object is to be filled with."""
        self._stub_filler, self._stub_state = filled


def text(value: Any) -> str:
    """Give a text back; TypeError for everything else."""
    if type(value) is not str:
        raise TypeError(f"expected a text, found {type(value).__name__}")
    return value


def exactly(value: Any, wanted: type) -> Any:
    """Give a value of exactly this type back; TypeError for everything else."""
    return value if type(value) is wanted else wrong(value)


def wrong(value: object) -> NoReturn:
    """Refuse a value that has no place where it stands."""
    raise TypeError(f"{type(value).__name__} has no place here")
