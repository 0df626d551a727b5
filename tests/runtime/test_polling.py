"""When jobs that wait for futures are looked at: soon, then seldom, and at a cost that does not grow with the idle."""

import itertools

from statek.runtime.futures import Watched
from statek.runtime.polling import AT_ONCE, CHECKS_PER_SECOND, FEW, FIRST, HURRIED, LONGEST, LONGEST_FEW, Polling


def looks(polling: Polling, until: float, *, step: float = 0.0, start: float = 0.0) -> dict[str, list[float]]:
    """When each job is looked at while nothing is ever ready; without `step` in turns as a loop takes them."""
    found: dict[str, list[float]] = {job: [] for job in polling}
    now = start
    while now < until:
        for job in polling.due(now):
            found[job].append(now)
            polling.again(job, now)
        now += step or polling.seconds(now, 0.25)
    return found


def test_looks_become_rarer() -> None:
    """One job is looked at soon, and in the end about every LONGEST_FEW seconds."""
    times = looks(Polling(["a"]), 20.0, step=0.01)["a"]
    assert times[0] <= FIRST + 0.02
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert gaps[0] < gaps[1] < gaps[2]
    assert max(gaps) < LONGEST_FEW + 0.02


def test_some_hundreds_are_seen_within_a_second() -> None:
    """With 250 jobs none goes unseen for more than a second."""
    for times in looks(Polling(map(str, range(250))), 10.0).values():
        assert max(later - sooner for sooner, later in itertools.pairwise(times)) <= 1.0


def test_ten_thousand_cost_no_more_than_their_share() -> None:
    """In the long run the looks of many jobs stay within the bound, and each still gets its turn."""
    polling = Polling(map(str, range(10_000)))
    looks(polling, 200.0)
    found = looks(polling, 300.0, start=200.0)
    assert sum(map(len, found.values())) <= CHECKS_PER_SECOND * 100 * 1.1
    assert all(found.values())


def test_one_turn_is_bounded() -> None:
    """However many are due, one turn looks at a bounded number of them; with a few the next turn comes soon."""
    for number, rest in ((FEW, FIRST / 2), (1_000, 0.25)):
        polling = Polling(map(str, range(number)))
        polling.due(0.0)
        assert len(polling.due(1.0)) == AT_ONCE
        assert polling.seconds(1.0, 0.25) == rest


def test_discarded_jobs_are_not_looked_at() -> None:
    """A job that waits no more is not due, and one that waits again is due once."""
    polling = Polling(["a", "b"])
    polling.due(0.0)
    polling.discard("a")
    polling.discard("b")
    polling.add("b")
    assert polling.due(0.0) == []
    assert polling.due(1.0) == ["b"]
    assert polling.due(99.0) == []
    assert polling == {"b"}


def test_met_dependencies_are_looked_at_at_once() -> None:
    """A stored object that took part in a call wakes those who wait for it, and nobody else."""
    polling = Polling(["a", "b"])
    looks(polling, 60.0)
    polling.watch("a", Watched("1", None, frozenset({"x"})))
    polling.watch("b", Watched("2", None, frozenset({"y"})))
    polling.due(60.0)
    polling.met(["x"], 60.0)
    assert polling.due(60.0) == ["a"]
    assert polling.is_watching
    polling.discard("a")
    polling.discard("b")
    assert not polling.is_watching


def test_same_question_is_answered_for_all() -> None:
    """When one job's condition says yes, others who ask the same are looked at at once."""
    polling = Polling(["a", "b", "c"])
    looks(polling, 60.0)
    for job, question in (("a", "q"), ("b", "q"), ("c", "r")):
        polling.watch(job, Watched(job, question, frozenset()))
    polling.due(60.0)
    polling.answered("q", 60.0)
    assert sorted(polling.due(60.0)) == ["a", "b"]


def test_work_brings_a_bounded_number_forward() -> None:
    """Any work of the process brings some looks forward, not all."""
    polling = Polling(map(str, range(10 * HURRIED)))
    looks(polling, 200.0)
    polling.due(200.0)
    before = len(polling._heap)
    polling.hurry(200.0)
    assert len(polling._heap) <= before
    assert HURRIED // 2 <= len(polling.due(200.0 + FIRST)) <= AT_ONCE


def test_constant_work_hurries_no_faster() -> None:
    """However often something is done, looks are brought forward once in a while, and once more after the last."""
    polling = Polling(map(str, range(1_000)))
    looks(polling, 200.0)
    while polling.due(200.0):
        pass
    for turn in range(100):
        polling.hurry(200.0 + turn * FIRST / 200)
    assert polling.seconds(200.0, 0.25) <= FIRST
    found = [polling.due(200.0 + turn * FIRST / 4) for turn in range(16)]
    assert HURRIED <= sum(map(len, found)) <= 3 * HURRIED


def test_who_waits_again_at_once_is_woken_more_seldom() -> None:
    """A condition that promises what the complement does not keep costs less and less."""
    polling = Polling(["a"])
    now, wakes = 0.0, []
    while now < 30.0:
        for job in polling.due(now):
            wakes.append(now)
            polling.woke(job, (1, 0))
            polling.discard(job)
            polling.add(job)
        now += 0.01
    assert len(wakes) < 30.0 / LONGEST_FEW * 1.5
    assert LONGEST_FEW < LONGEST


def test_rest_ends_when_somebody_is_due() -> None:
    """A few jobs are looked at when they are due; with many, turns come at their own pace."""
    few, many = Polling(["a"]), Polling(map(str, range(FEW + 1)))
    few.due(0.0)
    many.due(0.0)
    assert few.seconds(0.0, 0.25) == FIRST
    assert many.seconds(0.0, 0.25) == 0.25
    assert Polling().seconds(0.0, 0.25) == 0.25
