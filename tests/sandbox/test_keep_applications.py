"""Promises of statek.sandbox.keep about values of the application's own classes."""

import enum
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from statek.exceptions import CannotKeep
from statek.sandbox import keep


@dataclass
class Order:
    """A dataclass; its constructor must not run again."""

    number: int
    lines: list[Any] = field(default_factory=list)
    made = 0

    def __post_init__(self) -> None:
        Order.made += 1


@dataclass(frozen=True, slots=True)
class Place:
    """A frozen one with slots."""

    street: str


class State(enum.Enum):
    """An enum."""

    OPEN = 1
    CLOSED = 2


class Rights(enum.Flag):
    """Flags."""

    READ = 1
    WRITE = 2


class Customer(BaseModel):
    """A pydantic model."""

    name: str
    age: int = 3


class Odd:
    """Neither."""


def around(*classes: type) -> keep.Surroundings:
    """Surroundings that offer classes."""
    return keep.Surroundings({kind.__name__: kind for kind in classes}, lambda _: False, lambda _: None)


OFFERED = around(Order, Place, State, Rights, Customer, Odd)


def back(value: object, then: keep.Surroundings = OFFERED) -> Any:
    """Write and read one value."""
    data, refs = keep.dumps_value(value, OFFERED)
    return keep.loads_value(data, refs, then)


def test_a_dataclass_is_kept_by_its_fields() -> None:
    """Fields and shared parts come back; the constructor is not run."""
    order = Order(1)
    order.lines.append(order)
    before = Order.made
    copy = back(order)
    assert (type(copy), copy.number, copy.lines[0] is copy, Order.made) == (Order, 1, True, before)


def test_a_frozen_dataclass_with_slots_is_kept() -> None:
    """Also as a key."""
    assert back({Place("a"): 1}) == {Place("a"): 1}


def test_members_of_enums_stay_the_same_objects() -> None:
    """Members and combinations of flags."""
    assert back(State.OPEN) is State.OPEN
    assert back(Rights.READ | Rights.WRITE) == Rights.READ | Rights.WRITE


def test_a_model_is_kept_by_its_fields() -> None:
    """With the set of fields that were given."""
    copy = back(Customer(name="a"))
    assert (copy, copy.model_fields_set) == (Customer(name="a"), {"name"})


@pytest.mark.parametrize("value", [Order(1), State.OPEN, Customer(name="a")])
def test_a_class_that_is_gone_costs_its_values_only(value: object) -> None:
    """Without the class there is a stub that says so, and the value again when the class is back."""
    stub = back(value, around())
    with pytest.raises(NameError, match=f"'{type(value).__name__}' is no longer offered to this job"):
        stub.number  # noqa: B018 - reading is what is tried
    assert keep.loads_value(*keep.dumps_value(stub, around()), OFFERED) == value


@pytest.mark.parametrize(("value", "offered"), [(Odd(), OFFERED), (Order(1), around())])
def test_other_values_are_refused_with_what_to_do(value: object, offered: keep.Surroundings) -> None:
    """What is not taken apart, or whose class is not offered, is refused with a hint."""
    with pytest.raises(CannotKeep, match=r"cannot be stored; .*offer its class to the agent"):
        keep.dumps_value(value, offered)
