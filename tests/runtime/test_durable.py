"""Stored objects in the hands of a job: every read and write is recorded, and they stay what they are."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.store import workspace
from statek.store.job import find_job
from statek.testing import LocalFleet, answer
from statek.text.llm_repr import llm_repr
from tests.runtime import desk, orders
from tests.runtime.conftest import OpenDesk

ROOT = Path(__file__).parents[2]
REFUSED = {
    "o.n = 2 ** 70": "ValueError: the store keeps whole numbers in 64 bits",
    "o.n = 'a\\0b'": "ValueError: the store does not keep text with NUL",
    "o.n = '\\ud800'": "ValueError: the store does not keep text with NUL",
    "o.items.append({-1: 2})": "ValueError: a stored dict or set cannot hold the number -1 as a key",
    "o.d[(1, -1)] = 1": "ValueError: a stored dict or set cannot hold the number -1 as a key",
    "o.s.add(-3)": "ValueError: a stored dict or set cannot hold the number -3 as a key",
    "x = [1]\nx.append(x)\no.items = x": "ValueError: a stored value has at most 100 lists inside each other",
    "o.items.extend([1, 2 ** 70])": "ValueError: the store keeps whole numbers in 64 bits",
    "import datetime\no.n = datetime.datetime.now(datetime.timezone.utc)": "ValueError: the store does not keep time",
    "from decimal import Decimal\no.n = Decimal('1E+10')": "ValueError: the store keeps decimals of at most 17 digits",
    "o.n = {1, 2}.__class__": "TypeError: a stored object cannot hold a type",
    "o.n = lambda: 1": "TypeError: a stored object cannot hold a function",
    "o.total = 3": "Refused: 'total' of Order is a property",
    "o.t[0] = 3": "TypeError",
    "o.items.nope": "AttributeError: 'list' object has no attribute 'nope'",
    "o.nope": "AttributeError: 'Order' object has no attribute 'nope'",
    "o.items[7]": "IndexError: index 7 out of range: there are 3 members",
    "o.d['q']": "KeyError: 'q'",
    "o._private": "Refused: the attribute '_private' of",
    "o.items.raw": "AttributeError: 'list' object has no attribute 'raw'",
    "for n in range(12000): o.n": (
        "StatekError: too much happened in one statement to be able to resume it; split the loop"
    ),
    "from copy import copy\ncopy(o)": "TypeError: a stored Order cannot be copied",
}  # fmt: skip


def run(open_desk: OpenDesk, code: str) -> tuple[LocalFleet, str]:
    """A job of this code, closed and opened again at every `pause()`."""
    fleet = open_desk(answer(code, turn=1), answer("exit('given up')", turn=2), agents=[orders.CLERK])
    job = fleet.submit("clerk", key="it")
    fleet.run()
    while not fleet.job(job).outcome:
        fleet = open_desk()
        fleet.run()
    return fleet, job


def value(open_desk: OpenDesk, code: str) -> Any:
    """What a job of this code gives."""
    fleet, job = run(open_desk, code)
    assert fleet.job(job).exit_value != "given up", fleet.show(job)["console"]
    return fleet.job(job).exit_value


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_what_was_read_before_the_wait_stays(open_desk: OpenDesk) -> None:
    """Reads before a wait are as they were, reads after it see what others have changed meanwhile."""
    code = "o = order()\nexit([o.n, len(o.items), meanwhile(7), o.n, len(o.items), meanwhile(9), o.n, o.items[-1]])"
    assert value(open_desk, code) == [0, 3, "paused", 7, 4, "paused", 9, 9]


def test_a_write_is_done_once(open_desk: OpenDesk) -> None:
    """What a statement wrote before it waited is not written again when it goes on."""
    writes = "[setattr(o, 'n', 1), o.items.append(4), o.pay(2), meanwhile(50), o.pay(1)]"
    code = f"o = order()\n{writes}\nexit([o.n, list(o.log)])"
    assert value(open_desk, code) == [51, [2, 1]]
    assert orders.contents()["items"] == [1, 2, 3, 4, 50]


def test_another_job_in_between(open_desk: OpenDesk) -> None:
    """While a statement waits for a child job, the child changes the object: the statement sees it from there on."""
    child = answer("order().n = 40\npause()\nexit('done')", agent="helper")
    code = "o = order()\nr = [o.n, helper().result, o.n]\no.n += 1\nexit([r, o.n])"
    agents = [orders.declare("clerk", subagents=("helper",)), orders.declare("helper")]
    fleet = open_desk(child, answer(code, agent="clerk"), agents=agents)
    job = fleet.submit("clerk")
    fleet.run()
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == [[0, "done", 40], 41]


def test_a_kill_undoes_or_keeps_write_and_record_together(tmp_path: Path) -> None:
    """Killed right after a write, in the middle of a statement, the write is there once when the job is done."""
    command = [sys.executable, "-W", "error", "-m", "tests.runtime.killed_orders", str(tmp_path)]
    codes = [subprocess.run(command, cwd=ROOT, timeout=90, check=False).returncode for _ in range(4)]
    assert codes == [9, 9, 9, 0]
    assert (tmp_path / "end").read_text() == "[6, [1, 2, 3], [[0, 1], 'survived 1', [1, 3], 'survived 2', [3, 6]]]"


def test_replayed_from_nothing(open_desk: OpenDesk, tmp_path: Path) -> None:
    """Without the store file the ledger brings back the same objects, and calls nothing."""
    code = "o = order()\nr = [o.pay(1), post(str(o.n)), o.pay(2), price_of(o.first), o.items.append(4), o.n]\nexit(r)"
    fleet, job = run(open_desk, code)
    before, made = orders.contents(), desk.calls()
    fleet.close()
    (tmp_path / "store" / "statek.db0").unlink()
    fleet = open_desk()
    fleet.run()
    assert (fleet.job(job).exit_value, orders.contents()) == ([1, "posted 1", 3, 3, None, 3], before)
    assert desk.calls() == made


def test_the_statement_in_progress_is_replayed(open_desk: OpenDesk, tmp_path: Path) -> None:
    """Closed in the middle of a statement, and the store lost: its writes are made again, once."""
    code = "o = order()\nr = [o.n, o.pay(1), post(str(o.n)), pause(), o.pay(2), o.n]\nexit(r)"
    fleet = open_desk(answer(code), agents=[orders.CLERK])
    job = fleet.submit("clerk")
    fleet.run()
    fleet.close()
    (tmp_path / "store" / "statek.db0").unlink()
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == [0, 1, "posted 1", "paused", 3, 3]
    assert desk.calls() == ["post 1"]


def test_what_a_callback_did_belongs_to_the_call(open_desk: OpenDesk) -> None:
    """A method that called back into the job is answered as a whole, with what was printed inside."""
    code = "o = order()\nr = [o.apply(lambda n: [n, o.n, print('in')]), pause(), print('out'), pause(), o.n]\nexit(r)"
    fleet, job = run(open_desk, code)
    assert fleet.job(job).exit_value == [[2, 0, None], "paused", None, "paused", 0]
    assert fleet.show(job)["console"] == ["in", "out"]


def test_a_record_is_forgotten_with_its_statement(open_desk: OpenDesk) -> None:
    """A job that is between statements keeps no record."""
    _, job = run(open_desk, "o = order()\n[o.n, pause()]\nexit(o.n)")
    stored = find_job(job)
    assert stored is not None
    assert (stored.journal, stored.journal_refs) == (None, None)


# -- what a job has in its hands --------------------------------------------------------------------------------------


def test_tools_get_the_objects_themselves(open_desk: OpenDesk) -> None:
    """Tools of every kind are given stored objects, alone and inside of lists, never what stands for them."""
    calls = "names_of(lines()), price_of(o.first), total_of(o.items), o.fill([]), class_of({'k': [o]})"
    code = f"o = order()\nexit([{calls}])"
    assert value(open_desk, code) == [["pen", "ink"], 3, 6, None, "Order"]
    assert desk.calls() == ["names ['Line', 'Line']", "price Line pen", "total List [1, 2, 3]"]


def test_a_list_shared_by_two_objects(open_desk: OpenDesk) -> None:
    """A stored list that is given to another object is the same list in both, also after a restart."""
    seen = "[bag().members is o.items, x is o.items, len(bag())]"
    code = f"o = order()\nx = o.items\nbag().members = x\npause()\nx.append(9)\nexit({seen})"
    assert value(open_desk, code) == [True, True, 4]


def test_an_object_in_many_places_stays_one(open_desk: OpenDesk) -> None:
    """Two names, a list, an attribute and a closure hold the same object, before and after a restart."""
    code = (
        "a = order()\nb = a\nc = {'k': [a, a.items]}\ndef f():\n    return a\npause()\n"
        "exit([a is b, c['k'][0] is a, c['k'][1] is b.items, f() is order(), a == b, a in c['k'], len({a, b})])"
    )
    assert value(open_desk, code) == [True] * 7


def test_assigning_a_list_to_its_own_place(open_desk: OpenDesk) -> None:
    """`o.items += [4]` changes the list that is there, as in Python."""
    code = "o = order()\nx = o.items\no.items += [4]\no.items = o.items\npause()\nexit([x is o.items, list(x)])"
    assert value(open_desk, code) == [True, [1, 2, 3, 4]]


def test_plain_copies(open_desk: OpenDesk) -> None:
    """Copies of stored lists and dicts are plain; changing them changes nothing stored."""
    code = (
        "from copy import copy, deepcopy\nimport json\no = order()\n"
        "a, b, c = copy(o.items), deepcopy(o.nested), dict(o.d)\n"
        "a.append(1)\nb[0].append(2)\nc['z'] = 3\n"
        "exit([a, b, c, json.dumps(o.nested), json.dumps({'d': o.d}), list(o.items), o.nested[0] == [1]])"
    )
    made = value(open_desk, code)
    assert made[:3] == [[1, 2, 3, 1], [[1, 2], {"k": [2]}], {"a": 1, "b": 2, "z": 3}]
    assert made[3:] == ['[[1], {"k": [2]}]', '{"d": {"a": 1, "b": 2}}', [1, 2, 3], True]


def test_they_look_like_pythons_own(open_desk: OpenDesk) -> None:
    """Types, patterns, unpacking and printing of stored containers are those of Python's own."""
    code = (
        "o = order()\nmatch o.items:\n    case [a, *rest]: pass\nx, y, z = o.items\n"
        "print(o.items, o.d, o.t, f'{o.items} {o.items!r}')\n"
        "exit([a, rest, z, type(o.items) is list, type(o) is type(order()), isinstance(o.d, dict), "
        "isinstance(o.s, set), isinstance(o.t, tuple), o.t == (1, 'two'), hash(o.t) == hash((1, 'two')), "
        "{**o.d}, max(*o.items)])"
    )
    fleet, job = run(open_desk, code)
    assert fleet.job(job).exit_value == [1, [2, 3], 3, *[True] * 7, {"a": 1, "b": 2}, 3]
    assert fleet.show(job)["console"] == ['[1,2,3] {"a":1,"b":2} (1,"two") [1,2,3] [1, 2, 3]']


def test_what_an_object_says_of_itself(open_desk: OpenDesk) -> None:
    """Objects are printed as they would be elsewhere, alone and in lists, in their own words where they have some."""
    fleet, job = run(open_desk, "print(order().lines, order().first, order(), str(order().first))\nexit()")
    shown = llm_repr(orders.order())
    assert shown.startswith("Order(")
    assert fleet.show(job)["console"] == [f"[pen for 3,ink for 5] pen for 3 {shown} pen for 3"]


def test_enum_values_of_the_store(open_desk: OpenDesk) -> None:
    """An enum value in an attribute can be read, compared and kept over a wait."""
    seen = "[r[0] == c, str(c), c == o.colour]"
    code = f"o = order()\npaint(o)\nr = [o.colour, pause()]\nc = o.colour\npause()\nexit({seen})"
    assert value(open_desk, code) == [True, "RED", True]


@pytest.mark.parametrize("code", REFUSED)
def test_what_the_store_would_not_keep_is_refused(open_desk: OpenDesk, code: str) -> None:
    """What would be lost, damaged or fatal in the store is an error that says so, and changes nothing."""
    fleet, job = run(open_desk, f"o = order()\n{code}")
    assert fleet.show(job)["console"][-1].startswith(REFUSED[code])
    assert orders.contents()["items"] == [1, 2, 3]


# -- numbers, references ----------------------------------------------------------------------------------------------


def test_calls_with_objects_are_told_apart_after_a_restart(open_desk: OpenDesk) -> None:
    """Calls made with objects that a set gave in any order are each answered with what they had given."""
    code = (
        "s = {find_line(n) for n in ['pen', 'ink']}\n"
        "r = sorted([(price_of(x), x.name) for x in s] + [(0, pause())] + [(price_of(x), x.name) for x in s])\nexit(r)"
    )
    assert value(open_desk, code) == [(0, "paused"), (3, "pen"), (3, "pen"), (5, "ink"), (5, "ink")]
    assert sorted(desk.calls()) == ["price Line ink"] * 2 + ["price Line pen"] * 2


def test_numbers_do_not_depend_on_order(open_desk: OpenDesk, tmp_path: Path) -> None:
    """An object's number is made of where it entered: gone through in another order, a call has the same key."""
    digests = []
    for names in (["pen", "ink"], ["ink", "pen"]):
        code = f"for n in {names}:\n    x = find_line(n)\n    price_of(x)\nexit(1)"
        fleet, _ = run(open_desk, code)
        known = fleet.fleet.passes.records
        assert known is not None
        digests.append({record.key for record in known.after(0) if record.key and "price_of" in record.key})
        fleet.close()
        shutil.rmtree(tmp_path / "store")
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4


def test_numbers_are_kept_with_the_names(open_desk: OpenDesk) -> None:
    """A stored snapshot says which number each object has, also when a value is put in from outside."""
    _, job = run(open_desk, "o = order()\nx = [o.items, o]\npause()\nexit(1)")
    stored = find_job(job)
    assert stored is not None
    numbers = workspace.numbers(stored)
    assert len(numbers) == len(set(numbers)) == len(stored.refs) == 2
    workspace.add_names(stored, {"y": orders.bag()})
    assert workspace.numbers(stored)[:2] == numbers


def test_an_object_of_another_prefix(open_desk: OpenDesk, tmp_path: Path) -> None:
    """It is kept by its address: while its prefix is not there, using it is an error that says so; later it is back."""
    code = (
        "x = elsewhere()\nv = x.name\npause()\ntry:\n    w = [v, x.name]\nexcept Exception as e:\n    w = str(e)\n"
        "pause()\nexit([w, x.name])"
    )
    fleet = open_desk(answer(code), agents=[orders.CLERK])
    job = fleet.submit("clerk")
    fleet.run()
    fleet.close()
    file, away = tmp_path / "store" / "else.db0", tmp_path / "away"
    file.rename(away)
    fleet = open_desk()
    fleet.run()
    assert "not open" in fleet.show(job)["locals"]["x"]
    fleet.close()
    away.rename(file)
    fleet = open_desk()
    fleet.run()
    text, name = fleet.job(job).exit_value
    assert "of prefix 'else' is in a prefix that is not open" in text
    assert name == "far"
    assert db0.get_current_prefix().name == "statek"


def test_values_that_cannot_be_kept_still_refuse_the_wait(open_desk: OpenDesk) -> None:
    """A read that gave something that no record can hold lets the statement go on, but not wait."""
    fleet, job = run(open_desk, "[order().odd, post('x')]")
    assert "cannot wait here: odd of a stored object" in fleet.show(job)["console"][0]
    assert desk.calls() == []


def test_outside_shows_plain_objects(open_desk: OpenDesk) -> None:
    """Who looks at a job's names from outside sees the stored objects themselves."""
    fleet, job = run(open_desk, "o = order()\nx = o.items\npause()\nexit(x)")
    names = workspace.read_names(fleet.job(job))
    assert names["o"] is orders.order()
    assert names["x"] is fleet.job(job).exit_value is orders.order().items


def test_a_snapshot_without_numbers_is_read(open_desk: OpenDesk) -> None:
    """Jobs stored before objects had numbers go on: an object's number is then made of its place."""
    fleet = open_desk(answer("o = order()\n[o.n, pause()]\nexit(price_of(o.first))"), agents=[orders.CLERK])
    job = fleet.submit("clerk")
    fleet.run()
    fleet.job(job).numbers = None
    fleet = open_desk()
    fleet.run()
    assert fleet.job(job).exit_value == 3
