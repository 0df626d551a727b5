"""Promises of statek.sandbox.keep about values: what goes in comes out, in this process and in a fresh one."""

import collections
import json
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statek.exceptions import CannotKeep, OutcomeUnknown, TaskFailed
from statek.sandbox import keep

ROWS = {
    "int of 200 bits": ("x = -(1 << 200)", "x == -(1 << 200)"),
    "scalars": ("x = [None, True, 1, 1.5, -0.0, 'é', b'b']", "repr(x) == \"[None, True, 1, 1.5, -0.0, 'é', b'b']\""),
    "nan and infinity": ("x = [float('nan'), float('-inf')]", "repr(x) == '[nan, -inf]'"),
    "lone surrogate": (r"x = '\ud800'", r"x == '\ud800'"),
    "list, tuple, set, dict": (
        "x = [1, (2, 3), {4}, {'b': 1, 'a': 2}, frozenset([5])]",
        "repr(x) == \"[1, (2, 3), {4}, {'b': 1, 'a': 2}, frozenset({5})]\"",
    ),
    "bytearray, shared": ("x = [bytearray(b'a')] * 2", "x[0] == bytearray(b'a') and x[0] is x[1]"),
    "aliasing": ("x = [[]]; y = [x, x[0]]", "y[0] is x and y[1] is x[0]"),
    "list that contains itself": ("x = [1]; x.append(x)", "x[1] is x and len(x) == 2"),
    "tuple in a cycle": ("x = ([],); x[0].append(x)", "x[0][0] is x"),
    "dict in a cycle with a set": ("x = {}; x['k'] = (x, {1})", "x['k'][0] is x"),
    "dict order": ("x = {'b': 1}; x['a'] = 2", "list(x) == ['b', 'a']"),
    "timedelta": ("x = timedelta(1, 2, 3)", "x == timedelta(1, 2, 3) and type(x) is timedelta"),
    "date and time": (
        "x = (date(2026, 1, 2), time(3, 4, fold=1))",
        "x == (date(2026, 1, 2), time(3, 4)) and x[1].fold",
    ),
    "naive datetime": ("x = datetime(2026, 1, 2, 3, 4, 5, 6)", "x == datetime(2026, 1, 2, 3, 4, 5, 6)"),
    "aware datetime": ("x = datetime(2026, 1, 2, tzinfo=timezone.utc)", "x.tzinfo is timezone.utc and x.day == 2"),
    "named offset": ("x = timezone(timedelta(hours=2), 'X')", "repr(x).endswith(\"'X')\")"),
    "zone": (
        "x = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo('Europe/Berlin'), fold=1)",
        "x.tzinfo is ZoneInfo('Europe/Berlin') and x.utcoffset() == timedelta(hours=1)",
    ),
    "Decimal": ("x = Decimal('1.10')", "str(x) == '1.10'"),
    "signalling nan": ("x = Decimal('-sNaN12')", "str(x) == '-sNaN12'"),
    "Fraction": ("x = Fraction(-3, 7)", "x == Fraction(-3, 7) and type(x) is Fraction"),
    "complex": ("x = complex(-0.0, 2)", "repr(x) == '(-0+2j)'"),
    "UUID": ("x = uuid.UUID(int=5)", "x == uuid.UUID(int=5) and type(x) is uuid.UUID"),
    "Counter": ("x = Counter('aab'); x['z'] = -1", "type(x) is Counter and dict(x) == {'a': 2, 'b': 1, 'z': -1}"),
    "defaultdict": ("x = defaultdict(list); x['a'].append(1)", "x['q'] == [] and x['a'] == [1]"),
    "defaultdict of itself": ("x = defaultdict(lambda: x)", "x['a'] is x"),
    "OrderedDict": ("x = OrderedDict(b=1, a=2); x.move_to_end('b')", "list(x.items()) == [('a', 2), ('b', 1)]"),
    "deque": ("x = deque([1, 2], maxlen=2); x.append(x)", "x[1] is x and x[0] == 2 and x.maxlen == 2"),
    "ChainMap": ("y = {}; x = ChainMap(y, {'a': 1}); x['b'] = 2", "x.maps[0] is y and dict(x) == {'a': 1, 'b': 2}"),
    "SimpleNamespace": ("x = types.SimpleNamespace(a=1); x.me = x", "x.me is x and x.a == 1"),
    "range and slice": ("x = (range(9, 1, -2), slice(1, None, 2))", "x == (range(9, 1, -2), slice(1, None, 2))"),
    "regex": ("x = re.compile('(?i)a.b', re.S)", "x.match('A\\nB') and x.flags == re.compile('(?i)a.b', re.S).flags"),
    "exception": ("x = KeyError('k', 2)", "repr(x) == \"KeyError('k', 2)\" and x.__traceback__ is None"),
    "exception with members": (
        "x = OSError(2, 'gone', 'f.txt')",
        "type(x) is FileNotFoundError and x.filename == 'f.txt'",
    ),
    "exception with attributes": (
        "try:\n json.loads('{')\nexcept ValueError as e:\n x = e",
        "type(x) is json.JSONDecodeError and (x.pos, x.doc) == (1, '{') and 'line 1' in str(x)",
    ),
    "exception group": ("x = ExceptionGroup('g', [ValueError(1)])", "str(x.exceptions) == '(ValueError(1),)'"),
    "decimal error": ("try:\n Decimal('x')\nexcept ArithmeticError as e:\n x = e", "'ConversionSyntax' in repr(x)"),
    "iter(list)": ("y = [1, 2, 3]; x = iter(y); next(x)", "y.append(4) or list(x) == [2, 3, 4]"),
    "exhausted iterator": ("x = iter([1]); list(x)", "list(x) == []"),
    "iter(range), iter(str)": (
        "x = [iter(range(3)), iter('abc')]; [next(i) for i in x]",
        "[*map(list, x)] == [[1, 2], ['b', 'c']]",
    ),
    "types": ("x = [int, type(None), ValueError, datetime]", "x == [int, type(None), ValueError, datetime]"),
    "types in annotations": ("x = [list[int], int | None]", "x == [list[int], int | None]"),
    "types of typing": (
        "x = [typing.Optional[int], typing.List[str]]",
        "x == [typing.Optional[int], typing.List[str]]",
    ),
    "pure path": (
        "x = [pathlib.PurePosixPath('a/b'), pathlib.PureWindowsPath('c')]",
        "repr(x) == \"[PurePosixPath('a/b'), PureWindowsPath('c')]\"",
    ),
    "exception with a cause": (
        "try:\n try: 1 / 0\n except ArithmeticError as c: raise ValueError(3) from c\nexcept ValueError as e: x = e",
        "repr(x) == 'ValueError(3)'",
    ),
    "ellipsis": ("x = (..., NotImplemented)", "x == (..., NotImplemented)"),
    "partial": ("x = functools.partial(int, base=2)", "x('101') == 5"),
    "itemgetter": ("x = operator.itemgetter(1, 'a')", "x({1: 2, 'a': 3}) == (2, 3)"),
    "method of a list": ("y = []; x = y.append", "x(1) or y == [1]"),
    "def": ("def x(a, *, b=2): return a + b", "x(1) == 3"),
    "lambda": ("x = [lambda: 1, lambda: 2]", "[f() for f in x] == [1, 2]"),
    "recursion": ("def x(n): return 1 if n < 2 else n * x(n - 1)", "x(5) == 120"),
    "closure": ("def f():\n n = [0]\n def g():\n  n[0] += 1\n  return n[0]\n return g\nx = f(); x()", "x() == 2"),
    "context manager": (
        "@contextlib.contextmanager\ndef x(a):\n yield a",
        "x.__name__ == 'x' and contextlib.ExitStack().enter_context(x(3)) == 3",
    ),
    "lru_cache": ("@functools.lru_cache(7)\ndef x(n): return n if n < 2 else x(n-1) + x(n-2)", "x(50) == 12586269025"),
}
PRELUDE = """
import contextlib, functools, json, operator, pathlib, re, types, typing, uuid
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo
"""
HARNESS = """
import builtins, hashlib
from statek.sandbox import keep, sources

def compiled(source):
    digest = hashlib.sha256(source.encode()).hexdigest()
    code = compile(source, f"<job {digest}>", "exec")
    sources.register(source, digest, [code])
    return code

AROUND = keep.Surroundings({}, lambda value: False, compiled)
"""
WRITER = """
import json, sys
for label, (prelude, source, _) in json.load(sys.stdin).items():
    names = {"__builtins__": builtins, "__name__": "job"}
    exec(prelude, names)
    before = set(names)
    exec(compiled(source), names)
    kept = keep.dumps(names, AROUND)
    lost = {n: r for n, r in kept.lost.items() if n not in before}
    print(json.dumps([label, kept.data.hex(), lost]))
"""
READER = """
import json, sys
rows = json.loads(sys.stdin.readline())
for line in sys.stdin:
    label, data, lost = json.loads(line)
    prelude, _, check = rows[label]
    names = {"__builtins__": builtins, "__name__": "job"}
    exec(prelude, names)
    try:
        keep.loads(bytes.fromhex(data), (), AROUND, names)
        print(json.dumps([label, bool(eval(check, names)) and not lost or f"{lost} {names.get('x')!r}"]))
    except Exception as error:
        print(json.dumps([label, repr(error)]))
"""
AROUND = keep.Surroundings({}, lambda _: False, compile_source=lambda _: None)


def fresh_process(script: str, text: str) -> str:
    """Run HARNESS and `script` in a process of its own; give what it printed."""
    root = Path(keep.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", HARNESS + script], input=text, capture_output=True, text=True, cwd=root
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def restored() -> dict[str, object]:
    """Every row written in one process and read in another: label -> True, or what was wrong."""
    rows = json.dumps({label: (PRELUDE, *row) for label, row in ROWS.items()})
    lines = fresh_process(READER, rows + "\n" + fresh_process(WRITER, rows))
    return dict(json.loads(line) for line in lines.splitlines())


@pytest.mark.parametrize("label", ROWS)
def test_a_fresh_process_gets_the_same_value(restored: dict[str, object], label: str) -> None:
    """Every kind of value comes back in another process as it was."""
    assert restored[label] is True


def back(value: object) -> object:
    """Write and read one value."""
    return keep.loads_value(*keep.dumps_value(value, AROUND), AROUND)


def shape(value: object, seen: dict[int, int]) -> object:
    """A value as nested tuples in which every container has a number: equal exactly for the same graph."""
    if isinstance(value, frozenset):
        return "frozenset", sorted(value)
    if not isinstance(value, list | tuple | dict):
        return type(value).__name__, repr(value)
    if id(value) in seen and not (type(value) is tuple and not value):
        return "again", seen[id(value)]
    seen[id(value)] = len(seen)
    parts = value.items() if isinstance(value, dict) else value
    return type(value).__name__, [
        shape(part, seen) if not isinstance(value, dict) else (part[0], shape(part[1], seen)) for part in parts
    ]


LEAVES = st.one_of(
    *(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.binary(),
        st.decimals(),
        st.complex_numbers(),
    ),
    *(
        st.fractions(),
        st.timedeltas(),
        st.dates(),
        st.datetimes(),
        st.uuids(),
        st.frozensets(st.integers(), max_size=3),
    ),
)
EXTEND = [
    lambda inner: st.lists(inner, max_size=4),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=4),
]
TREES = st.recursive(LEAVES, lambda inner: st.one_of([extend(inner) for extend in EXTEND]), max_leaves=20)


def lists_in(value: object) -> list[list[object]]:
    """All lists in a tree."""
    found = [value] if isinstance(value, list) else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return found + [inner for part in parts for inner in lists_in(part)]


@settings(max_examples=150, deadline=None)
@given(TREES, st.randoms(use_true_random=False))
def test_a_graph_keeps_its_shape(tree: object, chance: random.Random) -> None:
    """Nested values with parts tied together at random keep values, types, sharing and order, once and twice."""
    lists = lists_in(tree)
    for found in lists:
        found.append(chance.choice(lists))
    once = back(tree)
    assert shape(once, {}) == shape(tree, {})
    assert shape(back(once), {}) == shape(tree, {})


def test_names_keep_their_order() -> None:
    """The names of a namespace come back in the order in which they were made."""
    names: dict[str, object] = {}
    keep.loads(keep.dumps({"z": 1, "a": 2, "_m": 3}, AROUND).data, (), AROUND, names)
    assert list(names) == ["z", "a", "_m"]


def test_names_of_the_machinery_are_left_out() -> None:
    """`__x` and `_x_` are no names of the job and are neither stored nor reported as lost."""
    kept = keep.dumps({"__builtins__": {}, "_getattr_": print, "_": 1}, AROUND)
    names: dict[str, object] = {}
    keep.loads(kept.data, (), AROUND, names)
    assert (names, kept.lost) == ({"_": 1}, {})


def test_a_durable_object_comes_back_as_itself() -> None:
    """A durable object is referred to once, however often it occurs, and is the same object again."""
    order = object()
    around = keep.Surroundings({}, lambda value: value is order, lambda _: None)
    kept = keep.dumps({"a": order, "b": [order]}, around)
    names: dict[str, object] = {}
    keep.loads(kept.data, kept.refs, around, names)
    assert kept.refs == (order,)
    assert names == {"a": order, "b": [order]}


def test_the_generator_goes_on_where_it_was() -> None:
    """The job's random.Random is restored in its state, the half-used gauss pair included."""
    generator = random.Random(7)
    generator.gauss(0, 1)
    copy = back(generator)
    assert isinstance(copy, random.Random)
    assert [copy.gauss(0, 1), copy.random()] == [generator.gauss(0, 1), generator.random()]


@pytest.mark.parametrize("kind", [TaskFailed, OutcomeUnknown])
def test_errors_of_the_kit_keep_message_and_hint(kind: type[TaskFailed]) -> None:
    """An error that model code caught from the kit is kept with its hint."""
    error = back(kind("the child failed", hint="look at it"))
    assert (type(error), str(error), error.hint) == (kind, "the child failed", "look at it")


def test_a_traceback_is_dropped() -> None:
    """A kept exception holds no frames: neither its own nor those of the error behind it."""
    try:
        try:
            Fraction(1, 0)
        except ArithmeticError as cause:
            raise ValueError(3) from cause
    except ValueError as error:
        copy = back(error)
    assert (copy.__traceback__, copy.__cause__, copy.__context__, copy.args) == (None, None, None, (3,))


def test_an_uncached_zone_stays_its_own_object() -> None:
    """Two ZoneInfo objects of one name stay two: arithmetic depends on it."""
    one, two = back([ZoneInfo.no_cache("Europe/Rome"), ZoneInfo("Europe/Rome")])
    assert one is not two
    assert two is ZoneInfo("Europe/Rome")


def test_nesting_of_400_levels_is_kept() -> None:
    """Deep nesting within the documented bound is kept."""
    value: list[object] = []
    for _ in range(400):
        value = [value]
    assert str(back(value)) == str(value)


def test_nesting_without_end_is_refused() -> None:
    """Beyond the bound the refusal says so, and the other names are kept."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    kept = keep.dumps({"deep": value, "a": 1}, AROUND)
    assert list(kept.lost) == ["deep"]
    assert kept.lost["deep"].startswith("it is nested too deeply")


def test_too_large_a_workspace_names_the_largest() -> None:
    """The limit is on the bytes of all names; the message names the largest first."""
    with pytest.raises(keep.TooLarge, match=r"limit is 5000; largest names: b \(4 KB\), a \(2 KB\), c"):
        keep.dumps({"a": "x" * 2_100, "b": "y" * 4_200, "c": 1}, AROUND, limit=5_000)


def test_a_counter_with_attributes_is_refused() -> None:
    """What the format has no place for is refused, never dropped."""
    counter = collections.Counter()
    counter.note = 1
    with pytest.raises(CannotKeep, match="attributes of its own"):
        keep.dumps_value(counter, AROUND)
