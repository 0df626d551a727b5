"""Text formats of the language: durations, tokens, names, import paths. Pure functions, no messages.

The patterns stand in the JSON Schemas as they are; `example` of each is what a message suggests.
"""

import re
from dataclasses import dataclass

UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its pattern (whole text), what it is called, and a correct example."""

    pattern: str
    title: str
    example: str

    def fits(self, text: str) -> bool:
        """Whether all of `text` has this format."""
        return re.fullmatch(self.pattern, text) is not None


_DURATION = r"^(?=.)([0-9]{1,5}d)?([0-9]{1,7}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,12}ms)?$"
DURATION = Format(_DURATION, "a duration", "30s")
POSITIVE_DURATION = Format(_DURATION.replace("(?=.)", "(?=.*[1-9])"), "a duration longer than 0", "30s")
TOKENS = Format(r"^[1-9][0-9]{0,8}(k|M)$", "a number of tokens", "60k")
KEEP = Format(f"{POSITIVE_DURATION.pattern}|^forever$", "a duration or 'forever'", "30d")
RATE = Format(r"^[1-9][0-9]{0,8}/(s|m|h|d)$", "a rate", "60/m")
NAME = Format(r"^[A-Za-z][A-Za-z0-9_-]{0,62}$", "a name (a letter, then letters, digits, '_' or '-')", "my-name")
NAMES = Format(r"^[A-Za-z*][A-Za-z0-9_*-]{0,62}$", "a name, in which '*' stands for any characters", "desk-*")
IDENTIFIER = Format(r"^[A-Za-z][A-Za-z0-9_]{0,62}$", "a Python name that does not start with '_'", "ticket_id")
MODEL = Format(
    r"^([A-Za-z][A-Za-z0-9_-]{0,62}|[^/\s]+/[^/\s]+|[^/\s]+/[^/\s]+/\S+)$",
    "the name of a Model, 'family/model' or 'provider/family/model'",
    "openrouter/openai/gpt-5-mini",
)
TARGET = Format(
    r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$",
    "an import path 'package.module:function'",
    "shop.tickets:lookup",
)
MODULE = Format(r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$", "the name of a module", "statistics")
PATTERN = Format(r"^([A-Za-z0-9_*-]+/[A-Za-z0-9_*]+|\*)$", "a tool pattern 'set/name' or 'set/*'", "ticketing/*")
PATH = Format(r"^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", "a dotted path into the item", "event.id")
HEADER = Format(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", "the name of an HTTP header", "X-Team")
URL = Format(r"^(https?://\S+|.*\$\{.*)$", "an http or https address", "https://api.example.test/v1")
PERCENTAGE = Format(r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$", "a percentage", "5%")
DIGEST = Format(r"^sha256:[0-9a-f]{12,64}$", "a digest", "sha256:7c1e9f2a04b1")
REGEX = Format(r"^[\s\S]*$", "a regular expression", "(?i)refund")

FORMATS: dict[str, Format] = {
    "duration": DURATION, "positive-duration": POSITIVE_DURATION, "tokens": TOKENS, "rate": RATE, "keep": KEEP,
    "name": NAME, "names": NAMES,
    "identifier": IDENTIFIER, "model": MODEL, "target": TARGET, "module": MODULE, "pattern": PATTERN, "path": PATH,
    "header": HEADER, "url": URL, "regex": REGEX,
    "percentage": PERCENTAGE, "digest": DIGEST,
}  # fmt: skip


def duration_us(text: str) -> int:
    """Microseconds of a duration such as `1h30m`. Raises ValueError when it is none."""
    if not DURATION.fits(text):
        raise ValueError(f"{text!r} is not a duration such as '30s'")
    return sum(int(number) * UNITS_US[unit] for number, unit in re.findall(r"([0-9]+)(ms|[smhd])", text))


def rate_parts(text: str) -> tuple[int, int]:
    """How many in how many microseconds, of a rate such as `60/m`. Raises ValueError when it is none."""
    if not RATE.fits(text):
        raise ValueError(f"{text!r} is not a rate such as '60/m'")
    count, _, unit = text.partition("/")
    return int(count), UNITS_US[unit]


def token_count(value: int | str) -> int:
    """Tokens of `60000`, `60k` or `2M`. Raises ValueError when it is none of these."""
    if isinstance(value, int):
        return value
    if not TOKENS.fits(value):
        raise ValueError(f"{value!r} is not a number of tokens such as '60k'")
    return int(value[:-1]) * {"k": 1_000, "M": 1_000_000}[value[-1]]


def is_model_name(text: str) -> bool:
    """Whether a model reference is the name of a Model, not a model string."""
    return "/" not in text
