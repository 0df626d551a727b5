"""Jobs for people: rows, one whole job, its log; found by the beginning of an id."""

import pytest

from statek.exceptions import NotApplied, StatekError
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


def test_every_record_of_a_job(fleet: LocalFleet) -> None:
    """Messages with their place, errors of code, usage with sizes, names by type; values only when asked."""
    fleet.apply([declare_agent("clerk")], [answer("print('a')\n1/0", turn=1), answer("n = 1.5\nexit('x')", turn=3)])
    fleet.submit("clerk", key="whole")
    fleet.push("clerk/whole", "hello")
    fleet.run()
    job = views.job_whole(fleet.store, fleet.ledger, "clerk/whole", values=False)
    assert [(line["text"], line["position"]) for line in job["pushLog"]] == [("hello", 0)]
    assert any("ZeroDivisionError" in error["message"] for error in job["exceptions"])
    assert job["usage"]["inputTokens"] > 0
    assert "locals" not in job
    good = views.job_whole(fleet.store, fleet.ledger, "clerk/good", values=False)
    assert (good["names"]["n"], good["names"]["math"]) == ("int", "tool or module")


def test_results_of_formal_calls_name_their_answer(open_desk: OpenDesk) -> None:
    """The tool log tells for each formal call what it gave, or why it failed."""
    good = {"name": "post", "arguments": {"text": "y"}, "id": "one"}
    wrong = {"name": "fail", "arguments": {"text": "bad"}, "id": "two"}
    fleet = open_desk(answer(calls=[good, wrong], turn=1), answer("exit(1)"))
    fleet.submit("clerk")
    fleet.run()
    job = views.job_whole(fleet.store, fleet.ledger, "clerk/1")
    assert [line["answer"] for line in job["toolLog"]] == [0, 0]
    assert [line["error"] is None for line in job["toolLog"]] == [True, False]


def test_a_log_is_read_in_parts(fleet: LocalFleet) -> None:
    """Each part begins where the one before ended; all parts are the whole log."""
    job = views.find(fleet.store, "clerk/good")
    entries, place = views.entries_from(job, views.BEGINNING, 1)
    again = views.log_part(fleet.store, "clerk/good", str(place))
    assert [*entries, *again["entries"]] == views.job_log(fleet.store, "clerk/good")
    last = views.log_part(fleet.store, "clerk/g", again["next"])
    assert (last["job"], last["entries"], last["more"], last["outcome"]) == ("clerk/good", [], False, "ok")


@pytest.mark.parametrize("start", ["x", "1", "1.", ".1", "-1.0", "1.2.3"])
def test_a_wrong_place_in_a_log_is_refused(fleet: LocalFleet, start: str) -> None:
    """Only what was given out is understood."""
    with pytest.raises(StatekError, match="place in a log"):
        views.log_part(fleet.store, "clerk/good", start)
