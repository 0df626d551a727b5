"""Marks of remote methods."""

import subprocess
import sys
from pathlib import Path

from statek.base.rpc import NoRpc

LOOK = """
from statek.rpc_integration import has_rpc, rpc
from statek.statek_client_api import StatekClientAPI
print(has_rpc(), rpc.__name__, *sorted(rpc.marked))
"""
FAKE = """
marked = set()
def remote(function):
    marked.add(function.__qualname__)
    return function
"""


def test_plain_without_the_package() -> None:
    """A method stays what it is, marked with and without arguments."""
    none = NoRpc()
    assert none.init(host="h") is None
    assert none.remote(len) is len
    assert none.remote(name="x")(len) is len


def test_marked_with_the_package(tmp_path: Path) -> None:
    """Where `db0_rpc` can be imported, its mark is on both ways to submit jobs."""
    (tmp_path / "db0_rpc.py").write_text(FAKE)
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", LOOK], env={"PYTHONPATH": f"{root}:{tmp_path}"}, cwd=tmp_path, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.stdout.startswith("True db0_rpc StatekClientAPI.submit_new_job"), found.stderr
    assert "StatekPushQueue.push_to_job_console" in found.stdout
