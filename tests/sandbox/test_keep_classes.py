"""Promises of statek.sandbox.keep about classes made in a job and their instances, with the guards that jobs have.

Each row is code, and behind `----` an expression that must be true where the names were restored.
"""

import pytest

from tests.sandbox.processes import Row, read_elsewhere


def rows(text: str) -> dict[str, Row]:
    """Read rows: label -> code, check."""
    found = {}
    for part in text.strip().removeprefix("==== ").split("\n==== "):
        label, _, rest = part.partition("\n")
        code, _, check = rest.partition("\n---- ")
        found[label] = (code, check)
    return found


CLASSES = rows("""
==== attributes and methods
class A:
    'doc'
    n = [1]
    def __init__(self, x):
        self.x = x
    def get(self):
        return self.x, self.n
a = A(2)
---- a.get() == (2, [1]) and a.n is A.n and type(a) is A and A.__doc__ == 'doc' and A(5).x == 5
==== super and __class__
class A:
    def f(self):
        return 'A'
class B(A):
    def f(self):
        return super().f() + 'B'
class C(B):
    def f(self):
        return super().f() + 'C'
c = C()
---- c.f() == 'ABC' and isinstance(c, A) and issubclass(C, B)
==== property, static, class
class A:
    made = 0
    def __init__(self):
        self._x = 1
        A.made += 1
    @property
    def x(self):
        return self._x
    @x.setter
    def x(self, v):
        self._x = v
    @staticmethod
    def s():
        return 's'
    @classmethod
    def c(cls):
        return cls.__name__
a = A()
a.x = 5
---- a.x == 5 and a.s() == 's' and A.c() == 'A' and A.made == 1
==== cached_property
from functools import cached_property
runs = []
class A:
    @cached_property
    def x(self):
        runs.append(1)
        return [1]
a = A()
b = A()
held = a.x
---- a.x is held and len(runs) == 1 and b.x == [1] and len(runs) == 2
==== slots
class A:
    __slots__ = ('a', '_b')
    def __init__(self):
        self._b = 2
    def b(self):
        return self._b
a = A()
---- a.b() == 2 and not hasattr(a, 'a')
==== redefinition
class A:
    def f(self):
        return 1
a = A()
class A:
    def f(self):
        return 2
b = A()
---- (a.f(), b.f()) == (1, 2) and not isinstance(a, A) and isinstance(b, A) and type(a).__name__ == 'A'
==== cycle and aliasing
class N:
    pass
a, b = N(), N()
a.to, b.to = b, a
a.me = a
both = [a, b, a]
N.first = a
---- a.to is b and b.to is a and a.me is a and both[0] is both[2] is a and N.first is a
==== a key with a hash of the job
def key(it):
    return it.name.lower()
class K:
    def __init__(self, name):
        self.name = name
    def __eq__(self, other):
        return key(self) == key(other)
    def __hash__(self):
        return hash(key(self))
a = K('A')
d = {a: 1, (a, 2): 3}
s = {a, K('b')}
a.d = d
---- d[K('a')] == 1 and d[(K('a'), 2)] == 3 and K('B') in s and a.d is d
==== keys that know each other
def key(it):
    return it.name.lower()
class K:
    def __init__(self, name):
        self.name = name
    def __eq__(self, other):
        return key(self) == key(other)
    def __hash__(self):
        return hash(key(self))
a, b = K('a'), K('b')
a.near = {b: 1}
b.near = {a: 1}
---- a.near[K('B')] == 1 and b.near[K('A')] == 1
==== comparison
from functools import total_ordering
@total_ordering
class V:
    def __init__(self, v):
        self.v = v
    def __eq__(self, o):
        return self.v == o.v
    def __lt__(self, o):
        return self.v < o.v
    def __repr__(self):
        return f'V{self.v}'
vs = [V(2), V(1)]
---- repr(sorted(vs)) == '[V1, V2]' and vs[0] >= vs[1] and vs[0] != V(3)
==== operators
class M:
    def __init__(self, n):
        self.n = n
    def __add__(self, o):
        return M(self.n + o.n)
    def __len__(self):
        return self.n
    def __getitem__(self, k):
        return k * 2
    def __call__(self, x):
        return x + self.n
    def __iter__(self):
        return iter([self.n])
    def __enter__(self):
        return self
    def __exit__(self, *a):
        return None
m = M(2)
---- (m + m).n == 4 and len(m) == 2 and m[4] == 8 and m(1) == 3 and list(m) == [2]
==== bound methods
class A(list):
    def total(self):
        return sum(self)
a = A([1, 2])
f = a.total
add = a.append
---- add(4) is None and f() == 7
==== subclasses of built-in types
from collections import Counter, OrderedDict, defaultdict, deque
class L(list):
    pass
class D(dict):
    pass
class S(set):
    pass
class T(str):
    pass
class I(int):
    pass
class F(frozenset):
    pass
class U(tuple):
    pass
class C(Counter):
    pass
class O(OrderedDict):
    pass
class Q(deque):
    pass
class E(defaultdict):
    pass
l = L([1]); l.me = l; d = D(a=1); s = S([1]); t = T('t'); t.n = 1; i = I(3); f = F([1]); u = U((1, l))
c = C('aa'); o = O(b=1, a=2); q = Q([1, 2], 2); e = E(list, {'k': [1]})
---- (l == [1] and l.me is l and type(l) is L and d['a'] == 1 and s == {1} and (t, t.n) == ('t', 1)
    and i + 1 == 4 and 1 in f and u[1] is l and type(u) is U and c['a'] == 2 and list(o) == ['b', 'a']
    and q.maxlen == 2 and e['new'] == [] and type(e) is E)
==== a dict that writes otherwise
class D(dict):
    def __setitem__(self, k, v):
        super().__setitem__(k, v * 2)
d = D()
d['a'] = 1
---- dict(d) == {'a': 2}
==== exceptions
class E(ValueError):
    def __init__(self, code):
        super().__init__(f'code {code}')
        self.code = code
class F(E):
    pass
try:
    raise F(4)
except E as error:
    e = error
def again():
    try:
        raise e
    except F as found:
        return found.code
---- again() == 4 and str(e) == 'code 4' and isinstance(e, ValueError) and F(1).code == 1
==== generic
from typing import Generic, TypeVar
T = TypeVar('T')
class S(Generic[T]):
    def __init__(self):
        self.items = []
class I(S[int]):
    pass
s = S[str]()
s.items.append(1)
k = S[int]
---- s.items == [1] and k().items == [] and I().items == []
==== abstract
from abc import ABC, abstractmethod
class A(ABC):
    @abstractmethod
    def f(self):
        pass
class B(A):
    def f(self):
        return 1
b = B()
def refused():
    try:
        A()
    except TypeError:
        return True
---- b.f() == 1 and refused()
==== protocol
from typing import Protocol, runtime_checkable
@runtime_checkable
class R(Protocol):
    def f(self) -> int:
        ...
class A:
    def f(self):
        return 1
a = A()
---- isinstance(a, R) and not isinstance(1, R)
==== made in a function
def make(n):
    class A:
        def f(self):
            return n
    return A
A, B = make(1), make(2)
a = A()
---- a.f() == 1 and B().f() == 2 and not isinstance(a, B)
==== cached method
from functools import lru_cache
class A:
    @lru_cache
    def f(self, n):
        return n * 2
a = A()
a.f(1)
---- a.f(4) == 8
""")
DATA = rows("""
==== dataclass
from dataclasses import dataclass
@dataclass()
class P:
    x: int
    y: int = 3
p = P(1)
---- p == P(1, 3) and p.y == 3 and repr(p).endswith('P(x=1, y=3)')
==== frozen as a key
from dataclasses import dataclass
@dataclass(frozen=True)
class P:
    x: int
    y: int = 3
p = P(1)
d = {p: 1}
s = {p}
f = frozenset([p])
def refused():
    try:
        p.x = 2
    except AttributeError:
        return True
---- d[P(1)] == 1 and P(1) in s and P(1) in f and refused()
==== ordered
from dataclasses import dataclass
@dataclass(order=True)
class P:
    x: int
    y: int = 3
p = P(1)
---- P(0) < p < P(1, 4)
==== dataclass with slots
from dataclasses import dataclass
@dataclass(slots=True)
class P:
    x: int
    y: int = 3
p = P(1)
---- p == P(1) and p.y == 3 and not hasattr(p, '__dict__')
==== frozen with slots
import copy
from dataclasses import dataclass
@dataclass(slots=True, frozen=True)
class P:
    x: int
    y: int = 3
p = P(1)
d = {p: 2}
---- d[P(1)] == 2 and copy.copy(p) == p
==== keywords only
from dataclasses import dataclass
@dataclass(kw_only=True)
class P:
    x: int
    y: int = 3
p = P(x=1)
---- P(y=4, x=1).y == 4 and p == P(x=1)
==== fields
from dataclasses import dataclass, field, InitVar, KW_ONLY
from typing import ClassVar
@dataclass
class B:
    tags: list = field(default_factory=list, repr=False)
    n: ClassVar[int] = 7
    k: InitVar[int] = 2
    _: KW_ONLY
    z: int = field(default=1, compare=False, metadata={'m': 1})
    def __post_init__(self, k):
        self.k2 = k * 2
b = B(['a'])
B.n = 8
---- (b == B(['a'], z=4) and B().tags == [] and B().tags is not B().tags and B.n == 8 and B(k=5).k2 == 10
    and 'tags' not in repr(b) and b.k2 == 4)
==== inheritance
from dataclasses import dataclass
@dataclass(frozen=True)
class P:
    x: int
    y: int = 3
@dataclass(frozen=True)
class Q(P):
    z: int = 9
    def sum(self):
        return self.x + self.y + self.z
q = Q(1)
---- q.sum() == 13 and q == Q(1, 3, 9) and isinstance(q, P)
==== replace, asdict, fields
from dataclasses import replace, asdict, fields
from dataclasses import dataclass
@dataclass(frozen=True)
class P:
    x: int
    y: int = 3
p = P(1)
---- (replace(p, y=5) == P(1, 5) and asdict(p) == {'x': 1, 'y': 3}
    and [f.name for f in fields(P)] == ['x', 'y'])
==== own methods of a dataclass
from dataclasses import dataclass
@dataclass
class P:
    x: int
    def __eq__(self, o):
        return True
    def __repr__(self):
        return 'mine'
p = P(1)
---- p == P(2) and repr(p) == 'mine'
==== match
from dataclasses import dataclass
@dataclass()
class P:
    x: int
    y: int = 3
p = P(1)
def f(v):
    match v:
        case P(x, y):
            return x + y
---- f(p) == 4
==== enum
from enum import Enum
class C(Enum):
    RED = 1
    GREEN = 'g'
    ROT = 1
    def low(self):
        return self.name.lower()
    @property
    def up(self):
        return self.name
c = C.RED
d = {C.RED: 1, C.GREEN: 2}
---- (c is C.RED is C.ROT is C(1) is C['ROT'] and d[C.GREEN] == 2 and c.low() == 'red' and c.up == 'RED'
    and [m.name for m in C] == ['RED', 'GREEN'])
==== enum with data
from enum import Enum
class P(Enum):
    E = (1, 2)
    M = (3, 4)
    def __init__(self, m, r):
        self.m = m
        self.r = r
p = P.M
---- p.m == 3 and P((1, 2)).r == 2
==== IntEnum, StrEnum, mixins
from enum import IntEnum, StrEnum, Enum, auto
class N(IntEnum):
    ONE = 1
class S(StrEnum):
    A = auto()
class Base(Enum):
    def hi(self):
        return self.value
class X(str, Base):
    Y = 'y'
n = N.ONE
---- n + 1 == 2 and S.A == 'a' and X.Y.hi() == 'y' and X.Y == 'y' and n is N(1)
==== flags
from enum import Flag, IntFlag
class F(Flag):
    A = 1
    B = 2
    AB = 3
class G(IntFlag):
    X = 4
f = F.A | F.B
n = F(0)
g = G.X | 8
---- f is F.AB and F.A in f and not n and g == 12 and (F.A ^ F.AB) is F.B
==== enum called
from enum import Enum
C = Enum('C', 'RED BLUE')
c = C.RED
---- c is C.RED and C.BLUE.value == 2
==== NamedTuple
from typing import NamedTuple
class P(NamedTuple):
    x: int
    y: int = 4
    def sum(self):
        return self.x + self.y
p = P(1)
d = {p: 1}
---- p.sum() == 5 and p == (1, 4) and d[P(1)] == 1 and p._replace(x=2).x == 2 and P._fields == ('x', 'y')
==== NamedTuple called
from typing import NamedTuple
P = NamedTuple('P', [('x', int), ('y', int)])
p = P(1, y=2)
class Q(NamedTuple('Base', [('x', int)])):
    def double(self):
        return self.x * 2
q = Q(2)
---- p.x + p.y == 3 and p == P(1, 2) and q.double() == 4 and Q(3).x == 3
==== TypedDict called
from typing import TypedDict
T = TypedDict('T', {'a': int, 'b': str}, total=False)
t = T(a=1)
---- t == {'a': 1} and T(a=2, b='x')['b'] == 'x'
==== namedtuple
from collections import namedtuple
P = namedtuple('P', 'x y', defaults=[0])
p = P(1)
class Q(P):
    __slots__ = ()
    def f(self):
        return self.x
q = Q(5, 6)
---- p == (1, 0) and p._asdict() == {'x': 1, 'y': 0} and q.f() == 5 and isinstance(q, P)
==== TypedDict
from typing import TypedDict
class M(TypedDict, total=False):
    a: int
m = M(a=1)
---- m == {'a': 1} and M(a=2)['a'] == 2
==== long range
r = range(1_000_000)
short = r[:5]
---- len(r) == 1_000_000 and r[7] == 7 and 5 in r and r[:2][1] == 1
==== methods of texts
join = ', '.join
up = 'a'.upper
fill = '{} {}'.format
cut = 'a b'.split
---- join(['a', 'b']) == 'a, b' and up() == 'A' and fill(1, 2) == '1 2' and cut() == ['a', 'b']
==== partial, wraps
from functools import partial, wraps
def twice(f):
    @wraps(f)
    def g(*a):
        return f(*a) * 2
    return g
@twice
def f(x):
    return x
p = partial(f, 4)
---- p() == 8 and f.__name__ == 'f'
""")


@pytest.fixture(scope="module")
def checked() -> dict[str, object]:
    """Every row written in one process and read in another."""
    return read_elsewhere({**CLASSES, **DATA})


@pytest.mark.parametrize("label", CLASSES)
def test_classes_survive(checked: dict[str, object], label: str) -> None:
    """Classes and their instances behave in another process as they did, after one restore and after two."""
    assert checked[label] is True


@pytest.mark.parametrize("label", DATA)
def test_generated_classes_survive(checked: dict[str, object], label: str) -> None:
    """Dataclasses, enums, named tuples and decorated functions as well."""
    assert checked[label] is True
