"""Records: what happened, in order. The store is a checkpoint of them.

It stores and numbers, never interprets a body. The worker alone puts, inside the transaction of its pass; a restart
reads everything after what the store has taken in. The one idea: a key is written once. Putting a key that is there
does nothing and says so, which is how a repeated input, answer or call result is recognised, even years later.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statek.exceptions import LedgerError
from statek.ledger.compiled import Json
from statek.ledger.file import LedgerFile


class Kind(StrEnum):
    """What a record tells."""

    IN = "in"  # an input was taken in
    RAN = "ran"  # the stretches of one pass, in order, each with its clock and the digest of what it did
    INTENT = "intent"  # an outside call is about to be made
    RESULT = "result"  # an outside call came back
    MODEL = "model"  # a model answered
    SAID = "said"  # a client is told a final result


@dataclass(frozen=True)
class Record:
    """One record. `tag` is random: two records of one number but different pasts differ in it."""

    seq: int
    kind: str
    key: str | None
    body: bytes
    tag: str


class Records:
    """The records of one ledger."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def put(self, kind: Kind, key: str | None, body: bytes) -> int | None:
        """Add a record, inside `file.transaction()`. Returns its number, or None when the key is there already."""
        # ON CONFLICT would use up a number each time: a replay would meet gaps.
        added = self._file.write(
            "INSERT INTO rec (kind, key, body, tag) SELECT ?, ?, ?, ?"
            " WHERE NOT EXISTS (SELECT 1 FROM rec WHERE key = ?)",
            kind.value, key, body, secrets.token_hex(4), key,
        )  # fmt: skip
        return added.lastrowid if added.rowcount else None

    def get(self, key: str) -> Record | None:
        """The record of `key`; None when there is none. A pruned input has an empty body, a pruned rest is gone."""
        found = self._file.rows("SELECT seq, kind, key, body, tag FROM rec WHERE key = ?", key)
        return Record(*found[0]) if found else None

    def after(self, seq: int, *, batch: int = 1000) -> Iterator[Record]:
        """Every record after `seq`, in order, including those added while iterating.

        Raises:
            LedgerError: some of them were pruned.
        """
        if seq < self._file.low:
            raise LedgerError(
                f"records after {seq} were asked for, those up to {self._file.low} were pruned",
                hint="start from a newer copy of the store",
            )
        while found := self._file.rows(
            "SELECT seq, kind, key, body, tag FROM rec WHERE seq > ? ORDER BY seq LIMIT ?", seq, batch
        ):
            for row in found:
                yield Record(*row)
            seq = found[-1][0]

    def last(self) -> tuple[int, str]:
        """Number and tag of the last record, also when it was pruned; (0, "") when there was never one."""
        low, low_tag = self._low()
        found = self._file.rows("SELECT seq, tag FROM rec WHERE seq > ? ORDER BY seq DESC LIMIT 1", low)
        return (found[0][0], found[0][1]) if found else (low, low_tag)

    def prune(self, upto: int, *, slice_size: int = 2000) -> None:
        """Forget records up to and including `upto`: inputs lose their body and keep their key, others go.

        Each slice is a transaction of its own, so that others get their turn; cut between two, it can go on later.

        Args:
            upto: what the oldest kept copy of the store has taken in; nothing beyond it is touched.
            slice_size: how many records one transaction handles.
        """
        while self._prune_slice(upto, slice_size):
            pass

    def _prune_slice(self, upto: int, size: int) -> bool:
        with self._file.transaction():
            low, _ = self._low()
            found = self._file.rows(
                "SELECT seq, tag FROM rec WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", low, upto, size
            )
            if not found:
                return False
            new_low, new_tag = found[-1]
            span = "seq > ? AND seq <= ?"
            self._file.write(f"DELETE FROM rec WHERE {span} AND kind <> 'in'", low, new_low)  # noqa: S608 - no input
            self._file.write(f"UPDATE rec SET body = x'' WHERE {span}", low, new_low)  # noqa: S608 - no input
            self._file.set_meta("low", new_low)
            self._file.set_meta("low_tag", new_tag)
            return len(found) == size

    def _low(self) -> tuple[int, str]:
        found: dict[str, Any] = dict(self._file.rows("SELECT name, value FROM meta WHERE name IN ('low', 'low_tag')"))
        return int(found["low"]), str(found["low_tag"])


def input_key(entry_id: str) -> str:
    """Key of an input, from the sender's id."""
    return f"in {entry_id}"


def intent_key(job: str, turn: int, statement: int, digest: str, nth: int) -> str:
    """Key of an outside call: the `nth` of this digest in one statement."""
    return f"i {job} {turn} {statement} {digest} {nth}"


def result_key(job: str, turn: int, statement: int, digest: str, nth: int) -> str:
    """Key of the result of an outside call."""
    return f"r {job} {turn} {statement} {digest} {nth}"


def model_key(job: str, turn: int) -> str:
    """Key of the answer to the model request of one turn."""
    return f"m {job} {turn}"


def said_key(job: str, n: int) -> str:
    """Key of the `n`th final result a client was told about a job."""
    return f"s {job} {n}"


def pack(data: Json) -> bytes:
    """JSON data as bytes of UTF-8. Raises TypeError or ValueError for what is not JSON data (NaN is not)."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")  # models and outside services do send lone surrogates


def unpack(body: bytes) -> Json:
    """What `pack` was given."""
    return json.loads(body.decode("utf-8", "surrogatepass"))
