"""Jobs that have not begun: sources take turns, agents and keys have bounds."""

from statek.runtime.newcomers import Bounds, Newcomers, Tag


def names(new: Newcomers, most: int = 99) -> list[str]:
    """Begin as many as may."""
    found: list[str] = []
    while len(found) < most and (next_one := new.next()) is not None:
        job_id, tag = next_one
        new.begun(tag)
        new.runs(tag, 1)
        found.append(job_id)
    return found


def test_a_busy_source_starves_no_other() -> None:
    """Sources take turns, however many wait in one of them."""
    new = Newcomers()
    for n in range(1000):
        new.add(f"a{n}", Tag("Queue/a"))
    new.add("b", Tag("Agent/b"))
    assert names(new, 3) == ["a0", "b", "a1"]


def test_an_agent_at_its_bound_waits() -> None:
    """Of an agent no more run than it allows; the others go on."""
    new = Newcomers()
    new.bounds = lambda agent: Bounds(running=1) if agent == "a" else Bounds()
    for name in ("a1", "a2", "b1"):
        new.add(name, Tag(f"Agent/{name[0]}", name[0]))
    assert (names(new), new.room_of("a")) == (["a1", "b1"], -1)
    new.runs(Tag("Agent/a", "a"), -1)
    assert names(new) == ["a2"]


def test_jobs_of_one_key_wait_for_each_other() -> None:
    """A job whose key is at its bound lets others pass, and is next when one of its key has ended."""
    new = Newcomers()
    new.bounds = lambda _agent: Bounds(per_key=1)
    for name in ("x1", "x2", "x3", "y1"):
        new.add(name, Tag("Agent/a", "a", name[0]))
    assert names(new) == ["x1", "y1"]
    new.ended(Tag("Agent/a", "a", "x"))
    assert names(new) == ["x2"]


def test_undo_brings_the_mark_back() -> None:
    """What was added is gone, what was removed waits again."""
    new = Newcomers()
    new.add("a", Tag())
    new.mark()
    new.remove("a")
    new.add("b", Tag())
    new.undo()
    assert (names(new), len(new)) == (["a"], 0)


def test_sources_that_are_not_served_wait() -> None:
    """They count neither as work nor as a reason to go on."""
    new = Newcomers()
    new.serves = lambda source: source != "Agent/a"
    new.add("a", Tag("Agent/a"))
    assert (names(new), new.served(), len(new)) == ([], 0, 1)
