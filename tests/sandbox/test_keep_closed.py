"""Promises of statek.sandbox.keep about bytes that nobody wrote: refused, and the host is as it was."""

import builtins
import collections
import pickle as p
import pickletools
import random
import struct
from collections.abc import Callable
from fractions import Fraction

import pytest

from statek.exceptions import CannotKeep
from statek.sandbox import keep, keep_makers, keep_values, sources
from statek.sandbox.keep_format import MODULE
from statek.sandbox.keep_scan import OPCODES, scan
from statek.sandbox.kinds import JOB_MODULE

HEAD = bytes((keep.FORMAT,)) + p.PROTO + b"\x05"


def text(value: str) -> bytes:
    """A short text."""
    return p.SHORT_BINUNICODE + bytes((len(value),)) + value.encode()


def found(module: str, name: str) -> bytes:
    """What a stream names by module and name."""
    return text(module) + text(name) + p.STACK_GLOBAL


def call(name: str, *parts: bytes) -> bytes:
    """A maker, called."""
    return found(MODULE, name) + p.MARK + b"".join(parts) + p.TUPLE + p.REDUCE


def names(**parts: bytes) -> bytes:
    """A whole stream of names."""
    items = b"".join(text(name) + value for name, value in parts.items())
    return HEAD + p.EMPTY_DICT + p.MARK + items + p.SETITEMS + p.STOP


def dictionary(**parts: bytes) -> bytes:
    """A dict."""
    return p.EMPTY_DICT + p.MARK + b"".join(text(name) + value for name, value in parts.items()) + p.SETITEMS


def number(value: int) -> bytes:
    """An int."""
    return p.BININT + struct.pack("<i", value)


def kept(thing: bytes) -> bytes:
    """`thing` in the memo at 0, off the stack."""
    return thing + p.MEMOIZE + p.POP


def row(*parts: bytes) -> bytes:
    """A tuple."""
    return p.MARK + b"".join(parts) + p.TUPLE


def made(sort: str, *more: bytes, base: bytes = b"") -> bytes:
    """A class of the job, without attributes."""
    return call("make_class", number(0), text(sort), text("K"), text("K"), row(base or text("object")), row(*more))


def filled(sort: bytes, **state: bytes) -> bytes:
    """A class with its state; it stays in the memo at 0."""
    return kept(sort) + call("fill_class", AGAIN, dictionary(**state))


AGAIN = p.BINGET + b"\0"
PLAIN = made("class", p.NONE, p.NONE, p.NONE)
OPTIONS = row(*[p.NEWTRUE] * 3, *[p.NEWFALSE] * 3)
FLAGS = row(*[p.NEWTRUE] * 4, p.NEWFALSE)
HOST = {name: call("make_host", text(name)) for name in ("tool", "items", "table", "members", "counter", "error")}
SLOTS = p.NONE + dictionary(update=p.NONE) + p.TUPLE2

CRAFTED = {
    # opcodes that run things
    "os.system": names(x=found("os", "system") + text("true") + p.TUPLE1 + p.REDUCE),
    "builtins.eval": names(x=found("builtins", "eval") + text("1") + p.TUPLE1 + p.REDUCE),
    "GLOBAL": names(x=p.GLOBAL + b"os\nsystem\n"),
    "INST": names(x=p.MARK + p.INST + b"os\nsystem\n"),
    "OBJ": names(x=p.MARK + call("make_type", text("Counter")) + p.OBJ),
    "NEWOBJ": names(x=call("make_type", text("Counter")) + p.EMPTY_TUPLE + p.NEWOBJ),
    "NEWOBJ_EX": names(x=call("make_type", text("Counter")) + p.EMPTY_TUPLE + p.EMPTY_DICT + p.NEWOBJ_EX),
    "BUILD on a class": names(x=call("make_type", text("Counter")) + SLOTS + p.BUILD),
    "BUILD on an instance": names(x=call("make_container", text("counter")) + SLOTS + p.BUILD),
    "BUILD on a maker": names(x=found(MODULE, "make_type") + SLOTS + p.BUILD),
    "EXT1": names(x=p.EXT1 + b"\1"),
    "EXT4": names(x=p.EXT4 + b"\1\0\0\0"),
    "PERSID": names(x=p.PERSID + b"1\n"),
    "BINPERSID": names(x=p.NONE + p.BINPERSID),
    "NEXT_BUFFER": names(x=p.NEXT_BUFFER),
    "DUP": names(x=p.NONE + p.DUP),
    "PUT": names(x=p.NONE + p.BINPUT + b"\0"),
    "STRING": names(x=p.STRING + b"'a'\n"),
    "INT": names(x=p.INT + b"1\n"),
    # calling or changing what the host offers
    "a tool is called": names(x=HOST["tool"] + number(1) + p.TUPLE1 + p.REDUCE),
    "a type is called": names(x=call("make_type", text("bytearray")) + number(1) + p.TUPLE1 + p.REDUCE),
    "a maker's result is called": names(x=call("make_value", text("partial"), HOST["tool"]) + p.EMPTY_TUPLE + p.REDUCE),
    "a call without a tuple": names(x=found(MODULE, "make_type") + p.EMPTY_LIST + p.REDUCE),
    "a host list gets an item": names(x=HOST["items"] + number(1) + p.APPEND),
    "a host list gets items": names(x=HOST["items"] + p.MARK + number(1) + p.APPENDS),
    "a host dict gets an item": names(x=HOST["table"] + number(1) + number(1) + p.SETITEM),
    "a host dict gets items": names(x=HOST["table"] + p.MARK + number(1) + number(1) + p.SETITEMS),
    "a host set gets items": names(x=HOST["members"] + p.MARK + number(1) + p.ADDITEMS),
    "a durable object gets an item": names(x=call("make_durable", number(0)) + number(1) + p.APPEND),
    "a host list by the memo": names(x=kept(HOST["items"]) + AGAIN + number(1) + p.APPEND),
    "a host counter is filled": names(
        x=call("fill_container", HOST["counter"], dictionary(a=p.NONE) + p.NONE + p.TUPLE2)
    ),
    "a host function is filled": names(x=call("fill_function", HOST["tool"], dictionary(name=text("z")))),
    "a host error is filled": names(
        x=call("fill_exception", HOST["error"], dictionary(a=p.NONE) + p.EMPTY_DICT + p.TUPLE2)
    ),
    "a type is filled": names(
        x=call("fill_container", call("make_type", text("Counter")), p.EMPTY_DICT + p.NONE + p.TUPLE2)
    ),
    "a method of a host object": names(x=call("make_container_method", HOST["tool"], text("append"))),
    "a special method": names(x=call("make_container_method", p.EMPTY_LIST, text("__class__"))),
    "format of a text": names(x=call("make_container_method", text("{0.x}"), text("format"))),
    "an iterator over a host object": names(x=call("make_iterator", HOST["members"])),
    "a union with a host object": names(x=call("make_value", text("union"), HOST["tool"], HOST["tool"])),
    # makers out of place
    "a maker as a value": names(x=found(MODULE, "make_type")),
    "a maker in a list": names(x=p.EMPTY_LIST + found(MODULE, "make_type") + p.APPEND),
    "a maker in a tuple": names(x=found(MODULE, "make_type") + p.TUPLE1),
    "a maker as an argument": names(x=call("make_iterator", found(MODULE, "make_type"))),
    "a maker as the whole": HEAD + found(MODULE, "make_type") + p.STOP,
    "a part of a maker": names(x=call("make_type.build", text("int"))),
    "another name of the module": names(x=call("Loading")),
    "a maker's name elsewhere": names(x=found("builtins", "make_type") + text("int") + p.TUPLE1 + p.REDUCE),
    "a maker of later": names(x=call("make_module", text("K"))),
    # classes and instances
    "a base that is not offered": names(x=made("class", p.NONE, p.NONE, p.NONE, base=text("type"))),
    "a base of the host": names(x=made("class", p.NONE, p.NONE, p.NONE, base=call("make_type", text("Counter")))),
    "a metaclass": names(x=made("metaclass")),
    "a slot of the machinery": names(x=made("class", row(text("__class__")), p.NONE, p.NONE)),
    "a member of the machinery": names(x=made("enum", row(row(text("__reduce__"), p.NONE)), base=text("Enum"))),
    "a hook among members": names(x=made("enum", row(row(text("_missing_"), HOST["tool"])), base=text("Enum"))),
    "a named tuple of code": names(x=made("namedtuple", row(text("a, b=print()")), p.EMPTY_TUPLE)),
    "a field of code": names(
        x=filled(PLAIN, dataclass=row(OPTIONS, row(row(text("a=print(1)"), text("int"), FLAGS, p.NONE))))
    ),
    "a field of the machinery": names(
        x=filled(PLAIN, dataclass=row(OPTIONS, row(row(text("__class__"), text("int"), FLAGS, p.NONE))))
    ),
    "a finalizer": names(x=filled(PLAIN, attributes=dictionary(__del__=HOST["tool"]))),
    "a hook on attributes": names(x=filled(PLAIN, attributes=dictionary(__getattribute__=HOST["tool"]))),
    "a hook on copies": names(x=filled(PLAIN, attributes=dictionary(__setstate__=HOST["tool"]))),
    "a class is filled twice": names(x=filled(PLAIN) + p.POP + call("fill_class", AGAIN, p.EMPTY_DICT)),
    "a type is given attributes": names(x=filled(call("make_type", text("Counter")), attributes=dictionary(a=p.NONE))),
    "an exception is given attributes": names(
        x=filled(call("make_type", text("ValueError")), attributes=dictionary(a=p.NONE))
    ),
    "an instance of a type": names(x=call("make_instance", call("make_type", text("int")), number(1))),
    "an instance of a host object": names(x=call("make_instance", HOST["tool"])),
    "a host object in place of a text": names(
        x=call("make_instance", made("class", p.NONE, p.NONE, p.NONE, base=text("str")), HOST["tool"])
    ),
    "a host object as an instance": names(x=call("fill_instance", HOST["error"], row(dictionary(a=p.NONE)))),
    "a slot that is not there": names(
        x=kept(call("make_instance", PLAIN)) + call("fill_instance", AGAIN, row(p.NONE, dictionary(a=p.NONE)))
    ),
    "a member that is code": names(x=call("make_member", HOST["tool"], text("__class__"), p.NONE)),
    "a member by a host's hook": names(x=call("make_member", PLAIN, p.NONE, number(1))),
    "a method of something": names(x=call("make_method", call("make_type", text("int")), p.NONE)),
    "a record of a type": names(x=call("make_record", call("make_type", text("Counter")))),
    "a record of a host object": names(x=call("make_record", HOST["tool"])),
    "a host object as a record": names(x=call("fill_record", HOST["error"], row(dictionary(a=p.NONE)))),
    "a known method that is not": names(x=call("make_known_method", text("exec"))),
    "a private method of a text": names(x=call("make_plain_method", text("a"), text("__class__"))),
    "a plain method of a host object": names(x=call("make_plain_method", HOST["error"], text("args"))),
    "a long range of a host object": names(x=call("make_long_range", HOST["items"])),
    # arguments that lead elsewhere
    "a type that is not listed": names(x=call("make_type", text("type"))),
    "an exception that ends the process": names(x=call("make_exception", text("SystemExit"), p.EMPTY_TUPLE)),
    "an unknown kind": names(x=call("make_value", text("code"))),
    "a zone outside": names(x=call("make_value", text("zone"), text("../../etc/passwd"), p.NEWTRUE)),
    "an absolute zone": names(x=call("make_value", text("zone"), text("/etc/passwd"), p.NEWTRUE)),
    "a regex that prints": names(x=call("make_value", text("pattern"), text("a"), number(128))),
    "a reference below": names(x=call("make_durable", number(-1))),
    "a reference beyond": names(x=call("make_durable", number(1))),
    "a member of an error": names(
        x=kept(call("make_exception", text("OSError"), p.EMPTY_TUPLE))
        + call("fill_exception", AGAIN, p.EMPTY_DICT + dictionary(args=p.EMPTY_TUPLE) + p.TUPLE2)
    ),
    "a cell in a cell": names(x=kept(call("make_cell")) + call("fill_cell", AGAIN, call("make_cell") + p.TUPLE1)),
    "a fraction over zero": names(x=call("make_value", text("fraction"), number(1), number(0))),
    "a generator of 3 words": names(x=call("make_random", number(3), p.SHORT_BINBYTES + b"\3abc", p.NONE)),
    # the frame of it
    "nothing": b"",
    "another format": b"\2" + names(x=p.NONE)[1:],
    "cut off": names(x=text("abc"))[:-3],
    "no end": names(x=p.NONE)[:-1],
    "something behind the end": names(x=p.NONE) + p.NONE,
    "two values": HEAD + p.NONE + p.EMPTY_DICT + p.STOP,
    "an open mark": HEAD + p.MARK + p.EMPTY_DICT + p.STOP,
    "an empty stack": HEAD + p.TUPLE2 + p.STOP,
    "a memo that is not there": names(x=p.BINGET + b"\7"),
    "a length of exabytes": names(x=p.BYTEARRAY8 + b"\xff" * 8),
    "a frame of exabytes": HEAD + p.FRAME + b"\xff" * 8 + p.EMPTY_DICT + p.STOP,
    "tuples too deep to hash": HEAD + p.EMPTY_DICT + p.NONE + p.TUPLE1 * 200_000 + p.NONE + p.SETITEM + p.STOP,
    "not names": HEAD + p.EMPTY_LIST + p.STOP,
    "names of the builtins": names(__builtins__=p.EMPTY_DICT),
    "names of guards": names(_getattr_=p.NONE),
    "a name that is a number": HEAD + p.EMPTY_DICT + number(1) + p.NONE + p.SETITEM + p.STOP,
}


class Host:
    """What the host offers to the crafted streams, with everything that must not change."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.durable: list[object] = []
        self.offered: dict[str, object] = {
            "tool": self.tool_function(),
            "items": [1],
            "table": {1: 2},
            "members": {1},
            "counter": collections.Counter("a"),
            "error": ValueError(1),
        }
        self.around = keep.Surroundings(self.offered, lambda value: value is self.durable, self.calls.append)

    def tool_function(self) -> Callable[..., None]:
        def tool(*arguments: object) -> None:
            self.calls.append(arguments)

        return tool

    def state(self) -> str:
        classes = [*keep_values.TYPES.values(), *keep_values.BY_TYPE, keep.Surroundings, keep_makers.Maker]
        held = [sorted(vars(kind).items(), key=lambda item: item[0]) for kind in classes if hasattr(kind, "__dict__")]
        tool = self.offered["tool"]
        return repr(
            (held, self.calls, self.durable, self.offered, vars(self.offered["error"]), tool.__name__, vars(tool))
        )


@pytest.mark.parametrize("label", CRAFTED)
def test_a_crafted_stream_is_refused(label: str) -> None:
    """Streams that nobody wrote are refused, run nothing, and leave names, host objects and classes as they were."""
    host = Host()
    into: dict[str, object] = {"__builtins__": builtins}
    before = host.state()
    with pytest.raises(CannotKeep):
        keep.loads(CRAFTED[label], (host.durable,), host.around, into)
    assert host.state() == before
    assert into == {"__builtins__": builtins}


def test_the_pieces_of_the_crafted_streams_are_right() -> None:
    """The same way of building streams gives a stream that is read: the refusals above are not for a wrong reason."""
    into: dict[str, object] = {}
    host = Host()
    items = kept(call("make_container", text("deque"))) + call(
        "fill_container", AGAIN, p.EMPTY_LIST + p.NONE + p.TUPLE2
    )
    good = names(a=HOST["items"], b=call("make_durable", number(0)), c=call("make_type", text("int")), d=items)
    keep.loads(good, (host.durable,), host.around, into)
    assert into == {"a": [1], "b": [], "c": int, "d": None}


def test_a_function_only_gets_code_of_a_job() -> None:
    """A key that names other code gives a stub; a source goes through the compiler of the sandbox and nowhere else."""
    host = Host()
    key = text("d") + text("import os") + text("f") + number(1) + number(0) + p.EMPTY_TUPLE
    stream = names(f=call("make_function", p.MARK + key + p.TUPLE, p.EMPTY_TUPLE))
    into: dict[str, object] = {"__builtins__": builtins}
    keep.loads(stream, (), host.around, into)
    assert host.calls == ["import os"]
    with pytest.raises(NameError, match="'f' is no longer offered"):
        into["f"]()


@pytest.mark.parametrize("name", ["code", "globals", "closure", "builtins", "__code__"])
def test_the_inside_of_a_function_cannot_be_set(name: str) -> None:
    """State of a function has its listed names only."""
    source = "f = lambda: 1"
    sources.register(source, "digest", [compile(source, "<job digest>", "exec")])
    key = text("digest") + text(source) + text("<lambda>") + number(1) + number(0) + p.EMPTY_TUPLE
    function = kept(call("make_function", p.MARK + key + p.TUPLE, p.EMPTY_TUPLE))
    stream = names(f=function + call("fill_function", AGAIN, dictionary(**{name: p.NONE})))
    with pytest.raises(CannotKeep, match="KeyError"):
        keep.loads(stream, (), Host().around, {"__builtins__": builtins})


EVERYTHING = """
import collections, datetime, decimal, fractions, functools, random, re, uuid
n = [None, True, False, 1, 300, 70_000, -1, 1 << 40, 1 << 3000, 1.5, 'a', 'é' * 300, b'a', b'b' * 300]
b = bytearray(b'x'); s = {1, 2}; z = frozenset([3]); e = (); t1 = (1,); t2 = (1, 2); t3 = (1, 2, 3); t4 = (1, 2, 3, 4)
many = [str(i) for i in range(400)]; again = many[300:]; d1 = {1: 2}; big = [list(range(3)), [[]], []]
cycle = ([],); cycle[0].append(cycle)
long_cycle = (1, 2, 3, []); long_cycle[3].append(long_cycle)
c = collections.Counter('aab'); dd = collections.defaultdict(lambda: dd, a=1); dq = collections.deque([1], 3)
od = collections.OrderedDict(a=1); when = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
cm = collections.ChainMap(d1, {}); import types, contextlib; sn = types.SimpleNamespace(a=1)
@contextlib.contextmanager
def managed(): yield
dec = decimal.Decimal('1.5'); fr = fractions.Fraction(1, 3); u = uuid.UUID(int=1); rx = re.compile("a+")
r = random.Random(1)
err = OSError(1, 'x', 'f'); err.note = 1; it = iter([1, 2]); k = [int, list[int], int | None]; m = many.append
p = functools.partial(int, base=2)
import dataclasses, enum, typing
class Base:
    'doc'
    count = [0]
    def __init__(self, x): self.x = x
    def __hash__(self): return hash(self.x)
    def __eq__(self, other): return self.x == other.x
    @property
    def double(self): return 2 * self.x
    @staticmethod
    def still(): pass
    @classmethod
    def named(cls): return cls
    @functools.cached_property
    def once(self): return 1
@functools.total_ordering
class Derived(Base):
    __slots__ = ('more',)
    def __lt__(self, other): return super().__eq__(other)
@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Point:
    x: int
    tags: typing.Optional[list] = dataclasses.field(default_factory=list, compare=False)
class Colour(enum.Enum):
    RED = 1
    def low(self): return 1
class Bits(enum.Flag):
    A = 1
    B = 2
class Pair(typing.NamedTuple):
    a: int
    b: int = 2
class Shape(typing.TypedDict):
    a: int
class Stack(list): pass
class Failure(ValueError): pass
base = Base(1); base.me = base; derived = Derived(2); derived.more = base; bound = base.named; keyed = {base: derived}
point = Point(1); members = {Colour.RED: 1, point: 2}; bits = Bits.A | Bits.B; both = Pair(1); typed = Shape(a=1)
stack = Stack([1]); stack.note = stack; failure = Failure(1); failure.code = 2; up = 'a'.upper
variable = typing.TypeVar('variable')
class Holder(typing.Generic[variable]): pass
held = Holder[int]
def outer(a=[], *, b=1):
    total = 0
    def up(x: int = 1) -> int:
        'doc'
        nonlocal total
        total += x
        return up
    return up, lambda: total
pair = outer()
@functools.lru_cache
def fib(n): return n
"""


def everything() -> bytes:
    """A stream in which everything occurs that can be kept."""
    names: dict[str, object] = {"__builtins__": builtins, "__name__": JOB_MODULE}
    code = compile(EVERYTHING, "<job everything>", "exec")
    sources.register(EVERYTHING, "everything", [code])
    exec(code, names)
    names |= {"host": OFFERED["host"], "durable": DURABLE}
    return keep.dumps(names, AROUND).data


OFFERED: dict[str, object] = {"host": Fraction.limit_denominator}
DURABLE = object()
AROUND = keep.Surroundings(OFFERED, lambda value: value is DURABLE, lambda _: None)


def written(value: object) -> set[bytes]:
    """Opcodes of a stream."""
    data = keep.dumps_value(value, AROUND, limit=1 << 30)[0]
    return {opcode.code.encode("latin-1") for opcode, _, _ in pickletools.genops(data[1:])}


def test_the_table_of_the_scan_is_what_the_writer_writes() -> None:
    """Every opcode that is written is in the table; every opcode in the table is written by something."""
    data = everything()
    found = {opcode.code.encode("latin-1") for opcode, _, _ in pickletools.genops(data[1:])}
    inner: list[object] = []
    for size in (1, 2, 3, 4):
        inner.append((*range(size - 1), inner))
    found |= written(inner) | written([f"{i}" * 300 for i in range(300)])
    assert found <= set(OPCODES)
    assert not set(OPCODES) - found


def test_the_arguments_in_the_table_have_their_widths() -> None:
    """The scan agrees with the standard library on how long the argument of each opcode is."""
    widths = {"uint1": 1, "uint2": 2, "uint4": 4, "int4": 4, "uint8": 8, "float8": 8}
    for code, (size, _, _) in OPCODES.items():
        argument = pickletools.code2op[code.decode("latin-1")].arg
        expected = (
            0 if argument is None else widths.get(argument.name, -int(argument.name[-1]) if argument.n < 0 else 0)
        )
        assert size == expected, code


def test_a_stream_with_everything_passes_the_scan_and_is_read() -> None:
    """What the writer writes is read; from then on every restore gives the same bytes."""
    generations = [everything()]
    for _ in range(2):
        scan(generations[-1], 1)
        into: dict[str, object] = {"__builtins__": builtins, "__name__": JOB_MODULE}
        keep.loads(generations[-1], (DURABLE,), AROUND, into)
        generations.append(keep.dumps(into, AROUND).data)
    assert generations[2] == generations[1]


def test_names_of_makers_never_change() -> None:
    """Maker names are a stored format: some may be added, none may go."""
    assert keep_makers.__name__ == MODULE
    assert set(keep_makers.MAKERS) == {
        *("make_value", "make_type", "make_host", "make_durable", "make_container", "fill_container"),
        *("make_cell", "fill_cell", "make_function", "fill_function", "make_cached", "make_container_method"),
        *("make_iterator", "make_exception", "fill_exception", "make_random", "make_managed"),
        *("make_foreign", "make_plain_method", "make_long_range", "make_class", "fill_class", "make_class_count"),
        *("make_instance", "fill_instance", "make_member", "make_method", "make_record", "fill_record"),
        *("make_property", "make_staticmethod", "make_classmethod", "make_cached_property", "make_known_method"),
        "make_durable_method",
    }


def test_kinds_and_parts_of_values_never_change() -> None:
    """A stream of format 1 that was stored long ago is still read."""
    stored = bytes.fromhex(STORED)
    value = keep.loads_value(stored, (), AROUND)
    assert repr(value) == (
        "[datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc), Decimal('1.10'), Fraction(1, 3), "
        "re.compile('a', re.IGNORECASE), UUID('00000000-0000-0000-0000-000000000001'), Counter({'a': 2}), "
        "deque([1], maxlen=2), KeyError('k'), range(0, 4, 2), <class 'int'>]"
    )


STORED = (
    "018005958f010000000000005d94288c1a73746174656b2e73616e64626f782e6b6565705f6d616b657273948c0a6d616b655f76616c75"
    "65949394288c086461746574696d65944dea074b014b024b034b044b054b064b0068038c0874696d657a6f6e65946803288c0974696d65"
    "64656c7461944b004b004b0074945294869452947494529468038c07646563696d616c948c04312e3130948694529468038c0866726163"
    "74696f6e944b014b038794529468038c077061747465726e948c0161944b228794529468038c0475756964944b014e8794529468018c0e"
    "6d616b655f636f6e7461696e65729493948c07636f756e746572948594529468018c0e66696c6c5f636f6e7461696e6572949394681f7d"
    "948c0161944b02734e8694865230681c8c056465717565944b0286945294682168275d944b01614e869486523068018c0e6d616b655f65"
    "7863657074696f6e9493948c084b65794572726f72948c016b948594869452946803288c0572616e6765944b004b044b02749452946801"
    "8c096d616b655f747970659493948c03696e749485945294652e"
)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_give_a_value_or_a_refusal(seed: int) -> None:
    """Thousands of mutated streams: a value or CannotKeep, never another error and never a crash."""
    chance = random.Random(seed)
    original = everything()
    for _ in range(500):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(1, len(data))
            data[at] = chance.choice((chance.randrange(256), data[at] ^ 1 << chance.randrange(8), data[-at]))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        into: dict[str, object] = {"__builtins__": builtins, "__name__": JOB_MODULE}
        try:
            keep.loads(bytes(data), (DURABLE,), AROUND, into)
        except CannotKeep:
            continue
        assert isinstance(into, dict)
