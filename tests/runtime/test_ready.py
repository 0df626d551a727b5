"""The index in memory: every unfinished job is in one place, and only what was woken runs."""

from statek.runtime.ready import Ready


def test_new_jobs_begin_while_there_is_room() -> None:
    """Not more jobs are active than allowed; the others begin in the order of arrival."""
    ready = Ready()
    for name in "abc":
        ready.add_new(name)
    assert list(ready.pick(2)) == ["a", "b"]
    ready.end("a")
    assert list(ready.pick(2)) == ["c"]


def test_woken_jobs_run_before_new_ones() -> None:
    """What was begun goes on first, whatever the room."""
    ready = Ready()
    ready.add_new("new")
    ready.wake("old")
    assert list(ready.pick(1)) == ["old"]


def test_waking_twice_is_waking_once() -> None:
    """A job runs once for all that arrived."""
    ready = Ready()
    ready.wake("a")
    ready.wake("a")
    assert list(ready.pick(9)) == ["a"]


def test_parked_jobs_take_no_room() -> None:
    """A job that waits for a child counts as idle, and runs when the child has ended."""
    ready = Ready()
    ready.wake("parent")
    list(ready.pick(1))
    ready.park("parent", "child")
    assert (ready.room(1), ready.is_idle()) == (1, True)
    ready.end("child")
    assert list(ready.pick(1)) == ["parent"]


def test_other_ends_wake_nobody() -> None:
    """The end of a job that nobody waits for wakes nobody."""
    ready = Ready()
    ready.park("parent", "child")
    ready.end("stranger")
    assert list(ready.pick(9)) == []


def test_futures_take_no_room() -> None:
    """A job that waits for a future counts as idle until it is woken."""
    ready = Ready()
    ready.wake("a")
    list(ready.pick(9))
    ready.await_future("a")
    assert (ready.room(1), ready.futures) == (1, {"a"})
    ready.wake("a")
    assert (ready.room(1), ready.futures) == (0, set())


def test_room_counts_those_that_wait_to_begin() -> None:
    """Queue items are taken only for jobs that can begin."""
    ready = Ready()
    ready.add_new("a")
    assert ready.room(3) == 2
