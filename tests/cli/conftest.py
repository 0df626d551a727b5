"""The command line as a user runs it: a process of its own in a real folder."""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from statek.cli.schemas import schema

SOURCE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def document(self, kind: str) -> dict[str, Any]:
        """The one JSON document on stdout, which follows its schema."""
        found: dict[str, Any] = json.loads(self.out)
        jsonschema.validate(found, schema(kind))
        return found


Statek = Callable[..., Ended]


def run_statek(*words: str, cwd: Path, typed: str = "", **environment: str) -> Ended:
    """Run `python -m statek`; no error of a user ever shows a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "statek", *words], cwd=cwd, input=typed, capture_output=True, text=True, timeout=50,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "200", **environment}, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def statek(tmp_path: Path) -> Statek:
    """Run `python -m statek` in a folder, by default the test's own."""
    return functools.partial(run_statek, cwd=tmp_path)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two projects as `statek init` writes them: `new`, and `applied`; never changed."""
    top = tmp_path_factory.mktemp("projects")
    for name in ("new", "applied"):
        assert run_statek("init", name, cwd=top).code == 0
    assert run_statek("apply", ".", cwd=top / "applied").code == 0
    return top


@pytest.fixture
def project(made_once: Path, tmp_path: Path) -> Path:
    """The root of a project that `statek init` wrote."""
    return shutil.copytree(made_once / "new", tmp_path / "desk")


@pytest.fixture
def applied(made_once: Path, tmp_path: Path) -> Path:
    """The root of a project that is applied; no worker runs."""
    return shutil.copytree(made_once / "applied", tmp_path / "desk")


def break_agent(project: Path) -> None:
    """Misspell an input in the agent's prompt."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("{{ inputs.name }}", "{{ inputs.nmae }}"))
