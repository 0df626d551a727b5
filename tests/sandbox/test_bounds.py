"""A runaway program ends within its bounds and takes nothing with it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(600)
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NAMES = re.findall(r'^    "(\w+)": ', (HERE / "exhaust.py").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    """What became of each exhausting program, run in one process with bounds of 0.3 s and 256 MB."""
    done = subprocess.run(
        [sys.executable, str(HERE / "exhaust.py")],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", NAMES)
def test_runaway_ends(name: str, rows: dict[str, dict[str, Any]]) -> None:
    """It ends before 8 s, writes at most 1 MB, and no more than the bound of memory stays."""
    row = rows[name]
    assert row["seconds"] < 8
    assert row["waited"] < 55  # some sleep for a minute
    assert row["console"] <= 1_000_000
    assert row["grown"] < 600 << 20


def test_peak_memory_stays_near_the_bound(rows: dict[str, dict[str, Any]]) -> None:
    """All of them together never took more than 600 MB."""
    assert max(row["peak"] for row in rows.values()) < 700 << 20
