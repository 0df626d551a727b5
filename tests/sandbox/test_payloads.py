"""Code that tries to get out gets an error before it gets anything. Bounds on time and memory: test_bounds.py."""

# ruff: noqa: E501 - one program a line reads better than folded text

import dataclasses
import os
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from statek.sandbox.guards import builtins_for
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import SourceRefused, compile_block
from statek.sandbox.runner import Failed, LocalBorder, run_statement

SECRET = "canary-6f1d"
_SERVICE = SimpleNamespace(key=SECRET)


@dataclasses.dataclass
class Order:
    """An application object."""

    number: int
    lines: list[Any]
    _token: str = SECRET
    rates: ClassVar[dict[str, int]] = {"a": 1}

    def total(self) -> int:
        """Public method."""
        return len(self.lines) * len(_SERVICE.key)

    def __getitem__(self, key: str) -> Any:
        return {"os": os, "n": 1}[key]

    loader = os.getenv
    module = os


class Hidden:
    """An application class that is not offered."""


def look(number: int) -> Order:
    """A tool."""
    return Order(number, [1, {"f": os.getenv}] if number else [1, 2])


# Each ends with `print('LEAKED')` when nothing before it was refused; `order`, `look` and `Order` are offered.
PAYLOADS: dict[str, str] = {
    # dunder walks
    "class_base": "().__class__.__base__",
    "subclasses": "object.__subclasses__()",
    "mro": "int.mro()",
    "dunder_mro": "int.__mro__",
    "class_bases": "x = ''.__class__.__bases__[0]",
    "getattr_dunder": "getattr((), '__class__').__subclasses__()",
    "getattr_built_name": "getattr((), '__ba' + 'se__')",
    "getattr_str_subclass": "class S(str):\n    pass\ngetattr(order, S('_token'))",
    "getattr_eq_trick": "class S(str):\n    def __eq__(self, o):\n        return True\n    def startswith(self, x):\n        return False\n    __hash__ = None\ngetattr(order, S('_token'))",
    "dict_attribute": "order.__dict__",
    "function_globals": "look.__globals__",
    "function_code": "look.__code__",
    "function_closure": "look.__closure__",
    "function_defaults": "look.__defaults__",
    "function_wrapped": "look.__wrapped__",
    "function_builtins": "look.__builtins__",
    "own_function_globals": "def f(): pass\nf.__globals__",
    "own_function_code": "def f(): pass\nf.__code__",
    "lambda_globals": "(lambda: 0).__globals__",
    "init_globals": "order.__init__.__globals__",
    "class_init_globals": "Order.__init__.__globals__",
    "own_init_globals": "class A:\n    def __init__(self): pass\nA.__init__.__globals__",
    "reduce": "(1).__reduce_ex__(2)",
    "reduce_getattr": "getattr(1, '__reduce_ex__')(2)",
    "sizeof": "(1).__sizeof__()",
    "dir_method": "(1).__dir__()",
    "getattribute": "order.__getattribute__('_token')",
    "object_getattribute": "object.__getattribute__(order, '_token')",
    "type_getattribute": "type.__getattribute__(Order, '__init__')",
    "super_getattribute": "class A:\n    def f(self):\n        return super().__getattribute__('f')\nA().f()",
    "object_setattr": "object.__setattr__(order, 'number', 2)",
    "module_of_class": "Order.__module__",
    "weakref": "order.__weakref__",
    "annotations": "look.__annotations__",
    "own_class_dict": "class A: pass\nA.__dict__",
    "init_subclass": "class A: pass\nA.__init_subclass__",
    "subclasshook": "class A: pass\nA.__subclasshook__",
    "private_field": "order._token",
    "private_by_getattr": "getattr(order, '_token')",
    "private_by_default": "x = getattr(order, '_token', 'none')",
    "private_by_hasattr": "if not hasattr(order, '_token'):\n    raise ValueError",
    "private_by_vars": "vars(order)",
    "private_by_dir": "if '_token' not in dir(order):\n    raise ValueError",
    "private_by_name_mangling": "class Order2:\n    def f(self, o):\n        return o.__token\nclass _:\n    pass",
    "class_of_only_underscores": "class __:\n    def f(self):\n        return __import__('os')",
    # format strings
    "format_dunder": "'{0.__class__.__init__.__globals__}'.format(order)",
    "format_private": "'{0._token}'.format(order)",
    "format_named": "'{o._token}'.format(o=order)",
    "format_map": "'{o._token}'.format_map({'o': order})",
    "format_unbound": "str.format('{0._token}', order)",
    "format_by_getattr": "getattr('{0._token}', 'format')(order)",
    "format_by_map": "list(map('{0._token}'.format, [order]))",
    "format_by_unbound_map": "list(map(str.format, ['{0._token}'], [order]))",
    "format_subclass": "class S(str):\n    pass\nS('{0._token}').format(order)",
    "format_super": "class S(str):\n    def f(self, o):\n        return super().format(o)\nS('{0._token}').f(order)",
    "format_methodcaller": "from operator import methodcaller\nmethodcaller('format', order)('{0._token}')",
    "format_attrgetter": "from operator import attrgetter\nattrgetter('_token')(order)",
    "format_attrgetter_path": "from operator import attrgetter\nattrgetter('total.__globals__')(order)",
    "format_nested_spec": "'{0:{1._token}}'.format('a', order)",
    "format_item": "'{0[os].environ}'.format(order)",
    "format_reduce": "from functools import reduce\nreduce(lambda a, b: a.format(b), ['{0._token}', order])",
    "format_partial": "from functools import partial\npartial('{0._token}'.format, order)()",
    "template_pattern": "import string\nstring.Template.pattern.__class__.__base__",
    "string_formatter": "import string\nstring.Formatter().format('{0._token}', order)",
    "percent_private": "'%(_token)s' % order",
    # generators, frames, coroutines
    "generator_frame": "g = (x for x in [1])\ng.gi_frame",
    "generator_code": "g = (x for x in [1])\ng.gi_code",
    "generator_getattr": "g = (x for x in [1])\ngetattr(g, 'gi_' + 'frame').f_back",
    "generator_yieldfrom": "g = (x for x in [1])\ng.gi_yieldfrom",
    "frame_back": "def f():\n    yield g.gi_frame.f_back\ng = f()\nnext(g)",
    "async_function": "async def f(): pass",
    "await": "def f():\n    await look(1)",
    "async_comprehension": "[x async for x in []]",
    "async_with": "async def f():\n    async with order: pass",
    "coroutine_frame": "getattr(look, 'cr_frame')",
    # tracebacks and contexts
    "traceback": "try:\n    1/0\nexcept Exception as e:\n    e.__traceback__",
    "traceback_getattr": "try:\n    1/0\nexcept Exception as e:\n    getattr(e, '__traceback__').tb_frame",
    "context": "try:\n    1/0\nexcept Exception as e:\n    e.__context__",
    "cause": "try:\n    1/0\nexcept Exception as e:\n    e.__cause__",
    "with_traceback": "try:\n    1/0\nexcept Exception as e:\n    e.with_traceback(None)",
    "error_obj": "try:\n    order.nothing\nexcept AttributeError as e:\n    e.obj.number\n    x = e.obj._token",
    "exit_gets_traceback": "class C:\n    def __enter__(self): pass\n    def __exit__(self, a, b, t):\n        if t is None:\n            raise KeyError\n        t.tb_frame\nwith C():\n    1/0",
    "generator_throw_base": "def g():\n    yield\nx = g()\nnext(x)\nx.throw(BaseException)",
    "own_error_frames": "class E(Exception): pass\ntry:\n    raise E\nexcept E as e:\n    e.__traceback__.tb_frame.f_globals",
    "own_error_traceback_by_pattern": "class E(Exception): pass\nmatch E():\n    case E(__traceback__=t): pass",
    "except_star": "try:\n    1/0\nexcept* ValueError:\n    pass",
    # match
    "match_object_attribute": "match order:\n    case object(total=t): pass",
    "match_host_class": "match order:\n    case Order(number=n): pass",
    "match_host_position": "match order:\n    case Order(n): pass",
    "match_str_format": "match 'x':\n    case str(format=f): pass",
    "match_own_str_format": "class S(str): pass\nmatch S('{0._token}'):\n    case S(format=f):\n        f(order)",
    "match_dunder": "match order:\n    case object(__class__=c): pass",
    "match_args_written": "class S(str):\n    __match_args__ = ('format',)\nmatch S('a'):\n    case S(f): pass",
    "match_args_dunder": "class S:\n    __match_args__ = ('__class__',)",
    "match_args_computed": "class S:\n    __match_args__ = tuple(['__cl' + 'ass__'])",
    "match_args_set": "class S: pass\nsetattr(S, '__match_args__', ('__dict__',))\nmatch S():\n    case S(d): pass",
    "match_guard_name": "match 1:\n    case _getattr_: pass",
    "match_star_name": "match [1]:\n    case [*_getiter_]: pass",
    "match_rest_name": "match {}:\n    case {**__builtins__}: pass",
    "match_dotted_private": "match 1:\n    case order._token: pass",
    "match_type": "match int:\n    case type(__name__=n): pass",
    # names of guards
    "rebind_getattr": "_getattr_ = lambda o, n: o",
    "rebind_by_def": "def _getattr_(o, n): return o",
    "rebind_by_class": "class _getattr_: pass",
    "rebind_by_import": "import math as _getattr_",
    "rebind_by_from": "from math import sqrt as _write_",
    "rebind_by_for": "for _getattr_ in [1]: pass",
    "rebind_by_with": "from contextlib import nullcontext\nwith nullcontext(1) as _getattr_: pass",
    "rebind_by_except": "try:\n    1/0\nexcept Exception as _getattr_: pass",
    "rebind_by_walrus": "(_getattr_ := 1)",
    "rebind_by_global": "def f():\n    global _getattr_\n    _getattr_ = 1",
    "rebind_by_argument": "def f(_getattr_): return _getattr_",
    "rebind_by_lambda": "f = lambda _getattr_: 1",
    "rebind_by_star": "def f(*_getattr_): pass",
    "rebind_by_comprehension": "[1 for _getattr_ in [1]]",
    "rebind_by_keyword_call": "dict(_getattr_=1)",
    "rebind_by_unpack": "a, _getattr_ = 1, 2",
    "rebind_by_augment": "_getattr_ += 1",
    "rebind_by_annotation": "_getattr_: int = 1",
    "rebind_builtins": "__builtins__ = {}",
    "rebind_name": "__name__ = 'x'",
    "read_builtins": "__builtins__['open']",
    "read_guards": "_guards_",
    "read_import": "__import__('os')",
    "read_build_class": "__build_class__",
    "delete_guard": "del _getattr_",
    "global_dunder_in_class": "class A:\n    global __builtins__",
    "print_rebound": "print = 1",
    "print_defined": "def print(*a): pass",
    # decorators, type, metaclass
    "decorator_host_class": "class B: pass\n@type(hidden)\ndef f(): pass",
    "type_facade_init": "type.__init__(len)",
    "hidden_type_init": "type(hidden).__init__(int)",
    "function_init": "look.__init__",
    "function_call": "look.__call__",
    "enum_functional_bases": "from enum import Enum\nEnum('A', 'B', type=Order)",
    "type_three": "type('A', (), {})",
    "type_of_type": "type(type)('A', (), {})",
    "type_of_int": "type(int)('A', (object,), {'__del__': print})",
    "metaclass_keyword": "class A(metaclass=type): pass",
    "class_keyword": "class A(object, x=1): pass",
    "derive_type": "class A(type): pass",
    "derive_host": "class A(Order): pass",
    "derive_host_type": "class A(type(hidden)): pass",
    "derive_module": "import math\nclass A(math): pass",
    "derive_function": "class A(look): pass",
    "derive_base_exception": "class A(BaseException): pass",
    "derive_system_exit": "class A(SystemExit): pass",
    "derive_super": "class A(super): pass",
    "derive_property": "class A(property): pass",
    "del_method": "class A:\n    def __del__(self): pass",
    "getattr_method": "class A:\n    def __getattr__(self, n): pass",
    "getattribute_method": "class A:\n    def __getattribute__(self, n): pass",
    "setattr_method": "class A:\n    def __setattr__(self, n, v): pass",
    "reduce_method": "class A:\n    def __reduce__(self): return (print, ())",
    "getstate_method": "class A:\n    def __getstate__(self): pass",
    "setstate_method": "class A:\n    def __setstate__(self, s): pass",
    "init_subclass_method": "class A:\n    def __init_subclass__(cls): pass",
    "set_name_method": "class A:\n    def __set_name__(self, o, n): pass",
    "class_getitem_method": "class A:\n    def __class_getitem__(cls, k): pass",
    "new_method": "class A:\n    def __new__(cls): pass",
    "descriptor_method": "class A:\n    def __get__(self, o, t): pass",
    "instancecheck_method": "class A:\n    def __instancecheck__(self, o): return True",
    "mro_entries_method": "class A:\n    def __mro_entries__(self, b): return ()",
    "prepare_method": "class A:\n    def __prepare__(self): pass",
    "magic_by_assignment": "class A:\n    __del__ = lambda self: 1",
    "magic_by_setattr": "class A: pass\nsetattr(A, '__del__', lambda s: 1)",
    "magic_by_attribute": "class A: pass\nA.__del__ = lambda s: 1",
    "class_attribute_set": "class A: pass\nA().__class__ = dict",
    "slots_dict": "class A:\n    __slots__ = ('__dict__',)",
    "module_in_class": "class A:\n    __module__ = 'os'",
    "host_class_call_by_type": "type(hidden)()",
    # in-place and write
    "write_host": "order.number = 5",
    "write_host_private": "order._token = 5",
    "write_host_augmented": "order.number += 5",
    "write_host_item": "order['n'] = 5",
    "write_host_class": "Order.rates = {}",
    "write_host_setattr": "setattr(order, 'number', 5)",
    "write_host_delete": "del order.number",
    "write_host_for": "for order.number in [1]: pass",
    "write_host_unpack": "order.number, a = 1, 2",
    "write_host_with": "from contextlib import nullcontext\nwith nullcontext(1) as order.number: pass",
    "write_tool": "look.x = 1",
    "write_builtin_class": "dict.x = 1",
    "write_counter": "from collections import Counter\nCounter.update = None",
    "write_counter_instance_class": "from collections import Counter\ntype(Counter()).update = None",
    "write_module": "import math\nmath.pi = 3",
    "write_module_setattr": "import json\nsetattr(json, 'dumps', 1)",
    "write_module_item": "import json\njson['dumps'] = 1",
    "write_exception_class": "ValueError.x = 1",
    "write_dataclass_shared": "from dataclasses import dataclass\ndataclass(Order)",
    "write_total_ordering": "from functools import total_ordering\ntotal_ordering(Order)",
    "write_wraps": "from functools import wraps\nwraps(print)(look)\nif look.__name__ != 'print':\n    raise ValueError",
    "write_abc_register": "from abc import ABC\nABC.register(int)",
    "write_abc_register_shared": "from collections.abc import Iterable\nIterable.register(int)",
    "write_enum_member": "from enum import Enum\nclass C(Enum):\n    A = 1\nC.A = 2",
    "write_shared_list": "o = look(0)\no.lines.append(9)\nif len(o.lines) == 2:\n    raise ValueError",
    "write_class_dict": "Order.rates['b'] = 2\nOrder.rates['b']",
    "write_flags": "import string\nstring.ascii_letters += 'x'",
    "write_own_function": "def f(): pass\nf.x = 1",
    "write_function_code": "def f(): pass\nf.__code__ = 1",
    "zoneinfo_cache": "from zoneinfo import ZoneInfo\nZoneInfo.clear_cache()",
    # star-unpacking, print hooks
    "star_call_private": "print(*[order._token])",
    "star_mapping": "dict(**order)",
    "print_file": "class F:\n    def write(self, t):\n        raise KeyError\nprint('x', file=F())\nprint.__globals__",
    "print_globals": "print.__self__",
    "print_attribute": "print.console",
    "len_self": "len.__self__",
    "exit_attribute": "exit.__func__",
    # imports
    "import_os": "import os",
    "import_sys": "import sys",
    "import_subprocess": "import subprocess",
    "import_socket": "import socket",
    "import_builtins": "import builtins",
    "import_importlib": "import importlib",
    "import_ctypes": "import ctypes",
    "import_pickle": "import pickle",
    "import_inspect": "import inspect",
    "import_gc": "import gc",
    "import_statek": "import statek.sandbox.guards",
    "import_dbzero": "import dbzero",
    "import_in_function": "def f():\n    import os\nf()",
    "import_dotted": "import collections.abc",
    "import_os_path": "import os.path",
    "import_star": "from math import *",
    "import_private": "from random import _inst",
    "import_relative": "from . import x",
    "import_module_inside": "from json import codecs",
    "import_collections_sys": "from collections import _sys",
    "import_as_private": "from re import _compiler",
    # pivots through modules and objects
    "module_private": "import random\nrandom._os",
    "module_inside": "import statistics\nstatistics.random",
    "module_codecs": "import json\njson.codecs",
    "module_decoder": "import json\njson.decoder.scanner",
    "module_loader": "import math\nmath.__loader__",
    "module_spec": "import math\nmath.__spec__",
    "module_dict": "import math\nmath.__dict__",
    "module_exports": "import math\nmath._exports",
    "module_export_method": "import math\nmath.exports()",
    "module_item": "import math\nmath['sqrt']",
    "host_module": "order.module.environ",
    "host_module_item": "order['os'].environ",
    "host_function": "order.loader('HOME')",
    "host_class_function": "Order.loader('HOME')",
    "host_method_class": "Order.total(order)",
    "host_container_function": "look(1).lines[1]['f']('HOME')",
    "method_self": "order.total.__self__",
    "method_func": "order.total.__func__",
    "bound_builtin_self": "[].append.__self__",
    "dict_get_self": "{}.get.__self__.__class__.__base__",
    "partial_func": "from functools import partial\npartial(look, 1).func",
    "partial_args": "from functools import partial\npartial(look, 1).args",
    "property_fget": "class A:\n    @property\n    def x(self): pass\nA.x.fget.__globals__",
    "lru_wrapped": "from functools import lru_cache\nlru_cache(look).__wrapped__",
    "contextmanager_gen": "from contextlib import contextmanager\n@contextmanager\ndef c():\n    yield\nc().gen.gi_frame",
    "contextmanager_func": "from contextlib import contextmanager\n@contextmanager\ndef c():\n    yield\nc().func.__globals__",
    "cached_property_func": "from functools import cached_property\nclass A:\n    @cached_property\n    def x(self): return 1\nA.x.func.__globals__",
    "exitstack_callbacks": "from contextlib import ExitStack\nExitStack()._exit_callbacks",
    "with_module": "import math\nwith math: pass",
    "with_class": "with Order: pass",
    # pickle, enum, dataclass, annotation pivots
    "uuid_getstate": "import uuid\nuuid.uuid4().__getstate__()",
    "copy_reduce": "import copy\ncopy.copyreg",
    "copy_order": "import copy\ncopy.copy(order)",
    "enum_private": "from enum import Enum\nclass C(Enum):\n    A = 1\nC._member_map_",
    "enum_member_private": "from enum import Enum\nclass C(Enum):\n    A = 1\nC.A._value_",
    "enum_members": "from enum import Enum\nclass C(Enum):\n    A = 1\nC.__members__",
    "dataclass_fields": "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nA.__dataclass_fields__",
    "dataclass_init_globals": "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nA.__init__.__builtins__",
    "dataclass_make": "from dataclasses import make_dataclass",
    "dataclass_asdict_host": "from dataclasses import asdict\nasdict(order)",
    "dataclass_fields_host": "from dataclasses import fields\nfields(order)",
    "dataclass_replace_host": "from dataclasses import replace\nreplace(order, number=2)",
    "typing_hints": "from typing import get_type_hints",
    "typing_forward": "from typing import ForwardRef",
    "namedtuple_injection": "from collections import namedtuple\nnamedtuple('A', ['x=print(1)'])",
    "namedtuple_make": "from collections import namedtuple\nnamedtuple('A', 'x').__new__.__globals__",
    "namedtuple_module": "from collections import namedtuple\nnamedtuple('A', 'x', module='os')",
    # files, environment, running text
    "open": "open('/etc/passwd')",
    "eval": "eval('1')",
    "exec": "exec('1')",
    "compile": "compile('1', '', 'eval')",
    "globals": "globals()",
    "locals": "locals()",
    "input": "input()",
    "breakpoint": "breakpoint()",
    "memoryview": "memoryview(b'a').obj",
    "unknown_codec": "b''.decode('idna')",
    "zoneinfo_path": "from zoneinfo import ZoneInfo\nZoneInfo('../../../etc/passwd')",
    "zoneinfo_file": "from zoneinfo import ZoneInfo\nZoneInfo.from_file(1)",
    "sleep": "import time\ntime.sleep(100)",
    "system_exit": "raise SystemExit",
    "keyboard_interrupt": "raise KeyboardInterrupt",
    "catch_base": "try:\n    1/0\nexcept BaseException:\n    pass",
    "generator_exit": "raise GeneratorExit",
    # source text
    "nul": "x = 1\0",
    "carriage_return": "x = 1\r__import__('os')",
    "surrogate": "x = '\ud800'",
    "unicode_dunder": "().__cl\u1d43ss__.__b\u1d43se__",
    "unicode_guard": "_get\uff41ttr_ = 1",
    "syntax": "def",
    "tab_mix": "if 1:\n\tx = 1\n        y = 2",
}  # fmt: skip


def _run(source: str) -> tuple[list[str], str | None]:
    border = LocalBorder(seed=1)
    host = {"look": look, "Order": Order, "order": look(0), "hidden": Hidden()}
    namespace: dict[str, object] = {"__builtins__": builtins_for(border, Policy(), host)}
    try:
        block = compile_block(source)
    except SourceRefused as refused:
        return [], str(refused)
    for statement in block.statements:
        outcome = run_statement(statement, namespace, border)
        if isinstance(outcome, Failed):
            return border.lines, outcome.text
    return border.lines, None


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_payload_gets_nothing(name: str) -> None:
    """The code ends in an error before its last line, and no secret is shown."""
    lines, error = _run(PAYLOADS[name] + "\nprint('LEAKED')")
    assert "LEAKED" not in lines
    assert error is not None
    assert SECRET not in "".join(lines) + error


def test_host_objects_stay_as_they_are() -> None:
    """After every payload the shared classes and the environment are unchanged."""
    before = dict(vars(Order)), set(vars(dict)), set(os.environ)
    for source in PAYLOADS.values():
        _run(source)
    assert (dict(vars(Order)), set(vars(dict)), set(os.environ)) == before


def test_host_objects_can_be_read() -> None:
    """Public attributes, methods and items of what a tool returns are readable."""
    lines, error = _run("o = look(0)\nprint(o.number, o.lines, o.total() > 0, o['n'], Order.rates, type(o).__name__)")
    assert (lines, error) == (['0 [1,2] True 1 {"a":1} Order'], None)


def test_echo_hides_private_attributes() -> None:
    """The console shows an application object without its private fields."""
    lines, error = _run(
        "order\nprint(f'{order} {order!r} {[order]!s}', str(order), repr([order]), '%s' % order, '{}'.format((order,)))"
    )
    assert error is None
    assert SECRET not in "".join(lines)
