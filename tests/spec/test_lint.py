"""How severe the rules are in one project."""

import pytest

from statek.spec.problems import RULES, make_problem, span
from statek.spec.reading.lint import LEVELS, SETTABLE, apply_lint, read_lint, spoils


def read(table):
    """The settings of a table, and the codes of what is wrong with it, with the places."""
    wrong = []
    lint = read_lint(table, lambda code, message, keys: wrong.append((code, keys, message)))
    return lint, wrong


def problem(code="STK601", file="agents/a.md", severity="error"):
    """One problem."""
    return make_problem(code, "m", file, span(1, 1), severity=severity)


@pytest.mark.parametrize("word", ["STK601", "limits-contradict"])
@pytest.mark.parametrize(("level", "left"), [("error", ["error"]), ("warn", ["warning"]), ("off", [])])
def test_a_rule_is_set_by_code_or_name(word, level, left):
    """To error, to warning, or away; others stay as they are."""
    lint, wrong = read({"rules": {word: level}})
    assert wrong == []
    assert [found.severity for found in apply_lint([problem()], lint)] == left
    assert list(apply_lint([problem("STK504")], lint)) == [problem("STK504")]


def test_a_warning_can_be_made_an_error():
    """A policy's rule of severity `warn`, for example."""
    lint, _ = read({"rules": {"STK701": "error"}})
    assert [found.severity for found in apply_lint([problem("STK701", severity="warning")], lint)] == ["error"]


@pytest.mark.parametrize(
    ("file", "left"),
    [("agents/a.md", ["error"]), ("agents/old/a.md", []), ("agents/old/x/b.md", ["warning"]), ("queues/b.md", [])],
)
def test_paths_win_over_the_whole_and_later_paths_over_earlier(file, left):
    """In the order of the file."""
    paths = [
        {"files": ["agents/old/**"], "rules": {"STK601": "off"}},
        {"files": ["b.md"], "rules": {"STK601": "warn"}},
        {"files": ["queues/*"], "rules": {"STK601": "off"}},
    ]
    lint, wrong = read({"rules": {"limits-contradict": "error"}, "paths": paths})
    assert wrong == []
    assert [found.severity for found in apply_lint([problem(file=file)], lint)] == left


@pytest.mark.parametrize("code", sorted(set(RULES) - SETTABLE))
def test_a_rule_without_which_nothing_is_left_is_always_an_error(code):
    """What cannot be read or built, what must not be overlooked: located, with what can be set."""
    for word in (code, RULES[code]):
        lint, wrong = read({"rules": {word: "off"}})
        assert [(found, keys) for found, keys, _ in wrong] == [("STK104", ("rules", word))]
        assert list(apply_lint([problem(code)], lint)) == [problem(code)]


def test_the_promised_rules_are_never_among_those_that_can_be_set():
    """Reading, secrets in prompts, secrets in files."""
    assert not {code for code in SETTABLE if code.startswith("STK0")} | ({"STK305", "STK802", "STK100"} & SETTABLE)


@pytest.mark.parametrize(
    ("table", "code", "keys", "hint"),
    [
        ("off", "STK103", (), "must hold tables"),
        ({"rule": {}}, "STK101", ("rule",), "did you mean 'rules'?"),
        ({"STK601": "off"}, "STK101", ("STK601",), "rules = {...}"),
        ({"rules": ["STK601"]}, "STK103", ("rules",), "must be a table"),
        ({"rules": {"limit-contradict": "off"}}, "STK101", ("rules", "limit-contradict"), "'limits-contradict'"),
        ({"rules": {"STK601": "ignore"}}, "STK104", ("rules", "STK601"), "did you mean 'off'?"),
        ({"rules": {"STK601": False}}, "STK104", ("rules", "STK601"), "did you mean 'off'?"),
        ({"rules": {"STK601": "off", "limits-contradict": "warn"}}, "STK110", ("rules", "limits-contradict"), "twice"),
        ({"paths": {}}, "STK103", ("paths",), "[[tool.statek.lint.paths]]"),
        ({"paths": ["a"]}, "STK103", ("paths", 0), "must hold tables"),
        ({"paths": [{"files": ["a"]}]}, "STK102", ("paths", 0), "'rules'"),
        ({"paths": [{"file": ["a"], "rules": {}}]}, "STK101", ("paths", 0, "file"), "did you mean 'files'?"),
        ({"paths": [{"files": "a", "rules": {}}]}, "STK103", ("paths", 0, "files"), "a list of patterns"),
        ({"paths": [{"files": [], "rules": {}}]}, "STK110", ("paths", 0, "files"), "is empty"),
    ],
)
def test_a_mistake_in_the_settings_is_told_once_with_its_place(table, code, keys, hint):
    """Nothing is passed over."""
    _, wrong = read(table)
    assert [(found, place) for found, place, _ in wrong] == [(code, keys)]
    assert hint in wrong[0][2]


def test_what_can_be_set_spoils_no_object():
    """Else an object would vanish when its problem is switched off."""
    assert not spoils([problem(code) for code in SETTABLE])
    assert spoils([problem("STK103")])
    assert not spoils([problem("STK103", severity="warning")])
    assert LEVELS == ("error", "warn", "off")
