"""Programs that wait in the middle of statements: it makes no difference whether, how and how often they wait."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from statek.testing import answer, declare_agent, declare_tool
from tests.runtime import desk, orders
from tests.runtime.conftest import OpenDesk

PROGRAMS = {
    "add before and after": "o = order()\no.n += (o.n + 1) * len(W)\no.n += 1\nr = [o.n, W, o.n]",
    "add around a wait": "o = order()\nfor k in range(2):\n    o.n += 1\n    W\n    o.n += 1\nr = o.n",
    "check, set, call, wait": (
        "o = order()\nif o.status == 'new':\n    o.status = 'paid'\n    post('charge')\n    W\n    o.n += 1\n"
        "r = [o.n, o.status]"
    ),
    "wait in a sort key": "o = order()\nr = sorted(o.items, key=lambda n: (W, count(str(n)), -n))",
    "wait in a comprehension": "o = order()\nr = [(o.pay(n), W)[0] for n in o.items]",
    "wait in a generator": "def g():\n    for n in order().items:\n        yield n * len(W)\nr = list(g())",
    "wait in a method": (
        "class A:\n    def f(self, o):\n        o.n += 5\n        return [o.n, W, o.n]\nr = A().f(order())"
    ),
    "wait in a property": (
        "class A:\n    @property\n    def f(self):\n        order().n += 2\n        return W\nr = [A().f, order().n]"
    ),
    "tool that changes its argument": "a = [1]\nb = a\n[extend(a, 'x'), W, extend(a, 'y')]\nr = [a, b is a]",
    "tool that changes stored parts": (
        "l = lines()\n[names_of(l), W]\nr = [len(l), l[2] is l[0], l[2] is order().first]"
    ),
    "method that changes its argument": "a = []\n[order().fill(a), W]\nr = [a[0], a[1] is order().first]",
    "outside tool that changes its argument": "a = [1]\n[extend_outside(a, 'x'), W]\nr = a",
    "tool that raises": (
        "o = order()\ntry:\n    o.n += 1\n    fail('x')\nexcept ValueError as e:\n"
        "    r = [str(e), W, o.n]\n    o.n += 1"
    ),
    "method that raises": "o = order()\ntry:\n    o.pay(-1)\nexcept ValueError as e:\n    r = [str(e), W, o.pay(2)]",
    "attribute that is missing": "o = order()\nr = [hasattr(o, 'x'), W, setattr(o, 'x', 1), hasattr(o, 'x'), W, o.x]",
    "set loop": "o = order()\nr = sorted([(o.pay(int(x)), post(x), W)[1] for x in {'1', '2', '3', '4', '5'}])",
    "stored set loop": "o = order()\nr = sorted([(post(x), W)[0] for x in o.s])\no.s.add('z')",
    "print": "o = order()\nprint('a', o.n, o.items)\nfor n in range(2):\n    print(n, o.pay(1), W, o.n)\nr = 0",
    "print inside a callback": "o = order()\nr = [o.apply(lambda n: [n, print('in')]), W, print('out')]",
    "random": "import random\nr = [random.random(), W, random.random(), order().pay(random.randint(1, 9))]",
    "finally": "o = order()\ntry:\n    o.n += 1\n    x = W\nfinally:\n    o.n += 10\n    print('left', o.n)\nr = o.n",
    "suppress": (
        "import contextlib\no = order()\nwith contextlib.suppress(Exception):\n"
        "    o.n += 1\n    x = W\n    o.n += 1\nr = o.n"
    ),
    "context manager": (
        "import contextlib\n@contextlib.contextmanager\ndef held(o):\n"
        "    o.status = 'held'\n    try:\n        yield o\n"
        "    finally:\n        o.status = 'free'\nwith held(order()) as o:\n    r = [o.status, W, o.status]"
    ),
    "append while iterating": "o = order()\nfor x in o.items:\n    o.items.append(x * 10)\n    W\nr = list(o.items)",
    "change a stored list": (
        "x = order().items\n[x.insert(0, 9), W, x.sort(), x.reverse(), W, x.pop(), x.remove(9), x.extend([7, 8])]\n"
        "x[1:3] = [W, 5]\ndel x[0]\nx += [1]\nr = [list(x), x is order().items]"
    ),
    "change a stored dict": (
        "d = order().d\n[d.update(c=3), W, d.setdefault('e', []), d.get('x'), W]\nd['e'].append(W)\nd |= {'f': 1}\n"
        "r = [sorted(d), str(sorted(d.items(), key=str)), 'a' in d, len(d)]"
    ),
    "change a stored set": "s = order().s\n[s.add('k'), W, s.discard('x'), W]\ns |= {'m'}\ns -= {'y'}\nr = sorted(s)",
    "ask a stored list": (
        "x = order().items\nr = [len(x), W, x[0], x[-1], x[1:], 2 in x, 9 in x, x == [1, 2, 3], x < [2], x + [4], "
        "x.index(2), x.count(3), sum(x), max(x), bool(x), [*x], x * 2, isinstance(x, list), W, repr(x), f'{x}']"
    ),
    "replace and read": (
        "o = order()\no.items = [o.items[0], [W, 2]]\nr = [o.items == [1, ['waited', 2]], W, len(o.items)]"
    ),
    "object in two names and a closure": (
        "o = order()\nq = {'k': [o, o.first]}\ndef f():\n    return [o.n, W, q['k'][0] is o]\nr = f()\no.n += 3"
    ),
    "operators of an object": (
        "b = bag()\nr = [len(b), W, list(b), b == bag(), bool(b), W, str(order().first), repr(b)]"
    ),
    "results": "o = order()\nr = [o.cheapest() is o.first, o.total, W, o.cheapest().name, o.LIMIT, o.day.year]",
    "error after a wait": "o = order()\ntry:\n    [o.pay(1), W, 1 / 0]\nexcept ZeroDivisionError:\n    r = [o.n, W]",
    "calls by argument": "o = order()\nr = [[price_of(line), W] for line in o.lines] + [total_of(o.items)]",
}  # fmt: skip
WAITS = {
    "straight on": "wait()",
    "in the middle of an expression": "wait()",
    "over a restart": "wait()",
    "for a child": "helper(stop=False).result",
    "for a child over a restart": "helper(stop=True).result",
}


def waited() -> str:
    """Go on at once."""
    return "waited"


def stopped() -> str:
    """Go on after a restart."""
    desk.pause()
    return "waited"


def run(open_desk: OpenDesk, program: str, how: str) -> dict[str, Any]:
    """All that the program left when it waits in this way."""
    tool = {
        "straight on": declare_tool(waited, name="wait", effect="read"),
        "in the middle of an expression": declare_tool(waited, name="wait", idempotent=True),
        "over a restart": declare_tool(stopped, name="wait", idempotent=True),
    }
    tools = (*orders.TOOLS, tool.get(how, tool["straight on"]))
    agents = [
        declare_agent("clerk", tools=tools, subagents=("helper",)),
        declare_agent("helper", tools=desk.TOOLS, inputs={"stop": {"type": "boolean"}}),
    ]
    code = PROGRAMS[program].replace("W", WAITS[how]) + "\nexit(r)"
    child = answer("if stop: pause()\nexit('waited')", agent="helper")
    fleet = open_desk(child, answer(code, agent="clerk"), agents=agents)
    job = fleet.submit("clerk", key="it")
    fleet.run()
    restarts = 0
    while not fleet.job(job).outcome:
        fleet = open_desk()
        fleet.run()
        restarts += 1
    assert ("restart" in how) == bool(restarts)
    shown = fleet.show(job)
    assert fleet.job(job).outcome == "ok", shown
    return {
        "exit": fleet.job(job).exit_value, "names": shown["locals"], "console": shown["console"],
        "store": orders.contents(), "calls": sorted(desk.calls()) if "set" in program else desk.calls(),
    }  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_waiting_makes_no_difference(open_desk: OpenDesk, tmp_path: Path, program: str) -> None:
    """Names, console, stored objects and calls are the same, wherever and however the statement waits."""
    straight = run(open_desk, program, "straight on")
    for how in list(WAITS)[1:]:
        desk.running.pop().close()
        shutil.rmtree(tmp_path / "store")
        (tmp_path / "calls").unlink(missing_ok=True)
        assert run(open_desk, program, how) == straight, how
