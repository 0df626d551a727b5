"""`statek usage` before any model has answered, and with what it does not understand."""

from pathlib import Path

import pytest

from tests.cli.conftest import Statek


def test_nothing_was_used_yet(statek: Statek, applied: Path) -> None:
    """No rows, a total of zero, and a word for people."""
    found = statek("usage", "--by", "day", "-o", "json", cwd=applied).document("Usage")
    assert (found["usage"], found["total"]["answers"], found["by"]) == ([], 0, "day")
    assert "no model has answered" in statek("usage", cwd=applied).err


@pytest.mark.parametrize(("words", "code"), [(("--since", "yesterday"), 1), (("--by", "moon"), 2)])
def test_what_is_not_understood_is_refused(
    statek: Statek, applied: Path, words: tuple[str, ...], code: int
) -> None:  # fmt: skip
    """A wrong day is a mistake, a wrong view is wrong usage."""
    assert statek("usage", *words, cwd=applied).code == code


def test_a_wrong_since_of_logs_is_refused(statek: Statek, applied: Path) -> None:
    """With the forms that are understood."""
    ended = statek("logs", "clerk/1", "--since", "noonish", cwd=applied)
    assert ended.code == 1
    assert "15m" in ended.err
