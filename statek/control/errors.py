"""Why a plan was not carried out. Light to import: the command line maps these to exit codes at start-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from statek.exceptions import StatekError

ProblemData = dict[str, Any]  # one problem as JSON data; at least `message`


@dataclass(frozen=True)
class Refusal:
    """A guard that refuses the whole plan; `object` is the key of the one to blame, if it is one."""

    code: str
    message: str
    object: str | None = None


class Guarded(StatekError):  # noqa: N818 - says what happened
    """A guard refuses this plan; head did not move."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Keep `refusals`, at least one."""
        super().__init__("\n".join(f"[{refusal.code}] {refusal.message}" for refusal in refusals))
        self.refusals = tuple(refusals)


class Nacked(StatekError):  # noqa: N818 - says what happened
    """The release was tried out and refused; head did not move."""

    def __init__(self, release: str, problems: Sequence[ProblemData]) -> None:
        """Keep `problems`, at least one."""
        lines = "\n".join(str(problem["message"]) for problem in problems)
        super().__init__(f"release {release} cannot run here; head did not move:\n{lines}")
        self.release = release
        self.problems = tuple(problems)
