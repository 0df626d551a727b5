"""Staging releases and moving head."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from statek.exceptions import BugError, LedgerError
from statek.ledger import inbox, releases
from statek.ledger.file import LedgerFile
from statek.ledger.releases import Head, HeadMoved, Release, StoredObject

ROOT = Path(__file__).parents[2]


def release(env: str = "prod", **revisions: str) -> Release:
    """A release of agents, each given as name=revision."""
    objects = {
        f"Agent/{name}": StoredObject(
            "Agent", name, f"{name}@{revision}", f'{{"v":"{revision}"}}', f"{name}.md", 3, "desk"
        )
        for name, revision in revisions.items()
    }
    return Release(releases.release_id(env, objects), env, objects)


def apply(ledger: LedgerFile, new: Release, reason: str = "apply") -> Head:
    """Stage a release and move head to it."""
    now = releases.head(ledger)
    releases.stage(ledger, new)
    return releases.move_head(ledger, base=now.release if now else None, target=new.id, reason=reason, at_us=5)


def generations(ledger: LedgerFile, new: Release) -> dict[str, int]:
    """Generation per object, as read back."""
    return {key: entry.generation for key, entry in releases.read_release(ledger, new.id).objects.items()}


def test_the_same_set_is_the_same_release() -> None:
    """The id depends on revisions and environment, not on order or places."""
    one = release(a="1", b="2")
    moved = {key: replace(entry, line=99, owner="x") for key, entry in reversed(one.objects.items())}
    assert releases.release_id("prod", moved) == one.id
    assert len({one.id, release(a="1").id, release(a="1", b="3").id, release("dev", a="1", b="2").id}) == 4
    assert (one.id[:2], len(one.id)) == ("r-", 14)


def test_a_staged_release_is_read_back(ledger: LedgerFile) -> None:
    """What was staged comes back with texts, places and labels; head does not know it."""
    one = release(a="1", b="2")
    entry = replace(one.objects["Agent/a"], labels={"team": "x"}, extra={"protect": True})
    one = Release(one.id, one.env, {**one.objects, "Agent/a": entry})
    releases.stage(ledger, one)
    assert releases.read_release(ledger, one.id) == one
    assert releases.head(ledger) is None


def test_staging_again_renews_the_places(ledger: LedgerFile) -> None:
    """Places and owners are not part of a release's identity and follow the last staging."""
    one = release(a="1")
    releases.stage(ledger, one)
    renewed = Release(one.id, one.env, {"Agent/a": replace(one.objects["Agent/a"], line=40, owner="other")})
    releases.stage(ledger, renewed)
    assert releases.read_release(ledger, one.id) == renewed


def test_a_revision_has_one_text(ledger: LedgerFile) -> None:
    """Another text under a known revision is an error, and nothing of that release is kept."""
    releases.stage(ledger, release(a="1"))
    other = release(a="1", b="1")
    broken = Release(other.id, "prod", {**other.objects, "Agent/a": replace(other.objects["Agent/a"], text="{}")})
    with pytest.raises(BugError, match="another text"):
        releases.stage(ledger, broken)
    with pytest.raises(LedgerError, match="no release"):
        releases.read_release(ledger, other.id)


def test_a_release_must_be_named_after_its_objects(ledger: LedgerFile) -> None:
    """A wrong id or key is an error."""
    one = release(a="1")
    with pytest.raises(BugError, match="not named after"):
        releases.stage(ledger, Release("r-000000000000", "prod", one.objects))
    wrong = {"Agent/b": one.objects["Agent/a"]}
    with pytest.raises(BugError, match="holds Agent/a under Agent/b"):
        releases.stage(ledger, Release(releases.release_id("prod", wrong), "prod", wrong))


def test_the_text_of_a_revision_is_found(ledger: LedgerFile) -> None:
    """Every staged revision stays readable; an unknown one is an error."""
    releases.stage(ledger, release(a="1"))
    assert releases.revision_text(ledger, "Agent", "a@1") == '{"v":"1"}'
    with pytest.raises(LedgerError, match="no revision a@2"):
        releases.revision_text(ledger, "Agent", "a@2")


def test_head_moves_and_is_told_to_the_worker(ledger: LedgerFile) -> None:
    """A move gives head its next number and waits in the inbox as an input."""
    first, second = release(a="1"), release(a="2")
    assert [apply(ledger, first), apply(ledger, second)] == [Head(first.id, 1, 5), Head(second.id, 2, 5)]
    assert releases.head(ledger) == Head(second.id, 2, 5)
    assert [(e.id, e.kind, e.target, e.body) for e in inbox.waiting(ledger)] == [
        ("release 1", "release", None, {"release": first.id, "number": 1}),
        ("release 2", "release", None, {"release": second.id, "number": 2}),
    ]


def test_a_stale_plan_does_not_move_head(ledger: LedgerFile) -> None:
    """When head is not where the plan began nothing changes, also for a first plan."""
    now = apply(ledger, release(a="1"))
    other = release(a="2")
    releases.stage(ledger, other)
    for base in (None, other.id):
        with pytest.raises(HeadMoved):
            releases.move_head(ledger, base=base, target=other.id, reason="apply", at_us=6)
    assert (releases.head(ledger), len(releases.history(ledger)), inbox.depth(ledger, "release")) == (now, 1, 1)


def test_head_never_moves_to_an_unknown_release(ledger: LedgerFile) -> None:
    """A release that was not staged is an error."""
    with pytest.raises(LedgerError, match="no release r-1"):
        releases.move_head(ledger, base=None, target="r-1", reason="apply", at_us=6)
    assert releases.head(ledger) is None


def test_moving_to_where_head_is_does_nothing(ledger: LedgerFile) -> None:
    """Applying the same set twice writes no history and no input."""
    one = release(a="1")
    assert apply(ledger, one) == apply(ledger, one)
    assert (len(releases.history(ledger)), inbox.depth(ledger, "release")) == (1, 1)


def test_generations_count_changes_of_an_object(ledger: LedgerFile) -> None:
    """A generation is counted for each move to another revision, rollback included, and for no other object."""
    first, second = release(a="1", b="1"), release(a="2", b="1")
    apply(ledger, first)
    apply(ledger, second)
    assert generations(ledger, second) == {"Agent/a": 2, "Agent/b": 1}
    apply(ledger, first, "rollback")
    assert generations(ledger, first) == {"Agent/a": 3, "Agent/b": 1}


def test_an_object_that_comes_back_goes_on_counting(ledger: LedgerFile) -> None:
    """Leaving and returning is a new generation, never an old number again."""
    both, one = release(a="1", b="1"), release(a="1")
    for each in (both, one, both):
        apply(ledger, each)
    assert generations(ledger, both) == {"Agent/a": 1, "Agent/b": 2}


def test_a_release_that_was_never_applied_has_generation_zero(ledger: LedgerFile) -> None:
    """Staging counts nothing."""
    one = release(a="1")
    releases.stage(ledger, one)
    assert generations(ledger, one) == {"Agent/a": 0}


def test_history_tells_what_changed(ledger: LedgerFile) -> None:
    """Each move is kept with base, reason and changes, newest first."""
    first, second = release(a="1", b="1"), release(a="2")
    apply(ledger, first)
    apply(ledger, second, "wrong prices")
    newest, oldest = releases.history(ledger)
    assert (newest.number, newest.release, newest.base, newest.reason) == (2, second.id, first.id, "wrong prices")
    assert newest.changed == {
        "Agent/a": {"from": "a@1", "to": "a@2", "generation": 2},
        "Agent/b": {"from": "b@1", "to": None, "generation": 1},
    }
    assert (oldest.number, oldest.base) == (1, None)
    assert [move.number for move in releases.history(ledger, limit=1)] == [2]


MOVE = """
import sys
from pathlib import Path
from statek.ledger import releases
from statek.ledger.file import LedgerFile
path, base, target = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with LedgerFile.open(path) as file:
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        releases.move_head(file, base=base, target=target, reason="race", at_us=7)
        print("moved")
    except releases.HeadMoved:
        print("stale")
"""


def test_of_two_applies_at_once_one_wins(ledger: LedgerFile) -> None:
    """Two processes that began at the same head: one moves it, the other is told."""
    base, *targets = release(a="0"), release(a="1"), release(a="2")
    apply(ledger, base)
    for target in targets:
        releases.stage(ledger, target)
    commands = [[sys.executable, "-c", MOVE, str(ledger.path), base.id, target.id] for target in targets]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for command in commands]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate(timeout=60)[0].strip() for child in children]
    assert sorted(said) == ["moved", "stale"]
    assert releases.head(ledger) == Head(targets[said.index("moved")].id, 2, 7)


def test_a_hold_is_kept_until_it_is_released(ledger: LedgerFile) -> None:
    """A held source is known with its reason, a newer hold replaces it, releasing ends it."""
    releases.hold(ledger, "Agent/a", "old", reason="rollback", at_us=1)
    releases.hold(ledger, "Agent/a", "d1", reason="rollback to r-1", at_us=2)
    assert releases.held(ledger) == {"Agent/a": releases.Hold("Agent/a", "d1", "rollback to r-1", 2)}
    assert [releases.release_hold(ledger, "Agent/a"), releases.release_hold(ledger, "Agent/a")] == [True, False]
    assert releases.held(ledger) == {}
