"""Placeholders in code that may hold them: resolved at the first use and not before, wherever that is."""

from typing import Any

import pytest

from statek.exceptions import FutureError
from statek.sandbox.guards import builtins_for
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import compile_block, with_placeholders
from statek.sandbox.runner import Failed, Finished, LocalBorder, Outcome, Suspended, run_statement
from tests.sandbox.test_programs import PROGRAMS

FIRST_USES = {
    "attribute": "x = later(obj)\nprint(x.a)",
    "item": "x = later([7])\nprint(x[0])",
    "key": "x = later('k')\nd = {'k': 7}\nprint(d[x])",
    "slice": "x = later(1)\nprint([6, 7][x:][0])",
    "operand": "x = later(3)\nprint(x + 4)",
    "right_operand": "x = later(3)\nprint(4 + x)",
    "negation": "x = later(-7)\nprint(-x)",
    "in_place": "n = 3\nx = later(4)\nn += x\nprint(n)",
    "in_place_item": "n = [3]\nx = later(4)\nn[0] += x\nprint(n[0])",
    "in_place_of_itself": "x = later(3)\nx += 4\nprint(x)",
    "in_place_element": "xs = [later(3)]\nxs[0] += 4\nprint(xs[0])",
    "comparison": "x = later(7)\nprint(7 if x == 7 else 0)",
    "is_none": "x = later(None)\nprint(7 if x is None else 0)",
    "chained": "x = later(2)\nprint(7 if 1 < x < 3 else 0)",
    "in": "x = later([1])\nprint(7 if 1 in x else 0)",
    "member_in": "x = later(1)\nprint(7 if x in [1] else 0)",
    "if": "x = later(0)\nif x:\n    print(0)\nelse:\n    print(7)",
    "while": "x = later(0)\nwhile x:\n    print(0)\n    break\nelse:\n    print(7)",
    "not": "x = later(0)\nprint(7 if not x else 0)",
    "and": "x = later(0)\nprint((x and 5) + 7)",
    "or": "x = later(0)\nprint(x or 7)",
    "ternary": "x = later(0)\nprint(0 if x else 7)",
    "assert": "x = later(0)\ntry:\n    assert x\nexcept AssertionError:\n    print(7)",
    "condition_of_comprehension": "x = later(0)\nprint(7 if not [1 for _ in [1] if x] else 0)",
    "f_string": "x = later(7)\nprint(f'{x}')",
    "format_of_f_string": "x = later(7)\nprint(f'{x:d}')",
    "percent": "x = later(7)\nprint('%d' % x)",
    "format_method": "x = later(7)\nprint('{}'.format(x))",
    "for": "x = later([7])\nfor i in x:\n    print(i)",
    "comprehension": "x = later([7])\nprint([i for i in x][0])",
    "star": "x = later([7])\nprint(*x)",
    "mapping": "x = later({'a': 7})\nprint({**x}['a'])",
    "keywords": "def f(a): return a\nx = later({'a': 7})\nprint(f(**x))",
    "with": "x = later(manager)\nwith x as y:\n    print(y)",
    "len": "x = later('1234567')\nprint(len(x))",
    "str": "x = later(7)\nprint(str(x))",
    "list": "x = later((7,))\nprint(list(x)[0])",
    "sorted": "x = later([8, 7])\nprint(sorted(x)[0])",
    "isinstance": "x = later(7)\nprint(7 if isinstance(x, int) else 0)",
    "type": "x = later(7)\nprint(7 if type(x) is int else 0)",
    "max": "x = later(7)\nprint(max(x, 3))",
    "getattr": "x = later(obj)\nprint(getattr(x, 'a'))",
    "method_argument": "x = later(7)\nl = []\n_ = l.append(x)\nprint(l[0])",
    "function_argument": "def f(a): return a + 1\nx = later(6)\nprint(f(x))",
    "constructor": "class A:\n    def __init__(self, a): self.a = a + 1\nx = later(6)\nprint(A(x).a)",
    "called": "x = later(len)\nprint(x('1234567'))",
    "return": "def f():\n    x = later(7)\n    return x\nprint(f())",
    "assigned_name": "x = later(7)\ny = x\nprint(y)",
    "lambda": "x = later(7)\nprint((lambda: x)())",
    "generator": "def g():\n    x = later(7)\n    yield x + 0\nprint(next(g()))",
    "yield_from": "def g():\n    yield from later([7])\nprint(next(g()))",
    "match": "x = later(7)\nmatch x:\n    case 7:\n        print(7)",
    "unpacked_name": "x = later((3, 4))\na, b = x\nprint(a + b)",
    "walrus": "if (x := later(7)):\n    print(x)",
    "set_member": "print(7 if 1 in {later(1)} else 0)",
    "dict_key": "print({later(1): 7}[1])",
    "class_attribute": "class A:\n    x = later(7)\nprint(A.x + 0)",
    "own_attribute": "class A: pass\na = A()\na.x = later(7)\nprint(a.x + 0)",
    "raise": "x = later(ValueError('7'))\ntry:\n    raise x\nexcept ValueError as e:\n    print(e.args[0])",
    "direct_operand": "print(later(3) + 4)",
    "direct_attribute": "print(later(obj).a)",
    "direct_item": "print(later([7])[0])",
    "direct_condition": "print(0 if later(0) else 7)",
    "direct_if": "if later(0):\n    print(0)\nelse:\n    print(7)",
    "direct_method": "print(later('7').strip())",
    "direct_argument": "print(later(7))",
    "direct_iteration": "for i in later([7]):\n    print(i)",
    "direct_f_string": "print(f'{later(7)}')",
    "echo": "later(7)",
    "in_list": "xs = [later(3), later(4)]\nprint(xs[0] + xs[1])",
    "sum_of_list": "xs = [later(3), later(4)]\nprint(sum(xs))",
    "sum_of_generator": "print(sum(later(i) for i in (3, 4)))",
    "equal_lists": "xs = [later(3)]\nprint(7 if xs == [3] else 0)",
    "loop_over_list": "for x in [later(7)]:\n    print(x)",
    "nested_in_print": "print(f'{[later(7)]}'[1])",
    "default": "def f(a=later(7)): return a + 0\nprint(f())",
    "decorator": "def same(f): return f\nd = later(same)\n@d\ndef g(): return 7\nprint(g())",
    "closure": "def f():\n    x = later(7)\n    def g(): return x + 0\n    return g\nprint(f()())",
    "deleted": "x = [7]\ni = later(0)\ny = x[:]\ndel x[i]\nprint(y[0] if not x else 0)",
    "written_owner": "class A: pass\na = A()\nx = later(a)\nx.v = 7\nprint(a.v)",
    "written_key": "d = {}\nk = later('k')\nd[k] = 7\nprint(d['k'])",
    "elements": "a, b = pair(3, 4)\nprint(a + b)",
    "sort_key": "print(sorted([8, 7], key=lambda n: later(n) + 0)[0])",
}


class Later:
    """A value that comes later."""

    def __init__(self, value: Any, *, length: int | None = None) -> None:
        self.value, self.length = value, length


class Manager:
    """Something for `with`."""

    def __enter__(self) -> int:
        return 7

    def __exit__(self, *_: object) -> None:
        return None


class Owner:
    """Something of the host with an attribute."""

    a = 7


class Border(LocalBorder):
    """Knows placeholders, and whether their values have come."""

    def __init__(self, *, ready: bool = True) -> None:
        super().__init__(seed=1)
        self.ready = ready
        self.resolved = 0
        self.leaving: FutureError | None = None

    def is_placeholder(self, value: object) -> bool:
        return isinstance(value, Later)

    def resolve(self, value: object) -> object:
        assert isinstance(value, Later)
        if not self.ready:
            self.leaving = FutureError(value)
            raise self.leaving
        self.resolved += 1
        return value.value

    def resolve_within(self, value: object) -> object:
        if isinstance(value, Later):
            return self.resolve(value)
        return [self.resolve_within(part) for part in value] if type(value) is list else value

    def resolve_arguments(
        self, function: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if getattr(function, "__name__", "") == "is_later":
            return args, kwargs
        named = {name: self.resolve_within(value) for name, value in kwargs.items()}
        return tuple(map(self.resolve_within, args)), named

    def elements(self, value: object) -> object:
        assert isinstance(value, Later)
        return [Later(part) for part in value.value] if value.length else self.resolve(value)

    def pausing(self) -> BaseException | None:
        return self.leaving


def run(source: str, border: Border) -> Outcome:
    """Run a block with `later(value)`, and `pair(a, b)` whose length is promised."""
    host: dict[str, object] = {
        "later": lambda value: Later(value), "pair": lambda *values: Later(values, length=len(values)),
        "is_later": is_later, "obj": Owner(), "manager": Manager(),
    }  # fmt: skip
    namespace: dict[str, object] = {"__builtins__": builtins_for(border, Policy(), host)}
    outcome: Outcome = Finished(None)
    for statement in compile_block(with_placeholders(source)).statements:
        outcome = run_statement(statement, namespace, border)
        if not isinstance(outcome, Finished):
            break
    return outcome


def is_later(value: object) -> bool:
    """A function that takes placeholders."""
    return isinstance(value, Later)


@pytest.mark.parametrize("name", FIRST_USES)
def test_first_use_resolves(name: str) -> None:
    """A placeholder behaves like its value wherever it is used."""
    border = Border()
    outcome = run(FIRST_USES[name], border)
    assert (outcome.text if isinstance(outcome, Failed) else "", border.lines) == ("", ["7"])


@pytest.mark.parametrize("name", FIRST_USES)
def test_first_use_suspends(name: str) -> None:
    """A use of a value that is not there suspends the statement, and nothing after it is printed."""
    border = Border(ready=False)
    outcome = run(FIRST_USES[name], border)
    assert isinstance(outcome, Suspended)
    assert border.lines == []


@pytest.mark.parametrize(
    "source",
    [
        "x = later(1)", "x = [later(1), later(2)]", "x = {'a': later(1)}", "a, b = pair(1, 2)", "x = y = later(1)",
        "def f(): return later(1)\nx = f()", "xs = [later(i) for i in range(3)]\ny = xs[0]", "x = later(1)\ndel x",
        "class A: pass\na = A()\na.x = later(1)", "x = later(1) if True else 2", "x = True and later(1)",
        "x = later(1)\ny = is_later(x)", "fs = [later(1)]\ny = is_later(*fs)", "for x in [later(1)]: pass",
    ],
)  # fmt: skip
def test_binding_waits_for_nothing(source: str) -> None:
    """To bind, hand on or collect what a call gives is no use of it."""
    outcome = run(source, Border(ready=False))
    assert isinstance(outcome, Finished), getattr(outcome, "text", outcome)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_ordinary_programs_do_the_same(name: str) -> None:
    """The guards of first uses change nothing for code without placeholders."""
    source, expected = PROGRAMS[name]
    border = Border()
    outcome = run(source, border)
    assert (getattr(outcome, "text", ""), border.lines) == ("", expected)


def test_plain_code_has_no_guards_of_first_uses() -> None:
    """Code that can hold no placeholder is compiled without any of it."""
    names = {
        name for s in compile_block("def f(a): return a\nx = f(1)\nprint(x + x)").statements for name in _all(s.code)
    }
    assert not names & {"_use_", "_within_", "_call_", "_take_apart_"}


def _all(code: Any) -> set[str]:
    inner = [part for part in code.co_consts if hasattr(part, "co_names")]
    return set(code.co_names).union(*map(_all, inner))
