"""Promises of `statek.text.names`, reached through `statek.text.warmup`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.text.warmup import bindings, free_names, referenced_names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("sender = ticket.sender\nprint(sender)", ["ticket"]),
        ("b + a + b", ["b", "a"]),
        ("f(x); client.go(y)", ["x", "client", "y"]),
        ("len; print(sorted)", []),
        ("x = x + 1", ["x"]),
        ("n += 1", ["n"]),
        ("a, (b, *c) = d\na + b; c", ["d"]),
        ("for i in items:\n    i\ni", ["items"]),
        ("with door as d, d.x as e:\n    d + e", ["door"]),
        ("import a.b, c as d\nfrom e import f\na; d; f; c", ["c"]),
        ("def f(x=y) -> T:\n    z\nf", ["y", "T"]),
        ("@wrap\ndef f(a: A, *b: B): pass", ["wrap", "A", "B"]),
        ("class C(Base):\n    x = 1\n    y = x + z\nC; x", ["Base", "z", "x"]),
        ("[i * k for i in items if i]\ni", ["items", "k", "i"]),
        ("{k: v for k, v in d}", ["d"]),
        ("[j for i in rows for j in i]", ["rows"]),
        ("obj.x = 1\nobj2[i] = 2", ["obj", "obj2", "i"]),
        ("lambda a=b: c", ["b"]),
        ("try:\n    a\nexcept E as e:\n    e", ["a", "E"]),
        ("match m:\n    case {'k': v, **r}: v; r\n    case [h, *t] as w: h; t; w", ["m"]),
        ("f'{a} {b!r:>{w}}'", ["a", "b", "w"]),
        ("(n := m) + n", ["m"]),
        ("x: int = y\nx", ["y"]),
        ("if a:\n    b = 1\nb", ["a"]),
        ("del gone", ["gone"]),
    ],
)
def test_referenced_names(code: str, names: list[str]) -> None:
    """Variables read before they are bound are listed in the order of their first appearance."""
    assert referenced_names(code) == names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("ticket = lookup(event['id'])\nprint(ticket)", [("lookup", True), ("event", False), ("print", True)]),
        ("def f(a):\n    b = a + c\n    return g(b)\n", [("c", False), ("g", True)]),
        ("def f():\n    return later\nlater = 1", []),
        ("def f():\n    def g():\n        return x + y\n    x = 1", [("y", False)]),
        ("def f():\n    global x\n    x = 1\nf()\nx", []),
        ("lambda a: a + b", [("b", False)]),
        ("[lambda: i for i in [1]]", []),
        ("a\na = 1\na", [("a", False)]),
    ],
)
def test_free_names(code: str, names: list[tuple[str, bool]]) -> None:
    """Every name that nothing in the block binds is listed once, called ones, builtins and those in functions too."""
    assert [(use.name, use.called) for use in free_names(code)] == names


def test_places_count_characters() -> None:
    """A name behind letters outside ASCII is found in its column."""
    (use,) = free_names("x = 'é🚲' + ticket")
    assert (use.line, use.column, use.end_column) == (1, 12, 18)


def test_names_inside_format_strings_are_found() -> None:
    """A name in a text of several lines is placed on the line where it is written."""
    (use,) = free_names('x = f"""é\n  {ticket.id}\n"""')
    assert (use.line, use.column, use.end_column) == (2, 4, 10)


@pytest.mark.parametrize(
    "code",
    ["x =", "(" * 5000, "a\0b", "x" + ".y" * 20000, "-" * 20000 + "1"],
    ids=["cut", "open", "nul", "dots", "minus"],
)
def test_what_python_cannot_read_is_a_syntax_error(code: str) -> None:
    """Broken and absurdly deep code both end as SyntaxError."""
    with pytest.raises(SyntaxError):
        free_names(code)


@given(
    st.lists(st.sampled_from(["a = b", "def f(x):\n    return y", "for i in c: d(i)", "[e for e in f]"]), max_size=6)
)
def test_places_hold_the_name(lines: list[str]) -> None:
    """At the place of every use stands the name itself."""
    code = "\n".join(lines)
    for use in free_names(code):
        assert code.split("\n")[use.line - 1][use.column - 1 : use.end_column - 1] == use.name


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("x = 1\nx = 2", {"x": (1, "")}),
        ("[x for x in y]\nx = 1", {"x": (2, "")}),
        ("[(x := i) for i in y]", {"x": (1, ""), "i": (1, "the comprehension")}),
        ("def f(a):\n    b = a", {"f": (1, ""), "a": (1, "'f'"), "b": (2, "'f'")}),
        ("def f():\n    global g\n    g = 1", {"f": (1, ""), "g": (2, "")}),
        ("x: int\ny: int = 1", {"y": (2, "")}),
        ("import a.b, c as d", {"a": (1, ""), "d": (1, "")}),
        ("try: f()\nexcept E as e: pass", {"e": (2, "")}),
        ("match v:\n    case [a, *b]: pass\n    case {**c}: pass", {"a": (2, ""), "b": (2, ""), "c": (3, "")}),
        ("class C:\n    x = lambda y: 1", {"C": (1, ""), "x": (2, "'C'"), "y": (2, "the lambda")}),
    ],
)
def test_bindings_say_where_a_name_is_there(code, found):
    """The first line that binds it, and the part of the code that has it to itself."""
    assert {name: tuple(binding) for name, binding in bindings(code).items()} == found


def test_bindings_of_deeply_nested_code_are_found():
    """As deep as Python reads it."""
    assert "x" in bindings("+".join(["1"] * 900) + "\nx = 1")
