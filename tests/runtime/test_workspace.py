"""Names across steps and restarts: what is made in one turn is there in the next, in this process and in another."""

import pytest

from statek.testing import LocalFleet, answer
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk

ORDER = """
class Order:
    made = 0
    def __init__(self, n):
        self.n = n
        Order.made += 1
    def double(self):
        return self.n * 2
"""
REDEFINED = """
class Order:
    def double(self):
        return 'new'
exit([first.double(), Order().double(), isinstance(first, Order)])
"""
FROZEN = """
from dataclasses import dataclass
@dataclass(frozen=True)
class P:
    x: int
seen = {P(1): 'a'}
"""
ENUM = """
from enum import Enum
class C(Enum):
    RED = 1
chosen = C.RED
counts = {C.RED: 2}
"""
HASHED = """
def key(k):
    return k.name
class K:
    def __init__(self, name):
        self.name = name
    def __eq__(self, other):
        return self.name == other.name
    def __hash__(self):
        return hash(key(self))
found = {K('a'): 1}
"""
RANDOM = """
import random
x = random.random()
def f():
    return 4
"""
MAKE = ORDER + "first = Order(3)"
USE = "exit([first.double(), isinstance(first, Order), Order(1).n, Order.made])"
PROGRAMS = {  # first turn, second turn, what it gives
    "a class": (MAKE, USE, [6, True, 1, 2]),
    "a class redefined": (MAKE, REDEFINED, [6, "new", False]),
    "a frozen dataclass as a key": (FROZEN, "exit([seen[P(1)], P(2) in seen])", ["a", False]),
    "an enum": (ENUM, "exit([chosen is C.RED, counts[C(1)]])", [True, 2]),
    "a hash that asks a function of the job": (HASHED, "exit([found[K('a')]])", [1]),
    "functions beside random numbers": (RANDOM, "exit([f(), random.random() != x])", [4, True]),
}


def finished(open_desk: OpenDesk, *codes: str, restart: bool = False) -> tuple[LocalFleet, str]:
    """A job that runs one block in each turn; with `restart` the fleet is opened anew before the last one."""
    answers = [answer(code, turn=number) for number, code in enumerate(codes, 1)]
    if restart:
        answers[-2] = answer(codes[-2] + "\npause()", turn=len(codes) - 1)
    fleet = open_desk(*answers)
    job = fleet.submit("clerk")
    fleet.run()
    if restart:
        assert not fleet.job(job).outcome, fleet.show(job)
        fleet = open_desk(*answers)
        fleet.run()
    return fleet, job


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("label", PROGRAMS)
def test_what_a_turn_makes_is_there_in_the_next(open_desk: OpenDesk, label: str, restart: bool) -> None:
    """Classes, dataclasses, enums and functions work in the next turn as in the one that made them."""
    *codes, expected = PROGRAMS[label]
    fleet, job = finished(open_desk, *codes, restart=restart)
    assert fleet.job(job).exit_value == expected, fleet.show(job)["console"]


def test_a_class_may_be_made_before_a_wait(open_desk: OpenDesk) -> None:
    """A statement that waits goes on after a restart with the classes and instances of the statements before it."""
    code = ORDER + "o = Order(3)\nl = [o, pause(), o]\nexit([l[0] is o, l[2].double(), isinstance(l[0], Order)])"
    fleet = open_desk(answer(code, turn=1))
    job = fleet.submit("clerk")
    fleet.run()
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == [True, 6, True]


def test_an_instance_comes_back_from_a_tool_as_one_of_its_class(open_desk: OpenDesk) -> None:
    """What a tool changes and gives back is of the class that the job has, not of a copy of it."""
    code = "o = Order(1)\nl = [o]\nextend(l, Order(2))\nexit([isinstance(i, Order) for i in l] + [l[0] is o, l[1].n])"
    fleet, job = finished(open_desk, ORDER, code)
    assert fleet.job(job).exit_value == [True, True, True, 2], fleet.show(job)["console"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_name_that_was_lost_says_why(open_desk: OpenDesk, restart: bool) -> None:
    """Reading a name that could not be kept raises NameError with the reason, also after a restart."""
    fleet, job = finished(open_desk, "g = (i for i in [1])", "x = 1", "print(sum(g))\nexit(0)", restart=restart)
    reason = "name 'g' cannot be kept across steps: a generator is a paused function and cannot be stored"
    said = [line for line in fleet.show(job)["console"] if reason in line]
    assert said == [f"{reason}; make a list of it", f"NameError: {reason}; make a list of it"]


def test_a_lost_name_may_be_given_again(open_desk: OpenDesk) -> None:
    """A new value under the name is a value like any other, and without it the name is plainly not defined."""
    codes = "g = (i for i in [1])", "g = 1", "del g", "print(g)\nexit(0)"
    fleet, job = finished(open_desk, *codes)
    assert fleet.show(job)["console"][-1] == "NameError: name 'g' is not defined"


def test_names_that_are_too_large_are_put_back(open_desk: OpenDesk) -> None:
    """A statement that makes the names too large fails with the largest ones; its names are as before it."""
    codes = "a = [1]\nb = 'x' * 12_000_000", "a.append(2)\nc = 'y' * 12_000_000\nd = 1"
    fleet, job = finished(open_desk, codes[0], codes[1], "exit([a, len(b)])")
    console = fleet.show(job)["console"]
    assert console[0].startswith("the names of this job take 12000")
    assert any("the limit is 20971520; largest names: b (11 MB), c (11 MB), a" in line for line in console)
    assert fleet.job(job).exit_value == [[1, 2], 12_000_000]
    assert desk.calls() == []


def test_an_instance_given_to_exit_can_be_read(open_desk: OpenDesk) -> None:
    """Who reads the result gets the fields; the methods stay with the job."""
    fleet, job = finished(open_desk, ORDER + "exit(Order(3))")
    value = fleet.job(job).exit_value
    assert (type(value).__name__, value.n) == ("Order", 3)
    with pytest.raises(NameError, match="its code is with the job"):
        value.double()
