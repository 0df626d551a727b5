"""Tools that claim something outside and give it back when their job ends with an error; a process that dies then.

`python -m tests.runtime.claims FOLDER NAME [early]`: a job claims NAME and fails; the handler of `deadly` ends the
process, once. With `early` the process ends before it calls any handler.
"""

import os
import sys
from pathlib import Path
from typing import Any

from statek.runtime import cleanup
from statek.store import current
from statek.testing import FakeClock, answer, declare_agent, open_fleet
from statek.tools.registry import error_handler, tool
from tests.runtime import desk


@error_handler
def _release(context: Any, error: BaseException | None = None) -> None:
    desk.post(f"release {context} {type(error).__name__}: {str(error)[:20]}")
    if str(context) == "deadly":
        os._exit(9)


@error_handler
def _release_and_break(context: Any, error: BaseException | None = None) -> None:
    desk.post(f"break {context}")
    raise ValueError("broken handler")


@tool(error_handler=_release, effect="external")
def claim(name: str, **kwargs: Any) -> str:
    """Claim something outside."""
    desk.post(f"claim {name}")
    return name


@tool(error_handler=_release, effect="write")
def claim_inside(name: str, **kwargs: Any) -> str:
    """Claim something in the store."""
    return name


@tool(error_handler=_release_and_break, effect="write")
def claim_badly(name: str, **kwargs: Any) -> str:
    """Claim something whose giving back goes wrong."""
    return name


@error_handler
def _count(context: Any, error: BaseException | None = None) -> None:
    context.value += 1


@tool(error_handler=_count, effect="write")
def claim_box(**kwargs: Any) -> Any:
    """Claim the stored box, whose value counts how often it was given back."""
    return desk.box()


def register(name: str) -> None:
    """Register a handler by hand, from a tool."""
    job = current.get_current_job()
    assert job is not None
    job.add_error_handler(_release, name)


TOOLS = (claim, claim_inside, claim_badly, claim_box)


def main(folder: Path, name: str, *, early: bool) -> None:
    """Claim, fail, die."""
    desk.use(folder)
    if early:
        cleanup.clean_up = lambda passes: os._exit(8) if passes.cleanups else 0
    first = not (folder / "store").exists()
    rules = [answer(f"claim({name!r})\nclaim_inside('second')", turn=1), answer(error="no-key")]
    agents = [declare_agent("clerk", tools=TOOLS)] if first else ()
    fleet = open_fleet(folder / "store", agents=agents, answers=rules, clock=FakeClock())
    job = fleet.submit("clerk") if first or name == "deadly" else "clerk/1"
    fleet.run()
    sys.stdout.write(f"{fleet.job(job).outcome} {fleet.job(job).error_handlers}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], early=len(sys.argv) > 3)
