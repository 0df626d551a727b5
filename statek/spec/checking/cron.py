"""The five fields of a cron line, as sets of numbers. Pure: knows no clock and no time zone.

`schedules` reports what is wrong with a line, at the field to blame. A line that is read here has at least one day on
which it holds.
"""

import re
from dataclasses import dataclass

from statek.base.nearest import nearest

EXAMPLE = "15 6 * * 1-5"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHORTCUTS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Field:
    title: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    first: int = 0  # the number of the first word

    @property
    def known(self) -> str:
        words = f" or {self.words[0]}-{self.words[-1]}" if self.words else ""
        return f"{self.least}-{self.most}{words}"


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When a line holds. Days of the week count from Sunday, 0.

    Attributes:
        either_day: both kinds of days are bounded; then a day needs to be in one of the two sets only.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool


class CronError(ValueError):
    """A cron line cannot be read; `start` and `end` are offsets of the part to blame."""

    def __init__(self, message: str, start: int, end: int) -> None:
        """Keep the place beside the message."""
        super().__init__(message)
        self.start, self.end = start, end


def parse_cron(text: str) -> Cron:
    """The line `minute hour day-of-month month day-of-week`. Raises CronError, with the part to blame."""
    found = list(re.finditer(r"\S+", text))
    if len(found) != len(_FIELDS):
        raise CronError(_count_message(text, len(found)), 0, len(text))
    sets = [_numbers(field, match) for field, match in zip(_FIELDS, found, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    bounded = [not found[index][0].startswith("*") for index in (2, 4)]
    longest = max(_LENGTHS[month - 1] for month in sets[3])
    if not bounded[1] and min(sets[2]) > longest:
        message = f"day {min(sets[2])} does not occur in month {found[3][0]}, so this time never comes"
        raise CronError(message, *found[2].span())
    return Cron(sets[0], sets[1], sets[2], sets[3], weekdays, either_day=all(bounded))


def _count_message(text: str, count: int) -> str:
    wanted = f"expected 5 fields (minute, hour, day of the month, month, day of the week) such as '{EXAMPLE}'"
    shortcut = _SHORTCUTS.get(text.strip().lower())
    if shortcut is not None:
        return f"{wanted}, found '{text.strip()}'; write '{shortcut}'"
    hint = "; seconds and years have no field" if count in {6, 7} else ""
    return f"{wanted}, found {count}{hint}"


def _numbers(field: _Field, match: re.Match[str]) -> frozenset[int]:
    numbers: set[int] = set()
    offset = match.start()
    for part in match[0].split(","):
        if not part:
            comma = offset - (offset > match.start())
            raise CronError(_odd_part(field, part), comma, comma + 1)
        numbers.update(_part(field, part, offset))
        offset += len(part) + 1
    return frozenset(numbers)


def _part(field: _Field, part: str, offset: int) -> range:
    """`*`, a value or a range, with or without `/step`."""
    found = re.fullmatch(r"(\*|([^-/]+)(?:-([^-/]+))?)(?:/(.*))?", part, re.DOTALL)
    if found is None:
        raise CronError(_odd_part(field, part), offset, offset + len(part))
    step = _step(field, found, offset) if found[4] is not None else 1
    if found[1] == "*":
        return range(field.least, field.most + 1 - (field.most == 7), step)
    first = _value(field, found[2], offset)
    last = first if found[4] is None else field.most
    if found[3] is not None:
        last = _value(field, found[3], offset + found.start(3))
        last = 7 if last == 0 < first and field.words is _DAYS else last
    if last < first:
        instead = f"{found[2]}-{field.most - (field.most == 7)},{field.least}-{found[3]}"
        message = f"{field.title} '{found[1]}' ends before it begins; write '{instead}'"
        raise CronError(message, offset, offset + len(part))
    return range(first, last + 1, step)


def _odd_part(field: _Field, part: str) -> str:
    wanted = f"expected {field.known}, '*', a range such as '{field.least}-{field.least + 4}' or a step such as '*/2'"
    return f"{field.title} '{part}' cannot be read; {wanted}" if part else f"{field.title} has an empty part; {wanted}"


def _step(field: _Field, found: re.Match[str], offset: int) -> int:
    size = field.most - field.least + 1
    if re.fullmatch(r"[0-9]{1,4}", found[4]) is None or not 1 <= int(found[4]) <= size:
        message = f"the step of {field.title} '{found[0]}' must be a number from 1 to {size}"
        raise CronError(message, offset + (found.start(4) if found[4] else 0), offset + found.end(4))
    return int(found[4])


def _value(field: _Field, text: str, offset: int) -> int:
    word = text.lower()
    if word in field.words:
        return field.words.index(word) + field.first
    if re.fullmatch(r"[0-9]{1,4}", text) and field.least <= int(text) <= field.most:
        return int(text)
    message = f"{field.title} must be {field.known}, found '{text}'{_hint(field, word)}"
    raise CronError(message, offset, offset + len(text))


def _hint(field: _Field, word: str) -> str:
    if re.fullmatch(r"\?|[0-9]*[lw]|[0-9a-z]+#[0-9]+", word):
        return "; signs of other cron dialects are not read"
    whole = next((short for short in field.words if word.startswith(short)), None)
    close = whole or nearest(word, field.words)
    return f"; did you mean '{close}'?" if close else ""
