"""What model code may use and how much of it: frozen data, no behaviour. Read by everybody who checks or runs code.

The names stand here as plain text, so that a document can be validated without building a single guard.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Bounds and allowances of one agent's code.

    Attributes:
        imports: modules importable beside `MODULES`; the operator answers for what they export.
        only: the only modules that may be imported, those of `imports` among them; None: no such bound.
        max_source_bytes: size of one block in UTF-8.
        max_nodes: size of the syntax tree of one block.
        step_seconds: wall time of one stretch of code.
        memory_growth_bytes: growth of the process during one stretch.
        console_bytes: what one block may print, in UTF-8.
        workspace_bytes: what the names of a job may take, as they are stored.
    """

    imports: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    max_source_bytes: int = 100_000
    max_nodes: int = 50_000
    step_seconds: float = 5.0
    memory_growth_bytes: int = 512 << 20
    console_bytes: int = 1_000_000
    workspace_bytes: int = 20 << 20


EXCEPTION_NAMES: frozenset[str] = frozenset(
    [
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "BufferError",
        "EOFError",
        "Exception",
        "FileExistsError",
        "FileNotFoundError",
        "FloatingPointError",
        "ImportError",
        "IndexError",
        "InterruptedError",
        "IsADirectoryError",
        "KeyError",
        "LookupError",
        "MemoryError",
        "ModuleNotFoundError",
        "NameError",
        "NotADirectoryError",
        "NotImplementedError",
        "OSError",
        "OverflowError",
        "PermissionError",
        "RecursionError",
        "ReferenceError",
        "RuntimeError",
        "StopIteration",
        "SyntaxError",
        "TimeoutError",
        "TypeError",
        "UnboundLocalError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "UnicodeError",
        "ValueError",
        "Warning",
        "UserWarning",
        "DeprecationWarning",
        "RuntimeWarning",
        "ZeroDivisionError",
        "ConnectionError",
    ]
)

BUILTIN_NAMES: frozenset[str] = EXCEPTION_NAMES | frozenset(
    [
        "False",
        "None",
        "True",
        "Ellipsis",
        "NotImplemented",
        "__name__",
        "abs",
        "all",
        "any",
        "ascii",
        "bin",
        "bool",
        "bytearray",
        "bytes",
        "callable",
        "chr",
        "classmethod",
        "complex",
        "delattr",
        "dict",
        "dir",
        "divmod",
        "enumerate",
        "exit",
        "filter",
        "float",
        "format",
        "frozenset",
        "getattr",
        "hasattr",
        "hash",
        "hex",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "min",
        "next",
        "object",
        "oct",
        "ord",
        "pow",
        "print",
        "property",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "setattr",
        "slice",
        "sorted",
        "staticmethod",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "vars",
        "zip",
    ]
)
"""Every name that model code finds without anybody offering it."""

UNOFFERED_NAMES: dict[str, str] = {
    "open": "code here has no files; use a tool",
    "input": "nobody is at a keyboard; end the turn with a question instead",
    "eval": "text is not run as code",
    "exec": "text is not run as code",
    "compile": "text is not run as code",
    "globals": "use the names themselves",
    "locals": "use the names themselves",
    "breakpoint": "there is no debugger",
    "memoryview": "use bytes",
    "help": "the tools are described in the conversation",
}
"""Builtins of Python that are missing on purpose, and what to do instead; a host may offer a tool of that name."""

MODULES: frozenset[str] = frozenset(
    [
        "abc",
        "base64",
        "bisect",
        "calendar",
        "collections",
        "collections.abc",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "html",
        "itertools",
        "json",
        "math",
        "numbers",
        "operator",
        "random",
        "re",
        "statistics",
        "string",
        "textwrap",
        "time",
        "typing",
        "uuid",
        "zoneinfo",
    ]
)
"""Modules that model code may import: stand-ins with explicit exports, see `modules.py`."""

KIT_MODULES = frozenset(["statek", "statek.system", "statek.task", "statek.utils"])
"""Paths under which the documents import what a job's code finds by its name anyway."""

NEVER_IMPORTED: frozenset[str] = frozenset(
    [
        "_thread",
        "ast",
        "asyncio",
        "atexit",
        "builtins",
        "code",
        "codecs",
        "codeop",
        "concurrent",
        "ctypes",
        "dis",
        "faulthandler",
        "fcntl",
        "gc",
        "imp",
        "importlib",
        "inspect",
        "io",
        "linecache",
        "logging",
        "marshal",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "pdb",
        "pickle",
        "pkgutil",
        "platform",
        "posix",
        "pty",
        "resource",
        "runpy",
        "select",
        "shelve",
        "shutil",
        "signal",
        "site",
        "socket",
        "sqlite3",
        "ssl",
        "statek",
        "subprocess",
        "symtable",
        "sys",
        "sysconfig",
        "tempfile",
        "threading",
        "tokenize",
        "traceback",
        "tracemalloc",
        "types",
        "weakref",
        "zipimport",
        "dbzero",
    ]
)
"""Modules that no policy can make importable."""
