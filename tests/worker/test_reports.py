"""The pipe between child and supervisor."""

import os
from collections.abc import Iterator

import pytest

from statek.worker.reports import Reporter, Reports


@pytest.fixture
def pipe() -> Iterator[tuple[Reporter, Reports]]:
    """Both ends."""
    ours, theirs = os.pipe()
    reports = Reports(ours)
    yield Reporter(theirs), reports
    reports.close()
    os.close(theirs)


def test_reports_arrive_in_order(pipe: tuple[Reporter, Reports]) -> None:
    """What is told is read, whole and in order."""
    reporter, reports = pipe
    reporter.tell({"kind": "notice", "text": "one\ntwo"})
    reporter.offer({"kind": "progress", "done": 1})
    assert reports.wait(1) == [{"kind": "notice", "text": "one\ntwo"}, {"kind": "progress", "done": 1}]


def test_without_reports_waiting_ends(pipe: tuple[Reporter, Reports]) -> None:
    """Nothing there is an empty answer."""
    assert pipe[1].wait(0.01) == []


def test_progress_that_does_not_fit_is_dropped_whole(pipe: tuple[Reporter, Reports]) -> None:
    """A reader that sleeps holds up nobody, and sees whole lines when it wakes."""
    reporter, reports = pipe
    for number in range(3000):
        reporter.offer({"kind": "progress", "done": number, "padding": "x" * 1000})
    first = reports.wait(1)
    reporter.offer({"kind": "progress", "done": -1})
    numbers = [report["done"] for report in first + reports.wait(1)]
    assert numbers == [*range(len(numbers) - 1), -1]
    assert 2 < len(numbers) < 3000  # how much a pipe holds is the system's matter


def test_a_line_cut_by_a_death_is_left_out(pipe: tuple[Reporter, Reports]) -> None:
    """Only whole lines are reports."""
    reporter, reports = pipe
    reporter.tell({"kind": "notice", "text": "whole"})
    os.write(reporter._descriptor, b'{"kind": "noti')
    assert [report["text"] for report in reports.wait(1)] == ["whole"]


def test_a_supervisor_that_is_gone_is_noticed() -> None:
    """Telling nobody is an error, which ends the child."""
    ours, theirs = os.pipe()
    os.close(ours)
    with pytest.raises(BrokenPipeError):
        Reporter(theirs).tell({"kind": "notice"})
    os.close(theirs)
