"""Promises of `statek.text.template`."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.text.template import Include, RenderError, engine, parse, render

EVENT = {"id": 7, "subject": "Chain", "tags": ["a", "b"], "none": None, "deep": {"x": "é"}}
VALUES = {
    "inputs": {"event": EVENT, "flag": True},
    "vars": {"shop": "Velo"},
    "agent": {"name": "triage"},
    "job": {"id": 42},
    "tools": "lookup(id)",
}
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))
PIECES = st.lists(
    st.sampled_from(
        ["{{", "}}", "{%", "%}", " ", "\n", "inputs", ".event", "['a']", "[0]", "(", ")", "|", "default('x')", "json",
         "join", "truncate(1)", "if", "for", "x in", "endif", "endfor", "else", "elif", "include", "'tone'", "\"", "'",
         "raw", "endraw", "is", "not", "defined", "none", "==", "<", "and", "or", "9", "**", "+", "~", "{", "}", "[",
         "]", ",", ":", "text", "\\", "é", "-", "{#", "#}", "loop.index", "x", "set", "secrets", "$"]
    ),
    max_size=30,
)  # fmt: skip
EXPRESSIONS = st.recursive(
    st.sampled_from(["inputs.event.id", "inputs.nope", "inputs.event", "1", "'t'", "none", "vars.shop", "[1, 2]"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["==", "<", "and", "or", "in"]), inner).map(" ".join).map("({})".format),
        st.tuples(inner, st.sampled_from(["default('d')", "json", "upper", "length", "join('-')"])).map("|".join),
        inner.map("not {}".format).map("({})".format),
        inner.map("({} is none)".format),
        inner.map("('y' if {} else 'n')".format),
    ),
    max_leaves=6,
)


def fill(source: str, **partials: str) -> str:
    """Render with the values above."""
    return render(source, partials=partials, values=VALUES)


def places(source: str) -> list[tuple[str, int, int, int]]:
    """Codes and places of the problems."""
    return [(p.code, p.line, p.column, p.end_column) for p in parse(source).problems]


def paths(source: str) -> list[tuple[str, bool]]:
    """Dotted names, and whether they may be absent."""
    return [(".".join(name.path), name.defaulted) for name in parse(source).names]


def test_engine_names_the_version() -> None:
    """The text that goes into an agent's digest tells which engine renders its prompt."""
    assert engine().startswith("jinja2 3.")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Ticket {{ inputs.event.id }}", "Ticket 7"),
        ("{{ inputs['event']['deep'].x }}", "é"),
        ("{{ inputs.event.tags[1] }}", "b"),
        ("{{ agent.name }}/{{ job.id }}/{{ vars.shop }}/{{ tools }}", "triage/42/Velo/lookup(id)"),
        ("{{ inputs.nope | default('-') }}", "-"),
        ("{{ inputs.event.none | default('-') }}", "-"),
        ("{{ inputs.a.b.c | default('-') }}", "-"),
        ("{{ '' | default('-', true) }}", "-"),
        ("{% if inputs.nope %}a{% elif inputs.flag %}b{% else %}c{% endif %}", "b"),
        ("{% for t in inputs.event.tags %}{{ loop.index }}{{ t }}{{ '' if loop.last else ',' }}{% endfor %}", "1a,2b"),
        ("{% for t in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for a, b in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}", "12"),
        ("{{ inputs.event.tags }}", '["a", "b"]'),
        ("{{ inputs.event.deep }}", '{"x": "é"}'),
        ("{{ inputs.event.subject | upper }}{{ 'B' | lower }}", "CHAINb"),
        ("{{ inputs.event.tags | join('+') }}{{ inputs.event.tags | length }}", "a+b2"),
        ("{{ 'abcdefghij' | truncate(6, true, leeway=0) }}", "abc..."),
        ("{{ inputs.event.deep | json }}", '{"x": "é"}'),
        ("{{ 'yes' if 'a' in inputs.event.tags else 'no' }}", "yes"),
        ("{{ inputs.nope is defined }}{{ inputs.flag is defined }}{{ inputs.event.none is none }}", "FalseTrueTrue"),
        ("{{ inputs.nope == none }}{{ inputs.nope == 'a' }}", "TrueFalse"),
        ("{{ inputs.nope or 'else' }}", "else"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("a\n  {%- if true %} b{% endif %}", "a b"),
    ],
)  # fmt: skip
def test_templates_render(source: str, expected: str) -> None:
    """Everything on the allow-list gives what an author expects."""
    assert fill(source) == expected


@pytest.mark.parametrize(
    "text",
    [
        'Reply in JSON such as {"action": "close", "why": {"a": 1}}',
        "d = {'a': 1}; f'{d!r} {x:>10}'",
        "{# prose #} {brief_tools} #} }} %} {",
        "line\n\n\ttab and trailing\n\n",
    ],
)
def test_single_braces_are_plain_text(text: str) -> None:
    """JSON, dicts, f-strings and comment marks come through unchanged."""
    assert fill(text) == text


@given(PLAIN)
def test_plain_text_is_unchanged(text: str) -> None:
    """A text without doubled braces has no problems and renders as itself."""
    text = text.replace("{{", "{ {").replace("{%", "{ %")
    assert parse(text).problems == ()
    assert render(text, partials={}, values={}) == text


@given(PIECES, st.sampled_from(["", " "]))
def test_parse_never_raises(pieces: list[str], glue: str) -> None:
    """Any text gives a result, and every problem lies inside the text."""
    source = glue.join(pieces)
    for problem in parse(source).problems:
        line = source.split("\n")[problem.line - 1]
        assert 1 <= problem.column <= len(line) + 1
        assert problem.end_column > problem.column


@given(PIECES)
def test_a_template_without_problems_renders_or_names_what_is_wrong(pieces: list[str]) -> None:
    """Rendering raises nothing but RenderError."""
    with contextlib.suppress(RenderError):
        assert isinstance(fill(" ".join(pieces), tone="soft"), str)


@given(EXPRESSIONS)
def test_expressions_render_or_name_what_is_wrong(expression: str) -> None:
    """Every allowed expression is without problems and fails with RenderError only."""
    source = f"{{{{ {expression} }}}}"
    assert parse(source).problems == ()
    with contextlib.suppress(RenderError):
        assert isinstance(fill(source), str)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("a {{ b", ("STK302", 1, 3, 5)),
        ("a\n{{ 'x }}", ("STK302", 2, 1, 3)),
        ("x\n{% if inputs.a %}", ("STK302", 2, 4, 6)),
        ("{% for a in inputs.b %}x", ("STK302", 1, 4, 7)),
        ("{% endif %}", ("STK302", 1, 4, 9)),
        ("{% if inputs.a %}{% endfor %}{% endif %}", ("STK302", 1, 21, 27)),
        ("{% else %}", ("STK302", 1, 4, 8)),
        ("{% raw %} {{", ("STK302", 1, 1, 10)),
        ("{{ a b }}", ("STK302", 1, 6, 7)),
        ("{{}}", ("STK302", 1, 3, 5)),
        ("{{ 'a\\d' }}", ("STK302", 1, 6, 8)),
        ("{{ inptus.x }}", ("STK301", 1, 4, 10)),
        ("{% if x %}{% endif %}", ("STK301", 1, 7, 8)),
        ("{% for a in [1] %}{% endfor %}{{ a }}", ("STK301", 1, 34, 35)),
        ("{{ agent.role }}", ("STK301", 1, 10, 14)),
        ("{{ agent }}", ("STK301", 1, 4, 9)),
        ("{{ agent.name.first }}", ("STK301", 1, 15, 20)),
        ("{{ job['title'].x }}", ("STK301", 1, 9, 14)),
        ("{{ tools.find_order }}", ("STK301", 1, 10, 20)),
        ("{% for a in [1] %}{{ loop }}{% endfor %}", ("STK301", 1, 22, 26)),
        ("{% for a in [1] %}{{ loop.idnex }}{% endfor %}", ("STK301", 1, 27, 32)),
        ("{% for a in [1] %}{{ loop.index.x }}{% endfor %}", ("STK301", 1, 33, 34)),
        ("{{ secrets.KEY }}", ("STK305", 1, 4, 11)),
        ("{{ env['HOME'] }}", ("STK305", 1, 4, 7)),
        ("{{ inputs.a | deflt('x') }}", ("STK307", 1, 15, 20)),
        ("{% fro a in b %}", ("STK307", 1, 4, 7)),
        ("{% set x = 1 %}", ("STK307", 1, 4, 7)),
        ("{% macro m() %}{% endmacro %}", ("STK307", 1, 4, 9)),
        ("{{ inputs.a.upper() }}", ("STK307", 1, 18, 19)),
        ("{{ 1 + 1 }}", ("STK307", 1, 4, 5)),
        ("{{ 'a' ~ 'b' }}", ("STK307", 1, 4, 7)),
        ("{% include inputs.x %}", ("STK307", 1, 4, 11)),
        ("{% for inputs in [1] %}{% endfor %}", ("STK307", 1, 4, 7)),
        ("{{ inputs.a | upper(1) }}", ("STK307", 1, 15, 20)),
        ("{{ " + "(" * 30 + "1" + ")" * 30 + " }}", ("STK307", 1, 24, 25)),
    ],
)
def test_one_cause_gives_one_problem_in_its_place(source: str, place: tuple[str, int, int, int]) -> None:
    """What is wrong is reported once, with the code and the characters it concerns."""
    assert places(source) == [place]


@pytest.mark.parametrize(
    ("source", "suggestion"),
    [
        ("{{ inptus.x }}", "inputs"),
        ("{{ inputs.a | deflt('x') }}", "default"),
        ("{% fro a in b %}", "for"),
        ("{{ inputs.a is define }}", "defined"),
        ("{{ agent.role }}", "agent.name"),
    ],
)
def test_the_nearest_name_is_offered(source: str, suggestion: str) -> None:
    """A slip of the pen is answered with the word that was meant."""
    (problem,) = parse(source).problems
    assert problem.suggestion == suggestion
    assert f"did you mean '{suggestion}'?" in problem.message


@pytest.mark.parametrize("source", ["use {{ here", "{{ .Values.name }}", "\\frac{{a}}{b}", "{% x %}"])
def test_doubled_braces_of_other_languages_get_the_way_out(source: str) -> None:
    """LaTeX, Helm and the like are told of raw blocks."""
    assert "{% raw %}" in parse(source).problems[0].message


@pytest.mark.parametrize("source", ["{{ 9**99999999 }}", "{{ 'a' * 9999999999 }}", "{{ range(10**12) | join }}"])
def test_nothing_is_computed_before_it_is_checked(source: str) -> None:
    """A template that would never finish compiling is refused at once."""
    began = time.thread_time()
    with pytest.raises(RenderError):
        fill(source)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "not " * 5000 + "1 }}",
        "{{ inputs" + ".a" * 5000 + " }}",
        "{{ " + " or ".join(["inputs.a"] * 5000) + " }}",
        "{{ inputs.a" + "|upper" * 5000 + " }}",
        "{% if 1 %}" * 500 + "{% endif %}" * 500,
        "{% for a in [1] %}" * 12 + "{% endfor %}" * 12,
        "{{ 1" + "0" * 5000 + " }}",
    ],
    ids=["not", "path", "or", "filters", "ifs", "loops", "digits"],
)
def test_templates_that_are_too_deep_are_refused(source: str) -> None:
    """No template exhausts the interpreter; each is refused with a place."""
    assert parse(source).problems


@pytest.mark.parametrize(
    "source",
    [
        "{{ inputs.event.subject.__class__ }}",
        "{{ inputs.__class__.__mro__ }}",
        "{{ inputs.event._data }}",
        "{{ inputs.event.keys }}",
        "{{ inputs.event.subject.upper }}",
        "{{ 'x'.__class__ }}",
        "{% for t in inputs.event.tags %}{{ t.__doc__ }}{% endfor %}",
    ],
)
def test_no_python_attribute_is_reached(source: str) -> None:
    """Names ask for items of the data only; everything else is absent."""
    with pytest.raises(RenderError, match="is absent"):
        fill(source)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{{ inputs.deadline }}", "inputs.deadline"),
        ("{{ inputs.event.none }}", "inputs.event.none"),
        ("{{ inputs.event.deep.y.z }}", "inputs.event.deep.y.z"),
        ("{{ inputs.x | upper }}", "inputs.x"),
        ("{{ inputs.x | json }}", "inputs.x"),
        ("{{ [1, inputs.x] }}", "inputs.x"),
        ("{% for a in inputs.x %}{% endfor %}", "inputs.x"),
        ("{{ inputs.x < 3 }}", "inputs.x"),
        ("{{ vars.team }}", "vars.team"),
    ],
)
def test_an_absent_value_is_named(source: str, name: str) -> None:
    """Using what is not there, or null, without a default fails and says which value it was."""
    with pytest.raises(RenderError, match=rf"^{name} is absent"):
        fill(source)


def test_names_come_with_places_for_every_part() -> None:
    """A reader can point at the wrong part of a name."""
    (name,) = parse('Hi\nTicket: {{ inputs.evnt["subject"] }}').names
    assert name.path == ("inputs", "evnt", "subject")
    assert (name.line, name.column, name.end_column) == (2, 12, 32)
    assert name.parts == ((2, 12, 18), (2, 19, 23), (2, 25, 32))


def test_columns_count_characters_behind_swallowed_white_space() -> None:
    """`{%-` and letters outside ASCII do not shift a place."""
    (name,) = parse("é 🚲   \n  {%- if true -%}  \n {{ inputs.é }}{% endif %}").names
    assert (name.line, name.column, name.end_column) == (3, 5, 13)


def test_a_path_ends_where_it_is_computed() -> None:
    """An index or a computed key ends the written-out part; names inside the brackets are read, too."""
    assert paths("{{ inputs.a[0].b }}{{ inputs.c[vars.d] }}") == [
        ("inputs.a", False),
        ("inputs.c", False),
        ("vars.d", False),
    ]


@pytest.mark.parametrize(
    ("source", "defaulted"),
    [
        ("{{ inputs.a }}", [False]),
        ("{{ inputs.a | default('x') }}", [True]),
        ("{{ inputs.a | upper | default('x') }}", [False]),
        ("{{ inputs.a is defined }}", [True]),
        ("{% if inputs.a %}by {{ inputs.a }}{% endif %}", [True, True]),
        ("{% if inputs.a %}{% else %}{{ inputs.a }}{% endif %}", [True, False]),
        ("{% if not inputs.a %}{% else %}{{ inputs.a }}{% endif %}", [True, True]),
        ("{% if inputs.a.b %}{{ inputs.a }}{% endif %}", [True, True]),
        ("{% if inputs.a and inputs.b %}{{ inputs.b }}{% endif %}", [True, True, True]),
        ("{% if inputs.a or inputs.b %}{{ inputs.b }}{% endif %}", [True, True, False]),
        ("{% if inputs.a is none %}{% else %}{{ inputs.a }}{% endif %}", [True, True]),
        ("{% if inputs.a == 'x' %}{{ inputs.a }}{% endif %}", [True, True]),
        ("{{ inputs.a if inputs.a else '-' }}", [True, True]),
        ("{{ inputs.a or '-' }}", [True]),
        ("{{ inputs.a < 3 }}", [False]),
        ("{{ 'x' != inputs.a }}", [True]),
        ("{% for x in inputs.a %}{{ x.y }}{% endfor %}", [False]),
    ],
)
def test_names_that_may_be_absent_are_marked(source: str, defaulted: list[bool]) -> None:
    """A name is marked as defaulted exactly where an absent value does no harm."""
    assert sorted(name.defaulted for name in parse(source).names) == sorted(defaulted)


def test_loop_variables_are_not_names_of_the_job() -> None:
    """Only what the job has to provide is listed."""
    assert paths("{% for x in inputs.a %}{{ x.b }}{{ loop.first }}{% endfor %}") == [("inputs.a", False)]


def test_includes_are_listed_with_their_place() -> None:
    """A partial that does not exist can be pointed at."""
    assert parse('x\n{% include "tone" %}').includes == (Include("tone", 2, 13, 17),)


def test_partials_share_the_values() -> None:
    """A partial reads the same names; the newline at its end is not doubled."""
    assert fill("{% include 'tone' %}\nEnd", tone="For {{ agent.name }}.\n") == "For triage.\nEnd"


@pytest.mark.parametrize(
    ("partials", "reason"),
    [
        ({}, "not among the partials"),
        ({"tone": "{{ 1 + 1 }}"}, "partial 'tone', line 1, column 4"),
        ({"tone": "{% include 'b' %}", "b": "{% include 'tone' %}"}, "tone -> b -> tone"),
    ],
)
def test_bad_partials_are_refused(partials: dict[str, str], reason: str) -> None:
    """A partial that is missing, wrong or includes itself is named."""
    with pytest.raises(RenderError, match=reason):
        fill("{% include 'tone' %}", **partials)


def test_the_inputs_are_only_read() -> None:
    """Rendering leaves the values as they were."""
    before = repr(VALUES)
    fill("{{ inputs }}{% for t in inputs.event.tags %}{{ t }}{% endfor %}")
    assert repr(VALUES) == before


def test_rendering_again_is_fast() -> None:
    """A known template costs well under a tenth of a millisecond; the bound here leaves room for a busy machine."""
    source = "A prompt of usual size. " * 200 + "{{ inputs.event.id }} {{ inputs.event.subject }}"
    fill(source)
    began = time.thread_time()
    for _ in range(200):
        fill(source)
    assert (time.thread_time() - began) / 200 < 0.001


def test_line_ends_of_other_systems_keep_their_lines() -> None:
    """Places count lines the same for both kinds of line ends."""
    assert places("a\r\nb {{ x }}\r\n") == [("STK301", 2, 6, 7)]


def chain(depth: int, times: int) -> dict[str, str]:
    """Partials p1 to p`depth`, each including the next so many times."""
    include = "{{% include 'p{}' %}}"
    return {f"p{n}": include.format(n + 1) * times for n in range(1, depth)} | {f"p{depth}": "."}


def test_includes_may_be_twenty_deep() -> None:
    """Twenty partials within each other are fine, one more is refused."""
    assert fill("{% include 'p1' %}", **chain(20, 1)) == "."
    with pytest.raises(RenderError, match="more than 20 deep"):
        fill("{% include 'p1' %}", **chain(21, 1))


@pytest.mark.parametrize("depth", [12, 30])
def test_doubling_includes_are_refused_before_rendering(depth) -> None:
    """Partials that include the next one twice are refused at once, however deep they are."""
    began = time.thread_time()
    with pytest.raises(RenderError, match=r"more than 20 deep|at most 1000"):
        fill("{% include 'p1' %}", **chain(depth, 2))
    assert time.thread_time() - began < 2


def test_a_prompt_is_at_most_two_megabytes() -> None:
    """Loops over data end at the bound, not when memory does."""
    source = (
        "{% for a in inputs.l %}{% for b in inputs.l %}{% for c in inputs.l %}éééé{% endfor %}{% endfor %}{% endfor %}"
    )
    values = {"inputs": {"l": list(range(1000))}}
    with pytest.raises(RenderError, match="longer than 2,000,000 bytes"):
        render(source, partials={}, values=values)
