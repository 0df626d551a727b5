"""The table of verbs and the error boundary."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from statek.cli import main
from statek.cli.schemas import schema_files
from tests.cli.conftest import SOURCE, Statek


@pytest.mark.parametrize("verb", main.VERBS)
def test_every_row_of_the_table_is_a_command(verb: str) -> None:
    """Its module can be imported and offers `command` under that name."""
    command = importlib.import_module(main.VERBS[verb][0]).command

    assert isinstance(command, click.Command)
    assert command.name == verb


@pytest.mark.parametrize("verb", main.VERBS)
def test_every_verb_speaks_json(verb: str) -> None:
    """`-o json` is there on each of them, and on each part of one that has parts."""
    command = importlib.import_module(main.VERBS[verb][0]).command
    parts = command.commands.values() if isinstance(command, click.Group) else [command]
    outputs = [next(option for option in part.params if "--output" in option.opts) for part in parts]

    assert outputs
    assert all(isinstance(output.type, click.Choice) and "json" in output.type.choices for output in outputs)


def test_validate_needs_no_store_network_or_settings(project: Path) -> None:
    """It imports neither dbzero nor aiohttp nor pydantic-settings, nor what only mistakes or objects need."""
    code = (
        "import sys; from statek.cli.main import main; assert main(['validate']) == 0;"
        "print({'dbzero', 'aiohttp', 'pydantic_settings', 'pydantic', 'jinja2', 'rich', 'jsonschema', 'difflib',"
        " 'logging', 'sqlite3', 'zoneinfo', 'statek.ledger.compiled'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True, timeout=90,
        env={"PYTHONPATH": str(SOURCE)},
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "set()"


def test_help_lists_every_verb(statek: Statek) -> None:
    """Without importing any of them."""
    done = statek("--help")

    assert done.code == 0
    assert all(f"\n  {verb} " in done.out for verb in main.VERBS)


def test_an_unknown_verb_is_wrong_usage(statek: Statek) -> None:
    """The nearest verb is named."""
    done = statek("aply")

    assert (done.code, done.out) == (2, "")
    assert "did you mean 'apply'?" in done.err


def test_a_bad_environment_name_is_wrong_usage(statek: Statek, project: Path) -> None:
    """It could lead out of the project's folder."""
    assert statek("history", "--env", "../x", cwd=project).code == 2


def test_no_project_is_one_message_that_says_what_to_do(statek: Statek) -> None:
    """Exit code 1, and `statek init` in the message."""
    done = statek("history")

    assert done.code == 1
    assert "'statek init'" in done.err


def test_an_error_is_a_document_too(statek: Statek, project: Path) -> None:
    """With -o json stdout has code, message, hint and the exit code."""
    done = statek("submit", "greeter", "name=Ada", "-o", "json", cwd=project)

    assert done.document("Error")["exitCode"] == done.code == 1
    assert done.document("Error")["error"]["code"] == "NotApplied"


def test_a_ledger_of_a_newer_format_is_refused(statek: Statek, applied: Path) -> None:
    """Exit code 9, and what to install."""
    ledger = applied / ".statek/dev/store/ledger.sqlite"
    code = f"import sqlite3; sqlite3.connect({str(ledger)!r}).execute('PRAGMA user_version = 99')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=90)

    done = statek("history", cwd=applied)

    assert done.code == 9
    assert "install the version" in done.err


def test_output_that_cannot_be_written_is_no_bug(project: Path) -> None:
    """A full disk behind stdout is one message and exit code 9."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "statek", "validate", "-o", "json"], cwd=project, stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=90, env={"PYTHONPATH": str(SOURCE)}, check=False,
        )  # fmt: skip

    assert done.returncode == 9
    assert done.stderr.startswith("error: No space left on device")


def test_a_bug_is_one_line_and_a_file(tmp_path: Path) -> None:
    """Exit code 70; the traceback is where the message says."""
    code = (
        "import sys; from statek.cli import main; main.VERBS['boom'] = ('no.such.module', '');"
        "sys.exit(main.main(['boom']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=False,
        env={"PYTHONPATH": str(SOURCE), "TMPDIR": str(tmp_path)},
    )  # fmt: skip

    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "ModuleNotFoundError" in next(tmp_path.glob("statek-bug-*.txt")).read_text()


def test_the_schemas_on_disk_are_the_ones_of_the_code() -> None:
    """`schemas/cli` is generated, each file as it would be written now."""
    found = {path.name: path.read_text() for path in (SOURCE / "schemas/cli").glob("*.json")}

    assert found == schema_files()


def test_every_printed_kind_has_a_schema() -> None:
    """Whatever a command names as the kind of its document."""
    texts = [path.read_text() for path in (SOURCE / "statek/cli").rglob("*.py")]
    named = {f"{kind.lower()}.schema.json" for text in texts for kind in re.findall(r'document\(\s*"(\w+)"', text)}

    assert len(named) > 5
    assert named <= set(schema_files())
