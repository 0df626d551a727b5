"""What model code meets outside of itself, as its guards see it. A protocol, nothing else.

The runtime implements it over jobs and the store; `LocalBorder` in `runner.py` is the implementation without either.
"""

import random
from collections.abc import Iterator
from typing import Any, Protocol


class Border(Protocol):
    """Every crossing from model code to the world."""

    def write(self, text: str) -> None:
        """Add one entry to the console."""
        ...

    def now_us(self) -> int:
        """Microseconds since 1970 in UTC, as the job is to see them."""
        ...

    def rng(self) -> random.Random:
        """Give the job's own generator of random numbers."""
        ...

    def is_durable(self, value: object) -> bool:
        """Whether it is an application object that lives in the store."""
        ...

    def is_placeholder(self, value: object) -> bool:
        """Whether it stands for a value that may not be there yet."""
        ...

    def resolve(self, value: object) -> object:
        """Give the value of a placeholder.

        Raises:
            FutureError: it is not there yet.
        """
        ...

    def resolve_within(self, value: object) -> object:
        """Give a value with the placeholders in its lists, tuples, sets and dicts resolved: itself or a copy.

        Raises:
            FutureError: one is not there yet.
        """
        ...

    def resolve_arguments(
        self, function: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Resolve the placeholders among the arguments of a call, except where the function takes placeholders."""
        ...

    def elements(self, value: object) -> object:
        """Give the placeholders of the elements of one whose length is promised, else its value."""
        ...

    def admit(self, value: object) -> object:
        """Give what a placeholder that comes in from outside is for this job: itself, or its value in plain code."""
        ...

    def get_attribute(self, owner: object, name: str) -> object:
        """Read an attribute of a durable object; the name is already checked."""
        ...

    def set_attribute(self, owner: object, name: str, value: object) -> None:
        """Set an attribute of a durable object."""
        ...

    def delete_attribute(self, owner: object, name: str) -> None:
        """Delete an attribute of a durable object."""
        ...

    def get_item(self, owner: object, key: object) -> object:
        """Read an item of a durable object."""
        ...

    def set_item(self, owner: object, key: object, value: object) -> None:
        """Set an item of a durable object."""
        ...

    def delete_item(self, owner: object, key: object) -> None:
        """Delete an item of a durable object."""
        ...

    def iterate(self, owner: object) -> Iterator[object]:
        """Go through a durable object."""
        ...

    def pausing(self) -> BaseException | None:
        """Give the wait or exit that is on its way out of the statement, if any."""
        ...
