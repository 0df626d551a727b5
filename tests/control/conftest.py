"""A small project on disk and a fresh ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statek.ledger.file import LedgerFile

FILES = {
    "pyproject.toml": '[tool.statek]\nproject = "shop"\n',
    "agents/triage.md": "---\ndescription: Reads a ticket.\nmodel: fast\ninputs:\n  ticket: {type: string}\n---\n"
    "Sort {{ inputs.ticket }}.\n",
    "agents/models.yaml": "apiVersion: statek/v1\nkind: Provider\nmetadata: {name: script}\n"
    "spec: {driver: scripted}\n---\napiVersion: statek/v1\nkind: Model\nmetadata: {name: fast}\n"
    "spec: {provider: script, id: answers}\n---\napiVersion: statek/v1\nkind: Script\nmetadata: {name: answers}\n"
    "spec: {rules: [{reply: {code: exit(1)}}]}\n",
    "queues/support.yaml": "apiVersion: statek/v1\nkind: Queue\nmetadata: {name: support}\n"
    "spec: {agent: triage, deliver_as: ticket}\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The root of a project with an agent, a model and a queue."""
    root = tmp_path / "shop"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerFile]:
    """A new, open ledger."""
    with LedgerFile.create(tmp_path / "store" / "ledger.sqlite") as file:
        yield file
