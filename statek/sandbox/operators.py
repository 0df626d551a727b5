"""Operators of model code: the ones that can blow a value up are checked before they compute. Pure functions.

Called by the guards `_binary_` and `_inplace_`, by `sum` and by `operator`'s stand-ins.
"""

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from statek.exceptions import Refused
from statek.sandbox import textual
from statek.sandbox.bounds import WATCHDOG
from statek.sandbox.set_order import KINDS, in_order
from statek.sandbox.sizes import (
    CHARGE_FROM,
    MAX_BITS,
    MAX_MODULAR_BITS,
    allow_bytes,
    allow_format,
    length_in_bytes,
    refuse_size,
    weighed,
)

_PERCENT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?[hlL]?.", re.DOTALL)


def _add(a: Any, b: Any) -> Any:
    left = length_in_bytes(a)
    if left is not None:
        right = length_in_bytes(b)
        if right is not None and left + right > CHARGE_FROM:
            allow_bytes("the sum of these", left + right)
    return a + b


def _allow_product(a: Any, b: Any) -> None:
    if isinstance(a, int):
        if isinstance(b, int):
            if -_SMALL < a < _SMALL and -_SMALL < b < _SMALL:
                return
            bits = a.bit_length() + b.bit_length()
            if bits > MAX_BITS:
                raise refuse_size("this number (bits)", bits, MAX_BITS)
            return
        a, b = b, a
    if isinstance(b, int) and (size := length_in_bytes(a)) is not None and b > 1:
        allow_bytes("this repetition", size * b)


def _multiply(a: Any, b: Any) -> Any:
    if type(a) is not float and type(b) is not float:
        _allow_product(a, b)
    return a * b


def _bits(value: Any) -> int:
    if isinstance(value, int):
        return value.bit_length()
    numerator, denominator = getattr(value, "numerator", None), getattr(value, "denominator", None)
    if isinstance(numerator, int) and isinstance(denominator, int):
        return max(numerator.bit_length(), denominator.bit_length())
    return 0


def power(a: Any, b: Any, modulus: Any = None) -> Any:
    """`pow` for numbers whose result has a bearable size."""
    if modulus is not None:
        if max(_bits(a), _bits(b), _bits(modulus)) > MAX_MODULAR_BITS:
            raise Refused(f"pow with a modulus takes numbers of at most {MAX_MODULAR_BITS:,} bits")
        return pow(a, b, modulus)
    if isinstance(b, int) and (bits := _bits(a)) > 1:
        size = bits * abs(b)
        if size > MAX_BITS:
            raise refuse_size("this power (bits)", size, MAX_BITS)
    elif _bits(b) > MAX_BITS:
        raise refuse_size("this exponent (bits)", _bits(b), MAX_BITS)
    return a**b


def _shift(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a and a.bit_length() + b > MAX_BITS:
        raise refuse_size("this number (bits)", a.bit_length() + b, MAX_BITS)
    return a << b


def _remainder(a: Any, b: Any) -> Any:
    if isinstance(a, str | bytes):
        _allow_percent(a if isinstance(a, str) else a.decode("latin-1"), b)
        return a % textual.disguised(b)
    return a % b


def _allow_percent(text: str, values: Any) -> None:
    total, stars = len(text), False
    for match in _PERCENT.finditer(text):
        for number in (match["width"], match["precision"]):
            stars = stars or number == "*"
            if number and number != "*":
                allow_format(number)
                total += int(number)
    given = values if isinstance(values, tuple) else (values,)
    if stars and any(isinstance(value, int) and abs(value) > 9999 for value in given):
        raise Refused("at most four digits for width and precision")
    for value in values.values() if isinstance(values, dict) else given:
        weighed(value)
        total += length_in_bytes(value) or 0
    repeats = 1 if not isinstance(values, dict) else text.count("%")
    allow_bytes("this text", total * max(repeats, 1))


_SMALL = 1 << 60
_NUMBERS = frozenset({int, float, bool})

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "*": _multiply,
    "**": power,
    "<<": _shift,
    "%": _remainder,
}

_PLAIN_OPERATORS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "+=": (_add, operator.iadd),
    "*=": (_multiply, operator.imul),
    "**=": (power, operator.ipow),
    "<<=": (_shift, operator.ilshift),
    "%=": (_remainder, operator.imod),
    "-=": (operator.sub, operator.isub),
    "/=": (operator.truediv, operator.itruediv),
    "//=": (operator.floordiv, operator.ifloordiv),
    ">>=": (operator.rshift, operator.irshift),
    "|=": (operator.or_, operator.ior),
    "^=": (operator.xor, operator.ixor),
    "&=": (operator.and_, operator.iand),
    "@=": (operator.matmul, operator.imatmul),
}


def binary(sign: str, a: Any, b: Any) -> Any:
    """Compute `a sign b` for the operators that need a check."""
    if sign == "+" and type(a) in _NUMBERS:
        return a + b
    return BINARY[sign](a, b)


def inplace(sign: str, a: Any, b: Any, *, may_change: bool) -> Any:
    """Compute `a sign= b`; `may_change` says whether `a` itself may be altered."""
    fresh, altering = _PLAIN_OPERATORS[sign]
    if not may_change or sign == "%=":
        return fresh(a, b)
    if sign == "*=":
        _allow_product(a, b)
    elif sign == "+=" and (left := length_in_bytes(a)) is not None:
        allow_bytes("the sum of these", left + (length_in_bytes(b) or 0))
        b = list(in_order(b)) if type(b) in KINDS else b
    return altering(a, b)


def total(values: Iterable[Any], start: Any = 0) -> Any:
    """`sum` whose steps are checked when it adds anything but numbers."""
    values = iter(values)
    if isinstance(start, int | float):
        parts = list(values)
        if all(type(part) in (int, float, bool) for part in parts):
            return sum(parts, start)
        values = iter(parts)
    if isinstance(start, str):
        raise TypeError("sum() can't sum strings [use ''.join(seq) instead]")
    result = start
    for value in values:
        WATCHDOG.tick()
        result = _add(result, value)
    return result
