"""Promises of statek.sandbox.keep about functions made in a job, host objects, and names that cannot be kept."""

import builtins
import hashlib
from types import CodeType, SimpleNamespace

import pytest

from statek.exceptions import BugError, CannotKeep
from statek.sandbox import keep, sources
from statek.sandbox.kinds import JOB_MODULE
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import compile_block


def compiled(source: str) -> CodeType:
    """Compile without restriction and register."""
    digest = hashlib.sha256(source.encode()).hexdigest()
    code = compile(source, f"<job {digest}>", "exec")
    sources.register(source, digest, [code])
    return code


def around(**host: object) -> keep.Surroundings:
    """Surroundings that offer `host`."""
    return keep.Surroundings(host, lambda _: False, compiled)


def empty() -> dict[str, object]:
    """The namespace of a fresh job."""
    return {"__builtins__": builtins, "__name__": JOB_MODULE}


def job(source: str, **host: object) -> SimpleNamespace:
    """The names of a job after `source` was run, stored and restored."""
    return SimpleNamespace(**restored(run(source, **host), **host))


def run(source: str, **host: object) -> dict[str, object]:
    """Run `source` in a fresh job; give its names."""
    names = empty() | host
    exec(compiled(source), names)
    return names


def restored(names: dict[str, object], **host: object) -> dict[str, object]:
    """Store names and read them into a fresh job."""
    kept = keep.dumps(names, around(**host))
    assert kept.lost == {}
    fresh = empty()
    keep.loads(kept.data, kept.refs, around(**host), fresh)
    return fresh


COUNTER = """
def make():
    n = 0
    def up():
        nonlocal n
        n += 1
        return n
    return up, lambda: n
up, now = make()
up()
"""


def test_closures_go_on_sharing_their_variable() -> None:
    """Two functions that share a cell share it after the restore, with the value it had."""
    names = job(COUNTER)
    assert (names.up(), names.now()) == (2, 2)


def test_a_mutable_default_keeps_what_it_collected() -> None:
    """A default value is the same list as before, also for another name that holds it."""
    names = job("def f(x, seen=[]):\n seen.append(x)\n return seen\nheld = f(1)")
    assert names.f(2) is names.held
    assert names.held == [1, 2]


def test_a_recursive_inner_function_reaches_itself() -> None:
    """A function that is in its own closure is one function, not a row of copies."""
    names = job("def make():\n def f(n): return f if n == 0 else f(n - 1)\n return f\nf = make()")
    assert names.f(3) is names.f


def test_a_function_finds_names_defined_later() -> None:
    """Global names are looked up at the call, in the restored namespace."""
    names = restored(run("def first(): return later() + 1"))
    exec("def later(): return 41", names)
    assert names["first"]() == 42


def test_lambdas_on_one_line_stay_apart() -> None:
    """Lambdas of the same name and line are told apart by their order."""
    names = job("fs = [lambda: 'a', lambda: 'b', *(lambda i=i: i for i in range(2))]")
    assert [f() for f in names.fs] == ["a", "b", 0, 1]


def test_equal_functions_of_two_blocks_keep_their_own_source() -> None:
    """Functions with equal code from different blocks are kept under their own source."""
    names = run("def f(): return 1")
    exec(compiled("def f(): return 1\nunrelated = 0"), other := empty())
    keys = {sources.key_of(f.__code__).digest for f in (names["f"], other["f"])}
    assert len(keys) == 2


def test_what_a_function_carries_is_kept() -> None:
    """Name, docstring, annotations, keyword defaults and attributes set by decorators come back."""
    names = job(
        "import functools\n"
        "def deco(f):\n"
        " @functools.wraps(f)\n"
        " def inner(*a, k=[7]): return f(*a), k\n"
        " inner.note = 'n'\n"
        " return inner\n"
        "@deco\n"
        "def f(x: int, y: 'str' = 'q') -> list[int]:\n 'doc'\n return x\n"
        "del functools"
    )
    assert names.f(1) == (1, [7])
    assert (names.f.__name__, names.f.__doc__, names.f.note) == ("f", "doc", "n")
    assert names.f.__annotations__ == {"x": int, "y": "str", "return": list[int]}
    assert names.f.__wrapped__(5) == 5


def test_a_name_of_a_function_that_was_changed_is_kept() -> None:
    """`__name__`, `__qualname__`, `__doc__` and `__module__` as they were, also when they were set by hand."""
    names = job("def f(): 'd'\nf.__name__ = 'g'; f.__qualname__ = 'h'; f.__doc__ = None; f.__module__ = 'm'")
    assert (names.f.__name__, names.f.__qualname__, names.f.__doc__, names.f.__module__) == ("g", "h", None, "m")


def test_an_unbound_variable_stays_unbound() -> None:
    """A closure over a variable that has no value yet raises the same NameError afterwards."""
    names = job("def make():\n f = lambda: v\n return f\n v = 1\nf = make()")
    with pytest.raises(NameError, match="cannot access free variable 'v'"):
        names.f()


def test_restored_functions_live_in_the_given_namespace() -> None:
    """Functions see the namespace they were loaded into and use its builtins."""
    names = restored(run("def f(): return x\nx = 1"))
    names["x"] = 2
    assert names["f"]() == 2
    assert names["f"].__globals__ is names


def test_functions_never_get_the_builtins_of_python() -> None:
    """Loading functions into a namespace without `__builtins__` is a mistake of the caller and is refused."""
    kept = keep.dumps(run("f = lambda: open"), around())
    with pytest.raises(BugError, match="__builtins__"):
        keep.loads(kept.data, (), around(), {})


def test_a_source_travels_once() -> None:
    """A thousand functions of one source hold its text once."""
    source = "fs = [lambda i=i: i for i in range(1000)]  # " + "long " * 2_000
    assert len(keep.dumps(run(source), around()).data) < 2 * len(source) + 40_000


def test_functions_of_the_restricted_compiler_are_kept() -> None:
    """A block compiled by the sandbox's own compiler is found again by its digest, compiled again if forgotten."""

    def compile_source(source: str) -> None:
        compile_block(source, Policy())

    block = compile_block("def f(n):\n    return 1 if n < 2 else n\n", Policy())
    names = empty()
    for statement in block.statements:
        exec(statement.code, names)
    surroundings = keep.Surroundings({}, lambda _: False, compile_source)
    data, _ = keep.dumps_value(names["f"], surroundings)
    sources._recent.clear()
    function = keep.loads_value(data, (), surroundings, empty())
    assert sources.key_of(function.__code__) == sources.key_of(names["f"].__code__)


def test_a_function_of_another_job_is_refused() -> None:
    """A function whose globals are not this namespace would change them on the way; it is refused."""
    names = run("x = 1") | {}
    names["stranger"] = run("def f(): return x")["f"]
    assert keep.dumps(names, around()).lost == {"stranger": "function 'f' belongs to another job"}


def test_a_function_as_a_value_needs_a_namespace() -> None:
    """Read without globals a function is a stub that says where its code is, and the function again with them."""
    data, _ = keep.dumps_value(run("f = lambda: 1")["f"], around())
    stub = keep.loads_value(data, (), around())
    with pytest.raises(NameError, match="its code is with the job that made it"):
        stub()
    again, _ = keep.dumps_value(stub, around())
    assert keep.loads_value(again, (), around(), empty())() == 1


def pay(amount: int) -> int:
    """A tool."""
    return amount


def test_host_objects_are_kept_by_name() -> None:
    """A tool is written as its name, also under another name of the job and inside of a closure."""
    names = job("alias = pay\ndef f(): return [pay, alias]", pay=pay)
    assert names.alias is pay
    assert names.f() == [pay, pay]


USES = {
    "call": lambda stub: stub(1),
    "attribute": lambda stub: stub.amount,
    "item": lambda stub: stub[0],
    "iteration": lambda stub: list(stub),
    "bool": bool,
    "str": str,
    "format": "{}".format,
    "len": len,
    "in": lambda stub: 1 in stub,
}


@pytest.mark.parametrize("use", USES)
def test_what_is_no_longer_offered_says_so(use: str) -> None:
    """Using a tool that the agent lost raises NameError with its name; loading does not fail."""
    kept = keep.dumps(run("tools = [pay]", pay=pay), around(pay=pay))
    keep.loads(kept.data, (), around(), names := empty())
    with pytest.raises(NameError, match=r"^'pay' is no longer offered to this job$"):
        USES[use](names["pay"])
    assert names["tools"] == [names["pay"]]


def test_a_lost_tool_comes_back_when_it_is_offered_again() -> None:
    """A stub is stored as what it stands for."""
    kept = keep.dumps(run("t = pay", pay=pay), around(pay=pay))
    keep.loads(kept.data, (), around(), without := empty())
    keep.loads(keep.dumps(without, around()).data, (), around(pay=pay), again := empty())
    assert again["t"] is pay


def test_a_function_whose_source_is_refused_now_is_a_stub() -> None:
    """A source that no longer compiles costs its functions only, and they come back when it compiles again."""

    def refuse(source: str) -> None:
        raise SyntaxError("not any more")

    kept = keep.dumps(run(COUNTER + "x = 1"), around())
    sources._recent.clear()
    strict = keep.Surroundings({}, lambda _: False, refuse)
    keep.loads(kept.data, (), strict, names := empty())
    with pytest.raises(NameError, match=r"^'up' is no longer offered to this job: its source does not compile"):
        names["up"]()
    assert names["x"] == 1
    back = SimpleNamespace(**restored(names))
    assert (back.up(), back.now()) == (2, 2)


def host_function() -> None:
    """Belongs to the application."""


LOST = {
    "g = (i for i in [1])": "a generator is a paused function and cannot be stored; make a list of it",
    "g = map(str, [])": "a map is used up while it is read and cannot be stored; make a list of it",
    "g = zip()": "a zip is used up while it is read and cannot be stored; make a list of it",
    "g = {}.items()": "a dict_items is used up while it is read and cannot be stored; make a list of it",
    "g = iter({1})": "a set_iterator is used up while it is read and cannot be stored; make a list of it",
    "g = __import__('itertools').count()": "a count is used up while it is read and cannot be stored; make",
    "g = __import__('io').StringIO()": "an open file cannot be stored; read what is needed and keep that",
    "g = __import__('math')": "a module cannot be stored; import it where it is used",
    "g = __import__('re').match('a', 'a')": "a match of a regular expression cannot be stored; keep its groups",
    "g = memoryview(b'')": "a memoryview is a view and cannot be stored; make bytes of it",
    "class g(metaclass=type('M', (type,), {})): pass": "class g has a metaclass that is not kept",
    "class g(__import__('uuid').UUID): pass": "class g derives from UUID, which is not kept",
    "class g: __del__ = None": "class g has an attribute '__del__' that is not kept",
    "class g:\n def __hash__(self): return 1\ng = frozenset([g()])": "a frozenset of objects whose class defines",
    "g = type('K', (), {'__module__': 'x'})()": "a class made in this way is not kept across steps; write a `class`",
    "g = __import__('functools').lru_cache(len)": "a decorator round something that is no function of the job",
    "def f(): pass\ng = __import__('functools').cache(f); g.note = 1; del f": "a decorated function with attributes",
    "g = host": "function 'host_function' was not made in this job and is not offered to it by name",
    "g = len": "function 'len' was not made in this job and is not offered to it by name",
    "g = __import__('random').random": "method 'random' bound to an object cannot be stored; keep the object and call",
    "g = __import__('pathlib').Path('a')": "an object of type pathlib.PosixPath cannot be stored",
    "g = [1, (i for i in [1])]": "it holds something that cannot be kept: a generator is a paused function",
    "g = (lambda h: lambda: h)(i for i in [1])": "it holds something that cannot be kept: a generator is a paused",
}


@pytest.mark.parametrize("source", LOST)
def test_a_lost_name_has_its_reason(source: str) -> None:
    """What cannot be kept is named with the reason and what to do; the other names are kept."""
    names = run("a = 1\n" + source + "\nb = [a]", host=host_function)
    del names["host"]
    kept = keep.dumps(names, around())
    assert list(kept.lost) == ["g"]
    assert kept.lost["g"].startswith(LOST[source])
    keep.loads(kept.data, (), around(), fresh := empty())
    assert (fresh["a"], fresh["b"]) == (1, [1])


def test_a_value_that_cannot_be_kept_is_refused_with_its_reason() -> None:
    """`dumps_value` raises CannotKeep in the same words."""
    with pytest.raises(CannotKeep, match=r"^it holds something that cannot be kept: an open file"):
        keep.dumps_value({"f": [__import__("io").BytesIO()]}, around())
