"""What Python's JSON reader lets through and JSON does not have: hooks for `json.loads` that refuse it. Pure."""

import math
from typing import NoReturn


def refuse_constant(word: str) -> NoReturn:
    """For `parse_constant`. Raises ValueError: NaN and the infinities are no JSON."""
    raise ValueError(f"{word} is not JSON")


def finite(text: str) -> float:
    """For `parse_float`. Raises ValueError for a number that is beyond every float."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is out of range")
    return value
