"""What sort of thing a value is: made in the job, plain, a host class that may be shown, or nothing to hand out.

Pure tests over types; no border. "Made in the job" is told by `__module__`, which only code of the sandbox sets to
`JOB_MODULE`; `keep` relies on it too.
"""

import abc
import base64
import calendar
import collections
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import logging
import numbers
import re
import reprlib
import statistics
import string
import sys
import textwrap
import types
import typing
import uuid
import zoneinfo

from statek.sandbox import bounds

JOB_MODULE = "__job__"

# dataclasses and typing look up the module of a class; jobs have none, so an empty one stands there.
sys.modules.setdefault(JOB_MODULE, types.ModuleType(JOB_MODULE, "Classes that a job made say they are of this module."))

for _module in (abc, calendar, collections, contextlib, copy, dataclasses, enum, fractions, functools, re, reprlib):
    bounds.declare_pure(str(_module.__file__))
for _module in (statistics, string, textwrap, typing, uuid, base64, numbers):
    bounds.declare_pure(str(_module.__file__))
for _name in ("re._parser", "re._compiler", "re._casefix"):
    bounds.declare_pure(str(importlib.import_module(_name).__file__))
bounds.declare_pure("<string>")  # what dataclasses generate

PLAIN_TYPES: tuple[type, ...] = (
    bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice,
    collections.Counter, collections.OrderedDict, collections.defaultdict, collections.deque, collections.ChainMap,
    datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone, zoneinfo.ZoneInfo,
    decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, re.Match, types.SimpleNamespace,
    type(None), type(NotImplemented), type(Ellipsis),
)  # fmt: skip
_PLAIN = frozenset(PLAIN_TYPES)
CONTAINERS = frozenset(
    {list, dict, set, bytearray, collections.Counter, collections.OrderedDict, collections.defaultdict,
     collections.deque, collections.ChainMap}
)  # fmt: skip

BASES = frozenset(
    {object, list, dict, set, frozenset, tuple, str, int, float, bytes, collections.Counter, collections.OrderedDict,
     collections.defaultdict, collections.deque, enum.Enum, enum.IntEnum, enum.StrEnum, enum.Flag, enum.IntFlag,
     abc.ABC, typing.Generic, typing.Protocol, contextlib.ContextDecorator, contextlib.AbstractContextManager}
)  # fmt: skip
"""Host classes that a class of a job may derive from, beside errors."""

NEVER = (
    types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.CoroutineType,
    types.AsyncGeneratorType, types.CellType, types.MappingProxyType, types.GetSetDescriptorType,
    types.MemberDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType, logging.Logger,
    logging.LoggerAdapter, logging.Handler,
)  # fmt: skip


STAND_INS: set[type] = set()
"""Classes of what a job holds in place of durable objects; they answer `__class__` with what they stand for."""


def is_job_class(kind: object) -> bool:
    """Whether this class was made by a job."""
    return isinstance(kind, type) and type.__getattribute__(kind, "__dict__").get("__module__") == JOB_MODULE


def is_job_value(value: object) -> bool:
    """Whether this is an instance of a class that a job made."""
    return is_job_class(type(value))


def is_job_function(value: object) -> bool:
    """Whether this is a function written by a job."""
    return type(value) is types.FunctionType and bounds.is_job_source(value.__code__.co_filename)


def is_error_class(kind: object) -> bool:
    """Whether this is a class of ordinary errors."""
    return isinstance(kind, type) and issubclass(kind, Exception)


def is_plain(value: object) -> bool:
    """Whether its type is one of Python's own values."""
    return type(value) in _PLAIN


def is_shown_class(kind: type) -> bool:
    """Whether model code may hold this class itself, not only its name."""
    return kind in _PLAIN or kind in BASES or is_job_class(kind) or (is_error_class(kind) and _is_builtin(kind))


def _is_builtin(kind: type) -> bool:
    return kind.__module__ == "builtins"


def is_withheld(value: object) -> bool:
    """Whether this must not be handed out: modules, frames, loggers, functions and classes of the host."""
    if isinstance(value, NEVER):
        return True
    if isinstance(value, type):
        return not is_shown_class(value)
    if isinstance(value, types.FunctionType):
        return not is_job_function(value)
    if isinstance(value, types.BuiltinFunctionType):
        owner = value.__self__
        return owner is None or isinstance(owner, types.ModuleType | type)
    return isinstance(value, functools.partial)


def type_name(value: object) -> str:
    """Name of the type of a value, for messages."""
    return type(value).__name__
