"""Records: what happened, in order. The store is a checkpoint of them.

It stores and numbers, never interprets a body. The worker alone puts, inside the transaction of its pass; a restart
reads everything after what the store has taken in. The one idea: a key is written once. Putting a key that is there
does nothing and says so, which is how a repeated input, answer or call result is recognised, even years later.
"""

import json
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statek.exceptions import LedgerError
from statek.ledger.compiled import Json
from statek.ledger.file import LedgerFile

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_tags = random.Random(secrets.randbits(128))  # noqa: S311 - to tell pasts apart, not to keep a secret


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
            kind.value, key, body, f"{_tags.getrandbits(32):08x}", key,
        )  # fmt: skip
        return added.lastrowid if added.rowcount else None

    def get(self, key: str) -> Record | None:
        """The record of `key`; None when there is none. A pruned input has an empty body (see `pruning`)."""
        found = self._file.rows("SELECT seq, kind, key, body, tag FROM rec WHERE key = ?", key)
        return Record(*found[0]) if found else None

    def beginning(self, start: str) -> list[Record]:
        """The records whose key begins with `start` (ASCII at its end), in the order of their keys."""
        end = start[:-1] + chr(ord(start[-1]) + 1)
        found = self._file.rows(
            "SELECT seq, kind, key, body, tag FROM rec WHERE key >= ? AND key < ? ORDER BY key", start, end
        )
        return [Record(*row) for row in found]

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


def model_key(job: str, turn: int, reopened: int = 0) -> str:
    """Key of the answer to the model request of one turn, of a job that was brought back to work so many times."""
    return f"m {job} {turn}.{reopened}" if reopened else f"m {job} {turn}"


def said_key(job: str, n: int) -> str:
    """Key of the `n`th final result a client was told about a job."""
    return f"s {job} {n}"


def pack(data: Json) -> bytes:
    """JSON data as bytes of UTF-8. Raises TypeError or ValueError for what is not JSON data (NaN is not)."""
    return _encode(data).encode("utf-8", "surrogatepass")  # models and outside services do send lone surrogates


def unpack(body: bytes) -> Json:
    """What `pack` was given."""
    return json.loads(body.decode("utf-8", "surrogatepass"))
