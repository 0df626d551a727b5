"""The command line as a user runs it: a process of its own in a real folder."""

import functools
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from statek.cli.schemas import schema
from tests import commands

SOURCE = commands.REPO


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
    """Run `statek WORDS`; no error of a user ever shows a traceback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**kept, "PYTHONPATH": str(SOURCE), "COLUMNS": "200", **environment}
    done = commands.run_module("statek", words, cwd=cwd, env=env, stdin=typed)
    assert "Traceback" not in done.out + done.err
    return Ended(done.code, done.out, done.err)


@pytest.fixture
def statek(tmp_path: Path) -> Statek:
    """Run `statek` in a folder, by default the test's own."""
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


def want_later(project: Path) -> None:
    """Ask for something that this build checks, but does not run yet."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("---\n", "---\nrollout: {strategy: canary}\n", 1))


def break_agent(project: Path) -> None:
    """Misspell an input in the agent's prompt."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("{{ inputs.name }}", "{{ inputs.nmae }}"))
