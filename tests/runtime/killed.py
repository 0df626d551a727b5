"""A fleet that dies, run as a process of its own: `python -m tests.runtime.killed FOLDER LIFE`.

Runs until nothing is left to do, and prints in JSON the job, and how many tokens this process has used of models. Some
tools end the process; started again it goes on.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from statek.testing import FakeClock, answer, declare_agent, open_fleet
from tests.runtime import desk

HELPER = declare_agent("helper", tools=desk.TOOLS)
WAIT_AND_CATCH = "try:\n    r = {call}\nexcept Exception as e:\n    r = type(e).__name__\nexit(r)"

LIVES: dict[str, list[Any]] = {
    "after results": [
        answer("r = [count('w'), post('x'), print('p'), die('1'), post('y'), die('2')]\ndie('3')\nexit(r)")
    ],
    "in flight": [answer(WAIT_AND_CATCH.format(call="post_and_die('x')"))],
    "in flight, idempotent": [answer(WAIT_AND_CATCH.format(call="retry_and_die('x')"))],
    "in flight, with a key": [answer("exit([keyed_and_die(t) for t in 'aab'])")],
    "in the warmup and after an answer": [answer("die('2')\nexit(w)")],
    "while it is asked": [answer("exit(post('x'))", latency=1.0)],
    "while a child works": [
        answer("post('child')\ndie('1')\nexit('from child')", agent="helper"),
        answer("exit([post('before'), helper().result, post('after')])"),
    ],
    "two calls at once": [answer("exit(post('x'))", agent="helper"), answer("exit([post_and_die('y')])")],
}


class DyingClock(FakeClock):
    """Ends the process when somebody sleeps on it, the first time; later nobody has to wait."""

    async def sleep(self, seconds: float) -> None:
        """Die, or return at once."""
        desk.die("asleep")


def main(folder: Path, life: str) -> None:
    """Run the life of that name."""
    desk.use(folder)
    warmup = "w = [post('x'), die('1')][0]" if "warmup" in life else None
    clerk = declare_agent("clerk", tools=desk.TOOLS, subagents=("helper",), warmup=warmup)
    first = not (folder / "store").exists()
    fleet = open_fleet(
        folder / "store", agents=[clerk, HELPER] if first else (), answers=LIVES[life], clock=DyingClock()
    )
    job = fleet.submit("clerk")
    if life == "two calls at once":
        fleet.submit("helper")
    fleet.run()
    shown = fleet.show(job)
    shown["value"], shown["asked"] = fleet.job(job).exit_value, fleet.fleet.tally.input_tokens
    sys.stdout.write(json.dumps(shown))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
