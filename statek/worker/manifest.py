"""What a backup says about itself. Written by `backup`, read by `restore`; a value, no decisions."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from statek.exceptions import StoreError

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made_us: when the ledger was copied, microseconds since 1970.
        store_id: id of store and ledger.
        seq: the last record that the store has taken in, with `seq_tag`; -1 when there was no store yet.
        last: the last record of the ledger.
        files: name: its size in `bytes` and its `sha256`.
    """

    made_us: int
    store_id: str
    seq: int
    seq_tag: str
    last: int
    files: dict[str, dict[str, Any]]

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, content: bytes, where: Path) -> Self:
        """What `to_bytes` gave. Raises StoreError for anything else."""
        try:
            data = json.loads(content)
            version = data.pop("format")
            if version != FORMAT:
                raise StoreError(f"the backup {where} has format {version}, this build reads format {FORMAT}")
            return cls(**data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"the manifest of the backup {where} cannot be read", hint="use another backup") from error


def describe(file: Path) -> dict[str, Any]:
    """Size and digest of a file, as the manifest has them."""
    with file.open("rb") as handle:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(handle, "sha256").hexdigest()}
