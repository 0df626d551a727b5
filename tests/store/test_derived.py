"""Classes that applications derive from the kit's stored ones."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.store.agent import SupervisedAgent
from statek.store.future import FutureResult
from statek.store.subtask import SubTaskHandler

DERIVE = """
import sys
import dbzero as db0
from statek.agents.agent import SupervisedAgent
db0.init(sys.argv[1], prefix="t", autocommit=False)
class Clerk(SupervisedAgent):
    def __init__(self):
        super().__init__("clerk", "p", [])
try:
    Clerk()
except TypeError as error:
    print(error)
db0.close()
"""


@db0.memo(id="tests/DerivedClerk")
class DerivedClerk(SupervisedAgent):
    def __init__(self, desk: str) -> None:
        super().__init__("clerk", "p", [])
        self.desk = desk


def test_a_process_outlives_a_class_without_memo(tmp_path: Path) -> None:
    """An agent of a class that is not stored itself is refused, and the process goes on."""
    done = subprocess.run(
        [sys.executable, "-c", DERIVE, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "__main__.Clerk derives from SupervisedAgent, which is stored: put @db0.memo above\n"


@pytest.mark.parametrize("stored", [SupervisedAgent, SubTaskHandler, FutureResult])
def test_a_class_without_memo_is_refused(store: Path, stored: Any) -> None:
    """Every class that is there to be derived from says what is missing."""
    derived = type("Mine", (stored,), {})
    with pytest.raises(TypeError, match=f"Mine derives from {stored.__name__}.*@db0.memo"):
        derived("x")


def test_a_class_with_memo_is_as_it_was(store: Path) -> None:
    """It is made, found, and has the signature of its constructor."""
    clerk = DerivedClerk("left")
    assert list(db0.find(DerivedClerk)) == [clerk]
    assert [*inspect.signature(DerivedClerk).parameters] == ["desk"]
