"""A fresh ledger in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statek.ledger.file import LedgerFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of the test lies."""
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[LedgerFile]:
    """A new, open ledger."""
    with LedgerFile.create(path) as file:
        yield file
