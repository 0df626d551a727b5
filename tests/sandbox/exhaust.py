"""Runs exhausting programs one after the other in a process of its own; prints one JSON line for each.

A process, because the watchdog takes SIGALRM and because a program that gets through would take the tests with it.
"""

# ruff: noqa: E501 - one program a line reads better than folded text

import json
import resource
import sys
import time

from statek.exceptions import Signal
from statek.sandbox.bounds import WATCHDOG, resident_bytes
from statek.sandbox.guards import builtins_for
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import SourceRefused, compile_block
from statek.sandbox.runner import Failed, LocalBorder, run_statement

SECONDS = 0.2
MEMORY = 256 << 20

# Each must end, with an error or by itself, within the bounds.
EXHAUSTING: dict[str, str] = {
    # endless
    "while_true": "while True: pass",
    "while_swallowing": "while True:\n    try:\n        while True: pass\n    except:\n        pass",
    "finally_loop": "try:\n    while True: pass\nfinally:\n    while True: pass",
    "with_loop": "class C:\n    def __enter__(self): pass\n    def __exit__(self, a, b, c):\n        while True: pass\nwith C():\n    while True: pass",
    "suppress_loop": "from contextlib import suppress\nwhile True:\n    with suppress(Exception):\n        while True: pass",
    "generator_loop": "def g():\n    while True:\n        yield 1\nlist(g())",
    "generator_finally": "def g():\n    try:\n        yield 1\n    finally:\n        while True: pass\nx = g()\nnext(x)\ndel x",
    "recursive_fib": "def f(n):\n    return f(n-1) + f(n-2) if n > 1 else n\nf(90)",
    "lambda_fib": "f = lambda n: f(n-1) + f(n-2) if n > 1 else n\nf(90)",
    "key_function": "sorted(range(10**6), key=lambda x: sum(range(10**6)))",
    "eq_loop": "class A:\n    def __eq__(self, o):\n        while True: pass\nA() == A()",
    "repr_loop": "class A:\n    def __repr__(self):\n        while True: pass\nA()",
    "str_error_loop": "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    "hash_loop": "class A:\n    def __hash__(self):\n        while True: pass\n{A(): 1}",
    "property_loop": "class A:\n    @property\n    def x(self):\n        while True: pass\nA().x",
    "count": "import itertools\nfor i in itertools.count(): pass",
    "count_sum": "import itertools\nsum(itertools.count())",
    "cycle_list": "import itertools\nlist(itertools.cycle([1]))",
    "repeat_join": "import itertools\n''.join(itertools.repeat('a'))",
    "repeat_extend": "import itertools\nl = []\nl.extend(itertools.repeat(1))",
    "repeat_slice": "import itertools\nl = []\nl[:] = itertools.repeat(1)",
    "repeat_augmented": "import itertools\nl = []\nl += itertools.repeat(1)",
    "count_in": "import itertools\n-1 in itertools.count()",
    "count_deque": "import itertools, collections\ncollections.deque(itertools.count(), maxlen=0)",
    "count_unpack": "import itertools\na, *b = itertools.count()",
    "count_star": "import itertools\nprint(*itertools.count())",
    "count_set": "import itertools\n{*itertools.count()}",
    "count_dict": "import itertools\ndict(zip(itertools.count(), itertools.count()))",
    "count_map": "import itertools\nlist(map(lambda x: x, itertools.count()))",
    "count_max": "import itertools\nmax(itertools.count())",
    "count_any": "import itertools\nany(itertools.repeat(0))",
    "count_mean": "import itertools, statistics\nstatistics.mean(itertools.repeat(1))",
    "count_islice": "import itertools\nnext(itertools.islice(itertools.count(), 10**12, None))",
    "product": "import itertools\nlist(itertools.product(range(100), repeat=8))",
    "permutations": "import itertools\nsum(1 for _ in itertools.permutations(range(20)))",
    "combinations_long": "import itertools\nfor c in itertools.combinations(range(10**5), 4): pass",
    "iter_sentinel": "list(iter(int, 1))",
    "getitem_protocol": "class A:\n    def __getitem__(self, i):\n        return i\nlist(A())",
    "counter_elements": "from collections import Counter\nlist(Counter(a=10**12).elements())",
    "long_range_sum": "sum(range(10**12))",
    "long_range_list": "list(range(10**10))",
    "long_range_sorted": "sorted(range(10**9))",
    "range_in_comprehension": "[x for x in range(10**12)]",
    "chain_of_repeats": "import itertools\nlist(itertools.chain.from_iterable(itertools.repeat([1])))",
    "groupby": "import itertools\nlist(itertools.groupby(itertools.count()))",
    # regular expressions and text
    "regex_nested": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "regex_pattern": "import re\nre.compile('(a|aa)+$').match('a' * 60 + 'b')",
    "regex_search": "import re\nre.search('(x+x+)+y', 'x' * 60)",
    "regex_findall": "import re\nre.findall('(.*)*b', 'a' * 5000)",
    "regex_sub": "import re\nre.sub('(a?){40}b', '', 'a' * 40)",
    "regex_sub_grow": "import re\nre.sub('', 'a' * 10**6, 'a' * 10**6)",
    "regex_sub_group": "import re\nre.sub('(.*)', r'\\1' * 5000, 'a' * 10**6)",
    "regex_sub_function": "import re\ns = 'a' * 10**6\nre.sub('.', lambda m: s, s)",
    "regex_split": "import re\nre.split('', 'a' * (30 << 20))",
    "str_split": "('a ' * (15 << 20)).split()",
    "str_split_comma": "(',' * (30 << 20)).split(',')",
    "str_list": "list(chr(1000) * (30 << 20))",
    "str_repeat": "'a' * 10**11",
    "str_double": "s = 'a'\nwhile True:\n    s += s",
    "str_double_plus": "s = 'a'\nwhile True:\n    s = s + s",
    "str_double_f": "s = 'a'\nwhile True:\n    s = f'{s}{s}'",
    "str_f_once": "s = 'a' * (20 << 20)\nf'{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}{s}'",
    "str_percent_double": "s = 'a'\nwhile True:\n    s = '%s%s' % (s, s)",
    "str_format_double": "s = 'a'\nwhile True:\n    s = '{0}{0}'.format(s)",
    "str_join": "s = 'a' * (20 << 20)\ns.join([s] * 1000)",
    "str_replace": "s = 'a' * (10 << 20)\ns.replace('a', s)",
    "str_ljust": "'a'.ljust(10**11)",
    "str_center_unbound": "str.center('a', 10**11)",
    "str_zfill": "'1'.zfill(10**11)",
    "str_expandtabs": "('\\t' * 10**6).expandtabs(10**6)",
    "str_translate": "('a' * 10**6).translate({97: 'b' * 10**6})",
    "str_width": "'{:99999999999}'.format(1)",
    "str_width_nested": "'{:{}}'.format(1, 99999999999)",
    "str_width_f": "f'{1:99999999999}'",
    "str_width_percent": "'%99999999999d' % 1",
    "str_width_star": "'%*d' % (9999999999, 1)",
    "str_width_builtin": "format(1, '99999999999')",
    "str_precision": "f'{1.0:.999999999f}'",
    "str_template": "import string\nstring.Template('$a' * 10**6).substitute(a='x' * 10**6)",
    "str_indent": "import textwrap\ntextwrap.indent('a\\n' * 10**6, 'b' * 10**6)",
    "str_strftime": "import time\ntime.strftime('%999999999Y')",
    "str_datetime": "from datetime import datetime\nf'{datetime.now():%999999999Y}'",
    "bytes_size": "bytes(10**11)",
    "bytearray_size": "bytearray(10**11)",
    "bytes_repeat": "b'a' * 10**11",
    "to_bytes": "(1).to_bytes(10**11, 'big')",
    "randbytes": "import random\nrandom.randbytes(10**10)",
    "randbytes_own": "import random\nrandom.Random(1).randbytes(10**10)",
    "getrandbits": "import random\nrandom.getrandbits(10**11)",
    "choices": "import random\nrandom.choices([1], k=10**10)",
    # numbers
    "power": "9 ** 9 ** 9",
    "power_augmented": "x = 9\nx **= 9 ** 9",
    "power_builtin": "pow(9, 9 ** 9)",
    "power_operator": "import operator\noperator.pow(9, 9 ** 9)",
    "power_map": "list(map(pow, [9], [9 ** 9]))",
    "power_square": "x = 3\nwhile True:\n    x *= x",
    "power_modular": "pow(3, 10 ** 50000, 10 ** 50000)",
    "power_fraction": "from fractions import Fraction\nFraction(3, 2) ** 10**9",
    "shift": "1 << 10**11",
    "shift_augmented": "x = 1\nx <<= 10**11",
    "factorial": "import math\nmath.factorial(10**9)",
    "comb": "import math\nmath.comb(10**9, 10**8)",
    "perm": "import math\nmath.perm(10**9)",
    "prod": "import math\nmath.prod([10**1000] * 10**6)",
    "lcm": "import math\nmath.lcm(*range(1, 10**6))",
    "decimal_int": "from decimal import Decimal\nint(Decimal('1e999999999'))",
    "decimal_format": "from decimal import Decimal\nf'{Decimal(\"1e999999999\"):f}'",
    "decimal_map": "from decimal import Decimal\nlist(map(int, map(Decimal, ['1e999999999'])))",
    "fraction_text": "from fractions import Fraction\nFraction('1e999999999')",
    "accumulate": "import itertools, operator\nlist(itertools.accumulate(itertools.repeat(3), operator.mul))",
    "round_digits": "round(10**100, -10**9)",
    # memory
    "list_repeat": "[0] * 10**10",
    "list_repeat_left": "10**10 * [0]",
    "list_repeat_augmented": "l = [0]\nl *= 10**10",
    "list_double": "l = [0]\nwhile True:\n    l += l",
    "list_extend": "l = [0]\nwhile True:\n    l.extend(l)",
    "list_slice": "l = [0]\nwhile True:\n    l[len(l):] = l",
    "list_append": "l = []\nwhile True:\n    l.append('a' * 10**6 + str(len(l)))",
    "list_nested": "l = [[0] * 10**6 for _ in range(10**6)]",
    "tuple_repeat": "(0,) * 10**10",
    "dict_grow": "d = {}\nn = 0\nwhile True:\n    n += 1\n    d[n] = [n]",
    "string_list": "l = ['a' * (20 << 20) + str(i) for i in range(10**6)]",
    "copies": "l = list(range(10**6))\nm = []\nwhile True:\n    m.append(l[:])",
    "lru_cache": "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(n):\n    return [n] * 100\nn = 0\nwhile True:\n    n += 1\n    f(n)",
    "set_grow": "s = set()\nn = 0\nwhile True:\n    n += 1\n    s.add((n, n))",
    "sum_lists": "sum([[0] * 10**6] * 10**4, [])",
    # nested values
    "nested_repr": "l = []\nfor _ in range(60): l = [l, l]\nrepr(l)",
    "nested_str": "l = []\nfor _ in range(60): l = [l, l]\nstr(l)",
    "nested_echo": "l = []\nfor _ in range(60): l = [l, l]\nl",
    "nested_f": "l = []\nfor _ in range(60): l = [l, l]\nf'{l!r}'",
    "nested_percent": "l = []\nfor _ in range(60): l = [l, l]\n'%s' % (l,)",
    "nested_format": "l = []\nfor _ in range(60): l = [l, l]\n'{}'.format(l)",
    "nested_json": "import json\nl = []\nfor _ in range(60): l = [l, l]\njson.dumps(l)",
    "nested_equal": "l, m = [], []\nfor _ in range(60): l, m = [l, l], [m, m]\nl == m",
    "nested_hash": "t = ()\nfor _ in range(60): t = (t, t)\nhash(t)",
    "nested_dataclass": "from dataclasses import dataclass\n@dataclass\nclass N:\n    a: object\n    b: object\nn = None\nfor _ in range(60): n = N(n, n)\nrepr(n)",
    "nested_deep": "l = []\nfor _ in range(10**5): l = [l]\nrepr(l)",
    "nested_copy": "import copy\nl = []\nfor _ in range(60): l = [l, l]\ncopy.deepcopy(l)",
    "self_containing": "l = []\nl.append(l)\nrepr(l)\nl == l",
    "recursion": "def f():\n    return f()\nf()",
    "recursion_caught": "def f():\n    try:\n        return f()\n    except RecursionError:\n        return f()\nf()",
    "json_deep": "import json\njson.loads('[' * 10**5)",
    # console
    "console_flood": "while True:\n    print('x' * 10000)",
    "console_swallowed": "while True:\n    try:\n        print('x' * 10000)\n    except Exception:\n        pass",
    "console_huge": "print('x' * (30 << 20))",
    "console_join": "print(*['x' * (1 << 20)] * 10**4, sep='y' * (1 << 20))",
    "console_error": "raise ValueError('x' * (30 << 20))",
    "sleep": "import time\ntime.sleep(60)",
    # parser
    "parens": "(" * 5000 + ")" * 5000,
    "brackets": "[" * 90000,
    "minus": "-" * 90000 + "1",
    "nots": "not " * 20000 + "1",
    "attributes": "a" + ".b" * 40000,
    "calls": "f" + "()" * 40000,
    "sums": "1" + "+1" * 45000,
    "compares": "1" + "<1" * 45000,
    "lambdas": "lambda:" * 10000 + "1",
    "powers": "1" + "**1" * 30000,
    "ifs": "1 if 1 else " * 8000 + "1",
    "assignments": "x=" * 45000 + "1",
    "strings": "'a' " * 20000,
    "f_strings": "f'" + "{1}" * 30000 + "'",
    "f_nested": "f'{f\"{1}\"}'" * 1000,
    "indents": "".join(" " * i + "if 1:\n" for i in range(99)) + " " * 99 + "1",
    "elifs": "if 1: pass\n" + "elif 1: pass\n" * 7000,
    "targets": ",".join("a" for _ in range(40000)) + " = 1",
    "nested_functions": "".join(" " * i + f"def f{i}():\n" for i in range(90)) + " " * 90 + "pass",
    "subscripts": "a" + "[0]" * 30000,
    "number": "1" * 90000,
    "too_long": "x = 1\n" * 50000,
}  # fmt: skip


def _run(source: str) -> tuple[str, int]:
    border = LocalBorder(seed=1)
    try:
        block = compile_block(source)
    except SourceRefused as refused:
        return f"SourceRefused: {str(refused)[:80]}", 0
    namespace: dict[str, object] = {"__builtins__": builtins_for(border, Policy(), {})}
    ended = "finished"
    for statement in block.statements:
        with WATCHDOG.armed(SECONDS, MEMORY):
            try:
                outcome = run_statement(statement, namespace, border)
            except Signal as signal:
                return f"{type(signal).__name__}: {signal}", sum(map(len, border.lines))
        if isinstance(outcome, Failed):
            ended = outcome.text[:120]
            break
    return ended, sum(map(len, border.lines))


def main(names: list[str]) -> None:
    """Run the named programs, or all."""
    WATCHDOG.install()
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    for name in names or EXHAUSTING:
        before, started, began = resident_bytes(), time.thread_time(), time.monotonic()
        ended, console = _run(EXHAUSTING[name])
        seconds, waited = time.thread_time() - started, time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        row = {"name": name, "ended": ended, "seconds": seconds, "waited": waited, "console": console}
        print(json.dumps(row | {"grown": resident_bytes() - before, "peak": peak}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
