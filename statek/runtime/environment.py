"""The world as one running job's code meets it: the border that the sandbox's guards talk to.

An environment is built from an offer and lent to one job at a time (building one costs more than a whole step), so it
holds nothing of a job but `live`, the job it serves now. What a crossing does is `runtime.calling`'s decision.
"""

import hashlib
import random
from collections.abc import Collection, Iterator
from types import FunctionType
from typing import Any, Protocol

from statek.exceptions import StatekError
from statek.runtime import futures
from statek.runtime.durable import Durables, Live
from statek.runtime.offer import Offer
from statek.sandbox import guards, keep
from statek.store.future import FutureResult, resolve_function
from statek.store.session import is_durable
from statek.store.subtask import SubTaskHandler
from statek.store.workspace import compile_source
from statek.tools.registry import Tool, from_callable


class Crosser(Live, Protocol):
    """What an environment asks of the job that runs in it.

    Attributes:
        holds: a future has come into the job.
    """

    holds: bool

    def call(self, tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a tool."""
        ...

    def write(self, text: str) -> None:
        """Print."""
        ...

    def now_us(self) -> int:
        """Read the clock."""
        ...

    def rng(self) -> random.Random:
        """Give the generator."""
        ...

    def pausing(self) -> BaseException | None:
        """Give the wait that is on its way out."""
        ...

    def await_handler(self, handler: SubTaskHandler) -> Any:
        """Wait for a child's result."""
        ...

    def resolve(self, future: FutureResult) -> Any:
        """Give the value of a future, or wait for it."""
        ...

    def admit(self, value: Any) -> Any:
        """Give what the job's code may hold of a value from outside that has futures in it."""
        ...

    def function_names(self) -> Collection[str]:
        """Give the import names of the application's functions that the job was given as values."""
        ...


class Offered:
    """A tool as model code sees it: a callable without readable attributes."""

    __slots__ = ("__name__", "_environment", "source", "tool")

    def __init__(self, tool: Tool, environment: "Environment", source: str | None = None) -> None:
        """Let calls of `tool` go through `environment`; `source` is the import name of one given as a value."""
        self.tool = tool
        self.source = source
        self._environment = environment
        self.__name__ = tool.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Cross the border."""
        return self._environment.job.call(self.tool, args, kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.tool.name}>"


class Environment:
    """Builtins, tools and keeping rules for the code of one job at a time; the sandbox's Border."""

    def __init__(self, offer: Offer) -> None:
        """Build the surroundings of `offer`."""
        self.live: Crosser | None = None
        self.durables = Durables(lambda: self.job)
        extra = {name: self.durables.offer(name, value) for name, value in offer.extra.items()}
        host = {**extra, **{name: Offered(tool, self) for name, tool in offer.tools.items()}}
        self.builtins = guards.builtins_for(self, offer.policy, host)
        self._names_of_offered = {id(value): name for name, value in host.items()}
        self.around = keep.Surroundings(
            host=offer.classes | guards.named_values(self.builtins), is_durable=is_durable,
            compile_source=compile_source,
            function_name=_source_of, function=self._function,
            method_of=self.durables.method_of, method=self.durables.method,
        )  # fmt: skip
        self.may_hold_futures = any(futures.takes_futures(tool.call) for tool in offer.tools.values())
        self._functions: dict[str, Offered] = {}

    def number_of_offered(self, value: object) -> int | None:
        """A number for what is offered by name, the same wherever that name is offered; None for anything else."""
        name = self._names_of_offered.get(id(value))
        if name is None:
            return None
        return -int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")

    def leave(self) -> None:
        """Serve nobody, and let go of the last job's `exit`: its frames hold everything the job had."""
        self.live = None
        self.durables.leave()
        guards.guards_of(self.builtins).facades.leaving = None

    @property
    def job(self) -> Crosser:
        """The job that is served now."""
        assert self.live is not None, "code runs in an environment that serves no job"
        return self.live

    def write(self, text: str) -> None:
        """Add one console entry."""
        self.job.write(text)

    def now_us(self) -> int:
        """The job's clock."""
        return self.job.now_us()

    def rng(self) -> random.Random:
        """The job's generator."""
        return self.job.rng()

    def pausing(self) -> BaseException | None:
        """The wait or exit that is on its way out."""
        return self.job.pausing()

    def is_durable(self, value: object) -> bool:
        """Whether it lives in the store."""
        return is_durable(value)

    def is_placeholder(self, value: object) -> bool:
        """Futures are; handlers wait at their `result`, not as values."""
        return isinstance(value, FutureResult)

    def resolve(self, value: object) -> object:
        """The value of a future. Raises FutureError while it is not ready."""
        return self.job.resolve(value) if isinstance(value, FutureResult) else value

    def resolve_within(self, value: object) -> object:
        """A value with all futures in its lists, tuples, sets and dicts resolved."""
        return futures.resolve_within(value, self.job.resolve) if self.job.holds else value

    def resolve_arguments(
        self, function: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Tools resolve theirs at the call; functions of the job take futures where they are annotated so."""
        if isinstance(function, Offered):
            return args, kwargs
        if isinstance(function, FunctionType) and function.__annotations__:
            return futures.resolve_arguments(function, args, kwargs, self.resolve)
        return tuple(map(self.resolve, args)), {name: self.resolve(value) for name, value in kwargs.items()}

    def elements(self, value: object) -> object:
        """Futures of the elements where the complement promises how many there are, else the value."""
        found = value.elements() if isinstance(value, FutureResult) else None
        if found is None:
            return self.resolve(value)
        whole = self.durables.number_of(value)
        return [self.durables.lift(element, ("element", whole, n)) for n, element in enumerate(found)]

    def admit(self, value: object) -> object:
        """A future from outside: itself where the code can hold it, else its value."""
        return self.job.admit(value)

    def _function(self, name: str) -> Offered:
        """A function that the job was given as a value; calls of it cross the border like those of a tool."""
        if name not in self.job.function_names():
            raise LookupError(f"the job was not given the function {name}")
        if name not in self._functions:
            try:
                tool = from_callable(resolve_function(name))
            except (StatekError, TypeError) as error:
                raise LookupError(str(error)) from error
            self._functions[name] = Offered(tool, self, name)
            guards.guards_of(self.builtins).access.hide(self._functions[name])
        return self._functions[name]

    def get_attribute(self, owner: Any, name: str) -> object:
        """Read; the result of a child job is waited for."""
        if isinstance(owner, SubTaskHandler) and name == "result":
            return self.job.await_handler(owner)
        return self.durables.get_attribute(owner, name)

    def set_attribute(self, owner: Any, name: str, value: object) -> None:
        """Write."""
        self.durables.set_attribute(owner, name, value)

    def delete_attribute(self, owner: Any, name: str) -> None:
        """Delete."""
        self.durables.delete_attribute(owner, name)

    def get_item(self, owner: Any, key: object) -> object:
        """Read an item."""
        return self.durables.lift(owner)[key]

    def set_item(self, owner: Any, key: object, value: object) -> None:
        """Write an item."""
        self.durables.lift(owner)[key] = value

    def delete_item(self, owner: Any, key: object) -> None:
        """Delete an item."""
        del self.durables.lift(owner)[key]

    def iterate(self, owner: Any) -> Iterator[object]:
        """Go through the members as they are now."""
        return iter(self.durables.lift(owner))


def _source_of(value: object) -> str | None:
    return value.source if isinstance(value, Offered) else None
