"""How a stretch of a job's code ends: with an outside call it wants, a wait, an exit, or its end. Only data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from statek.runtime.crossings import Outcome, Place
from statek.tools.registry import Tool


@dataclass(frozen=True)
class CallWish:
    """An outside call the code wants made; performed by the scheduler after the intent is in the ledger."""

    tool: Tool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    place: Place
    turn: int
    statement: int
    filled_in: Mapping[str, Any] = field(default_factory=dict)  # what the kit passes beside the arguments


@dataclass(frozen=True)
class Ended:
    """All parts ran; `failed` names the error that ended them early."""

    failed: str = ""


@dataclass(frozen=True)
class ExitedWith:
    """The code called `exit`."""

    status: Any


@dataclass(frozen=True)
class Waits:
    """A statement met a value that is not ready."""

    future: Any


Known = tuple[bool, Outcome | None]  # whether a call had begun before a restart, and how it ended
Ending = CallWish | Ended | ExitedWith | Waits
