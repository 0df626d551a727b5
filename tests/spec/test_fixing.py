"""Applying fixes: text for text, only to files that are what was read."""

from pathlib import Path

import pytest

from statek.exceptions import BugError
from statek.spec.fixes import is_slip, replaced, respelled, word_fix
from statek.spec.fixing import apply_safe_fixes
from statek.spec.problems import Fix, Position, Problem, Range, make_problem, span
from statek.spec.reading.edits import apart, with_fixes
from statek.spec.reading.snapshot import SourceFile

NAMES = ["event", "subject", "priority", "desk", "desk2", "no", "low"]


def fix(line: int, column: int, end_column: int, text: str, *, safe: bool = True) -> Fix:
    """A replacement within one line."""
    return Fix("a fix", safe=safe, range=Range(Position(line, column), Position(line, end_column)), text=text)


def problem(*fixes: Fix, file: str = "agents/a.yaml") -> Problem:
    """A problem with these fixes."""
    return make_problem("STK101", "wrong", file, span(1, 1), fixes=fixes)


def sources_of(root: Path) -> dict[str, str]:
    """Digests of all files, as a compilation has them."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): SourceFile("", "", path.read_bytes()).sha256 for path in files}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of a project."""
    path = tmp_path / "agents/a.yaml"
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    return path


def test_line_ends_and_the_byte_order_mark_stay() -> None:
    """A fix counts columns as problems do, and its own lines end as those of the file."""
    text = "\ufeffa: 1\r\nb: 2\r\n"

    assert with_fixes(text, [fix(1, 1, 2, "xx"), fix(2, 4, 5, "3\nc: 4")]) == "\ufeffxx: 1\r\nb: 3\r\nc: 4\r\n"


def test_fixes_that_touch_wait_for_the_next_round() -> None:
    """Of two that overlap, or insert at one place, the first is made; two equal ones are one."""
    first, inside, behind = fix(1, 1, 5, "x"), fix(1, 3, 4, "y"), fix(1, 5, 6, "z")
    insert = fix(1, 9, 9, "i")

    assert apart([insert, behind, inside, first, first, insert]) == [first, behind, insert]


def test_only_safe_fixes_of_read_files_are_made(file: Path, tmp_path: Path) -> None:
    """Unsafe ones, and those of files that nobody has read, are passed over."""
    given = [problem(fix(1, 4, 5, "9", safe=False)), problem(fix(2, 4, 5, "8")), problem(fix(1, 1, 2, "x"), file="b")]

    done = apply_safe_fixes(tmp_path, given, sources_of(tmp_path))

    assert (done.fixed, done.files, done.left) == (1, {"agents/a.yaml"}, ())
    assert file.read_bytes() == b"\xef\xbb\xbfa: 1\r\nb: 8\r\n"


def test_a_file_that_changed_meanwhile_stays(file: Path, tmp_path: Path) -> None:
    """It is compared with what was read, and the reason is given."""
    sources = sources_of(tmp_path)
    file.write_text("a: 5\n")

    done = apply_safe_fixes(tmp_path, [problem(fix(1, 4, 5, "9"))], sources)

    assert done.fixed == 0
    assert "changed meanwhile" in done.left[0]
    assert file.read_text() == "a: 5\n"


def test_a_fix_that_would_break_a_file_is_a_bug(file: Path, tmp_path: Path) -> None:
    """Nothing is written then."""
    before = file.read_bytes()

    with pytest.raises(BugError, match="could not be read after"):
        apply_safe_fixes(tmp_path, [problem(fix(1, 4, 5, "["))], sources_of(tmp_path))

    assert file.read_bytes() == before


def test_the_mode_stays_and_nothing_is_left_behind(file: Path, tmp_path: Path) -> None:
    """The new file has the permissions of the old one, and is the only one in its folder."""
    file.chmod(0o640)

    apply_safe_fixes(tmp_path, [problem(fix(1, 4, 5, "9"))], sources_of(tmp_path))

    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["a.yaml"]


def test_nothing_is_written_through_a_link(file: Path, tmp_path: Path) -> None:
    """A file that is a link stays one, and what it leads to stays as it is."""
    real = tmp_path / "real.yaml"
    file.rename(real)
    file.symlink_to(real)

    done = apply_safe_fixes(tmp_path, [problem(fix(1, 4, 5, "9"))], sources_of(tmp_path))

    assert "is a link" in done.left[0]
    assert file.is_symlink()
    assert real.read_bytes().endswith(b"a: 1\r\nb: 2\r\n")


@pytest.mark.parametrize("word", ["evnt", "Event", "eevnt", "subjct", "prioirty", "PRIORITY"])
def test_a_slip_is_certain(word: str) -> None:
    """A letter too much, too few, wrong or swapped, and case, in a word that is long enough."""
    (found,) = word_fix(span(1, 1, len(word)), word, NAMES)

    assert found.safe


@pytest.mark.parametrize(
    ("word", "known"), [("desk3", NAMES), ("noo", NAMES), ("ev", NAMES), ("cart", ["card", "cast"])]
)
def test_what_is_not_certain_is_no_slip(word: str, known: list[str]) -> None:
    """Other digits, short words, words far away, two near neighbours."""
    assert not any(is_slip(word, name, known) for name in known)


def test_a_name_that_stands_beside_is_not_offered() -> None:
    """It would stand there twice."""
    assert word_fix(span(1, 1, 4), "evnt", NAMES, beside=["event", "evnt"]) == ()


@pytest.mark.parametrize(("width", "column", "text"), [(4, 3, "event"), (6, 4, "event")])
def test_quotes_stay_around_a_replaced_word(width: int, column: int, text: str) -> None:
    """Only the word within is replaced."""
    (found,) = replaced(span(1, 3, width), "evnt", "event", safe=True)

    assert (found.range.start.column, found.range.end.column, found.text) == (column, column + 4, text)


def test_a_word_of_yaml_gets_quotes() -> None:
    """Otherwise it would not be text."""
    (found,) = replaced(span(1, 1, 4), "treu", "true", safe=True)

    assert found.text == '"true"'


def test_a_value_that_is_not_written_as_it_reads_has_no_fix() -> None:
    """Escapes, and texts over several lines."""
    assert replaced(span(1, 1, 9), "evnt", "event", safe=True) == ()


@pytest.mark.parametrize(
    ("form", "text", "meant"),
    [
        ("duration", "10 min", "10m"), ("positive-duration", "1 hour 30 minutes", "1h30m"), ("duration", "5 S", "5s"),
        ("rate", "60/minute", "60/m"), ("rate", "5 per second", "5/s"), ("tokens", "60K", "60k"),
        ("tokens", "2 M", "2M"), ("duration", "1.5h", "1h30m"), ("duration", "0.5 s", "500ms"),
        ("duration", "1w", "7d"), ("rate", "60rpm", "60/m"), ("target", "shop:find()", "shop:find"),
        ("target", "shop::find", "shop:find"), ("name", "triage.md", "triage"), ("name", "Agent/triage", "triage"),
        ("name", "agents/triage.md", "triage"),
        ("path", "$.customer.id", "customer.id"), ("path", "{{ event.id }}", "event.id"),
        ("pattern", "shop.find", "shop/find"), ("model", "openai / gpt-5", "openai/gpt-5"),
        ("name", "\u201ctriage\u201d", "triage"), ("name", "triage\u200b", "triage"), ("duration", "5s,", "5s"),
    ],
)  # fmt: skip
def test_known_ways_to_write_a_value_are_understood(form: str, text: str, meant: str) -> None:
    """Long words for units, spaces, ways of other languages, and what is seen by nobody."""
    assert respelled(form, text) == meant


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("duration", "10 M"),
        ("duration", "1.25h"),
        ("duration", "1w 2d"),
        ("pattern", "shop.tickets:find"),
        ("duration", "soon"),
        ("rate", "60"),
        ("tokens", "2m"),
        ("name", "a b"),
    ],
)
def test_what_could_mean_two_things_is_left(form: str, text: str) -> None:
    """`M` may be months or minutes: nobody guesses."""
    assert respelled(form, text) is None
