"""Stored objects of an application, and tools that hand them out: what statements of the tests read and write."""

from datetime import date
from typing import Any

import dbzero as db0

from statek.testing import declare_agent, declare_tool
from tests.runtime import desk

Colour = db0.enum("OrderColour", ["RED", "GREEN"])


@db0.memo(id="tests/Line")
class Line:
    """A part of an order."""

    def __init__(self, name: str, price: int) -> None:
        self.name = name
        self.price = price

    def __str__(self) -> str:
        return f"{self.name} for {self.price}"


@db0.memo(id="tests/Order")
class Order:
    """An order with parts."""

    LIMIT = 5

    def __init__(self) -> None:
        self.n = 0
        self.status = "new"
        self.day = date(2026, 1, 2)
        self.items = [1, 2, 3]
        self.d = {"a": 1, "b": 2}
        self.s = {"x", "y"}
        self.t = (1, "two")
        self.nested = [[1], {"k": [2]}]
        self.lines = [Line("pen", 3), Line("ink", 5)]
        self.first = self.lines[0]
        self.log: list[int] = []

    def pay(self, amount: int) -> int:
        """Add to what was paid."""
        if amount < 0:
            raise ValueError(f"cannot pay {amount}")
        self.n += amount
        self.log.append(amount)
        return self.n

    def cheapest(self) -> Line:
        """The line with the lowest price."""
        return min(self.lines, key=lambda line: line.price)

    def fill(self, into: list[Any]) -> None:
        """Change an argument."""
        into.append(self.n)
        into.append(self.first)

    def apply(self, change: Any) -> Any:
        """Call a function of the job."""
        return change(2)

    @property
    def odd(self) -> Any:
        """Something that no record can hold."""
        return iter(str, "")

    @property
    def total(self) -> int:
        """Sum of the prices."""
        return sum(line.price for line in self.lines)


@db0.memo(id="tests/Bag")
class Bag:
    """An object with operators of its own."""

    def __init__(self, members: list[int]) -> None:
        self.members = members

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Any:
        return iter(list(self.members))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bag) and list(self.members) == list(other.members)

    def __hash__(self) -> int:
        return 1


@db0.memo(id="tests/OrdersRoot", singleton=True)
class OrdersRoot:
    """Holds one order and one bag."""

    def __init__(self) -> None:
        self.order = Order()
        self.bag = Bag([1, 2])
        self.other: Any = None


def contents() -> dict[str, Any]:
    """Everything stored, as plain data."""
    found = order()
    fields = {name: getattr(found, name) for name in ("n", "status", "items", "d", "t", "log", "nested")}
    return {
        **{name: db0.load(value) for name, value in fields.items()},
        "s": sorted(found.s), "lines": [str(line) for line in found.lines], "bag": list(bag().members),
    }  # fmt: skip


def note(line: str) -> None:
    """Leave a line for a call, as the tools of the desk do."""
    with (desk._place["folder"] / "calls").open("a") as file:
        file.write(f"{line}\n")


def order() -> Order:
    """The stored order."""
    return OrdersRoot().order


def bag() -> Bag:
    """The stored bag."""
    return OrdersRoot().bag


def lines() -> list[Line]:
    """The lines of the order, in a list."""
    return list(order().lines)


def find_line(name: str) -> Line:
    """The line of that name."""
    return next(line for line in order().lines if line.name == name)


def paint(given: Order) -> None:
    """Give it a colour."""
    given.colour = Colour.RED  # type: ignore[attr-defined]


def class_of(given: dict[str, list[Any]]) -> str:
    """The class of something inside."""
    return type(given["k"][0]).__name__


def elsewhere() -> Line:
    """An object of another prefix."""
    here = db0.get_current_prefix().name
    db0.open("else", "rw")
    line = Line("far", 9)
    db0.tags(line).add("kept")
    db0.open(here, "rw")
    return line


def names_of(given: list[Line]) -> list[str]:
    """The names of lines; the list gets one more."""
    note(f"names {[type(line).__name__ for line in given]}")
    names = [line.name for line in given]
    given.append(order().first)
    return names


def price_of(line: Line) -> int:
    """A price asked for outside."""
    note(f"price {type(line).__name__} {line.name}")
    return line.price


def total_of(items: list[int]) -> int:
    """A sum asked for outside."""
    note(f"total {type(items).__name__} {list(items)}")
    return sum(items)


def meanwhile(n: int) -> str:
    """What somebody else does to the order while a statement waits."""
    order().n = n
    order().items.append(n)
    note(f"meanwhile {n}")
    return desk.pause()


TOOLS = (
    *desk.TOOLS,
    *(declare_tool(function, effect="read") for function in (order, bag, lines, find_line, class_of)),
    *(declare_tool(function, effect="write") for function in (names_of, paint, elsewhere)),
    *(declare_tool(function) for function in (price_of, total_of)),
    declare_tool(meanwhile, idempotent=True),
    declare_tool(desk.die, name="die_outside", idempotent=True),
)


def declare(name: str, **more: Any) -> Any:
    """An agent with all these tools."""
    return declare_agent(name, tools=TOOLS, **more)


CLERK = declare("clerk")
