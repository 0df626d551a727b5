"""The real child, with the real fleet, on a release without agents."""

import os
from pathlib import Path

from statek.base.mark import Mark
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.store.session import Store
from statek.worker import places
from statek.worker.questions import open_questions
from statek.worker.reports import Report
from statek.worker.supervisor import WorkOptions, run_worker


def work(root: Path, store: Path) -> list[Report]:
    """Run a worker until it is idle; what it reported."""
    seen: list[Report] = []
    options = WorkOptions(root, "dev", store, until_idle=True, watch=False, max_concurrency=None)
    assert run_worker(options, seen.append) == 0
    return seen


def test_a_run_to_the_end_leaves_a_clean_store(root: Path, store: Path, ledger: LedgerFile) -> None:
    """Everything recorded is in the store, the mark says that it ended well, the last report says how."""
    seen = work(root, store)
    with Store.open(store, ledger.store_id, read_only=True) as opened:
        assert opened.root.seq == Records(ledger).last()[0] > 0
    with Mark(places.mark_file(store)) as mark:
        assert mark.clean_end
    assert (seen[-1]["kind"], seen[-1]["failures"]) == ("end", [])


def test_a_damaged_store_is_rebuilt_by_the_next_worker(root: Path, store: Path, ledger: LedgerFile) -> None:
    """A torn file costs a replay of the ledger, nothing else."""
    work(root, store)
    file = places.store_file(store)
    os.truncate(file, 60_000)
    with Mark(places.mark_file(store)) as mark:
        mark.set_clean_end(False)
    seen = work(root, store)
    assert "rebuilt" in seen[0]["text"]
    with Store.open(store, ledger.store_id, read_only=True) as opened:
        assert opened.root.seq == Records(ledger).last()[0]


def test_a_reader_recovers_what_a_dead_worker_left(root: Path, store: Path, ledger: LedgerFile) -> None:
    """Without a worker a lost store is rebuilt before a question is answered."""
    work(root, store)
    places.store_file(store).unlink()
    questions = open_questions(store)
    try:
        assert questions.status()["release"].startswith("r-")
    finally:
        questions.close()
    with Mark(places.mark_file(store)) as mark:
        assert mark.clean_end
