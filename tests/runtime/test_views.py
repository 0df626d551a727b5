"""Jobs for people: rows, one whole job, its log; found by the beginning of an id."""

import pytest

from statek.exceptions import NotApplied
from statek.runtime import views
from statek.testing import LocalFleet, answer, declare_agent
from tests.runtime import desk
from tests.runtime.conftest import OpenDesk


@pytest.fixture
def fleet(open_desk: OpenDesk) -> LocalFleet:
    """Three jobs: one that ended well, one that failed, one that waits; and a refused input."""
    fleet = open_desk(answer("1/0", turn=20), answer("import math\nprint('hi')\nn = 7\nb = box()\nexit([n])"))
    fleet.submit("clerk", key="good")
    fleet.submit("nobody")
    fleet.run()
    fleet.apply([declare_agent("clerk", tools=desk.TOOLS)], [answer("pause()")])
    fleet.submit("clerk", key="late")
    fleet.run()
    return fleet


def test_rows_leave_out_what_is_done(fleet: LocalFleet) -> None:
    """Without being asked for everything, only unfinished jobs are listed."""
    assert [row["id"] for row in views.job_rows(fleet.store)["jobs"]] == ["clerk/late"]


def test_rows_of_everything(fleet: LocalFleet) -> None:
    """Everything: newest first, refused inputs with their reason."""
    rows = views.job_rows(fleet.store, everything=True)
    assert [(row["id"], row["outcome"]) for row in rows["jobs"]] == [("clerk/late", None), ("clerk/good", "ok")]
    assert [line["id"] for line in rows["refused"]] == ["nobody/1"]


def test_rows_are_chosen(fleet: LocalFleet) -> None:
    """By agent, by status or outcome, and not more than asked for, with the number there are."""
    assert views.job_rows(fleet.store, agent="other", everything=True)["total"] == 0
    assert [row["id"] for row in views.job_rows(fleet.store, status="ok")["jobs"]] == ["clerk/good"]
    few = views.job_rows(fleet.store, everything=True, limit=1)
    assert (len(few["jobs"]), few["total"]) == (1, 2)


def test_whole_job(fleet: LocalFleet) -> None:
    """One job with its names as text, console, exit value and where it stands."""
    job = views.job_whole(fleet.store, fleet.ledger, "clerk/good")
    assert (job["console"], job["exit"], job["stands"]) == (["hi"], "[7]", "ended: ok")
    assert job["locals"]["n"] == "7"
    assert "known to the job's code only" in job["locals"]["math"]


def test_log(fleet: LocalFleet) -> None:
    """The log tells in order what was said and printed."""
    assert [line["kind"] for line in views.job_log(fleet.store, "clerk/good")] == ["answer", "print"]


def test_found_by_the_beginning_of_the_id(fleet: LocalFleet) -> None:
    """A unique beginning is enough; an ambiguous or unknown one is refused with what there is."""
    assert views.find(fleet.store, "clerk/g").id == "clerk/good"
    with pytest.raises(NotApplied, match="2 jobs begin with 'clerk/'"):
        views.find(fleet.store, "clerk/")
    with pytest.raises(NotApplied, match="there is no job 'x'"):
        views.find(fleet.store, "x")
