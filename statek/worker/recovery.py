"""Making a store file fit to be opened: put back, probe, or replaced. Before each child, while nobody has it open.

Called by whoever holds the lock: the supervisor, or a reader. It never opens the store itself (a damaged file may hang
or crash whoever does) and never brings it up to date: the child does, by replaying the ledger.

The one idea: the ledger is the truth and the store its checkpoint, so a file in doubt is replaced rather than mended:
by the newest kept copy that passes the probe, without one by an empty store onto which the whole ledger is replayed.
A file is in doubt when its last process did not end properly, and not to be trusted at all when that process died
inside a commit and left no pre-image. Nothing is deleted: what is replaced is moved aside.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.base import guarded_file
from statek.base.clock import Clock
from statek.base.guarded_file import Mark, PreImage, pre_image_path
from statek.base.rotation import KeptCopy, kept_copies
from statek.exceptions import LedgerError, StoreError
from statek.ledger.file import LedgerFile
from statek.ledger.records import Records
from statek.worker import probing
from statek.worker.places import ledger_file, store_file
from statek.worker.probing import FOREIGN, Probing, Verdict, tool_modules
from statek.worker.restore import require_whole_restore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """What was found.

    Attributes:
        was_clean: the last process ended properly and the file is untouched; it was not probed.
        replaced: another file, or none, lies in its place now.
    """

    was_clean: bool
    replaced: bool


def open_ledger(store: Path) -> LedgerFile:
    """The ledger beside the store.

    Raises:
        LedgerError: there is a store but no ledger (it is not replaced by an empty one), or it cannot be used.
        StoreError: a restore was cut off and has to be finished first.
    """
    require_whole_restore(store)
    path = ledger_file(store)
    if not path.exists() and store_file(store).exists():
        raise LedgerError(
            f"the store {store} is there, but not its ledger {path}",
            hint="put both back from the same backup; without the ledger nobody knows what was promised",
        )
    return LedgerFile.open(path)


def prepare_store(
    store: Path, ledger: LedgerFile, *, mark: Mark, clock: Clock, probing: Probing, say: Callable[[str], None]
) -> Prepared:
    """Leave a store file that may be opened, or none, so that the child makes an empty one and replays everything.

    Args:
        store: the folder; the caller holds its lock, and no child lives.
        ledger: the ledger beside it.
        mark: the mark of the store file; what it tells of the last process is dealt with and forgotten.
        clock: gives the name of a file that is set aside.
        probing: how to try a file in doubt.
        say: told in a sentence what was done, when it is out of the ordinary.

    Raises:
        LedgerError: no copy is good, and the beginning of the ledger, which would have to be replayed, was pruned.
        StoreError: a file could not be tried at all.
    """
    file = store_file(store)
    was_clean = mark.clean_end and file.exists()
    replaced = False
    if not file.exists():
        pre_image_path(file).unlink(missing_ok=True)  # of a file that is gone; it must not be put into the next one
        if Records(ledger).last()[0]:
            replace_store(store, ledger, f"there is no store file {file}", clock=clock, probing=probing, say=say)
            replaced = True
    elif not _is_sound(file, ledger, mark, probing, say):
        why = f"the store file {file} could not be trusted"
        replace_store(store, ledger, why, clock=clock, probing=probing, say=say)
        replaced = True
    mark.reset()
    return Prepared(was_clean, replaced)


def replace_store(
    store: Path, ledger: LedgerFile, why: str, *, clock: Clock, probing: Probing, say: Callable[[str], None]
) -> None:
    """Put the newest good copy in the place of the store file, or nothing when the whole ledger can be replayed.

    The old file is moved aside, and so are copies that turned out bad, both only once there is something better. Cut
    anywhere, `prepare_store` does the rest. Arguments and errors are those of `prepare_store`; `why` begins sentences.
    """
    file = store_file(store)
    chosen, bad = _newest_good(file, ledger, probing)
    if chosen is None:
        _require_whole_ledger(ledger, why, bad)
    if file.exists():
        why = f"{why}: moved to {guarded_file.move_aside(file, clock.now_us())}"
    if chosen is None:
        pre_image_path(file).unlink(missing_ok=True)
        say(f"{why}; it is rebuilt from the ledger")
    else:
        guarded_file.put_in_place(chosen.path, file)
        say(f"{why}; a copy that ends at record {chosen.seq} is in its place, the ledger has the rest")
    for copy in bad:
        say(f"a kept copy was not good: moved to {guarded_file.move_aside(copy.path, clock.now_us())}")


def _newest_good(file: Path, ledger: LedgerFile, how: Probing) -> tuple[KeptCopy | None, list[KeptCopy]]:
    """The newest copy that passes the probe and belongs to the ledger, and those newer ones that do not."""
    bad: list[KeptCopy] = []
    for copy in kept_copies(file):
        verdict = _probe(copy.path, ledger, how)
        if verdict.code == 0 and _fits(ledger, verdict):
            return copy, bad
        bad.append(copy)
    return None, bad


def _fits(ledger: LedgerFile, verdict: Verdict) -> bool:
    try:
        ledger.check_pair(ledger.store_id, verdict.seq, verdict.seq_tag or None)
    except LedgerError as error:
        _log.warning("a kept copy does not belong to the ledger: %s", error)
        return False
    return True


def _require_whole_ledger(ledger: LedgerFile, why: str, bad: Sequence[KeptCopy]) -> None:
    if ledger.low:
        copies = f"none of its {len(bad)} kept copies is good" if bad else "there is no kept copy of it"
        raise LedgerError(
            f"{why}, {copies}, and the ledger {ledger.path} was pruned up to record {ledger.low}: "
            "the store cannot be rebuilt from it; nothing was changed",
            hint="put both back from a backup: `statek restore`",
        )


def _is_sound(file: Path, ledger: LedgerFile, mark: Mark, how: Probing, say: Callable[[str], None]) -> bool:
    was_put_back = _put_back(file, ledger.store_id)
    if was_put_back:
        mark.reset()  # now: whoever is killed from here on has left a whole file, and no pre-image to tell
        say("the last process died while it wrote the store: the state before was put back")
    elif mark.in_commit:
        return False
    if mark.clean_end and not was_put_back:
        return True
    return _probe(file, ledger, how).code in {0, FOREIGN}  # a foreign one is not damaged: the child will refuse it


def _put_back(file: Path, store_id: str) -> bool:
    try:
        return PreImage(file, store_id).restore()
    except StoreError as error:
        _log.warning("the pre-image of %s cannot be put back: %s", file, error)
        return False


def _probe(file: Path, ledger: LedgerFile, how: Probing) -> Verdict:
    scratch = ledger.path.with_name(".probe")
    return probing.try_file(file, scratch, ledger.store_id, tool_modules(ledger), how)
