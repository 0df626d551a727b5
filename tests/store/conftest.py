"""A real store in a folder of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import dbzero as db0
import pytest


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """The folder of a fresh, open store with the prefix "t"; closed afterwards whatever happens."""
    db0.init(str(tmp_path), prefix="t", autocommit=False)
    try:
        yield tmp_path
    finally:
        db0.close()
