"""A small project, and a store's folder whose ledger has a release."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.worker import places


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project without objects."""
    folder = tmp_path / "project"
    (folder / "agents").mkdir(parents=True)
    return folder


@pytest.fixture
def store(root: Path) -> Path:
    """Where the store of the project lies; the folder is there, and nothing in it."""
    folder = root / ".statek" / "dev" / "store"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def ledger(store: Path) -> Iterator[LedgerFile]:
    """The ledger of the store, with an empty release applied."""
    with LedgerFile.create(places.ledger_file(store)) as file:
        release = releases.Release(releases.release_id("dev", {}), "dev", {})
        releases.stage(file, release)
        releases.move_head(file, base=None, target=release.id, reason="apply", at_us=1)
        yield file
