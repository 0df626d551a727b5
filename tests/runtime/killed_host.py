"""A host whose store writes itself, killed right after that: `python -m tests.runtime.killed_host FOLDER`.

Tells a finished job something; the store has written itself, as dbzero does a few times a second by default, when the
process dies. Started again it prints what the job was told, and how often it was brought back.
"""

import os
import sys
from pathlib import Path

import dbzero as db0

from statek.ledger import inbox
from statek.ledger.inbox import InputKind
from statek.runtime.delegation import definition
from statek.runtime.fleet import Fleet
from statek.runtime.loops import open_ledger
from statek.sandbox.bounds import WATCHDOG
from statek.settings import StatekSettings
from statek.store.agent import SupervisedAgent
from statek.store.job import JobStatus, Stage, find_job, new_job
from statek.store.session import Store
from statek.testing import FakeClock


def main(folder: Path) -> None:
    """Live once; the second time say what there is."""
    first = not (folder / "host.db0").exists()
    db0.init(str(folder), prefix="host", autocommit=False)
    store = Store.attach()
    ledger = open_ledger(store, StatekSettings())
    assert ledger is not None
    fleet = Fleet(store=store, ledger=ledger, clock=FakeClock(), secret=lambda _: None, watchdog=WATCHDOG)
    fleet.recover()
    if first:
        agent = SupervisedAgent("listener", "Listen.", [], _metadata={"MODEL": "f/m"})
        job = new_job(definition(agent, None, None, None), "j", 1)
        job.set_status(JobStatus.DONE)
        job.stage = Stage.END
        fleet.checkpoint()
        inbox.append(ledger, [inbox.NewEntry("push 1", InputKind.PUSH, "j", {"text": "hello"}, 1)])
        fleet.passes.run()
        db0.commit()
        os._exit(9)
    listener = find_job("j")
    assert listener is not None
    sys.stdout.write(f"{[record.text for record in listener.records]} {listener.num_completions}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
