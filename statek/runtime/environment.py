"""The world as one running job's code meets it: the border that the sandbox's guards talk to.

An environment is built from an offer and lent to one job at a time (building one costs more than a whole step), so it
holds nothing of a job but `live`, the job it serves now. What a crossing does is `runtime.execute`'s decision.
"""

import random
from collections.abc import Iterator
from typing import Any, Protocol

from statek.runtime.offer import Offer
from statek.sandbox import guards, keep
from statek.store.session import is_durable
from statek.store.subtask import SubTaskHandler
from statek.store.workspace import compile_source
from statek.tools.registry import Tool


class Crosser(Protocol):
    """What an environment asks of the job that runs in it."""

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

    def touch(self, what: str) -> None:
        """Note that the statement used a durable object directly."""
        ...


class Offered:
    """A tool as model code sees it: a callable without readable attributes."""

    __slots__ = ("__name__", "_environment", "tool")

    def __init__(self, tool: Tool, environment: "Environment") -> None:
        """Let calls of `tool` go through `environment`."""
        self.tool = tool
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
        host = {**offer.extra, **{name: Offered(tool, self) for name, tool in offer.tools.items()}}
        self.builtins = guards.builtins_for(self, offer.policy, host)
        self.around = keep.Surroundings(
            host=guards.named_values(self.builtins), is_durable=is_durable, compile_source=compile_source
        )

    def leave(self) -> None:
        """Serve nobody, and let go of the last job's `exit`: its frames hold everything the job had."""
        self.live = None
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

    def is_placeholder(self, _value: object) -> bool:
        """Handlers wait at their `result`, not as values."""
        return False

    def resolve(self, value: object) -> object:
        """Nothing is a placeholder."""
        return value

    def get_attribute(self, owner: Any, name: str) -> object:
        """Read; the result of a child job is waited for, any other durable object is touched."""
        if isinstance(owner, SubTaskHandler):
            return self.job.await_handler(owner) if name == "result" else getattr(owner, name)
        self.job.touch(f"{type(owner).__name__}.{name}")
        return getattr(owner, name)

    def set_attribute(self, owner: Any, name: str, value: object) -> None:
        """Write."""
        self.job.touch(f"{type(owner).__name__}.{name}")
        setattr(owner, name, value)

    def delete_attribute(self, owner: Any, name: str) -> None:
        """Delete."""
        self.job.touch(f"{type(owner).__name__}.{name}")
        delattr(owner, name)

    def get_item(self, owner: Any, key: object) -> object:
        """Read an item."""
        self.job.touch(f"an item of a stored {type(owner).__name__}")
        return owner[key]

    def set_item(self, owner: Any, key: object, value: object) -> None:
        """Write an item."""
        self.job.touch(f"an item of a stored {type(owner).__name__}")
        owner[key] = value

    def delete_item(self, owner: Any, key: object) -> None:
        """Delete an item."""
        self.job.touch(f"an item of a stored {type(owner).__name__}")
        del owner[key]

    def iterate(self, owner: Any) -> Iterator[object]:
        """Go through the members as they are now."""
        self.job.touch(f"the items of a stored {type(owner).__name__}")
        return iter(list(owner))
