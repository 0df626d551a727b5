"""Which classes of an application a job may keep values of: those in the annotations of its tools."""

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel

from statek.tools.classes import classes_of

if TYPE_CHECKING:
    from decimal import Decimal


class Colour(enum.Enum):
    """An enum."""

    RED = 1


@dataclass
class Line:
    """A part."""

    colour: Colour
    of: "Order | None" = None


@dataclass
class Order:
    """A whole, which leads to its parts."""

    lines: list[Line] = field(default_factory=list)


class Customer(BaseModel):
    """A model."""

    name: str


class Plain:
    """None of these."""


def names(function: object) -> set[str]:
    """What is found, without the module."""
    return {name.removeprefix(f"{__name__}:") for name in classes_of(function)}  # type: ignore[arg-type]


def test_they_are_found_inside_of_others() -> None:
    """In unions, lists and dictionaries, in parameters, and in the fields of what was found."""

    def find(order: Order | None, *, by: dict[str, list[Customer]]) -> tuple[Plain, int]: ...

    assert names(find) == {"Order", "Line", "Colour", "Customer"}


def test_what_cannot_be_resolved_is_passed_over() -> None:
    """A name that only checkers import costs the others nothing that is an object already."""

    def find(price: "Decimal", colour: Colour) -> None: ...

    find.__annotations__["colour"] = Colour
    assert names(find) == {"Colour"}
    assert names(print) == set()
