"""Ordinary Python runs: a sandbox that refuses it fails its users as surely as one that leaks."""

# ruff: noqa: E501 - one program a line reads better than folded text

import pytest

from statek.sandbox.runner import run_block_locally

# name: (program, what it prints)
PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "loop": ("t = 0\nfor i in range(5):\n    t += i\nprint(t)", ["10"]),
    "while_else": ("n = 3\nwhile n:\n    n -= 1\nelse:\n    print('done')", ["done"]),
    "break_continue": ("for i in range(9):\n    if i == 1: continue\n    if i == 3: break\n    print(i)", ["0", "2"]),
    "comprehensions": (
        "print([x*x for x in range(4) if x % 2], {x for x in [1,1]}, {k: v for k, v in [('a', 1)]})",
        ['[1,9] {1} {"a":1}'],
    ),
    "nested_comprehension": ("print([(a, b) for a in range(2) for b in 'xy'])", ['[(0,"x"),(0,"y"),(1,"x"),(1,"y")]']),
    "generator_expression": ("print(sum(x for x in range(10)))", ["45"]),
    "generator": ("def g(n):\n    for i in range(n):\n        yield i\nprint(list(g(3)))", ["[0,1,2]"]),
    "generator_send": (
        "def g():\n    x = yield 1\n    print('got', x)\n    yield 2\ni = g()\nnext(i)\ni.send(5)",
        ["1", "got 5", "2"],
    ),
    "yield_from": (
        "def a():\n    r = yield 1\n    return r\ndef b():\n    r = yield from a()\n    print('r', r)\n    yield 0\ng = b()\nprint(next(g), g.send(7))",
        ["r 7", "1 0"],
    ),
    "nested_function": ("def f(n):\n    def g(m):\n        return n + m\n    return g(1)\nprint(f(2))", ["3"]),
    "closure_nonlocal": (
        "def c():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nu = c()\nu()\nprint(u())",
        ["1", "2"],
    ),
    "global": ("n = 1\ndef f():\n    global n\n    n += 1\nf()\nprint(n)", ["None", "2"]),
    "lambda_sort": ("print(sorted([3, 1, 2], key=lambda x: -x))", ["[3,2,1]"]),
    "recursion": ("def fib(n):\n    return n if n < 2 else fib(n-1) + fib(n-2)\nprint(fib(15))", ["610"]),
    "deep_recursion": ("def d(n):\n    return 0 if n == 0 else 1 + d(n-1)\nprint(d(700))", ["700"]),
    "default_and_star": (
        "def f(a, *b, c=1, **d):\n    return a, b, c, d\nprint(f(1, 2, *[3], c=4, **{'e': 5}))",
        ['(1,(2,3),4,{"e":5})'],
    ),
    "keyword_only": ("def f(*, x, y=2):\n    return x + y\nprint(f(x=1))", ["3"]),
    "unpacking": ("a, (b, *c), d = 1, (2, 3, 4), 5\nprint(a, b, c, d)", ["1 2 [3,4] 5"]),
    "unpacking_list_target": ("[a, b] = 'xy'\nprint(a, b)", ["x y"]),
    "swap": ("a, b = 1, 2\na, b = b, a\nprint(a, b)", ["2 1"]),
    "chained_assignment": (
        "def f():\n    print('once')\n    return [1, 2]\n(a, b) = (c, d) = f()\nprint(a, b, c, d)",
        ["once", "1 2 1 2"],
    ),
    "star_display": (
        "print([*range(3), *'ab'], {**{'a': 1}, 'b': 2}, (*[1],), {*[1, 1]})",
        ['[0,1,2,"a","b"] {"a":1,"b":2} (1) {1}'],
    ),
    "for_unpack": ("for i, (a, b) in enumerate([(1, 2), (3, 4)]):\n    print(i, a, b)", ["0 1 2", "1 3 4"]),
    "item_augmented": ("d = {'a': 1}\nd['a'] += 1\nd['b'] = d.get('b', 0) + 1\nprint(d)", ['{"a":2,"b":1}']),
    "slice_augmented": ("l = [1, 2, 3]\nl[1:] += [9]\nl[0] *= 5\nprint(l)", ["[5,2,3,9]"]),
    "slices": (
        "l = list(range(6))\ndel l[0], l[-1]\nl[1:2] = ['x', 'y']\nprint(l, l[::-1])",
        ['[1,"x","y",3,4] [4,3,"y","x",1]'],
    ),
    "augmented_order": (
        "class C:\n    n = 1\nc = C()\ndef f():\n    c.n = 10\n    return 1\nc.n += f()\nprint(c.n)",
        ["2"],
    ),
    "class": (
        "class A:\n    k = 1\n    def __init__(self, x):\n        self.x = x\n    def up(self):\n        self.x += self.k\n        return self\nprint(A(1).up().x)",
        ["2"],
    ),
    "inheritance_super": (
        "class A:\n    def __init__(self, n):\n        self.n = n\n    def say(self):\n        return 'A%d' % self.n\nclass B(A):\n    def __init__(self):\n        super().__init__(3)\n    def say(self):\n        return super().say() + 'B'\nprint(B().say())",
        ["A3B"],
    ),
    "private_attributes": (
        "class A:\n    def __init__(self):\n        self._a = 1\n        self.__b = 2\n    def both(self):\n        return self._a + self.__b + self.__c()\n    def __c(self):\n        return 4\na = A()\nprint(a.both(), a._a)",
        ["7 1"],
    ),
    "class_counter": (
        "class A:\n    count = 0\n    def __init__(self):\n        A.count += 1\na, b = A(), A()\nprint(A.count)",
        ["2"],
    ),
    "property": (
        "class A:\n    def __init__(self):\n        self._v = 1\n    @property\n    def v(self):\n        return self._v\n    @v.setter\n    def v(self, x):\n        self._v = x * 2\na = A()\na.v = 4\nprint(a.v)",
        ["8"],
    ),
    "static_and_class_method": (
        "class A:\n    @staticmethod\n    def s():\n        return 's'\n    @classmethod\n    def c(cls):\n        return cls.__name__\nprint(A.s(), A().c())",
        ["s A"],
    ),
    "magic_methods": (
        "class V:\n    def __init__(self, x):\n        self.x = x\n    def __add__(self, o):\n        return V(self.x + o.x)\n    def __eq__(self, o):\n        return self.x == o.x\n    def __repr__(self):\n        return f'V({self.x})'\n    def __len__(self):\n        return 3\n    def __getitem__(self, i):\n        return i * self.x\n    def __iter__(self):\n        return iter([self.x])\n    def __contains__(self, x):\n        return x == self.x\n    def __call__(self):\n        return 'called'\n    def __bool__(self):\n        return False\nv = V(1) + V(2)\nprint(repr(v), v == V(3), len(v), v[2], list(v), 3 in v, v(), not v)",
        ["V(3) True 3 6 [3] True called True"],
    ),
    "slots": ("class A:\n    __slots__ = ('x', 'y')\n    def __init__(self):\n        self.x = 1\nprint(A().x)", ["1"]),
    "dataclass": (
        "from dataclasses import dataclass, field, asdict, replace\n@dataclass\nclass P:\n    x: int\n    tags: list[str] = field(default_factory=list)\np = P(1)\np.tags.append('a')\np.x += 1\nprint(asdict(p), p == P(2, ['a']), replace(p, x=5).x)",
        ["None", '{"x":2,"tags":["a"]} True 5'],
    ),
    "frozen_dataclass_key": (
        "from dataclasses import dataclass\n@dataclass(frozen=True, order=True)\nclass K:\n    a: 'int'\nprint({K(1): 2}[K(1)], K(1) < K(2))",
        ["2 True"],
    ),
    "enum": (
        "from enum import Enum, auto\nclass C(Enum):\n    RED = auto()\n    BLUE = 'b'\nprint(C.RED.name, C('b').name, C['RED'] is C.RED, [c.name for c in C], C.BLUE.value)",
        ['RED BLUE True ["RED","BLUE"] b'],
    ),
    "enum_with_init": (
        "from enum import Enum\nclass P(Enum):\n    A = (1, 2)\n    def __init__(self, m, r):\n        self.m = m\n        self.r = r\n    @property\n    def both(self):\n        return self.m + self.r\nprint(P.A.both)",
        ["3"],
    ),
    "namedtuple": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\np = P(1, y=2)\nprint(p.x, p._replace(x=5).x, p._asdict(), P._fields)",
        ['1 5 {"x":1,"y":2} ("x","y")'],
    ),
    "typed_namedtuple": (
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int = 2\na, b = P(1)\nprint(a, b, P(3).y)",
        ["1 2 2"],
    ),
    "abc": (
        "from abc import ABC, abstractmethod\nclass S(ABC):\n    @abstractmethod\n    def area(self): ...\nclass Q(S):\n    def area(self):\n        return 4\nprint(Q().area())\ntry:\n    S()\nexcept TypeError:\n    print('abstract')",
        ["4", "abstract"],
    ),
    "generic_protocol": (
        "from typing import Generic, TypeVar, Optional, Protocol\nT = TypeVar('T')\nclass Box(Generic[T]):\n    def __init__(self, v: T):\n        self.v = v\nclass Has(Protocol):\n    v: int\nb: Optional[Box[int]] = Box(1)\nprint(b.v)",
        ["1"],
    ),
    "subclass_dict": (
        "class D(dict):\n    def __missing__(self, k):\n        return k * 2\nd = D(a=1)\nd['c'] = 3\nprint(d['a'], d['b'], d.get('c'))",
        ["1 bb 3"],
    ),
    "own_error": (
        "class E(ValueError):\n    def __init__(self, m, code):\n        super().__init__(m)\n        self.code = code\ntry:\n    raise E('bad', 7)\nexcept ValueError as e:\n    print(e, e.code, e.args, type(e).__name__)",
        ['bad 7 ("bad") E'],
    ),
    "try_finally": (
        "def f():\n    try:\n        return 1\n    finally:\n        print('cleanup')\nprint(f())",
        ["cleanup", "1"],
    ),
    "try_else_from": (
        "try:\n    try:\n        {}['k']\n    except KeyError as e:\n        raise ValueError('no') from e\n    else:\n        print('never')\nexcept ValueError as e:\n    print(e)",
        ["no"],
    ),
    "bare_except": ("try:\n    1 / 0\nexcept:\n    print('caught')", ["caught"]),
    "class_name": (
        "try:\n    [][1]\nexcept Exception as e:\n    print(type(e).__name__, e.__class__.__name__, str(e))",
        ["IndexError IndexError list index out of range"],
    ),
    "assert_raise": ("try:\n    assert 1 > 2, 'no'\nexcept AssertionError as e:\n    print(e)", ["no"]),
    "with": (
        "from contextlib import contextmanager, suppress\n@contextmanager\ndef cm():\n    print('in')\n    yield 5\n    print('out')\nwith cm() as x, suppress(KeyError):\n    print(x)\n    {}[1]",
        ["in", "5", "out"],
    ),
    "own_context_manager": (
        "class C:\n    def __enter__(self):\n        return self, 1\n    def __exit__(self, kind, error, trace):\n        print(kind.__name__, error)\n        return True\nwith C() as (c, n):\n    raise ValueError('x')\nprint(n)",
        ["ValueError x", "1"],
    ),
    "match_values": (
        "def f(x):\n    match x:\n        case 0 | 1:\n            return 'small'\n        case -5:\n            return 'minus'\n        case str(s) if s:\n            return 's' + s\n        case [a, *rest]:\n            return a, rest\n        case {'k': v, **more}:\n            return v, more\n        case None:\n            return 'none'\n        case _:\n            return 'other'\nprint(f(1), f(-5), f('a'), f([1, 2]), f({'k': 1, 'z': 2}), f(None), f(3.5))",
        ['small minus sa (1,[2]) (1,{"z":2}) none other'],
    ),
    "match_class_and_dotted": (
        "from enum import Enum\nfrom dataclasses import dataclass\nclass C(Enum):\n    A = 1\n    B = 2\n@dataclass\nclass P:\n    x: int\n    c: C\nfor p in (P(0, C.A), P(1, C.B)):\n    match p:\n        case P(0, C.A):\n            print('first')\n        case P(x=n, c=C.B):\n            print('second', n)",
        ["first", "second 1"],
    ),
    "f_strings": (
        "x, n = 3.14159, 'ab'\nw = 8\nprint(f'{x:.2f}|{n:>{w}}|{n!r}|{x=:.1f}|{[1, 2]}|{{}}|{1 + 1}')",
        ["3.14|      ab|'ab'|x=3.1|[1,2]|{}|2"],
    ),
    "format": (
        "print('{} {name} {0[a]} {n:05d} {1.real}'.format({'a': 1}, 2, name='z', n=7) if False else '{0[a]} {1.real} {name:>3} {n:05d}'.format({'a': 1}, 2, name='z', n=7))\nprint('%s-%05.1f-%d%%' % ('a', 2.25, 3), '{:,}'.format(1234567), format(0.5, '.0%'))",
        ["1 2   z 00007", "a-002.2-3% 1,234,567 50%"],
    ),
    "string_methods": (
        "s = ' Hello, World '\nprint(s.strip().lower().split(', '), '-'.join(['a', 'b']), 'a'.center(5, '*'), 'x'.zfill(3), s.replace('l', 'L').count('L'), 'abc'.translate(str.maketrans('a', 'b')), 'é'.encode().decode())",
        ['["hello","world"] a-b **a** 00x 3 bbc é'],
    ),
    "walrus": ("if (n := len('abc')) > 2:\n    print(n)\nprint([y for x in [1, 2] if (y := x * 2) > 2])", ["3", "[4]"]),
    "ternary_bool_ops": (
        "print(1 if 0 else 2, None or 'a', 1 < 2 < 3, not 1, 5 // 2, -5 % 3, 2 ** 10, 1 << 4, 7 & 3, 6 ^ 3, ~1, 5 / 2)",
        ["2 a True False 2 1 1024 16 3 5 -2 2.5"],
    ),
    "annotated": (
        "x: int = 1\ny: 'list[int]'\ndef f(a: int, b: dict[str, list[int]] | None = None) -> str:\n    z: float = 2.0\n    return str(a + z)\nprint(f(x))",
        ["3.0"],
    ),
    "underscore_names": ("_x = 1\n_, b = 1, 2\nfor _ in range(2): pass\nprint(_x, b, _)", ["1 2 1"]),
    "del": ("x = 1\ndel x\ntry:\n    x\nexcept NameError as e:\n    print('gone')", ["gone"]),
    "builtins": (
        "print(abs(-1), max([1, 2]), min(1, 2), round(2.567, 2), divmod(7, 2), pow(2, 3), any([0, 1]), all([]), bin(5), hex(255), ord('a'), chr(98), list(zip([1], 'a')), list(map(str, [1])), list(filter(None, [0, 1])), list(reversed([1, 2])), list(enumerate('a')), sum([1.5, 2]), sum([[1], [2]], []))",
        ['1 2 1 2.57 (3,1) 8 True True 0b101 0xff 97 b [(1,"a")] ["1"] [1] [2,1] [(0,"a")] 3.5 [1,2]'],
    ),
    "introspection": (
        "class A:\n    x = 1\na = A()\nprint(hasattr(a, 'x'), hasattr(a, 'y'), getattr(a, 'y', 5), isinstance(a, A), isinstance(1, (int, str)), issubclass(bool, int), type(a) is A, type(1) == int, callable(len), isinstance(A, type))\nsetattr(a, 'z', 3)\nprint(a.z, vars(a))",
        ["True False 5 True True True True True True True", "None", '3 {"z":3}'],
    ),
    "iter_next": (
        "i = iter([1, 2])\nprint(next(i), next(i), next(i, 'end'))\nn = iter([1, 2, 0, 3])\nprint(list(iter(lambda: next(n), 0)))",
        ["1 2 end", "[1,2]"],
    ),
    "json": (
        "import json\nd = json.loads('{\"a\": [1, 2.5, null]}')\nprint(d['a'][1], json.dumps(d, indent=None, sort_keys=True))\ntry:\n    json.loads('{')\nexcept json.JSONDecodeError as e:\n    print(e.lineno, e.colno)",
        ['2.5 {"a": [1, 2.5, null]}', "1 2"],
    ),
    "datetime": (
        "from datetime import datetime, timedelta, timezone, date\nimport datetime as dt\nd = datetime.strptime('2024-02-28', '%Y-%m-%d') + timedelta(days=2)\nprint(d.strftime('%d.%m.%Y'), d.isoformat(), d.date() == date(2024, 3, 1), (d - datetime(2024, 1, 1)).days, d.replace(tzinfo=timezone.utc).tzinfo == dt.UTC, d.weekday())\nprint(isinstance(datetime.now(), datetime), date.today().year > 2000)",
        ["01.03.2024 2024-03-01T00:00:00 True 60 True 4", "True True"],
    ),
    "re": (
        "import re\nm = re.match(r'(?P<k>\\w+)=(\\d+)', 'a=12')\nprint(m.group('k'), m[2], m.groups(), re.findall(r'\\d', 'a1b2'), re.sub(r'(\\d)', r'<\\1>', 'a1'), re.split(',', 'a,b'), re.sub('a', lambda m: m.group().upper(), 'aba'))\np = re.compile('x+', re.I)\nprint([m.start() for m in p.finditer('aXxbx')], bool(re.search('q', 'z')))",
        ['a 12 ("a","12") ["1","2"] a<1> ["a","b"] AbA', "[1,4] False"],
    ),
    "math_statistics": (
        "import math, statistics\nprint(math.floor(2.7), math.pi > 3, math.factorial(5), math.gcd(12, 18), statistics.mean([1, 2, 3]), statistics.median([1, 5]), round(statistics.stdev([1, 2, 3]), 2), math.prod([2, 3]), math.comb(5, 2))",
        ["2 True 120 6 2 3.0 1.0 6 10"],
    ),
    "random": (
        "import random\nrandom.seed(1)\na = [random.randint(1, 6) for _ in range(3)]\nrandom.seed(1)\nprint(a == [random.randint(1, 6) for _ in range(3)], random.choice([5]), len(random.sample(range(10), 3)), 0 <= random.random() < 1)\nl = [1, 2]\nrandom.shuffle(l)\nr = random.Random(3)\nprint(sorted(l), r.choice('a'))",
        ["None", "None", "True 5 3 True", "None", "[1,2] a"],
    ),
    "itertools": (
        "import itertools as it\nprint(list(it.islice(it.count(5), 2)), list(it.chain([1], [2])), list(it.combinations('abc', 2))[0], [(k, len(list(g))) for k, g in it.groupby('aab')], list(it.accumulate([1, 2, 3])), list(it.zip_longest([1], [2, 3])), list(it.product('ab', repeat=1)), list(it.chain.from_iterable([[1], [2]])), list(it.pairwise([1, 2, 3])))",
        ['[5,6] [1,2] ("a","b") [("a",2),("b",1)] [1,3,6] [(1,2),(None,3)] [("a"),("b")] [1,2] [(1,2),(2,3)]'],
    ),
    "functools": (
        "from functools import lru_cache, partial, reduce, wraps\n@lru_cache(maxsize=None)\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\ndef deco(fn):\n    @wraps(fn)\n    def inner(*a, **k):\n        return fn(*a, **k) + 1\n    return inner\n@deco\ndef g(x):\n    return x\nprint(f(50), partial(pow, 2)(3), reduce(lambda a, b: a * b, [1, 2, 3]), g(1), g.__name__, f.cache_info().hits > 0)",
        ["12586269025 8 6 2 g True"],
    ),
    "operator": (
        "from operator import itemgetter, attrgetter, mul, methodcaller\nclass A:\n    def __init__(self, n):\n        self.n = n\nprint(sorted([(2, 'a'), (1, 'b')], key=itemgetter(0)), max([A(1), A(2)], key=attrgetter('n')).n, mul(2, 3), methodcaller('upper')('a'), itemgetter(0, 1)('ab'))",
        ['[(1,"b"),(2,"a")] 2 6 A ("a","b")'],
    ),
    "collections": (
        "from collections import Counter, defaultdict, deque, OrderedDict\nc = Counter('aab')\nc['a'] += 1\nd = defaultdict(list)\nd['x'].append(1)\nq = deque([1, 2], maxlen=2)\nq.append(3)\nprint(c.most_common(1), dict(d), list(q), q[0], sum(c.values()), sorted(c.elements()))\nd['y'] += [2]\nprint(d['y'])",
        ["None", "None", '[("a",3)] {"x":[1]} [2,3] 2 4 ["a","a","a","b"]', "[2]"],
    ),
    "decimal_fractions": (
        "from decimal import Decimal, ROUND_HALF_UP\nfrom fractions import Fraction\nprint(Decimal('1.005').quantize(Decimal('0.01'), rounding=ROUND_HALF_UP) + 1, Fraction(1, 3) + Fraction('1/6'), Fraction(1, 2) ** 2, Decimal(2) ** 10)",
        ["2.01 1/2 1/4 1024"],
    ),
    "string_textwrap": (
        "import string, textwrap\nprint(string.ascii_lowercase[:3], textwrap.shorten('hello big world', 12), textwrap.dedent('  a'), string.Template('$a!').substitute(a=1), textwrap.indent('x', '> '))",
        ["abc hello [...] a 1! > x"],
    ),
    "copy_uuid_hash": (
        "import copy, uuid, hashlib, base64, heapq, bisect\na = [[1]]\nb = copy.deepcopy(a)\nb[0].append(2)\nh = [3, 1]\nheapq.heapify(h)\nprint(a, b, len(str(uuid.uuid4())), hashlib.sha256(b'a').hexdigest()[:4], base64.b64encode(b'a').decode(), heapq.heappop(h), bisect.bisect([1, 3], 2))",
        ["None", "None", "[[1]] [[1,2]] 36 ca97 YQ== 1 1"],
    ),
    "zoneinfo_calendar": (
        "from zoneinfo import ZoneInfo\nfrom datetime import datetime\nimport calendar\nfrom collections.abc import Iterable\nprint(datetime(2024, 7, 1, tzinfo=ZoneInfo('UTC')).utcoffset().seconds, calendar.monthrange(2024, 2)[1], isinstance([], Iterable))",
        ["0 29 True"],
    ),
    "main_guard": ("def main():\n    print('main')\nif __name__ == '__main__':\n    main()", ["main"]),
    "future_annotations": ("from __future__ import annotations\ndef f(x: Later) -> None: ...\nprint('ok')", ["ok"]),
    "exit": ("print(1)\nexit('bye')\nprint(2)", ["1"]),
    "exit_in_loop": ("for i in range(3):\n    print(i)\n    if i == 1:\n        exit()\nprint('never')", ["0", "1"]),
    "echo": (
        "1 + 1\n'text'\n[1, 'a']\nNone\nprint('p')\n(lambda: None)()",
        ["2", "text", '[1,"a"]', "None", "p", "None"],
    ),
    "decorator_class": (
        "class memo:\n    def __init__(self, f):\n        self.f = f\n        self.cache = {}\n    def __call__(self, x):\n        if x not in self.cache:\n            self.cache[x] = self.f(x)\n        return self.cache[x]\n@memo\ndef sq(x):\n    return x * x\nprint(sq(3), sq(3), sq.cache)",
        ["9 9 {3:9}"],
    ),
    "matrix": (
        "m = [[0] * 3 for _ in range(2)]\nm[1][2] = 5\nm[0][0] += 1\nprint(m, list(map(list, zip(*m))))",
        ["[[1,0,0],[0,0,5]] [[1,0],[0,0],[0,5]]"],
    ),
    "text_report": (
        "rows = [{'n': 'a', 'v': 1.5}, {'n': 'b', 'v': 2}]\nprint('\\n'.join(f\"{r['n']:<5}{r['v']:>8.2f}\" for r in rows))",
        ["a        1.50\nb        2.00"],
    ),
    "set_operations": (
        "a, b = {1, 2}, {2, 3}\na |= b\nprint(a & b, a - b, a ^ b, a)\na -= {1}\nprint(a)",
        ["{2,3} {1} {1} {1,2,3}", "{2,3}"],
    ),
    "long_range": (
        "n = 0\nfor i in range(10**9):\n    n += i\n    if i > 5: break\nprint(n, len(range(10**7)), 5 in range(10**8), range(10**8)[3])",
        ["21 10000000 True 3"],
    ),
    "print_options": ("print('a', 'b', sep='-', end='')\nprint()\nprint('x\\n')", ["a-b", "", "x"]),
    "iterator_class": (
        "class R:\n    def __init__(self, n):\n        self.n = n\n    def __iter__(self):\n        return self\n    def __next__(self):\n        if not self.n:\n            raise StopIteration\n        self.n -= 1\n        return self.n\nprint([x for x in R(3)])",
        ["[2,1,0]"],
    ),
    "linked_list": (
        "class N:\n    def __init__(self, v, nxt=None):\n        self.v, self.nxt = v, nxt\nh = N(1, N(2))\nh.nxt.v = 5\nh.args = [1]\nwhile h:\n    print(h.v)\n    h = h.nxt",
        ["1", "5"],
    ),
    "timing": (
        "import time\nt = time.time()\nprint(time.perf_counter() - t < 60, time.strftime('%Y') > '2000')",
        ["True True"],
    ),
    "bytes_int": (
        "print((258).to_bytes(2, 'big'), int.from_bytes(b'\\x01\\x02', 'big'), int('ff', 16), bytes([65]), bytearray(b'a').decode(), float('1e3'), complex(1, 2).imag)",
        ["b'\\x01\\x02' 258 255 b'A' a 1000.0 2.0"],
    ),
    "type_dispatch": (
        "h = {int: 'i', str: 's', list: 'l'}\nprint(h[type(1)], h[type('')], type([]) in h, type(None).__name__)",
        ["i s True NoneType"],
    ),
    "unicode": ("s = 'Grüße'\nprint(s.upper(), len(s.encode('utf-8')), s.casefold())", ["GRÜSSE 7 grüsse"]),
    "class_in_function": (
        "def make():\n    class P:\n        def __init__(self):\n            self.v = 1\n        def get(self):\n            return self.v\n    return P\nprint(make()().get())",
        ["1"],
    ),
    "conditional_import": (
        "try:\n    import json\nexcept ImportError:\n    json = None\nfrom math import sqrt as root, pi\nprint(json is not None, root(9))",
        ["True 3.0"],
    ),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_ordinary_program_runs(name: str) -> None:
    """The program ends without error and prints what it prints under plain Python."""
    source, expected = PROGRAMS[name]
    lines, error = run_block_locally(source)
    assert (lines, error) == (expected, None)
