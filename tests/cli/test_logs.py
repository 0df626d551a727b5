"""Following a job."""

from pathlib import Path
from typing import Any

import pytest

from statek.cli.commands.logs import _part
from statek.cli.place import locate
from statek.exceptions import NotApplied


class Asked:
    """A worker that knows the job only when it is asked again, or never."""

    def __init__(self, knows_from: int) -> None:
        self.left = knows_from

    def follow(self, job: str, start: str) -> dict[str, Any]:
        self.left -= 1
        if self.left >= 0:
            raise NotApplied(f"there is no job {job!r}")
        return {"job": job, "entries": [], "next": start}


def test_a_job_that_is_taken_in_between_two_looks_is_found(applied: Path) -> None:
    """The worker did not know it yet, and when the inbox was looked at it waited there no more."""
    part = _part(Asked(1), locate(applied, None), "greeter/1", "")
    assert part is not None
    assert part["job"] == "greeter/1"


def test_a_job_that_nobody_knows_is_refused(applied: Path) -> None:
    """Neither the worker nor the inbox has it."""
    with pytest.raises(NotApplied, match="no job"):
        _part(Asked(9), locate(applied, None), "greeter/1", "")
