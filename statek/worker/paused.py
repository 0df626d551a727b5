"""The note that a store was put back from a backup and waits for somebody to say that work may go on.

Written by `restore`, looked at by the supervisor before it starts anything. The one idea: store and ledger of a backup
fit each other, but the world is ahead of both, and only a person can know what was called since.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from statek.base.clock import as_text
from statek.base.durable import sync_folder
from statek.exceptions import StoreError

NAME = "paused.json"


@dataclass(frozen=True)
class Pause:
    """Of when the backup is, in microseconds since 1970, and the last record of its ledger."""

    backup_us: int
    last: int

    def to_bytes(self) -> bytes:
        """What the note holds."""
        return json.dumps({"backupUs": self.backup_us, "last": self.last}).encode()


class Paused(StoreError):  # noqa: N818 - says what happened
    """The store was put back from a backup; nobody has said yet that work may go on."""

    def __init__(self, pause: Pause) -> None:
        """Say of when the backup is, and what to do."""
        super().__init__(
            f"the store was put back from a backup of {as_text(pause.backup_us)}, which ends at record {pause.last}: "
            "what was called, sent or paid for after that is not known here and would be done again",
            hint="look at the jobs (`statek ps`), then run `statek work --resume`",
        )


def find_pause(store: Path) -> Pause | None:
    """The note in the folder `store`; None when work may go on. Raises StoreError when it cannot be read."""
    path = store / NAME
    try:
        found = json.loads(path.read_bytes())
        return Pause(int(found["backupUs"]), int(found["last"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is no note of a restore", hint="remove it if work may go on") from error


def resume(store: Path) -> None:
    """Take the note away, durably."""
    (store / NAME).unlink(missing_ok=True)
    sync_folder(store)
