"""Tools in words."""

import pytest

from statek.tools.describe import formal_spec, listing, parse_docstring
from statek.tools.registry import from_callable
from tests.tools import sample

SEARCH = from_callable(sample.search_notes)
BRIEF = """\
search_notes(query, limit=5, since=None)
    Find notes that mention the query.
    Returns: list[Note]: the notes"""
DETAILED = '''\
def search_notes(query: str, limit: int = 5, since: date | None = None) -> list[Note]:
    """Find notes that mention the query.

    The newest come first.

    Args:
        query: words to look for, any of them
        limit: how many at most
        since: only newer ones

    Raises:
        ValueError: the query is empty

    Returns:
        list[Note]: the notes

    Example:
        search_notes("tax", limit=2)
    """'''


def test_brief_listing() -> None:
    """A line of call, a line of text, what it returns; a blank line between tools."""
    bare = from_callable(sample.bare)
    assert listing([SEARCH, bare]) == f"{BRIEF}\n\nbare(note, colour=<Colour.RED: 1>, level=None)"


def test_detailed_listing() -> None:
    """The declaration with types and the whole docstring."""
    assert listing([SEARCH], detailed=True) == DETAILED


def test_listing_leaves_out_hidden_and_internal() -> None:
    """Hidden tools and names with a leading underscore are never shown; nothing left is no text."""
    unseen = [from_callable(sample.hidden_tool), from_callable(sample.search_notes, name="_search")]
    assert listing(unseen) == ""
    assert listing([*unseen, SEARCH]) == BRIEF


def test_temporal_tool_shows_the_type_of_its_value() -> None:
    """A temporal tool is shown as giving what its complement gives."""
    text = listing([from_callable(sample.pick)], detailed=True)
    assert text == 'def pick(queue: Note) -> dict[str, int]:\n    """Take the next task."""'


def test_own_description_replaces_the_text() -> None:
    """A description given with the tool takes the place of the docstring's, the rest stays."""
    described = from_callable(sample.search_notes, description="Search.")
    assert listing([described]).splitlines()[1] == "    Search."
    assert formal_spec(described)["description"] == "Search."


def test_formal_spec() -> None:
    """Name, description and a JSON Schema with what is required."""
    expected = {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "words to look for, any of them"},
            "limit": {"type": "integer", "description": "how many at most"},
            "since": {"type": "string", "format": "date", "description": "only newer ones"},
        },
        "required": ["query"],
    }
    found = formal_spec(SEARCH)
    assert found == {
        "name": "search_notes",
        "description": "Find notes that mention the query.",
        "parameters": expected,
    }


def test_formal_types() -> None:
    """Annotations become JSON types; unknown and missing ones text."""
    properties = formal_spec(from_callable(sample.chosen))["parameters"]["properties"]
    assert properties == {
        "mode": {"type": "string", "enum": ["fast", "slow"], "description": "how fast"},
        "names": {"type": "array", "items": {"type": "string"}},
        "table": {"type": "object"},
        "ratio": {"type": "number"},
        "anything": {"type": "string"},
    }


def test_formal_enums() -> None:
    """Enums are text, Python's with their members' names; private parameters are left out."""
    properties = formal_spec(from_callable(sample.bare))["parameters"]["properties"]
    assert properties == {
        "note": {"type": "string"},
        "colour": {"type": "string", "enum": ["RED", "BLUE"]},
        "level": {"type": "string"},
    }


def test_nothing_required_is_not_listed() -> None:
    """Without required parameters there is no such list."""
    assert formal_spec(from_callable(sample.system_tool))["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("text", "brief", "args"),
    [
        ("", "", {}),
        ("One\nline.", "One line.", {}),
        (
            "T.\n\nArgs:\n    a (dict[str, int]): x: y\n        z\n    *rest: more\n",
            "T.",
            {"a": "x: y z", "*rest": "more"},
        ),
        ("T.\n\nNote:\n    a: no\n", "T.", {}),
        ("VARIANTS/: all /tool: for tools /human: h", "for tools", {}),
        ("VARIANTS/human: h", "", {}),
        ("VARIANTS/: all /human: h", "all", {}),
    ],
)
def test_docstrings(text: str, brief: str, args: dict[str, str]) -> None:
    """Google-style docstrings are taken apart; of variants the one for tools is used."""
    found = parse_docstring(text)
    assert (found.brief, found.args) == (brief, args)
