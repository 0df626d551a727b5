"""What is said of schedules beyond their shape."""

import pytest

from statek.spec.checking.schedules import check_schedules
from tests.spec.declared import AGENT, declared, document

INPUTS = "inputs: {topic: {type: string}, depth: {type: integer, default: 1}, note: {type: string, optional: true}}\n"


def problems_of(spec: str, front: str = INPUTS):
    """What is wrong with a schedule of agent `a`."""
    text = document("Schedule", f"{{agent: a, {spec}}}")
    return tuple(check_schedules(declared({"agents/a.md": AGENT.format(front), "queues/s.yaml": text})))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "America/Argentina/Ushuaia"])
def test_a_right_schedule_has_no_problem(zone):
    """Inputs with a default or optional ones may be left out."""
    assert problems_of(f"cron: 0 6 * * 1-5, timezone: {zone}, inputs: {{topic: x}}") == ()


def test_the_bad_part_of_a_cron_line_is_blamed():
    """Not the whole line; also within quotes."""
    (problem,) = problems_of("cron: '0 6 * * fry', inputs: {topic: x}")
    assert (problem.code, problem.range.start.column) == ("STK602", 33)
    assert problem.range.end.column - problem.range.start.column == 3
    assert "did you mean 'fri'?" in problem.message


@pytest.mark.parametrize(
    ("zone", "hint"),
    [("Europe/Warsav", "Europe/Warsaw"), ("warsaw", "Europe/Warsaw"), ("utc", "UTC"), ("8 hours", "expected a name")],
)
def test_an_unknown_time_zone_names_the_nearest(zone, hint):
    """Also when only the city was written."""
    (problem,) = problems_of(f"cron: 0 6 * * *, timezone: {zone}, inputs: {{topic: x}}")
    assert problem.code == "STK603"
    assert hint in problem.message


@pytest.mark.parametrize(
    ("inputs", "codes"),
    [
        ("{}", ["STK607"]),
        ("{topc: x}", ["STK607"]),
        ("{topic: x, extra: 1}", ["STK607"]),
        ("{topic: 1}", ["STK103"]),
        ("{topic: x, depth: deep}", ["STK103"]),
        ("{depth: deep, extra: 1}", ["STK607", "STK103", "STK607"]),
    ],
)
def test_inputs_are_those_of_the_agent(inputs, codes):
    """Unknown, of a wrong type, missing: each once; a misspelt one is not missing, too."""
    assert [problem.code for problem in problems_of(f"cron: 0 6 * * *, inputs: {inputs}")] == codes


def test_a_misspelt_input_offers_a_safe_fix():
    """The name that was meant."""
    (problem,) = problems_of("cron: 0 6 * * *, inputs: {topc: x}")
    assert [(fix.safe, fix.text, fix.range) for fix in problem.fixes] == [(True, "topic", problem.range)]
