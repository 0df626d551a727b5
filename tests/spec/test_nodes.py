"""YAML to nodes: which scalars there are, where values stand, and that nothing is expanded."""

import time

import pytest

from statek.spec.problems import Position
from statek.spec.reading.nodes import MAX_NODES, compose


def data_of(text: str) -> object:
    """The value of a text without problems."""
    composed = compose(text, "a.yaml")
    assert composed.problems == ()
    return composed.nodes[0].data


def codes_of(text: str) -> list[str]:
    """Codes of the problems of a text."""
    return [problem.code for problem in compose(text, "a.yaml").problems]


@pytest.mark.parametrize(
    "word", ["NO", "off", "on", "yes", "~", "Null", "1:30", "010", "0x1f", "2026-01-01", ".5", "1_0"]
)
def test_only_scalars_of_json_are_no_text(word):
    """Words that other YAML readers turn into something else stay text."""
    assert data_of(f"x: {word}\n") == {"x": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("null", None), ("", None), ("-3", -3), ("1e3", 1000.0), ("1.50", 1.5), ("'1'", "1")],
)
def test_scalars_of_json_have_their_value(word, value):
    """The constants and decimal numbers of JSON are what they look like."""
    assert data_of(f"x: {word}\n") == {"x": value}


def test_columns_count_code_points():
    """Letters beyond ASCII and line separators of Unicode move nothing."""
    node = compose('ą: "ż\u2028🎉"\nb: [1, x]\n', "a.yaml").nodes[0]
    assert node.at(("b", 1)).span.start == Position(2, 8)
    assert node.key_span(("b",)).start == Position(2, 1)


def test_positions_start_at_the_given_line():
    """Front matter counts its lines within the whole file."""
    assert compose("a: 1\n", "a.md", 2).nodes[0].at(("a",)).span.start == Position(2, 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x 1\nb: 2\n", "STK008"),
        ("<<: {a: 1}\n", "STK008"),
        ("a: !!binary aGk=\n", "STK007"),
        ("a: !custom {b: 1}\n", "STK007"),
        ("? [a]\n: b\n", "STK013"),
        ("true: 1\n", "STK013"),
        ("a: " + "9" * 100_000 + "\n", "STK106"),
        ("a: 1e999\n", "STK106"),
        ("a: " + "[" * 3000 + "\n", "STK009"),
        ("a: [" + "1," * MAX_NODES + "]\n", "STK009"),
    ],
)
def test_what_goes_beyond_json_is_refused(text, code):
    """Every feature and size beyond the language has its code, and only one."""
    assert codes_of(text) == [code]


def test_a_bomb_of_aliases_is_never_expanded():
    """Nested aliases cost no more than their text."""
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30))
    started = time.thread_time()
    assert set(codes_of(f"l0: &l0 x\n{levels}\n")) == {"STK008"}
    assert time.thread_time() - started < 1
