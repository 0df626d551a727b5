"""Objects made again in another file: each kind of value, references of every sort, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from tests.store import rewritten

SCRIPT = Path(rewritten.__file__)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of the application in `rewritten`, closed."""
    db0.init(str(tmp_path), prefix="statek", autocommit=False)
    try:
        rewritten.fill()
        db0.commit()
    finally:
        db0.close()
    return tmp_path


def rewrite(folder: Path, change: str = "", *words: str) -> dict[str, Any]:
    """Change the store by calling `rewritten.CHANGE`, write it anew, and tell what came of it."""
    if change:
        db0.init(str(folder), prefix="statek", autocommit=False)
        try:
            getattr(rewritten, change)(db0.fetch(rewritten.Shelf))
            db0.commit()
        finally:
            db0.close()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def look(folder: Path, prefix: str) -> dict[str, Any]:
    """What the application says of its objects."""
    db0.init(str(folder), autocommit=False)
    try:
        db0.open(prefix, "r")
        return rewritten.look()
    finally:
        db0.close()


def test_every_kind_of_value_comes_back(folder: Path) -> None:
    """Values, containers, shared ones, circles, enum values, classes, functions, tags: as they were."""
    found = rewrite(folder)
    assert (found["objects"]["Book"], found["objects"]["Novel"]) == (5, 2)
    assert look(folder, "new") == look(folder, "statek")


def test_weak_references_stay_weak(folder: Path) -> None:
    """They lead to the new objects, hold nobody alive, and those to nothing lead to nothing."""
    rewrite(folder)
    found = look(folder, "new")
    assert (found["weak"], found["expired"]) == ("Emma", True)


def test_an_index_is_refused_by_name(folder: Path) -> None:
    """Without a method of its own an object with an index stops the whole; the message names class and field."""
    found = rewrite(folder, "add_index")
    assert "Shelf" in found["error"]
    assert "'by_year'" in found["error"]


def test_a_class_can_do_itself_what_cannot_be_done_for_it(folder: Path) -> None:
    """Its method is called when everything is made, and sets what the generic way left out."""
    assert "error" not in rewrite(folder, "add_catalogue")
    assert look(folder, "new")["catalogue"] == ["Emma", "Persuasion"]


def test_a_tag_that_nobody_names_is_refused(folder: Path) -> None:
    """Nothing in the code or the objects tells the tag: it would be lost, so nothing is written."""
    assert "more than fields and known tags explain" in rewrite(folder, "tag_secretly")["error"]


def test_what_a_pop_has_leaked_can_be_accepted(folder: Path) -> None:
    """The store counts a reference that is gone; told to accept that, it is gone in the new file."""
    assert "error" in rewrite(folder, "pop_one")
    assert rewrite(folder, "", "--accept-lost")["lost"] == 1


def test_what_only_a_left_over_list_holds_is_told(folder: Path) -> None:
    """It cannot be told from what has tags, so it is asked for: the hint says what becomes of it, and so it does."""
    told = rewrite(folder, "drop_list_while_held")
    rewritten.HELD.clear()
    assert "by none of these" in told["error"]
    assert "lets go of it" in told["hint"]
    assert rewrite(folder, "", "--accept-lost")["lost"] == 2
    assert set(look(folder, "new")["unheld"]) == {"spare", "other"}


def test_a_weak_reference_in_a_list_is_refused(folder: Path) -> None:
    """It looks like any other: written as one, it would keep its object alive."""
    assert "weakly" in rewrite(folder, "list_weakly")["error"]


def test_what_nothing_refers_to_stays_behind(folder: Path) -> None:
    """Objects that a process still held when it ended are not in the new file, nor missed by what they refer to."""
    found = rewrite(folder, "drop_while_held")
    rewritten.HELD.clear()
    assert "error" not in found
    assert (found["objects"]["Book"], found["objects"]["Novel"]) == (5, 2)
