"""Objects of an application as the code of a job sees them: attributes, methods and operators, every access recorded.

A reference has the operators that the object's class defines, no others; each is a call of that method.
"""

import inspect
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from statek.exceptions import Refused
from statek.runtime.stored import Recorder
from statek.store.reference import Reference
from statek.text.llm_repr import llm_repr


class StoredObject(Reference):
    """An object of the application in the hands of a job; operators its class defines are calls of methods."""

    __slots__ = ("_recorder",)

    def __init__(self, recorder: Recorder, raw: Any, origin: tuple[Any, ...] = (), number: int | None = None) -> None:
        super().__init__(raw, origin, number)
        self._recorder = recorder

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.raw)

    def _text(self, what: str, do: Callable[..., str], *args: Any) -> str:
        return str(self._recorder.read((what, self._recorder.number_of(self)), do, *args))

    def __llm_repr__(self, *, repeated: bool = False, max_len: int | None = None) -> str:
        """What a console shows of it."""
        options: dict[str, Any] = {"repeated": repeated} | ({} if max_len is None else {"max_len": max_len})
        return self._text(f"shown {options}", _shown, self.raw, options)

    def __repr__(self) -> str:
        return self._text("shown {}", _shown, self.raw, {})

    def __str__(self) -> str:
        return self._text("text", _text_of, self.raw)

    def __getattr__(self, name: str) -> Any:
        """Serve code of the application that got it inside a value of the job."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.raw, name)


class StoredMethod:
    """A method of an object of the application; calling it is a crossing."""

    __slots__ = ("__name__", "_owner", "_recorder")

    def __init__(self, recorder: Recorder, owner: Any, name: str) -> None:
        self._recorder, self._owner, self.__name__ = recorder, owner, name

    @property
    def owner(self) -> Any:
        """The reference it is bound to."""
        return self._owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Cross the border."""
        return self._recorder.ask(self._owner, self.__name__, args, kwargs)

    def __repr__(self) -> str:
        return f"<method {self.__name__} of a {self._owner.__class__.__name__}>"


# -- classes ----------------------------------------------------------------------------------------------------------

_NAMES = """add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv mod rmod pow rpow
    and rand iand or ror ior xor rxor ixor lshift rshift matmul neg pos abs invert divmod eq ne lt le gt ge len bool
    contains getitem setitem delitem call int float index complex round reversed format enter exit"""
_OPERATORS: Final = frozenset(f"__{name}__" for name in _NAMES.split())


@cache
def object_class(kind: type) -> type[StoredObject]:
    """The class of references to objects of that class: with the operators that it defines."""
    body: dict[str, Any] = {"__slots__": ()}
    for base in kind.__mro__[:-1]:
        for name in vars(base):
            if name in _OPERATORS:
                body[name] = _operator(name)
            elif name == "__iter__":
                body[name] = _iterate
    if "__eq__" in body:
        body["__hash__"] = object.__hash__  # the store's own: by identity
    return type(f"Stored{kind.__name__}", (StoredObject,), body)


def _operator(name: str) -> Callable[..., Any]:
    def call(self: StoredObject, *args: Any) -> Any:
        return self._recorder.ask(self, name, args, {})

    call.__name__ = name
    return call


def _iterate(self: StoredObject) -> Iterator[Any]:
    members = self._recorder.read(("members", self._recorder.number_of(self)), list, self.raw)
    return iter(members)


@cache
def is_method(kind: Any, name: str) -> bool:
    """Whether a class has a method of that name. Raises Refused for one that is asynchronous."""
    found = inspect.getattr_static(kind, name, None)
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        raise Refused(f"{kind.__name__}.{name}() is asynchronous: offer it as a tool")
    return isinstance(found, types.FunctionType | types.MethodDescriptorType | types.BuiltinFunctionType)


@cache
def is_property(kind: Any, name: str) -> bool:
    """Whether a class has a property of that name."""
    return isinstance(inspect.getattr_static(kind, name, None), property)


def _shown(raw: Any, options: dict[str, Any]) -> str:
    return llm_repr(raw, **options)


def _text_of(raw: Any) -> str:
    speaks = any("__str__" in vars(base) for base in type(raw).__mro__[:-1])
    return str(raw) if speaks else llm_repr(raw)
