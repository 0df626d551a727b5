"""What was found about one set of specs holds for the next when all answers are what they were, and only then."""

import inspect
from dataclasses import fields

import pytest

from statek.spec.noting import NotingSpecs
from statek.spec.types import Spec, SpecSet
from tests.spec.declared import declared

AGENT = "---\ndescription: An agent.\nmodel: a/b\n---\nHello.\n"
FILES = {f"agents/{name}.md": AGENT for name in "abc"}
PLAIN = declared(FILES)


def without(name: str) -> SpecSet:
    """The same specs but one."""
    specs = {key: spec for key, spec in PLAIN.specs.items() if key != ("Agent", name)}
    return SpecSet(specs, PLAIN.partials, PLAIN.warmups, PLAIN.broken, PLAIN.unsure)


def asks(name: str, specs: SpecSet) -> list[Spec | None]:
    """A result of its own each time."""
    return [specs.get("Agent", name)]


def asks_another(name: str, specs: SpecSet) -> object:
    """One that needs another result."""
    return [specs.remembered(asks, name)]


def fails(name: str, specs: SpecSet) -> object:
    """One that fails when there is no such agent."""
    if specs.get("Agent", name) is None:
        raise KeyError(name)
    return [name]


def asks_one_that_fails(name: str, specs: SpecSet) -> object:
    """One that can do without the other."""
    try:
        return [specs.remembered(fails, name)]
    except KeyError:
        return []


@pytest.mark.parametrize("find", [asks, asks_another, asks_one_that_fails])
@pytest.mark.parametrize("gone", ["a", "b"])
def test_a_result_holds_until_an_answer_is_another_one(find, gone):
    """An agent that goes changes what was found by asking for it, and nothing else."""
    first = NotingSpecs(PLAIN)
    before = first.remembered(find, "a")
    second = NotingSpecs(without(gone), first)
    after = second.remembered(find, "a")
    assert (after is before) == (gone != "a")
    assert after == find("a", without(gone))
    third = NotingSpecs(PLAIN, second)
    assert (third.remembered(find, "a") is after) == (gone != "a")
    assert third.remembered(find, "a") == before


def test_of_each_of_many_only_what_changed_is_found_again():
    """Whatever their order, and whether there are more of them."""
    first = NotingSpecs(PLAIN)
    before = first.each(asks, ["a", "b", "c"])
    after = NotingSpecs(without("b"), first).each(asks, ["c", "b", "d", "a"])
    assert after == [before[2], [None], [None], before[0]]
    assert (after[0] is before[2], after[3] is before[0]) == (True, True)


def test_what_each_finds_is_noted_by_who_asks_for_it():
    """A result about many holds as long as all of theirs do."""

    def about_all(specs: SpecSet) -> object:
        return specs.each(asks, ["a", "b"])

    first = NotingSpecs(PLAIN)
    before = first.remembered(about_all)
    second = NotingSpecs(without("c"), first)
    assert second.remembered(about_all) is before
    assert NotingSpecs(without("b"), second).remembered(about_all) == [before[0], [None]]


def test_what_a_run_does_not_ask_for_is_forgotten():
    """What is kept does not grow with the number of edits."""
    first = NotingSpecs(PLAIN)
    before = first.remembered(asks, "a")
    third = NotingSpecs(PLAIN, NotingSpecs(PLAIN, first))
    assert third.remembered(asks, "a") is not before
    assert (len(third.found), len(third.answers)) == (1, 1)


def test_whatever_a_set_can_be_asked_is_noted():
    """Each field and each method: none of them can be asked behind the back of whoever keeps the result."""
    finding = {"remembered", "each", "told", "told_of_each"}
    methods = {name for name, _ in inspect.getmembers(SpecSet, inspect.isfunction) if not name.startswith("_")}
    named = {name: inspect.signature(getattr(SpecSet, name)) for name in methods - finding}
    for name, signature in named.items():
        values = ["Agent"] * (len(signature.parameters) - 1)
        noting = NotingSpecs(PLAIN)
        asked = noting.remembered(lambda specs, name=name, values=values: getattr(specs, name)(*values))
        assert asked == getattr(PLAIN, name)(*values)
        assert len(noting.answers) == 1, name
    for field in fields(SpecSet):
        noting = NotingSpecs(PLAIN)
        assert noting.remembered(lambda specs, name=field.name: getattr(specs, name)) == getattr(PLAIN, field.name)
        assert len(noting.answers) == 1, field.name
