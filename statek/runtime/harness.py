"""The limits of one job: pure checks over its counters. N is allowed, N + 1 is refused, before the call is paid.

Agents from files have the limits of their revision. Those made in Python have the process's, `get_llm_harness()`, and
what their metadata says instead (`MAX_TURNS` and so on), which are the limits of that definition's jobs alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from statek.exceptions import LLM_HarnessError, StatekError
from statek.ledger.compiled import Limits
from statek.settings import StatekSettings, get_statek_settings

SUBJOBS = 100
DEPTH = 10


@dataclass(frozen=True)
class LLM_Harness:  # noqa: N801 - documented name
    """What a job made in Python may use; None: no bound.

    Attributes:
        max_turns: answers of the model.
        max_exceptions: failures of its code in all.
        max_consecutive_exceptions: failures in a row; one that goes well ends the row.
        max_token_usage: tokens by the estimate `Job.approx_token_usage`.
        limit_extension_per_completion: part of each limit that is added whenever a finished job is brought back.
    """

    max_turns: int | None
    max_exceptions: int | None
    max_consecutive_exceptions: int | None
    max_token_usage: int | None
    limit_extension_per_completion: float = 0.0

    def check(self, job: Any) -> None:
        """May `job` ask its model once more? Raises LLM_HarnessError naming the limit."""
        check_before_asking(job, self.limits(), 0, self.limit_extension_per_completion)

    def limits(self) -> Limits:
        """The same as limits of a job."""
        return Limits(
            turns=self.max_turns,  # type: ignore[arg-type]  # files always say it
            tokens=self.max_token_usage,  # type: ignore[arg-type]
            cost_usd=None, wall_clock_us=0, tool_calls=None,
            exceptions=self.max_exceptions,  # type: ignore[arg-type]
            consecutive_exceptions=self.max_consecutive_exceptions,  # type: ignore[arg-type]
            subjobs=SUBJOBS, depth=DEPTH,
        )  # fmt: skip


def get_llm_harness() -> LLM_Harness:
    """The limits of the process's settings as they are now."""
    return harness_of(get_statek_settings())


def harness_of(settings: StatekSettings) -> LLM_Harness:
    """The limits that settings name."""
    return LLM_Harness(
        settings.max_turns, settings.max_exceptions, settings.max_consecutive_exceptions, settings.max_token_usage,
        settings.limit_extension_per_completion,
    )  # fmt: skip


_METADATA = {
    "MAX_TURNS": "turns", "MAX_EXCEPTIONS": "exceptions", "MAX_CONSECUTIVE_EXCEPTIONS": "consecutive_exceptions",
    "MAX_TOKEN_USAGE": "tokens",
}  # fmt: skip
_EXTENSION = "LIMIT_EXTENSION_PER_COMPLETION"
_COUNTED: Mapping[str, Callable[[Any], float]] = {  # limit -> what it will be once the job has asked
    "turns": lambda job: int(job.turn) + 1,
    "tokens": lambda job: int(job.approx_token_usage),
    "cost_usd": lambda job: job.used.cost_usd or 0.0,
    "exceptions": lambda job: int(job.exception_count),
    "consecutive_exceptions": lambda job: int(job.exception_streak),
}


def limits_of_definition(limits: Limits, metadata: Mapping[str, str]) -> tuple[Limits, float]:
    """`limits` with what a definition's metadata says instead (`none`: no bound), and by what they grow.

    Raises:
        StatekError: a value of the metadata is no number, or negative.
    """
    said = {field: _number(name, metadata[name]) for name, field in _METADATA.items() if name in metadata}
    extension = _number(_EXTENSION, metadata[_EXTENSION]) if _EXTENSION in metadata else None
    grown = get_statek_settings().limit_extension_per_completion if extension is None else extension
    return replace(limits, **said) if said else limits, float(grown)


def check_before_asking(job: Any, limits: Limits, now_us: int, extension: float = 0.0) -> None:
    """May the job ask its model once more? Raises LLM_HarnessError naming the limit.

    With `extension` each of the counted limits grows by that part of it for every completion that was reopened.
    """
    grown = 1 + extension * (job.num_completions or 0) if extension else 1
    for name, count in _COUNTED.items():
        limit = getattr(limits, name)
        if limit is None or (used := count(job)) <= limit * grown:
            continue
        allowed = limit * grown + (job.difficulty_token_extension if name == "tokens" else 0)
        if used > allowed:
            raise LLM_HarnessError(f"limit {name}: {_plain(used)} would be used, {_plain(allowed)} are allowed")
    if limits.wall_clock_us and (began := job.started_us) and now_us - began > limits.wall_clock_us:
        raise LLM_HarnessError(f"limit wall_clock: over {limits.wall_clock_us / 1_000_000:g} s since the job began")


def check_subjob(job: Any, limits: Limits) -> None:
    """May the job start another child? Raises LLM_HarnessError naming the limit."""
    if job.subjobs + 1 > limits.subjobs:
        raise LLM_HarnessError(f"limit subjobs: {limits.subjobs} are allowed")
    if job.depth + 1 > limits.depth:
        raise LLM_HarnessError(f"limit depth: children may be {limits.depth} levels deep")


def _number(name: str, text: str) -> Any:
    if text.strip().lower() == "none":
        return None
    try:
        value = float(text) if name == _EXTENSION else int(text)
    except ValueError as error:
        raise StatekError(f"{name} {text!r} in the metadata: expected a number, or none") from error
    if value < 0:
        raise StatekError(f"{name} {text!r} in the metadata is negative")
    return value


def _plain(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
