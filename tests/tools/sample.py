"""Functions of an imaginary application, as tools see them: documented well, badly and not at all."""

# ruff: noqa: D103, D205, D417, RUF013, UP045

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, Optional

import dbzero as db0

from statek.store.future import FutureResult, temporal
from statek.tools.registry import error_handler, tool

if TYPE_CHECKING:
    from decimal import Decimal

Level = db0.enum("tests/Level", ["low", "high"])


class Colour(enum.Enum):
    """Colours."""

    RED = 1
    BLUE = 2


class Note:
    """A thing of the application."""


def search_notes(query: str, limit: int = 5, *, since: date | None = None) -> list[Note]:
    """Find notes
    that mention the query.

    The newest come first.

    Args:
        query (str): words to look for,
            any of them
        limit: how many at most
        since (date | None): only newer ones

    Returns:
        list[Note]: the notes

    Raises:
        ValueError: the query is empty

    Example:
        search_notes("tax", limit=2)
    """
    return []


def bare(note: Note, colour: Colour = Colour.RED, level: Level = None, _secret: int = 0) -> None:
    pass


def dated(moment: datetime | date, other: Optional[date] = None, text: str | date = "", plain: Decimal = None) -> tuple:
    return moment, other, text, plain


def chosen(mode: Literal["fast", "slow"], names: list[str], table: dict[str, int], ratio: float, anything=None) -> str:
    """Choose.

    Args:
        mode: VARIANTS/tool: how fast /human: never mind
    """
    return mode


def gather(first, *rest, flag=False, **more):
    return first, rest, flag, more


@error_handler
def _release(context: Any, error: Any = None) -> None:
    """Fails on purpose."""
    raise RuntimeError("cannot release")


@tool
def plain_tool(note: Note, **kwargs: Any) -> str:
    """Look at a note."""
    return "seen"


@tool(system=True, target=("direct", "console"), effect="read", idempotent=True, error_handler=_release)
async def system_tool(**kwargs: Any) -> str:
    """Look at the system."""
    return "seen"


@tool(hidden=True)
def hidden_tool(**kwargs: Any) -> None:
    """Nobody sees this."""


def fetch(future: FutureResult) -> dict[str, int]:
    return {}


def is_there(future: FutureResult) -> bool:
    return True


@temporal(complement=fetch, condition=is_there)
@tool
def pick(queue: Note, **kwargs: Any) -> FutureResult:
    """Take the next task."""
    return FutureResult(None, 0)


NOT_A_FUNCTION = 5
