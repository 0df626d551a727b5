"""Trying a release out in a process of its own."""

import time
from pathlib import Path
from typing import Any

import pytest

from statek.compiler.project import compile_project
from statek.exceptions import LedgerError
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.worker.preparation import prepare_in_subprocess

AGENT = """---
description: Says hello.
model: m
tools: [box/f]
limits: {turns: 1}
---
Say hello. {{ tools }}
"""
OBJECTS = """apiVersion: statek/v1
kind: ToolSet
metadata: {name: box}
spec: {tools: [{python: "acme:f", effect: read}]}
---
apiVersion: statek/v1
kind: Model
metadata: {name: m}
spec: {provider: p, id: s}
---
apiVersion: statek/v1
kind: Provider
metadata: {name: p}
spec: {driver: scripted}
---
apiVersion: statek/v1
kind: Script
metadata: {name: s}
spec: {rules: [{reply: {text: hello}}]}
"""


def stage(root: Path, ledger: LedgerFile, model: str = "m") -> str:
    """Stage the project with one agent and one tool, `acme:f`; returns the release's id."""
    (root / "agents" / "hello.md").write_text(AGENT.replace("model: m", f"model: {model}"))
    (root / "agents" / "rest.yaml").write_text(OBJECTS)
    (root / "acme.py").write_text("def f() -> int:\n    'One.'\n    return 1\n")
    compiled = compile_project(root)
    assert compiled.ok, compiled.problems
    objects = {
        f"{item.kind}/{item.name}": releases.StoredObject(
            item.kind, item.name, item.revision, item.text, item.file, item.line, "t"
        )
        for item in compiled.objects
    }
    release = releases.Release(releases.release_id("dev", objects), "dev", objects)
    releases.stage(ledger, release)
    return release.id


def prepare(root: Path, ledger: LedgerFile, release: str, timeout: float = 30.0) -> list[dict[str, Any]]:
    """Prepare it."""
    return prepare_in_subprocess(root, [root], ledger.path, release, timeout)


def test_a_good_release_has_no_problems(root: Path, ledger: LedgerFile) -> None:
    """Tools are found on the python path, prompts render: nothing is wrong."""
    assert prepare(root, ledger, stage(root, ledger)) == []


def test_a_built_in_provider_needs_its_key(root: Path, ledger: LedgerFile) -> None:
    """A Model of a provider without a document asks for that provider's key."""
    stage(root, ledger)
    (root / "agents" / "more.yaml").write_text(
        "apiVersion: statek/v1\nkind: Model\nmetadata: {name: far}\nspec: {provider: sambanova, id: x}\n"
    )
    release = stage(root, ledger, model="far")
    (problem,) = prepare(root, ledger, release)
    assert "SAMBANOVA_API_KEY" in problem["message"]


def test_a_module_that_fails_at_import_is_a_problem(root: Path, ledger: LedgerFile) -> None:
    """What only importing tells refuses the release, with the agent's name."""
    release = stage(root, ledger)
    (root / "acme.py").write_text("print('noise')\n1 / 0\ndef f(): ...\n")
    (problem,) = prepare(root, ledger, release)
    assert problem["object"] == "Agent/hello"
    assert "division by zero" in problem["message"]


def test_a_module_that_ends_the_process_is_a_problem(root: Path, ledger: LedgerFile) -> None:
    """Importing may do anything; here it costs a process that nobody needs."""
    release = stage(root, ledger)
    (root / "acme.py").write_text("import os\nos._exit(5)\n")
    (problem,) = prepare(root, ledger, release)
    assert "exit code 5" in problem["message"]


def test_a_module_that_waits_is_a_problem(root: Path, ledger: LedgerFile) -> None:
    """Nobody waits longer than they said."""
    release = stage(root, ledger)
    (root / "acme.py").write_text("import time\ntime.sleep(60)\n")
    began = time.monotonic()
    (problem,) = prepare(root, ledger, release, timeout=3.0)
    assert "within 3 s" in problem["message"]
    assert time.monotonic() - began < 55


def test_an_unknown_release_is_an_error(root: Path, ledger: LedgerFile) -> None:
    """Preparing what was never staged is the caller's mistake, not a problem of a release."""
    with pytest.raises(LedgerError, match="no release"):
        prepare(root, ledger, "r-000000000000")
