"""Opening, pairing, committing and closing a store; what lives in it."""

import ast
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

import statek
from statek.exceptions import StoreError
from statek.store import session
from statek.store.root import FORMAT
from statek.store.session import Store

ID = "0" * 32

# Stored objects are found by these for ever: an id may be added, never changed or dropped.
MEMO_IDS = {
    "statek/Agent", "statek/AgentEvents", "statek/CombinedFutureResult", "statek/DelegationHandler",
    "statek/ErrorHandler", "statek/Fifo",
    "statek/FutureElement", "statek/FutureResult", "statek/Gone", "statek/Held", "statek/Job", "statek/JobDef",
    "statek/JobDefError", "statek/LaidAside", "statek/PushedItem", "statek/ReadyFuture", "statek/Root",
    "statek/StatekPushQueue", "statek/SubTaskHandler", "statek/SupervisedAgent", "statek/TaskFutureResult",
    "statek/WarmupDef",
}  # fmt: skip


@db0.memo(id="tests/SessionBox")
class SessionBox:
    def __init__(self, value: Any) -> None:
        self.value = value


def test_a_new_store_is_made_and_found_again(tmp_path: Path) -> None:
    """The first open makes the store, the next one finds what was committed."""
    with Store.open(tmp_path / "deep" / "er", ID) as store:
        store.root.release = "r-1"
        store.commit()
    with Store.open(tmp_path / "deep" / "er", ID) as store:
        assert store.root.release == "r-1"


def test_nothing_unfinished_is_left(tmp_path: Path) -> None:
    """Making a store leaves the store and nothing else that could be taken for one."""
    Store.open(tmp_path, ID).close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".db0") == ["statek.db0"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new")]


def test_a_foreign_store_is_refused(tmp_path: Path) -> None:
    """A store that does not belong to the ledger is refused, and closed again."""
    Store.open(tmp_path, ID).close()
    with pytest.raises(StoreError, match="does not belong to the ledger"):
        Store.open(tmp_path, "1" * 32)
    Store.open(tmp_path, ID).close()


@pytest.mark.parametrize(("change", "hint"), [(1, "open it with the statek that wrote it"), (-1, "move the file away")])
def test_another_format_is_refused(tmp_path: Path, change: int, hint: str) -> None:
    """A store that a newer or an older build wrote is refused by name of both formats, with what to do."""
    with Store.open(tmp_path, ID) as store:
        store.root.format = FORMAT + change
    with pytest.raises(StoreError, match=f"has format {FORMAT + change}, this build reads format {FORMAT}") as caught:
        Store.open(tmp_path, ID)
    assert hint in str(caught.value.hint)


def test_reading_makes_no_store(tmp_path: Path) -> None:
    """Looking at a store that is not there says so and makes none."""
    with pytest.raises(StoreError, match="there is no store"):
        Store.open(tmp_path / "x", read_only=True)
    assert not (tmp_path / "x").exists()


def test_read_only(tmp_path: Path) -> None:
    """A store opened for reading shows what is there."""
    Store.open(tmp_path, ID).close()
    with Store.open(tmp_path, ID, read_only=True) as store:
        assert store.root.store_id == ID


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A second process is told that the store is open elsewhere."""
    code = (
        f"from pathlib import Path; from statek.store.session import Store; Store.open(Path({str(tmp_path)!r}), {ID!r})"
    )
    with Store.open(tmp_path, ID):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=90,
            check=False,
        )  # fmt: skip
    assert "another process has the store" in done.stderr


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """After `close`, which may be repeated, the root is refused instead of crashing."""
    store = Store.open(tmp_path, ID)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="the store is closed"):
        _ = store.root


def test_an_application_s_store_is_not_written_in_between(tmp_path: Path) -> None:
    """Changes made together reach the file together, also where dbzero writes by itself every 20 ms."""
    db0.init(str(tmp_path), autocommit_interval=20)
    db0.open("app", "rw")
    try:
        store = Store.attach()
        store.root.release = "before"
        db0.commit()
        with store.together():
            store.root.release = "half"
            before = db0.get_state_num()
            time.sleep(0.3)
            assert db0.get_state_num() == before
            store.root.release = "whole"
    finally:
        db0.close()


def test_watched_tells_writes_from_reads(tmp_path: Path) -> None:
    """`watched` says whether something was written inside."""
    with Store.open(tmp_path, ID) as store:
        with store.watched() as reads:
            _ = store.root.release
        with store.watched() as writes:
            store.root.release = "x"
    assert (reads, writes) == ([False], [True])


def test_attach_to_the_application_s_store(store: Path) -> None:
    """A store that the application opened is used as it is and left open."""
    attached = Store.attach()
    assert attached.root is Store.attach().root
    attached.close()
    assert db0.get_current_prefix().name == "t"


def test_attach_without_a_store() -> None:
    """Without an open store that is said, with what to do."""
    with pytest.raises(StoreError, match="dbzero is not open") as caught:
        Store.attach()
    assert "db0.init" in caught.value.hint


def test_durable_objects_are_recognised(store: Path) -> None:
    """Stored objects and containers are durable, everything else is not."""
    box = SessionBox([1])
    assert all(map(session.is_durable, (box, box.value, db0.dict({}))))
    assert not any(map(session.is_durable, ([1], {}, "x", SessionBox, object(), None)))


def test_addresses(store: Path) -> None:
    """A stored object is found again by its address; a container has none; what is gone is said."""
    box = SessionBox([1])
    address = session.address_of(box)
    assert address is not None
    assert session.at_address(address) is box
    assert session.address_of(box.value) is None
    with pytest.raises(StoreError, match="is gone"):
        session.at_address(address[:-1] + ("A" if address[-1] != "A" else "B"))


def test_every_memo_class_has_an_explicit_id() -> None:
    """The persisted classes of the package carry exactly the ids of the frozen list."""
    found = []
    for file in Path(statek.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                found += [_memo_id(d) for d in node.decorator_list if ast.unparse(d).startswith("db0.memo")]
    assert sorted(map(str, found)) == sorted(MEMO_IDS)


def _memo_id(decorator: ast.expr) -> str | None:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return next((ast.literal_eval(k.value) for k in keywords if k.arg == "id"), None)


@db0.memo(id="tests/Shared")
class Shared:
    """Something that two others refer to."""

    def __init__(self, number: int) -> None:
        self.number = number


@db0.memo(id="tests/Referring")
class Referring:
    """Refers to a shared one, and goes away before it."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared


@db0.memo(id="tests/Owner")
class Owner:
    """Refers to one that refers, twice, for a while."""

    def __init__(self) -> None:
        self.refs: Any = None
        self.awaited: Any = None


@db0.memo(id="tests/Holding", singleton=True)
class Holding:
    """Refers to all shared ones and to all owners."""

    def __init__(self) -> None:
        self.shared: list[Any] = []
        self.owners: list[Any] = []


def test_many_changes_without_a_commit(tmp_path: Path) -> None:
    """What is referred to stays, and is counted rightly, however much changes before it is written."""
    dice = random.Random(2)
    with Store.open(tmp_path / "store", "s") as store:
        holding = Holding()
        for number in range(800):
            shared, owner = Shared(number), Owner()
            holding.shared.append(shared)
            holding.owners.append(owner)
            referring = Referring(shared)
            owner.refs, owner.awaited = [referring], referring
            del shared, owner, referring
            holding.shared[number].number = number
            owner = holding.owners[max(0, number - dice.randrange(10))]
            owner.awaited = None
            owner.refs = None
            del owner
        store.commit()
        assert [shared.number for shared in holding.shared] == list(range(800))
        kept = [owner.refs is not None for owner in holding.owners]
        assert [db0.getrefcount(shared) for shared in holding.shared] == [1 + is_kept for is_kept in kept]
