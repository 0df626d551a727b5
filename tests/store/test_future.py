"""Futures: what is stored, when they are ready, what is refused."""

from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from statek.exceptions import FutureError, StatekError
from statek.store import future as futures
from statek.store.future import FutureElement, FutureResult, get_all_future, get_any_future, temporal


@db0.memo(id="tests/TaskQueue")
class TaskQueue:
    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.version = 0
        self.handled: list[str] = []

    def add_error_handler(self, error_handler: Any, context: Any) -> None:
        self.handled.append(f"{error_handler.__name__}:{context}")


def fetch_task(future: FutureResult) -> str:
    """Complement: the first task."""
    if not future.deps.tasks:
        raise FutureError(future)
    return future.deps.tasks[0]


def task_available(future: FutureResult) -> bool:
    """Condition: there is a task."""
    return len(future.deps.tasks) > 0


def fetch_pair(future: FutureResult) -> tuple[str, int]:
    """Complement of fixed length."""
    return fetch_task(future), 7


def fetch_broken(future: FutureResult) -> str:
    """Complement with a mistake in it."""
    return future.deps.no_such_field


def always(future: FutureResult) -> bool:
    """Condition that always holds."""
    return True


def _release(context: Any, error: str | None = None) -> None:
    pass


@temporal(complement=fetch_task, condition=task_available)
def pick_next_task(task_queue: TaskQueue) -> Any:
    """The next task, or a future of it."""
    if task_queue.tasks:
        return task_queue.tasks[0]
    return FutureResult(deps=task_queue, state_num=task_queue.version)


@temporal(complement=fetch_pair, condition=task_available)
async def pick_pair(task_queue: TaskQueue) -> FutureResult:
    """A future of two values."""
    return FutureResult(task_queue, 0)


@temporal(extends=pick_next_task)
def pick_again(task_queue: TaskQueue) -> Any:
    """An extension."""
    return FutureResult(task_queue, 1)


@temporal(extends=pick_again)
def pick_once_more(task_queue: TaskQueue) -> Any:
    """An extension of an extension."""
    return FutureResult(task_queue, 1)


@pytest.fixture
def queue(store: Path) -> TaskQueue:
    """A queue without tasks."""
    return TaskQueue()


def test_ready_value_is_returned_as_it_is(queue: TaskQueue) -> None:
    """A temporal function that has its value returns it at once."""
    queue.tasks.append("T1")
    assert pick_next_task(queue) == "T1"


def test_future_is_not_ready_before_the_condition_holds(queue: TaskQueue) -> None:
    """A fresh future says that it is not ready and its value raises FutureError carrying it."""
    future = pick_next_task(queue)
    assert future.check_condition() is False
    with pytest.raises(FutureError) as caught:
        _ = future.value
    assert caught.value.future_result is future


def test_future_gives_the_value_when_ready(queue: TaskQueue) -> None:
    """Once the condition holds the complement's value is there."""
    future = pick_next_task(queue)
    queue.tasks.append("T1")
    assert (future.check_condition(), future.value) == (True, "T1")


def test_future_survives_reopening(store: Path) -> None:
    """A stored future finds its dependency and its functions again after the store was closed."""
    queue = TaskQueue()
    uuid = db0.uuid(queue)
    queue.waiting = pick_next_task(queue)
    db0.tags(queue).add("kept")
    del queue
    db0.commit()
    db0.close()
    db0.init(str(store), prefix="t", autocommit=False)
    again = db0.fetch(uuid)
    again.tasks.append("T2")
    assert (again.waiting.check_condition(), again.waiting.value, again.waiting.state_num) == (True, "T2", 0)


async def test_async_temporal_attaches_functions(queue: TaskQueue) -> None:
    """An async temporal function is awaited and its future gets the functions, too."""
    future = await pick_pair(queue)
    queue.tasks.append("T")
    assert future.value == ("T", 7)


def test_extension_takes_over_the_functions(queue: TaskQueue) -> None:
    """A chain of extensions keeps the functions of the first one."""
    future = pick_once_more(queue)
    queue.tasks.append("T")
    assert future.value == "T"
    assert pick_once_more.__dict__["__temporal_complement__"] is fetch_task
    assert pick_once_more.__dict__["__extends__"] is pick_again


@pytest.mark.parametrize(
    "arguments",
    [{}, {"complement": fetch_task}, {"extends": fetch_task}, {"extends": pick_next_task, "condition": always}],
)
def test_temporal_refuses_other_forms(arguments: dict[str, Any]) -> None:
    """Neither form, half a form, both forms, or an extension of an ordinary function: ValueError."""
    with pytest.raises(ValueError, match=r"temporal|extends"):
        temporal(**arguments)


@pytest.mark.parametrize("deps", [(), ("a", 1), {"a", None}, "text", 5, None, True])
def test_plain_dependencies_come_back_as_given(store: Path, deps: Any) -> None:
    """Plain dependencies keep their value and their form."""
    found = FutureResult(deps, 3).deps
    assert (found, type(found)) == (deps, type(deps))


def test_dependencies_may_be_stored_objects(queue: TaskQueue) -> None:
    """A tuple or set of stored objects gives the same objects back."""
    other = TaskQueue()
    assert FutureResult((queue, other), 0).deps == (queue, other)
    assert FutureResult({queue, other}, 0).deps == {queue, other}


@pytest.mark.parametrize("deps", [[1], {"a": 1}, object(), 1.5, TaskQueue, ((1,),)])
def test_other_dependencies_are_refused_by_name(store: Path, deps: Any) -> None:
    """What is neither a stored object nor a plain value is refused, naming its type."""
    with pytest.raises(TypeError, match="deps cannot hold"):
        FutureResult(deps, 0)


@pytest.mark.parametrize("value", [2**63, "a\0b", "\ud800"])
def test_values_that_would_be_cut_are_refused(store: Path, value: Any) -> None:
    """Values that the store would change silently raise ValueError."""
    with pytest.raises(ValueError, match="cannot hold"):
        FutureResult(value, 0)


def test_tuple_future_unpacks_into_elements(queue: TaskQueue) -> None:
    """A complement annotated with a tuple of fixed length lets the future be unpacked before it is ready."""
    future = FutureResult(queue, 4)
    future.set_complement_functions(fetch_pair, task_available)
    first, second = future
    assert (first.check_condition(), first.deps, second.state_num) == (False, queue, 4)
    queue.tasks.append("T")
    assert (first.value, second.value) == ("T", 7)


def test_other_future_does_not_unpack_before_it_is_ready(queue: TaskQueue) -> None:
    """Without that annotation unpacking waits for the value itself."""
    future = pick_next_task(queue)
    with pytest.raises(FutureError):
        iter(future)
    queue.tasks.append("ab")
    assert list(future) == ["a", "b"]


def test_any_gives_the_first_ready_in_order(queue: TaskQueue) -> None:
    """Of several futures the first ready one gives the value."""
    late, ready = TaskQueue(), queue
    combined = get_any_future(pick_next_task(late), pick_next_task(ready))
    assert combined.check_condition() is False
    ready.tasks.append("T")
    assert (combined.check_condition(), combined.value) == (True, "T")


def test_all_waits_for_the_last(queue: TaskQueue) -> None:
    """All values come as a tuple in order, and the wait is for the whole."""
    other = TaskQueue()
    combined = get_all_future(pick_next_task(queue), pick_next_task(other))
    queue.tasks.append("A")
    with pytest.raises(FutureError) as caught:
        _ = combined.value
    assert caught.value.future_result is combined
    other = combined.deps[1].deps
    other.tasks.append("B")
    assert (combined.check_condition(), combined.value) == (True, ("A", "B"))


@pytest.mark.parametrize("combine", [get_any_future, get_all_future])
def test_combining_nothing_is_a_type_error(store: Path, combine: Any) -> None:
    """At least one future is needed, and futures only."""
    with pytest.raises(TypeError, match="at least one"):
        combine()
    with pytest.raises(TypeError, match="found str"):
        combine("x")


def test_temporal_leaves_combined_futures_alone(queue: TaskQueue) -> None:
    """A temporal function may return a combined future; its futures stay in charge."""
    wrapped = temporal(complement=fetch_pair, condition=always)(lambda: get_any_future(pick_next_task(queue)))
    assert wrapped().check_condition() is False


def test_error_handler_is_bound_once_with_the_value(queue: TaskQueue) -> None:
    """The first value registers the handler on the job; later reads do not."""
    job = TaskQueue()
    future = pick_next_task(queue)
    future.bind_error_handler(_release, job)
    assert list(job.handled) == []
    queue.tasks.append("T")
    assert (future.value, future.value) == ("T", "T")
    assert list(job.handled) == ["_release:T"]


def test_bound_handler_keeps_no_job_alive(queue: TaskQueue) -> None:
    """A job and the future it waits for do not keep each other in the store."""
    job = TaskQueue()
    job.awaited = pick_next_task(queue)
    job.awaited.bind_error_handler(_release, job)
    db0.commit()
    assert len(db0.find(TaskQueue)) == 2
    del job
    db0.commit()
    assert len(db0.find(TaskQueue)) == 1


def test_functions_without_import_name_are_refused(queue: TaskQueue) -> None:
    """A lambda or nested function cannot be found again, so it is refused when it would have to be stored."""
    with pytest.raises(ValueError, match="top level of its module"):
        FutureResult(queue, 0).set_complement_functions(lambda _: 1, always)


def test_future_without_functions_says_what_to_do(queue: TaskQueue) -> None:
    """A future that did not go through a temporal function explains itself."""
    with pytest.raises(StatekError, match="no complement") as caught:
        FutureResult(queue, 0).check_condition()
    assert "@temporal" in caught.value.hint


def test_missing_function_is_named(store: Path) -> None:
    """A function that is gone is reported with its full name."""
    with pytest.raises(StatekError, match="has no gone"):
        futures.resolve_function("statek.store.future:gone")
    with pytest.raises(StatekError, match=r"no_such_package\.mod:f"):
        futures.resolve_function("no_such_package.mod:f")


def test_attribute_error_of_a_complement_comes_through(queue: TaskQueue) -> None:
    """A mistake inside a complement is shown as it is, not as a missing field of the future."""
    future = FutureResult(queue, 0)
    future.set_complement_functions(fetch_broken, always)
    with pytest.raises(AttributeError, match="no_such_field"):
        _ = future.value


def test_elements_are_futures(queue: TaskQueue) -> None:
    """Elements count as futures wherever a future is expected."""
    element = FutureElement(pick_next_task(queue), 0)
    assert isinstance(element, FutureResult)
    assert futures.is_temporal(pick_next_task)
    assert not futures.is_temporal(fetch_task)
