"""Promises of statek.sandbox.sources: code objects are found again by where they stand."""

import gc
from types import CodeType

import pytest

from statek.sandbox import sources


def register(source: str, digest: str) -> CodeType:
    """Compile and register."""
    code = compile(source, f"<job {digest}>", "exec")
    sources.register(source, digest, [code])
    return code


def never(source: str) -> None:
    """A compiler that must not be called."""
    raise AssertionError(source)


def test_every_function_is_found_by_its_key() -> None:
    """Functions, methods and lambdas, nested in functions, classes and comprehensions, have a key each."""
    text = "class C:\n def m(self): return [lambda: 0 for _ in '']\nf, g = lambda: 1, lambda: 2\n"
    register(text, "d1")
    keys = [("C.m", 2, 0), ("C.m.<locals>.<listcomp>.<lambda>", 2, 0), ("<lambda>", 3, 0), ("<lambda>", 3, 1)]
    for name, line, nth in keys:
        key = sources.CodeKey("d1", name, line, nth)
        assert sources.key_of(sources.code_of(key, text, never)) == key


def test_foreign_code_has_no_key() -> None:
    """A function of the application is not taken for one of a job."""
    assert sources.key_of(register.__code__) is None


def test_a_forgotten_source_is_compiled_again() -> None:
    """The caller's compiler is asked when a digest is not registered."""
    key = sources.CodeKey("d2", "f", 1, 0)
    found = sources.code_of(key, "def f(): pass", lambda source: (register(source, "d2"), None)[1])
    assert found.co_name == "f"


def test_a_source_without_such_code_is_a_lookup_error() -> None:
    """A key that the source does not have is said to be missing, with its place."""
    register("x = 1", "d3")
    with pytest.raises(LookupError, match="no 'f' at line 7"):
        sources.code_of(sources.CodeKey("d3", "f", 7, 0), "x = 1", never)


def test_a_living_function_never_loses_its_source() -> None:
    """Only a bounded number of sources is remembered, but the source of code in use stays known."""
    code = next(c for c in register("def f(): pass", "d4").co_consts if isinstance(c, CodeType))
    for number in range(sources.SOURCES):
        sources.register("x = 1", f"filler {number}", [])
    assert len(sources._recent) == sources.SOURCES
    assert sources.key_of(code) == sources.CodeKey("d4", "f", 1, 0)
    assert sources.source_of("d4") == "def f(): pass"


def test_forgotten_code_leaves_nothing_behind() -> None:
    """When the source is forgotten and no function lives, neither text nor key is held."""
    register("def f(): pass", "d5")
    before = len(sources._live)
    sources._recent.clear()
    gc.collect()
    assert sources.source_of("d5") is None
    assert len(sources._live) < before
