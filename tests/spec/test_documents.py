"""From bytes to documents."""

import frontmatter
import pytest

from statek.spec.reading.documents import StrictHandler, form_of, read_documents
from statek.spec.reading.snapshot import SourceFile
from statek.text.fences import split


@pytest.mark.parametrize(
    ("path", "form"),
    [("agents/a.md", "markdown"), ("agents/_a.md", "partial"), ("queues/q.yaml", "yaml"), ("warmups/w.py", "python"),
     ("agents/deep/a.md", "markdown"), ("agents/tools.py", None)],
)  # fmt: skip
def test_the_ending_says_how_a_file_is_read(path, form):
    """Python files count only below a folder for warmups."""
    assert form_of(path) == form


def test_the_door_gives_what_the_fences_gave():
    """python-frontmatter neither guesses nor drops: keys it would stumble over are kept."""
    fenced = split("---\ncontent: a\nhandler: b\non: c\n---\nBody.\n")
    data, body = frontmatter.parse("ignored", handler=StrictHandler(fenced, "a.md"))
    assert (data, body) == ({"content": "a", "handler": "b", "on": "c"}, "Body.")


def test_lines_of_a_body_count_from_the_top_of_the_file():
    """The body knows where it begins."""
    (document,) = read_documents([SourceFile("a.md", "agents", b"---\na: 1\n---\n\nHello.\n")]).documents
    assert (document.body, document.body_line, document.end_line) == ("\nHello.\n", 4, 5)


def test_a_bidirectional_control_is_a_warning():
    """Text that may show other than it reads is flagged, not refused."""
    read = read_documents([SourceFile("a.md", "agents", "---\na: 1\n---\nHel\u202elo.\n".encode())])
    assert [(p.code, p.severity, p.range.start.column) for p in read.problems] == [("STK010", "warning", 4)]
    assert read.broken == frozenset()


@pytest.mark.parametrize("raw", [b"a\rb", b"a\x00b", "a\ufeffb".encode(), b"a\x7fb", "a\x85b".encode()])
def test_a_hidden_character_is_refused(raw):
    """Control characters never get into a prompt."""
    read = read_documents([SourceFile("_a.md", "agents", raw)])
    assert [(p.code, p.range.start.line, p.range.start.column) for p in read.problems] == [("STK010", 1, 2)]
