"""What each module offers that model code may import: plain names, so that a document is checked without the modules.

`modules.py` makes the stand-ins and takes the names from here where they are the real module's; a test holds the
others to this list. Modules that an operator allows are not here: what they export is found when they are imported.
"""

import math
import random
from collections.abc import Mapping

_SINCE_3_12 = " binomialvariate" if hasattr(random.Random, "binomialvariate") else ""

_NAMES: Mapping[str, str] = {
    "abc": "ABC abstractmethod",
    "base64": """b16decode b16encode b32decode b32encode b64decode b64encode urlsafe_b64decode urlsafe_b64encode""",
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "calendar": """day_abbr day_name isleap leapdays month_abbr month_name monthcalendar monthrange timegm weekday""",
    "collections": "ChainMap Counter OrderedDict abc defaultdict deque namedtuple",
    "collections.abc": """Callable Collection Container Generator Hashable ItemsView Iterable Iterator KeysView Mapping
        MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized ValuesView""",
    "contextlib": """AbstractContextManager ContextDecorator ExitStack closing contextmanager nullcontext suppress""",
    "copy": "copy deepcopy",
    "dataclasses": """FrozenInstanceError InitVar KW_ONLY MISSING asdict astuple dataclass field fields is_dataclass
        replace""",
    "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo",
    "decimal": """Decimal DivisionByZero InvalidOperation ROUND_05UP ROUND_CEILING ROUND_DOWN ROUND_FLOOR
        ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP""",
    "enum": "Enum Flag IntEnum IntFlag StrEnum auto unique",
    "fractions": "Fraction",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce total_ordering wraps",
    "hashlib": "blake2b blake2s md5 sha1 sha224 sha256 sha384 sha3_256 sha3_512 sha512",
    "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
    "html": "escape unescape",
    "itertools": """accumulate chain combinations combinations_with_replacement compress count cycle dropwhile
        filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest""",
    "json": "JSONDecodeError dumps loads",
    "math": " ".join(name for name in dir(math) if not name.startswith("_")),
    "numbers": "Complex Integral Number Rational Real",
    "operator": """abs add and_ attrgetter concat contains countOf eq floordiv ge getitem gt index indexOf inv invert
        is_ is_not itemgetter le lshift lt matmul methodcaller mod mul ne neg not_ or_ pos pow rshift sub
        truediv truth xor""",
    "random": """Random betavariate choice choices expovariate gammavariate gauss getrandbits lognormvariate
        normalvariate paretovariate randbytes randint random randrange sample seed shuffle triangular
        uniform vonmisesvariate weibullvariate"""
    + _SINCE_3_12,
    "re": """A ASCII DOTALL I IGNORECASE L LOCALE M MULTILINE Match NOFLAG Pattern S U UNICODE VERBOSE X compile
        error escape findall finditer fullmatch match search split sub subn""",
    "statistics": """StatisticsError correlation covariance fmean geometric_mean harmonic_mean linear_regression mean
        median median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev
        variance""",
    "string": """Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits printable
        punctuation whitespace""",
    "textwrap": "dedent fill indent shorten wrap",
    "time": """gmtime localtime mktime monotonic monotonic_ns perf_counter perf_counter_ns process_time sleep
        strftime strptime struct_time time time_ns timezone""",
    "typing": """Annotated Any AnyStr Callable ClassVar Collection Counter DefaultDict Deque Dict Final FrozenSet
        Generator Generic Hashable Iterable Iterator List Literal Mapping MutableMapping MutableSequence
        NamedTuple Never NoReturn NotRequired Optional OrderedDict ParamSpec Protocol Required Self Sequence
        Set Sized SupportsFloat SupportsInt Text Tuple Type TypeAlias TypeVar TypedDict Union assert_never
        cast final overload runtime_checkable""",
    "uuid": "NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500 UUID uuid3 uuid4 uuid5",
    "zoneinfo": "ZoneInfo ZoneInfoNotFoundError",
}
EXPORTS: Mapping[str, tuple[str, ...]] = {module: tuple(names.split()) for module, names in _NAMES.items()}
"""By the name of the module; those of `policy.MODULES`."""
