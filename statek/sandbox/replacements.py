"""Functions that stand for some of the standard library's: bounded, guarded, fed by the border. Named by `modules.py`.

The originals would build something huge in one call, copy or change what is not the job's, read real time or draw real
random numbers.
"""

import collections
import copy
import dataclasses
import datetime
import functools
import json
import math
import operator
import random
import re
import textwrap
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass as frozen
from typing import Any

from statek.exceptions import Refused
from statek.sandbox import bounds, kinds, operators, sizes
from statek.sandbox.access import Access
from statek.sandbox.border import Border

bounds.declare_pure(__file__)
bounds.declare_pure(str(random.__file__))
bounds.declare_pure(str(json.decoder.__file__))
bounds.declare_pure(str(json.encoder.__file__))
bounds.declare_pure(str(sizes.__file__))
bounds.declare_pure(str(operators.__file__))

MAX_PICKS = 1_000_000
MAX_PATTERN = 10_000
MAX_JSON = 8 << 20
LONG_TEXT = 1 << 20
_MAX_DEPTH = 200

# `strptime` imports a module at its first call, which would then happen inside model code
datetime.datetime.strptime("+0000", "%z")


@frozen(frozen=True)
class Kit:
    """What replacements may use: the guards, the world, what decides calls, and the ids of offered classes."""

    access: Access
    border: Border
    callee: Callable[[Any], Any]
    shown: set[int]


# --- classes and data -------------------------------------------------------------------------------------------------


def namedtuple(typename: str, field_names: Any, *, rename: bool = False, defaults: Any = None) -> Any:
    """`collections.namedtuple`; the class counts as made by the job."""
    chosen = field_names if isinstance(field_names, str) else [str(name) for name in field_names]
    return collections.namedtuple(str(typename), chosen, rename=rename, defaults=defaults, module=kinds.JOB_MODULE)


def _own_class(kind: Any, what: str) -> Any:
    if not kinds.is_job_class(kind):
        raise Refused(f"{what} takes a class made here")
    return kind


def dataclass(kind: Any = None, /, **options: Any) -> Any:
    """`dataclasses.dataclass` for classes of the job."""
    if kind is None:
        return lambda later: dataclass(later, **options)
    return dataclasses.dataclass(_own_class(kind, "dataclass"), **options)


def _own_instance(value: Any, what: str) -> Any:
    if not (kinds.is_job_value(value) and dataclasses.is_dataclass(value)):
        raise Refused(f"{what}() takes a dataclass instance made here, not {kinds.type_name(value)}")
    return value


def _plain_copy(value: Any, convert: Callable[[Any], Any]) -> Any:
    if kinds.is_job_value(value) and dataclasses.is_dataclass(value):
        return convert(value)
    if type(value) in (list, tuple, set):
        return type(value)(_plain_copy(part, convert) for part in value)
    if isinstance(value, dict):
        return {_plain_copy(k, convert): _plain_copy(v, convert) for k, v in value.items()}
    return value


def asdict(value: Any) -> dict[str, Any]:
    """`dataclasses.asdict`."""
    chosen = dataclasses.fields(_own_instance(value, "asdict"))
    return {field.name: _plain_copy(getattr(value, field.name), asdict) for field in chosen}


def astuple(value: Any) -> tuple[Any, ...]:
    """`dataclasses.astuple`."""
    chosen = dataclasses.fields(_own_instance(value, "astuple"))
    return tuple(_plain_copy(getattr(value, field.name), astuple) for field in chosen)


def fields(value: Any) -> tuple[Any, ...]:
    """`dataclasses.fields`."""
    _own_class(value if isinstance(value, type) else type(value), "fields")
    return dataclasses.fields(value)


def replace(value: Any, /, **changes: Any) -> Any:
    """`dataclasses.replace`."""
    return dataclasses.replace(_own_instance(value, "replace"), **changes)


def wraps(wrapped: Any) -> Callable[[Any], Any]:
    """`functools.wraps`: name and text only, onto functions of the job only."""

    def decorate(function: Any) -> Any:
        if kinds.is_job_function(function):
            for name in ("__name__", "__doc__"):
                if isinstance(text := getattr(wrapped, name, None), str):
                    setattr(function, name, text)
        return function

    return decorate


def total_ordering(kind: Any) -> Any:
    """`functools.total_ordering` for classes of the job."""
    return functools.total_ordering(_own_class(kind, "total_ordering"))


def reduce_of(kit: Kit) -> Callable[..., Any]:
    """`functools.reduce` through the guards."""

    def reduce(function: Any, values: Any, *initial: Any) -> Any:
        return functools.reduce(kit.callee(function), kit.access.iterate(values), *initial)

    return reduce


def partial_of(kit: Kit) -> Callable[..., Any]:
    """`functools.partial` through the guards."""

    def partial(function: Any, /, *args: Any, **named: Any) -> Any:
        return functools.partial(kit.callee(function), *args, **named)

    return partial


# --- copies -----------------------------------------------------------------------------------------------------------


def shallow_copy(kit: Kit) -> Callable[[Any], Any]:
    """`copy.copy` for plain values and own instances."""

    def copy_(value: Any) -> Any:
        if kit.access.may_change(value) or kinds.is_plain(value) or callable(value):
            return copy.copy(value)
        raise Refused(f"a {kinds.type_name(value)} cannot be copied here")

    copy_.__name__ = "copy"
    return copy_


def deep_copy(kit: Kit) -> Callable[[Any], Any]:
    """`copy.deepcopy` for plain values and own instances; what belongs to the host stays the same object."""

    def deepcopy(value: Any) -> Any:
        return _deep(value, {}, 0)

    return deepcopy


def _deep(value: Any, done: dict[int, Any], depth: int) -> Any:
    bounds.WATCHDOG.tick()
    if depth > _MAX_DEPTH:
        raise RecursionError("nested too deeply to be copied")
    if id(value) in done:
        return done[id(value)]
    kind = type(value)
    if kind is not value.__class__ and value.__class__ in (list, dict, set, tuple):  # a facade of a stored one
        return _deep(value.__class__(value), done, depth)
    if kind in (tuple, frozenset):
        new = kind(_deep(part, done, depth + 1) for part in value)
    elif kinds.is_job_class(kind):
        new = done[id(value)] = copy.copy(value)
        for name, part in list(getattr(value, "__dict__", {}).items()):
            object.__setattr__(new, name, _deep(part, done, depth + 1))
    elif isinstance(value, dict) and kind in kinds.CONTAINERS:
        new = done[id(value)] = copy.copy(value)
        new.clear()
        new.update({_deep(k, done, depth + 1): _deep(v, done, depth + 1) for k, v in value.items()})
    elif kind in kinds.CONTAINERS:
        new = done[id(value)] = copy.copy(value)
        new.clear()
        parts = [_deep(part, done, depth + 1) for part in value]
        (new.update if isinstance(new, set) else new.extend)(parts)
    else:
        new = value
    done[id(value)] = new
    return new


# --- json -------------------------------------------------------------------------------------------------------------


def json_loads(
    s: Any, *, object_hook: Any = None, parse_float: Any = None, parse_int: Any = None, object_pairs_hook: Any = None
) -> Any:
    """`json.loads` of texts of bearable length."""
    if len(s) > MAX_JSON:
        raise sizes.refuse_size("this JSON", len(s), MAX_JSON)
    return json.loads(
        s, object_hook=object_hook, parse_float=parse_float, parse_int=parse_int, object_pairs_hook=object_pairs_hook
    )


def _bare(default: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """Facades of stored lists, tuples and dicts as plain ones; the rest is left to `default`."""

    def convert(value: Any) -> Any:
        if isinstance(value, list | tuple | dict):
            return value.__class__(value)
        if default is not None:
            return default(value)
        raise TypeError(f"Object of type {kinds.type_name(value)} is not JSON serializable")

    return convert


def json_dumps(obj: Any, **options: Any) -> str:
    """`json.dumps` of a bearable size."""
    if "cls" in options:
        raise Refused("json.dumps(cls=...) is not available here; use default=")
    indent = options.get("indent")
    if (isinstance(indent, int) and indent > 20) or (isinstance(indent, str) and len(indent) > 20):
        raise Refused("an indent of at most 20")
    if any(len(part) > 20 for part in options.get("separators") or ()):
        raise Refused("separators of at most 20 characters")
    text = json.dumps(sizes.weighed(obj), **{**options, "default": _bare(options.get("default"))})
    sizes.allow_bytes("this JSON", len(text))
    return text


# --- numbers ----------------------------------------------------------------------------------------------------------


def _small(name: str, limit: int) -> Callable[..., int]:
    function = getattr(math, name)

    def bounded(*args: Any) -> int:
        if any(isinstance(arg, int) and arg > limit for arg in args):
            raise Refused(f"{name}() of at most {limit:,}")
        return function(*args)  # type: ignore[no-any-return]

    bounded.__name__ = name
    return bounded


def _product(values: Iterable[Any], *, start: Any = 1) -> Any:
    result = start
    for value in values:
        bounds.WATCHDOG.tick()
        result = operators.binary("*", result, value)
    return result


def _lcm(*values: int) -> int:
    result = 1
    for value in values:
        result = math.lcm(result, value)
        if result.bit_length() > sizes.MAX_BITS:
            raise sizes.refuse_size("this number (bits)", result.bit_length(), sizes.MAX_BITS)
    return result


def math_exports() -> dict[str, Any]:
    """Everything public of `math`, bounded."""
    exports = {name: getattr(math, name) for name in dir(math) if not name.startswith("_")}
    bounded = {"factorial": _small("factorial", 10_000), "comb": _small("comb", 20_000), "perm": _small("perm", 10_000)}
    return exports | bounded | {"prod": _product, "lcm": _lcm}


def operator_exports(kit: Kit) -> dict[str, Any]:
    """`operator` with guards in what reads attributes and items, and checks in what computes."""
    plain = """abs and_ contains countOf eq floordiv ge gt index indexOf inv invert is_ is_not le lt matmul ne neg not_
        or_ pos rshift sub truediv truth xor"""
    exports = {name: getattr(operator, name) for name in plain.split()}
    checked = {"add": "+", "concat": "+", "mul": "*", "pow": "**", "lshift": "<<", "mod": "%"}
    exports |= {name: functools.partial(operators.binary, sign) for name, sign in checked.items()}

    def read(value: Any, path: str) -> Any:
        return functools.reduce(kit.access.get_attribute, path.split("."), value)

    def attrgetter(*paths: str) -> Callable[[Any], Any]:
        if len(paths) == 1:
            return lambda value: read(value, paths[0])
        return lambda value: tuple(read(value, path) for path in paths)

    def itemgetter(*keys: Any) -> Callable[[Any], Any]:
        if len(keys) == 1:
            return lambda value: kit.access.get_item(value, keys[0])
        return lambda value: tuple(kit.access.get_item(value, key) for key in keys)

    def methodcaller(name: str, /, *args: Any, **named: Any) -> Callable[[Any], Any]:
        return lambda value: kit.callee(kit.access.get_attribute(value, name))(*args, **named)

    made = {"attrgetter": attrgetter, "itemgetter": itemgetter, "methodcaller": methodcaller}
    return exports | made | {"getitem": kit.access.get_item}


# --- chance and time --------------------------------------------------------------------------------------------------


def random_exports(kit: Kit) -> dict[str, Any]:
    """Functions of `random` over the job's own generator."""

    def drawn(name: str) -> Callable[..., Any]:
        def draw(*args: Any, **named: Any) -> Any:
            return getattr(kit.border.rng(), name)(*args, **named)

        draw.__name__ = name
        return draw

    plain = """random uniform triangular randint randrange choice betavariate binomialvariate expovariate gammavariate
        gauss lognormvariate normalvariate vonmisesvariate paretovariate weibullvariate seed"""
    exports = {name: drawn(name) for name in plain.split() if hasattr(random.Random, name)}

    def choices(population: Any, weights: Any = None, *, cum_weights: Any = None, k: int = 1) -> Any:
        return kit.border.rng().choices(population, weights, cum_weights=cum_weights, k=_picks(k))

    def sample(population: Any, k: int, *, counts: Any = None) -> Any:
        return kit.border.rng().sample(population, _picks(k), counts=counts)

    def shuffle(values: Any) -> None:
        kit.border.rng().shuffle(kit.access.writable(values))

    def getrandbits(k: int) -> int:
        return bounded_bits(kit.border.rng(), k)

    def randbytes(n: int) -> bytes:
        return bounded_bytes(kit.border.rng(), n)

    def generator(seed: Any = None) -> random.Random:
        return random.Random(kit.border.rng().getrandbits(64) if seed is None else seed)  # noqa: S311 - not a secret

    generator.__name__ = "Random"
    made = (choices, sample, shuffle, getrandbits, randbytes, generator)
    return exports | {function.__name__: function for function in made}


def _picks(count: int) -> int:
    if operator.index(count) > MAX_PICKS:
        raise Refused(f"at most {MAX_PICKS:,} picks")
    return count


def bounded_bits(rng: random.Random, k: int) -> int:
    """`getrandbits` of a bearable size."""
    if k > sizes.MAX_BITS:
        raise sizes.refuse_size("this number (bits)", k, sizes.MAX_BITS)
    return random.Random.getrandbits(rng, k)


def bounded_bytes(rng: random.Random, n: int) -> bytes:
    """`randbytes` of a bearable size."""
    sizes.allow_bytes("these bytes", n)
    return random.Random.getrandbits(rng, 8 * n).to_bytes(n, "little")


def uuid4_of(kit: Kit) -> Callable[[], uuid.UUID]:
    """`uuid.uuid4` from the job's own generator."""

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=kit.border.rng().getrandbits(128), version=4)

    return uuid4


def clock_guards(border: Border) -> dict[tuple[type, str], Callable[..., Any]]:
    """What stands for the classmethods of `datetime` that read the clock."""

    def instant(tz: Any = None) -> datetime.datetime:
        seconds, micros = divmod(border.now_us(), 1_000_000)
        return datetime.datetime.fromtimestamp(seconds, tz or datetime.UTC).replace(microsecond=micros)

    def now(tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return instant(tz) if tz is not None else instant().replace(tzinfo=None)

    def utcnow() -> datetime.datetime:
        return instant().replace(tzinfo=None)

    def today() -> datetime.date:
        return instant().date()

    moment = datetime.datetime
    guards: dict[tuple[type, str], Callable[..., Any]] = {(moment, "class now"): now, (moment, "class utcnow"): utcnow}
    return guards | {(moment, "class today"): utcnow, (datetime.date, "class today"): today}


def time_exports(kit: Kit) -> dict[str, Any]:
    """`time` over the border's clock, in UTC; nothing sleeps."""

    def now() -> float:
        return kit.border.now_us() / 1e6

    def time_ns() -> int:
        return kit.border.now_us() * 1000

    def gmtime(seconds: float | None = None) -> time.struct_time:
        return time.gmtime(now() if seconds is None else seconds)

    def strftime(format: str, moment: Any = None) -> str:  # noqa: A002 - the documented name
        return time.strftime(sizes.allow_format(format), gmtime() if moment is None else moment)

    def sleep(_seconds: float = 0) -> None:
        raise Refused("code here cannot sleep: it would hold up other jobs; end the turn or wait with a tool")

    exports: dict[str, Any] = dict.fromkeys(("time", "monotonic", "perf_counter", "process_time"), now)
    exports |= {"time_ns": time_ns, "monotonic_ns": time_ns, "perf_counter_ns": time_ns, "gmtime": gmtime}
    exports |= {"localtime": gmtime, "strftime": strftime, "sleep": sleep, "struct_time": time.struct_time}
    return exports | {"strptime": time.strptime, "mktime": time.mktime, "timezone": 0}


def strftime(moment: Any, format: str) -> str:  # noqa: A002 - the documented name
    """`strftime` of dates and times with bearable widths."""
    return moment.strftime(sizes.allow_format(format))  # type: ignore[no-any-return]


# --- text -------------------------------------------------------------------------------------------------------------


def re_exports() -> dict[str, Any]:
    """`re` with bounded patterns and replacements."""
    flags = "ASCII A IGNORECASE I LOCALE L MULTILINE M DOTALL S VERBOSE X UNICODE U NOFLAG"
    exports: dict[str, Any] = {name: getattr(re, name) for name in flags.split()}
    exports |= {"escape": re.escape, "Pattern": re.Pattern, "Match": re.Match, "error": re.error, "compile": re_compile}

    def searching(name: str) -> Callable[..., Any]:
        def search(pattern: Any, string: Any, flags: Any = 0) -> Any:
            return getattr(re_compile(pattern, flags), name)(string)

        search.__name__ = name
        return search

    exports |= {name: searching(name) for name in ("search", "match", "fullmatch", "finditer")}

    def findall(pattern: Any, string: Any, flags: Any = 0) -> Any:
        return pattern_findall(re_compile(pattern, flags), string)

    def split(pattern: Any, string: Any, maxsplit: int = 0, flags: Any = 0) -> Any:
        return pattern_split(re_compile(pattern, flags), string, maxsplit)

    def sub(pattern: Any, repl: Any, string: Any, count: int = 0, flags: Any = 0) -> Any:
        return pattern_sub(re_compile(pattern, flags), repl, string, count)

    def subn(pattern: Any, repl: Any, string: Any, count: int = 0, flags: Any = 0) -> Any:
        return pattern_subn(re_compile(pattern, flags), repl, string, count)

    return exports | {"findall": findall, "split": split, "sub": sub, "subn": subn}


def re_compile(pattern: Any, flags: Any = 0) -> Any:
    """`re.compile` of patterns of bearable length."""
    if isinstance(pattern, re.Pattern):
        return re.compile(pattern, flags)
    if len(pattern) > MAX_PATTERN:
        raise Refused(f"a pattern of at most {MAX_PATTERN:,} characters")
    return re.compile(pattern, flags)


def _bounded_replacement(pattern: Any, repl: Any, string: Any) -> Any:
    """Give a replacement that counts what it adds, when the worst case is too big."""
    if (
        callable(repl)
        or (len(string) + 1) * (len(repl) * (len(string) if "\\" in str(repl) else 1) + 1) <= sizes.MAX_BYTES
    ):
        return repl
    added = 0

    def expand(match: Any) -> Any:
        nonlocal added
        text = repl(match) if callable(repl) else match_expand(match, repl)
        added += len(text)
        sizes.allow_bytes("the replaced text", added)
        return text

    return expand


def pattern_findall(pattern: Any, text: Any, *span: Any) -> list[Any]:
    """`Pattern.findall`; long texts tick."""
    if len(text) <= LONG_TEXT:
        return pattern.findall(text, *span)  # type: ignore[no-any-return]
    found = []
    for match in pattern.finditer(text, *span):
        bounds.WATCHDOG.tick()
        groups = match.groups(text[:0])
        found.append(match[0] if not groups else groups[0] if len(groups) == 1 else groups)
    return found


def pattern_split(pattern: Any, text: Any, maxsplit: int = 0) -> list[Any]:
    """`Pattern.split` of texts of bearable length."""
    if len(text) > sizes.MAX_PARTS:
        raise sizes.refuse_size("the text to split", len(text), sizes.MAX_PARTS)
    return pattern.split(text, maxsplit)  # type: ignore[no-any-return]


def pattern_sub(pattern: Any, repl: Any, string: Any, count: int = 0) -> Any:
    """`Pattern.sub` of a bearable size."""
    return pattern.sub(_bounded_replacement(pattern, repl, string), string, count)


def pattern_subn(pattern: Any, repl: Any, string: Any, count: int = 0) -> Any:
    """`Pattern.subn` of a bearable size."""
    return pattern.subn(_bounded_replacement(pattern, repl, string), string, count)


def match_expand(match: Any, template: Any) -> Any:
    """`Match.expand` of a bearable size."""
    sizes.allow_bytes("the expanded text", len(template) + template.count(_backslash(template)) * len(match.string))
    return match.expand(template)


def _backslash(text: Any) -> Any:
    return "\\" if isinstance(text, str) else b"\\"


def indent(text: str, prefix: str, predicate: Any = None) -> str:
    """`textwrap.indent` of a bearable size."""
    sizes.allow_bytes("the indented text", len(text) + (text.count("\n") + 1) * len(prefix))
    return textwrap.indent(text, prefix, predicate)
