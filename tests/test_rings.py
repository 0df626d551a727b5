"""The import contracts: kept as the package is, and broken by what each of them forbids."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
TYPING = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {}\n"
INSIDE = "def planted() -> None:\n    import {}\n"
PLAIN = "import {}\n"
PLANTED = [  # file, form and module of an import that must not be; the contract that says so
    ("base/mark.py", PLAIN, "statek.cli.main", "Rings: imports point inward only"),
    ("text/names.py", INSIDE, "statek.ledger.compiled", "Rings: imports point inward only"),
    ("runtime/ready.py", TYPING, "statek.compiler.project", "Rings: imports point inward only"),
    ("ledger/file.py", INSIDE, "statek.store.root", "Pure rings never reach dbzero, even indirectly"),
    ("spec/problems.py", PLAIN, "statek.spec.positions", "No circles, at any depth"),
    ("runtime/turn.py", INSIDE, "statek.runtime.passes", "Inside the runtime"),
    ("llm/gemini.py", PLAIN, "statek.llm.anthropic", "Inside the model ring: adapters know nothing of each other"),
    ("ledger/inbox.py", TYPING, "statek.ledger.submit", "Inside the ledger"),
    ("tools/registry.py", INSIDE, "dbzero", "dbzero: only in the store"),
    ("ledger/records.py", PLAIN, "sqlite3", "sqlite3: only in the ledger's file"),
    ("runtime/step.py", PLAIN, "RestrictedPython", "RestrictedPython: only in the sandbox"),
    ("runtime/fleet.py", PLAIN, "greenlet", "greenlet: only where model code is run"),
    ("text/view.py", INSIDE, "jinja2.filters", "jinja2: only in the templates"),
    ("llm/wire.py", TYPING, "aiohttp", "aiohttp, certifi: only where models are called"),
    ("compiler/tools.py", PLAIN, "yaml", "yaml, jsonschema, frontmatter: only in the spec ring"),
    ("worker/child.py", PLAIN, "watchfiles", "watchfiles: only in the reload"),
    ("control/status.py", PLAIN, "starlette.routing", "starlette, uvicorn: only in the worker"),
    ("worker/reports.py", INSIDE, "rich.table", "click, rich: only on the command line"),
    ("ledger/compiled.py", PLAIN, "pydantic", "pydantic: only in the settings"),
    ("worker/spawn.py", PLAIN, "statek.sandbox.guards", "Guards: reached through the runner and a job's environment"),
]


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and report of the contracts over the package in `folder`."""
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    surroundings = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=90, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> tuple[int, str]:
    """What is reported over a copy of the package in which every forbidden import is planted."""
    folder = tmp_path_factory.mktemp("rings")
    shutil.copytree(ROOT / "statek", folder / "statek", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, form, module, _ in PLANTED:
        with (folder / "statek" / file).open("a") as source:
            source.write(f"\n{form.format(module)}")
    return lint(folder)


def test_the_package_keeps_its_contracts():
    """No import of the package points where it must not."""
    code, report = lint(ROOT)
    assert code == 0, report


def test_a_broken_contract_fails_the_check(broken):
    """Planted imports do not go through."""
    assert broken[0] == 1


@pytest.mark.parametrize(("file", "form", "module", "contract"), PLANTED)
def test_a_planted_import_is_found(broken, file, form, module, contract):
    """The contract is reported as broken, and the import named beneath it: at the top, in a function, for types."""
    _, report = broken
    assert f"{contract} BROKEN" in report
    details = report.partition("Broken contracts")[2]
    importer = f"statek/{file}".removesuffix(".py").replace("/", ".")
    imported = module if module.startswith("statek.") else module.partition(".")[0]
    among_siblings = f"- .{importer.rpartition('.')[2]} -> .{imported.rpartition('.')[2]} ("
    assert f"{importer} -> {imported}" in details or among_siblings in details


def test_every_contract_has_a_planted_import(broken):
    """No contract is only believed to hold."""
    assert " KEPT" not in broken[1]
