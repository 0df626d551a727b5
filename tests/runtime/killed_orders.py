"""A fleet that dies in the middle of a statement that writes: `python -m tests.runtime.killed_orders FOLDER`."""

import os
import sys
from pathlib import Path

from statek.testing import answer, open_fleet
from tests.runtime import desk, orders

CODE = (
    "o = order()\n"
    "r = [[o.n, o.pay(1)], die_outside('1'), [o.n, o.pay(2)], die_outside('2'), [o.n, o.pay(3)]]\n"
    "die('3')\nexit(str([o.n, list(o.log), r]))"
)


def main(folder: Path) -> None:
    """Run it."""
    desk.use(folder)
    first = not (folder / "store").exists()
    agents = [orders.CLERK] if first else ()
    fleet = open_fleet(folder / "store", agents=agents, answers=[answer(CODE)])
    job = fleet.submit("clerk")
    fleet.run()
    (folder / "end").write_text(str(fleet.job(job).exit_value))
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
