"""The written answers and the warmup, run as plain Python over real events: they do the desk's work."""

import re
from collections import Counter
from types import SimpleNamespace

import dbzero as db0
import pytest
import yaml

from quakes import tools
from quakes.records import Desk

from .conftest import ROOT, open_store, relations_of_all

RULES = next(yaml.safe_load_all((ROOT / "agents/rehearsal.yaml").read_text()))["spec"]["rules"]
WRITES = ("file_record", "drop_event", "hold_event", "file_bulletin")
TOOLS = {  # what the front matter of each agent allows
    "triage": {name: getattr(tools, name) for name in (*WRITES, "classify", "grade", "nearby", "related")},
    "analyst": {name: getattr(tools, name) for name in ("nearby", "related", "sequence")},
}
WARMUP = compile((ROOT / "warmups/triage.py").read_text(), "warmups/triage.py", "exec")
CODE = {id(rule): compile(rule["reply"]["code"], f"rule {n}", "exec") for n, rule in enumerate(RULES)}


class ExitedError(Exception):
    """`exit` was called in job code."""


class Job:
    """Job code run the plain way: its names, what it printed, how it ended, and how many answers that took."""

    def __init__(self, agent, event):
        """Run to the end."""
        self.printed, self.status, self.turns = "", None, 0
        self.names = {
            **TOOLS[agent],
            "event": event,
            "print": self._print,
            "exit": self._exit,
            "analyst": self._analyst,
        }
        if agent == "triage":
            exec(WARMUP, self.names)
        try:
            while True:
                self._answer(agent)
        except ExitedError:
            pass

    def _answer(self, agent):
        self.turns += 1
        last, self.printed = self.printed, ""
        whens = [(rule["when"], rule) for rule in RULES]
        rule = next(
            rule
            for when, rule in whens
            if when["agent"] == agent and when["turn"] == self.turns and re.search(when.get("last", ""), last)
        )
        exec(CODE[id(rule)], self.names)

    def _print(self, *values):
        self.printed += " ".join(map(str, values)) + "\n"

    def _exit(self, status):
        self.status = status
        raise ExitedError

    def _analyst(self, event):
        return SimpleNamespace(result=Job("analyst", event).status)


def run(event):
    """Triage of one event in one transaction."""
    with db0.atomic():
        return Job("triage", event)


@pytest.mark.parametrize(
    ("fields", "status", "turns"),
    [
        ({"type": "quarry blast"}, "dropped", 1),
        ({"type": "ice quake"}, "held", 1),
        ({"mag": 4.9}, "filed", 1),
        ({"mag": 5.0}, "bulletin", 2),
    ],
)
def test_triage_ends_as_its_prompt_says(make_event, desk_store, fields, status, turns):
    """A second answer is asked for only where a bulletin is due."""
    job = run(make_event(**fields))
    assert (job.status, job.turns) == (status, turns)


def test_the_warmup_shows_what_is_known_nearby(make_event, desk_store):
    """The model starts with the facts and the neighbours before it."""
    run(make_event("first", mag=4.0, time="2018-02-05T00:00:00Z"))
    names = {
        **TOOLS["triage"],
        "event": make_event(felt=7),
        "print": lambda *values: lines.append(" ".join(map(str, values))),
    }
    lines = []
    exec(WARMUP, names)
    assert lines[1] == "2018-02-06T12:00:00.000Z, 10 km deep, felt by 7"
    assert lines[-1] == "- M 4.0 light, 0.0 km away, -1.50 days, somewhere"


def test_a_bulletin_tells_of_the_sequence(make_event, desk_store):
    """The text holds what the analyst computed from what is on file."""
    run(make_event("fore", mag=4.0, time="2018-02-05T00:00:00Z"))
    run(make_event("main", mag=6.0))
    text = Desk().bulletins[0].text
    assert "strongest of its sequence; smaller shocks of it on file: 1." in text
    assert "about M 4.8; none is on file yet" in text


def test_an_aftershock_is_called_one(make_event, desk_store):
    """The other branch of the analyst: part of something larger."""
    run(make_event("main", mag=6.0))
    run(make_event("after", mag=5.0, time="2018-02-07T00:00:00Z"))
    assert "It belongs, as aftershock, to the M 6.0 somewhere" in Desk().bulletins[1].text


def test_an_error_in_the_first_answer_meets_no_made_up_second_one(make_event, desk_store):
    """Nothing fits a turn after an error, so the job fails where it went wrong."""
    whens = [rule["when"] for rule in RULES if rule["when"]["agent"] == "triage"]
    assert not any(when["turn"] > 1 and re.search(when.get("last", ""), "ValueError: felt") for when in whens)


def test_a_week_is_worked_through(week, filed_week, tmp_path_factory):
    """39 bulletins, 28 dropped, 1,640 filed, and the same relations as when filed directly."""
    with open_store(tmp_path_factory.mktemp("rehearsed")):
        statuses = Counter(run(event).status for event in week)
        found = relations_of_all()
    assert statuses == {"filed": 1640, "bulletin": 39, "dropped": 28}
    assert found == filed_week.relations
