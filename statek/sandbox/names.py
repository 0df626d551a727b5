"""Which names model code may write, read as attributes and define as magic methods. Pure functions over text.

Used twice with one meaning: by the transform on source, and by the guards on names made at run time. Names of guards
look like `_name_`; names of Python's machinery contain a leading double underscore; model code can write neither.
"""

GUARDED_METHODS = frozenset(
    [
        "format",
        "format_map",
        "center",
        "ljust",
        "rjust",
        "zfill",
        "expandtabs",
        "join",
        "replace",
        "translate",
        "encode",
        "decode",
        "extend",
        "to_bytes",
        "strftime",
        "now",
        "today",
        "utcnow",
        "elements",
        "sub",
        "subn",
        "expand",
        "fromkeys",
    ]
)
"""Methods that a guard stands in for somewhere: a class pattern reads attributes past the guards, so not these."""

FRAME_NAMES = frozenset(
    [
        "tb_frame",
        "tb_next",
        "tb_lasti",
        "tb_lineno",
        "f_back",
        "f_builtins",
        "f_code",
        "f_generator",
        "f_globals",
        "f_lasti",
        "f_lineno",
        "f_locals",
        "f_trace",
        "f_trace_lines",
        "f_trace_opcodes",
        "gi_frame",
        "gi_running",
        "gi_suspended",
        "gi_code",
        "gi_yieldfrom",
        "cr_await",
        "cr_frame",
        "cr_code",
        "cr_origin",
        "cr_running",
        "cr_suspended",
        "ag_await",
        "ag_frame",
        "ag_code",
        "ag_running",
        "co_code",
        "co_consts",
        "co_names",
        "co_varnames",
        "co_filename",
        "co_freevars",
        "co_cellvars",
        "func_globals",
        "func_code",
        "func_closure",
        "func_defaults",
        "func_dict",
        "im_func",
        "im_self",
        "im_class",
        "with_traceback",
        "mro",
    ]
)
"""Attributes that lead to frames, code and classes, whatever object they stand on."""

HOLDER_NAMES = frozenset({"func", "args", "keywords", "obj", "fget", "fset", "fdel"})
"""Attributes by which host objects (partials, errors, properties) give away what they hold; free on own instances."""

READABLE_DUNDERS = frozenset({"__class__", "__name__", "__qualname__", "__doc__"})

MAGIC_METHODS = frozenset(
    f"__{name}__"
    for name in [
        "init",
        "post_init",
        "repr",
        "str",
        "format",
        "bool",
        "hash",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "len",
        "length_hint",
        "contains",
        "iter",
        "next",
        "reversed",
        "getitem",
        "setitem",
        "delitem",
        "missing",
        "call",
        "enter",
        "exit",
        "int",
        "float",
        "complex",
        "index",
        "round",
        "trunc",
        "floor",
        "ceil",
        "neg",
        "pos",
        "abs",
        "invert",
        "add",
        "sub",
        "mul",
        "matmul",
        "truediv",
        "floordiv",
        "mod",
        "divmod",
        "pow",
        "lshift",
        "rshift",
        "and",
        "or",
        "xor",
        "radd",
        "rsub",
        "rmul",
        "rmatmul",
        "rtruediv",
        "rfloordiv",
        "rmod",
        "rdivmod",
        "rpow",
        "rlshift",
        "rrshift",
        "rand",
        "ror",
        "rxor",
        "iadd",
        "isub",
        "imul",
        "imatmul",
        "itruediv",
        "ifloordiv",
        "imod",
        "ipow",
        "ilshift",
        "irshift",
        "iand",
        "ior",
        "ixor",
        "llm_repr",
    ]
)
"""Magic methods that a class of model code may define and reach through `super()`."""

CLASS_BODY_NAMES = frozenset({"__slots__", "__match_args__"})


def is_dunder(name: str) -> bool:
    """Whether it is spelled like a name of Python's machinery."""
    return name.startswith("__") and name.endswith("__")


def is_private(name: str) -> bool:
    """Whether it is spelled `__x`, which Python renames inside a class."""
    return name.startswith("__") and not name.endswith("__")


def variable_problem(name: str, *, in_class: bool) -> str | None:
    """Why a variable may not be called that, or None."""
    if not name.startswith("_") or name in ("_", "__"):
        return None
    if is_private(name) and in_class:
        return None
    if name.startswith("__"):
        return f"the name '{name}' belongs to Python's machinery; choose a name without leading double underscore"
    if name.endswith("_"):
        return f"the name '{name}' is reserved; choose a name that does not both start and end with '_'"
    return None


def attribute_problem(name: str) -> str | None:
    """Why no object may be asked for an attribute of that name, or None."""
    if name in FRAME_NAMES:
        return f"the attribute '{name}' is not available here"
    if is_dunder(name) and name not in READABLE_DUNDERS and name not in MAGIC_METHODS:
        return f"the attribute '{name}' belongs to Python's machinery and is not available here"
    return None


def pattern_problem(name: str) -> str | None:
    """Why a class pattern may not ask for an attribute of that name, or None."""
    if name.startswith("_") or name in FRAME_NAMES | HOLDER_NAMES | GUARDED_METHODS:
        return f"a class pattern cannot ask for '{name}'; compare it in an `if`"
    return None


def mangled(name: str, class_name: str) -> str:
    """`__x` as Python renames it inside the class; other names as they are."""
    return f"_{class_name.lstrip('_')}{name}" if is_private(name) else name
