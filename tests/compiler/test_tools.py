"""Finding the functions of tools without importing anything."""

import pytest

from statek.compiler.tools import ModuleFinder


@pytest.fixture
def finder(tmp_path):
    """A finder over one module that must never run."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from shop.tickets import lookup\n")
    (tmp_path / "shop" / "tickets.py").write_text(
        "raise SystemExit('imported')\nimport os as system\n\ndef lookup(): ...\n\nclass Desk:\n"
        "    def close(self): ...\n"
        "try:\n    async def later(): ...\nexcept ImportError:\n    later = None\n"
    )
    return ModuleFinder((tmp_path,), tmp_path)


def test_names_at_the_top_of_a_module_are_found(finder):
    """Functions in plain and conditional code count, methods do not."""
    module = finder.find("shop.tickets")
    assert module.functions == {"lookup", "later"}
    assert module.classes == {"Desk"}
    assert "system" in module.others


def test_coroutine_functions_are_known_apart(finder):
    """Only these can be given up while they wait."""
    assert finder.find("shop.tickets").coroutines == {"later"}


def test_a_package_may_hand_on_a_function(finder):
    """A name that a package imports is there."""
    assert "lookup" in finder.find("shop").others


def test_a_missing_module_is_none_and_its_neighbours_are_known(finder):
    """What is near a missing module can be offered."""
    assert finder.find("shop.tikets") is None
    assert finder.known("shop.tikets") == ("shop.tickets",)


def test_installed_modules_are_found_too(finder):
    """A tool may come from an installed package or from Python itself."""
    assert "dumps" in finder.find("json").functions
    assert finder.find("math").open_ended


def test_star_imports_leave_the_names_open(finder, tmp_path):
    """What cannot be seen is not called missing."""
    (tmp_path / "more.py").write_text("from shop.tickets import *\n")
    assert finder.find("more").open_ended


@pytest.mark.parametrize("raw", [b"def f(:\n", b"\xff\xfe\x00", b"x = 'a\x00b'\n", b"(" * 5000])
def test_a_module_that_cannot_be_read_says_why(finder, tmp_path, raw):
    """No file content makes the search fail."""
    (tmp_path / "bad.py").write_bytes(raw)
    assert "bad.py" in finder.find("bad").failure
