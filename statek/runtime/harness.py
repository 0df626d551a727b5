"""The limits of one job: pure checks over its counters. N is allowed, N + 1 is refused, before the call is paid."""

from typing import Any

from statek.exceptions import LLM_HarnessError
from statek.ledger.compiled import Limits


def check_before_asking(job: Any, limits: Limits, now_us: int) -> None:
    """May the job ask its model once more? Raises LLM_HarnessError naming the limit."""
    checks: tuple[tuple[str, float, float | None], ...] = (
        ("turns", job.turn + 1, limits.turns),
        ("tokens", job.approx_token_usage, limits.tokens),
        ("cost_usd", job.cost_usd or 0.0, limits.cost_usd),
        ("exceptions", job.exception_count, limits.exceptions),
        ("consecutive_exceptions", job.exception_streak, limits.consecutive_exceptions),
    )
    for name, used, allowed in checks:
        if allowed is not None and used > allowed:
            raise LLM_HarnessError(f"limit {name}: {_plain(used)} would be used, {_plain(allowed)} are allowed")
    if limits.wall_clock_us and job.started_us and now_us - job.started_us > limits.wall_clock_us:
        raise LLM_HarnessError(f"limit wall_clock: over {limits.wall_clock_us / 1_000_000:g} s since the job began")


def check_subjob(job: Any, limits: Limits) -> None:
    """May the job start another child? Raises LLM_HarnessError naming the limit."""
    if job.subjobs + 1 > limits.subjobs:
        raise LLM_HarnessError(f"limit subjobs: {limits.subjobs} are allowed")
    if job.depth + 1 > limits.depth:
        raise LLM_HarnessError(f"limit depth: children may be {limits.depth} levels deep")


def _plain(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
