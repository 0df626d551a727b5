"""From names to functions."""

import pytest

from statek.exceptions import StatekError
from statek.tools.targets import import_target
from tests.tools import sample


def test_import_target() -> None:
    """A target gives the function it names."""
    assert import_target("tests.tools.sample:search_notes") is sample.search_notes


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("tests.tools.sample", "expected package.module:function", ""),
        ("tests.tools.sample:", "expected package.module:function", ""),
        ("tests.tools.sampel:f", "no module tests.tools.sampel", "did you mean 'tests.tools.sample'?"),
        ("tests.tools.sample:serch_notes", "has no serch_notes", "did you mean 'search_notes'?"),
        ("tests.tools.sample:NOT_A_FUNCTION", "of type int", ""),
        ("tests.tools.broken:f", r"importing tests.tools.broken failed: No module named 'statek.no_such_module'", ""),
    ],
)
def test_import_target_says_what_is_missing(target: str, message: str, hint: str) -> None:
    """A target that leads nowhere is an error that names the missing part and the nearest name."""
    with pytest.raises(StatekError, match=message) as caught:
        import_target(target)
    assert caught.value.hint == hint
