"""A wait or an exit cannot be swallowed by model code, and no cleanup runs while pausing."""

# ruff: noqa: E501 - one program a line reads better than folded text

import pytest

from statek.exceptions import FutureError
from statek.sandbox.guards import builtins_for
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import SourceRefused, compile_block
from statek.sandbox.runner import Exited, Failed, Finished, LocalBorder, Outcome, Suspended, run_statement

PRELUDE = """
from contextlib import contextmanager, suppress, ExitStack
class Swallow:
    def __enter__(self): return self
    def __exit__(self, kind, error, trace):
        note('left')
        return True
@contextmanager
def swallowing():
    try:
        yield
    except Exception:
        note('caught')
    finally:
        note('left')
"""

# Statements with `leave()`, which is `wait()` in one test and `exit('out')` in the other.
SWALLOWING: dict[str, str] = {
    "plain": "leave()",
    "except": "try:\n    leave()\nexcept Exception:\n    note('caught')",
    "bare_except": "try:\n    leave()\nexcept:\n    note('caught')",
    "except_tuple": "try:\n    leave()\nexcept (ValueError, Exception) as e:\n    note('caught')",
    "else_branch": "try:\n    pass\nexcept Exception:\n    pass\nelse:\n    leave()",
    "nested_except": "try:\n    try:\n        leave()\n    except:\n        note('caught')\nexcept:\n    note('caught')",
    "loop_retry": "for i in range(3):\n    try:\n        leave()\n    except Exception:\n        note('caught')\n        continue",
    "in_handler": "try:\n    1/0\nexcept ZeroDivisionError:\n    try:\n        leave()\n    except:\n        note('caught')",
    "suppress": "with suppress(Exception):\n    leave()",
    "own_manager": "with Swallow():\n    leave()",
    "contextmanager": "with swallowing():\n    leave()",
    "exit_stack": "with ExitStack() as stack:\n    stack.enter_context(swallowing())\n    leave()",
    "function": "def f():\n    try:\n        leave()\n    except:\n        note('caught')\nf()",
    "generator": "def g():\n    try:\n        yield leave()\n    except:\n        note('caught')\nlist(g())",
    "comprehension": "[leave() for _ in range(2)]",
    "sort_key": "sorted([2, 1], key=lambda x: leave())",
    "property": "class A:\n    @property\n    def x(self):\n        return leave()\nhasattr(A(), 'x')",
    "getattr_default": "class A:\n    @property\n    def x(self):\n        return leave()\ngetattr(A(), 'x', 1)",
    "equality": "class A:\n    def __eq__(self, o):\n        return leave()\n[A()] == [A()]",
    "repr": "class A:\n    def __repr__(self):\n        return leave()\nprint(repr(A()))",
    "echo": "class A:\n    def __str__(self):\n        return leave()\nA()",
    "error_text": "class E(Exception):\n    def __str__(self):\n        return leave()\nprint(str(E()))",
    "host_swallows": "careless(leave)",
    "class_body": "class A:\n    try:\n        x = leave()\n    except:\n        note('caught')",
    "lambda": "(lambda: leave())()",
    "raise_other": "try:\n    leave()\nexcept Exception:\n    raise ValueError",
}  # fmt: skip


class WaitingBorder(LocalBorder):
    """Remembers the wait that crossed it, as the runtime does."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.notes: list[str] = []
        self.waiting: FutureError | None = None

    def wait(self) -> None:
        """Meet a value that is not ready."""
        self.waiting = FutureError("later")
        raise self.waiting

    def careless(self, function: object) -> None:
        """Host code that catches too much."""
        try:
            function()  # type: ignore[operator]
        except BaseException:  # noqa: BLE001 - the point of it
            self.notes.append("host caught")

    def pausing(self) -> BaseException | None:
        """The wait on its way out."""
        return self.waiting


def _run(source: str, leaving: str) -> tuple[Outcome, WaitingBorder]:
    border = WaitingBorder()
    host = {"wait": border.wait, "note": border.notes.append, "careless": border.careless}
    namespace: dict[str, object] = {"__builtins__": builtins_for(border, Policy(), host)}
    outcome: Outcome = Finished(None)
    for statement in compile_block(f"{PRELUDE}\ndef leave(): {leaving}\n{source}").statements:
        outcome = run_statement(statement, namespace, border)
        if not isinstance(outcome, Finished):
            break
    return outcome, border


@pytest.mark.parametrize("name", sorted(SWALLOWING))
def test_wait_suspends(name: str) -> None:
    """The statement is suspended, whatever it does with the error, and runs no handler and no cleanup."""
    outcome, border = _run(SWALLOWING[name], "wait()")
    assert isinstance(outcome, Suspended)
    assert [note for note in border.notes if note != "host caught"] == []


@pytest.mark.parametrize("name", sorted(SWALLOWING))
def test_exit_ends(name: str) -> None:
    """The job exits with the status, whatever the code does with the signal."""
    outcome, border = _run(SWALLOWING[name], "exit('out')")
    assert outcome == Exited("out")
    assert "caught" not in border.notes


def test_finally_does_not_run_at_a_wait() -> None:
    """A wait is a pause: `finally` is left for the real way out."""
    assert _run("try:\n    leave()\nfinally:\n    note('f')", "wait()")[1].notes == []


def test_finally_runs_at_exit() -> None:
    """At exit the cleanup runs once."""
    assert _run("try:\n    leave()\nfinally:\n    note('f')", "exit(1)")[1].notes == ["f"]


def test_finally_runs_at_an_error() -> None:
    """At an ordinary error the cleanup runs once, and the error stays."""
    outcome, border = _run("try:\n    leave()\nfinally:\n    note('f')", "1/0")
    assert isinstance(outcome, Failed)
    assert border.notes == ["f"]


def test_manager_is_left_at_exit() -> None:
    """Context managers are left at exit, without being able to stay."""
    assert _run("with Swallow():\n    leave()", "exit(1)")[1].notes == ["left"]


@pytest.mark.parametrize("word", ["return 1", "break", "continue"])
def test_leaving_inside_finally_is_refused(word: str) -> None:
    """What would drop the wait inside `finally` does not compile."""
    source = f"def f():\n    for i in [1]:\n        try:\n            pass\n        finally:\n            {word}"
    with pytest.raises(SourceRefused, match="inside `finally`"):
        compile_block(source)


def test_loop_inside_finally_may_break() -> None:
    """A loop of its own inside `finally` is ordinary code."""
    source = "try:\n    pass\nfinally:\n    for i in [1]:\n        break"
    assert len(compile_block(source).statements) == 1


def test_failed_has_no_frames() -> None:
    """The error of a failed statement leads to no frame, neither do those behind it."""
    outcome, _ = _run("try:\n    leave()\nexcept Exception as e:\n    raise ValueError('x') from e", "1/0")
    assert isinstance(outcome, Failed)
    assert outcome.error.__traceback__ is None
    assert outcome.error.__cause__ is not None
    assert outcome.error.__cause__.__traceback__ is None
    assert outcome.text == "ValueError: x"
