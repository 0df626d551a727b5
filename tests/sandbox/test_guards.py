"""The guards are called once for each access, and what model code meets outside goes through the border."""

import datetime
import random
from collections.abc import Iterator
from typing import Any

import pytest

from statek.sandbox import policy
from statek.sandbox.bounds import WATCHDOG, Watchdog
from statek.sandbox.guards import builtins_for, is_job_class, named_values
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import SourceRefused, compile_block, is_job_source
from statek.sandbox.runner import Failed, LocalBorder, Outcome, run_block_locally, run_statement


class Durable:
    """An object of the store."""


class Later:
    """Stands for a Durable that is not read yet."""


class RecordingBorder(LocalBorder):
    """Writes down every crossing."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.crossings: list[tuple[Any, ...]] = []

    def now_us(self) -> int:
        """A fixed instant."""
        return 1_700_000_000_123_456

    def is_durable(self, value: object) -> bool:
        """Durable objects are."""
        return isinstance(value, Durable)

    def is_placeholder(self, value: object) -> bool:
        """Later objects are."""
        return isinstance(value, Later)

    def resolve(self, value: object) -> object:
        """Give the durable object behind."""
        self.crossings.append(("resolve",))
        return Durable()

    def get_attribute(self, owner: object, name: str) -> object:
        """Note it."""
        self.crossings.append(("get", name))
        return 5

    def set_attribute(self, owner: object, name: str, value: object) -> None:
        """Note it."""
        self.crossings.append(("set", name, value))

    def delete_attribute(self, owner: object, name: str) -> None:
        """Note it."""
        self.crossings.append(("del", name))

    def get_item(self, owner: object, key: object) -> object:
        """Note it."""
        self.crossings.append(("get[]", key))
        return 7

    def set_item(self, owner: object, key: object, value: object) -> None:
        """Note it."""
        self.crossings.append(("set[]", key, value))

    def delete_item(self, owner: object, key: object) -> None:
        """Note it."""
        self.crossings.append(("del[]", key))

    def iterate(self, owner: object) -> Iterator[object]:
        """Note it."""
        self.crossings.append(("iterate",))
        return iter([1, 2])


def _run(source: str, border: RecordingBorder, **changed: Any) -> tuple[Outcome | None, dict[str, Any]]:
    host = {"order": Durable(), "later": Later()}
    namespace: dict[str, Any] = {"__builtins__": builtins_for(border, Policy(**changed), host)}
    outcome = None
    for statement in compile_block(source).statements:
        outcome = run_statement(statement, namespace, border)
    return outcome, namespace


@pytest.mark.parametrize(
    ("source", "crossings"),
    [
        ("order.total", [("get", "total")]),
        ("order.total = 1", [("set", "total", 1)]),
        ("order.total += 1", [("get", "total"), ("set", "total", 6)]),
        ("del order.total", [("del", "total")]),
        ("order['a']", [("get[]", "a")]),
        ("order['a'] = 2", [("set[]", "a", 2)]),
        ("order['a'] -= 2", [("get[]", "a"), ("set[]", "a", 5)]),
        ("del order['a']", [("del[]", "a")]),
        ("for x in order: pass", [("iterate",)]),
        ("[x for x in order]", [("iterate",)]),
        ("list(order)", [("iterate",)]),
        ("a, b = order", [("iterate",)]),
        ("getattr(order, 'total')", [("get", "total")]),
        ("setattr(order, 'total', 3)", [("set", "total", 3)]),
        ("'{0.total}'.format(order)", [("get", "total")]),
        ("later.total", [("resolve",), ("get", "total")]),
        ("later['a']", [("resolve",), ("get[]", "a")]),
        ("later.total = 1", [("resolve",), ("set", "total", 1)]),
        ("for x in later: pass", [("resolve",), ("iterate",)]),
    ],
)
def test_every_access_crosses_once(source: str, crossings: list[tuple[Any, ...]]) -> None:
    """What runs is what was transformed: one access in the source is one call of its guard."""
    border = RecordingBorder()
    outcome, _ = _run(source, border)
    assert not isinstance(outcome, Failed)
    assert border.crossings == crossings


def test_clock_comes_from_the_border() -> None:
    """No code reads the machine's clock."""
    border = RecordingBorder()
    _run(
        "from datetime import datetime, date\nimport time\nprint(str(datetime.now()), str(date.today()), time.time())",
        border,
    )
    assert border.lines == ["2023-11-14 22:13:20.123456 2023-11-14 1700000000.123456"]


def test_random_numbers_come_from_the_border() -> None:
    """Random numbers and uuids repeat with the job's generator."""
    assert _random_lines() == _random_lines()


def _random_lines() -> list[str]:
    border = RecordingBorder()
    _run("import random, uuid\nprint(random.random(), str(uuid.uuid4()), random.Random().random())", border)
    return border.lines


def test_namespace_holds_own_names_only() -> None:
    """Between statements nothing of the sandbox lies among the job's names."""
    source = "a = b = (c, d) = [1, 2]\nwith_ = 1\nfor i, (j, k) in [(1, (2, 3))]: pass\nmatch 1:\n    case int(n): pass"
    _, namespace = _run(source, RecordingBorder())
    assert set(namespace) == {"__builtins__", "a", "b", "c", "d", "with_", "i", "j", "k", "n"}


def test_job_classes_are_recognised() -> None:
    """Classes and namedtuples of a job say so; others do not."""
    _, namespace = _run(
        "class A: pass\nfrom collections import namedtuple\nB = namedtuple('B', 'x')", RecordingBorder()
    )
    assert is_job_class(namespace["A"])
    assert is_job_class(namespace["B"])
    assert not is_job_class(Durable)
    assert not is_job_class(A_INSTANCE)


A_INSTANCE = 5


def test_values_from_outside_have_lasting_names() -> None:
    """What an import or a builtin put into a namespace can be kept by name."""
    _, namespace = _run("import math\nfrom random import choice\np = print", RecordingBorder())
    named = named_values(namespace["__builtins__"])
    assert named["math"] is namespace["math"]
    assert named["random.choice"] is namespace["choice"]
    assert named["print"] is namespace["p"]


def test_builtin_names_are_there() -> None:
    """Every documented name is found, and none beyond them but tools and what is refused in words."""
    found = {name for name in builtins_for(LocalBorder(), Policy(), {}) if not (name[0] == "_" and name[-1] == "_")}
    documented = policy.BUILTIN_NAMES - {"True", "False", "None", "__name__"}
    assert found == documented | set(policy.UNOFFERED_NAMES)


def test_every_module_can_be_imported() -> None:
    """The table of modules holds only what has exports."""
    named = named_values(builtins_for(LocalBorder(), Policy(), {}))
    assert set(named) >= policy.MODULES


def test_all_problems_are_reported_with_their_place() -> None:
    """One refusal lists every line, in characters."""
    with pytest.raises(SourceRefused) as refused:
        compile_block("import os\nx = 'ä'.__dict__\n_x = 1\n")
    found = [(p.code, p.line, p.column) for p in refused.value.problems]
    assert found == [("STK403", 1, 1), ("STK402", 2, 5)]


def test_private_name_hides_no_other_problem() -> None:
    """An allowed `_x` does not switch other checks off."""
    with pytest.raises(SourceRefused, match="__globals__"):
        compile_block("_x = 1\n(lambda: 0).__globals__")


def test_lines_of_nested_code_are_real() -> None:
    """Functions keep the line they stand on, and the file name says whose they are."""
    outcome, namespace = _run("x = 1\n\ndef f():\n    return 1 / 0\n\nf()", RecordingBorder())
    assert namespace["f"].__code__.co_firstlineno == 3
    assert is_job_source(namespace["f"].__code__.co_filename)
    assert isinstance(outcome, Failed)
    assert (outcome.text, outcome.line) == ("ZeroDivisionError: division by zero", 4)


def test_console_of_a_block_is_capped() -> None:
    """Printing beyond the cap is an error; what came before stays."""
    border = RecordingBorder()
    outcome, _ = _run("for i in range(5):\n    print('x' * 40)", border, console_bytes=100)
    assert len(border.lines) == 2
    assert isinstance(outcome, Failed)
    assert "print less" in outcome.text


def test_quiet_calls_echo_nothing() -> None:
    """Only a bare print or exit that gives None is silent."""
    assert run_block_locally("print('a')\n[].append(1)\n'b'\n3")[0] == ["a", "None", "b", "3"]


def test_ticks_bound_code_without_a_timer() -> None:
    """Without SIGALRM an endless loop still ends."""
    _, error = run_block_locally("while True: pass", None, Policy(step_seconds=0.1))
    assert type(error).__name__ == "TimeLimit"


def test_watchdog_disarms() -> None:
    """After the stretch ticks are free again."""
    watchdog = Watchdog()
    with watchdog.armed(10, 1 << 30):
        watchdog.overdue = True
    watchdog.tick()
    assert not WATCHDOG.overdue


def test_operator_may_allow_a_module() -> None:
    """`imports` makes further modules importable, but never those that open the host."""
    border, allowed = RecordingBorder(), Policy(imports=("colorsys", "os"))
    block = compile_block("import colorsys\nprint(colorsys.rgb_to_hsv(0, 0, 0))", allowed)
    namespace: dict[str, Any] = {"__builtins__": builtins_for(border, allowed, {})}
    for statement in block.statements:
        run_statement(statement, namespace, border)
    assert border.lines == ["(0.0,0.0,0)"]
    with pytest.raises(SourceRefused):
        compile_block("import os", allowed)


def test_shared_generator_is_the_borders() -> None:
    """`random.seed` of a job leaves the process's own generator alone."""
    state = random.getstate()
    run_block_locally("import random\nrandom.seed(1)\nrandom.random()")
    assert random.getstate() == state
    assert datetime.datetime.now(tz=datetime.UTC).year > 2000
