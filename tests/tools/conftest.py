"""A real store: enums of the store have members only while one is open."""

from collections.abc import Iterator
from pathlib import Path

import dbzero as db0
import pytest


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """The folder of a fresh, open store; closed afterwards whatever happens."""
    db0.init(str(tmp_path), prefix="t", autocommit=False)
    try:
        yield tmp_path
    finally:
        db0.close()
