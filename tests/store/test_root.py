"""The root: how things are found again."""

from pathlib import Path
from typing import Any

import dbzero as db0

from statek.store import root


@db0.memo(id="tests/RootThing")
class RootThing:
    def __init__(self, role: str = "", revision: str = "", id: str = "") -> None:  # noqa: A002 - as on a job
        self.id = id
        self.role = role
        self.revision = revision


def reopen(folder: Path) -> None:
    """Close the store and open it again."""
    db0.commit()
    db0.close()
    db0.init(str(folder), prefix="t", autocommit=False)


def test_jobs_are_found_by_id(store: Path) -> None:
    """A job is found under its id, also after a restart; an unknown id finds nothing."""
    root.job_index().add(RootThing("a", id="one"), "one")
    root.job_index().add(RootThing("b", id="two"), "two")
    reopen(store)
    assert (root.find_job("one").role, root.find_job("two").role) == ("a", "b")
    assert root.find_job("three") is None


def test_the_newest_agent_of_a_role(store: Path) -> None:
    """By role the newest is found, by revision exactly that one."""
    first, second = RootThing("clerk", "clerk@1"), RootThing("clerk", "clerk@2")
    root.add_agent(first)
    root.add_agent(second)
    assert root.find_agent(role="clerk") is second
    assert root.find_agent(revision="clerk@1") is first
    assert root.find_agent(role="nobody") is None


def test_what_hangs_from_the_root_lives(store: Path) -> None:
    """Jobs, agents and definitions outlive the handles on them."""
    root.job_index().add(RootThing("job", id="one"), "one")
    root.add_agent(RootThing("agent"))
    root.add_job_def(RootThing("definition"), "digest")
    reopen(store)
    found: list[Any] = [root.find_job("one"), root.find_agent(role="agent"), root.find_job_def("digest")]
    assert [thing.role for thing in found] == ["job", "agent", "definition"]


def test_there_is_one_root(store: Path) -> None:
    """Asked for twice, the root is the same, and arguments count only the first time."""
    first = root.Root("id")
    assert root.Root("other") is first
    assert root.current_root().store_id == "id"
