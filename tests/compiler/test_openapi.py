"""OpenAPI files of a project."""

import os
from pathlib import Path

import pytest

from statek.compiler.openapi import check_openapi
from tests.spec.declared import declared, document

FILE = "paths:\n  /a:\n    get: {operationId: scoreOrder}\n"


def problems_of(root: Path, spec: str, include: str = ""):
    """Code and message of what is wrong with a tool set that takes this file."""
    (root / "api.yaml").write_text(FILE)
    text = document("ToolSet", f"{{tools: [{{openapi: {{spec: '{spec}'{include}}}}}]}}")
    return [(problem.code, problem.message) for problem in check_openapi(declared({"agents/t.yaml": text}), root)]


@pytest.mark.parametrize("spec", ["api.yaml", "./api.yaml", "${var:REGION}.yaml"])
def test_a_file_of_the_project_is_good(tmp_path, spec):
    """One whose name is not known yet is not judged."""
    assert problems_of(tmp_path, spec, ", include: [scoreOrder]" if "$" not in spec else "") == []


@pytest.mark.parametrize(
    ("spec", "code", "hint"),
    [
        ("apis.yaml", "STK205", "did you mean 'api.yaml'?"),
        ("nowhere/api.yaml", "STK205", "looked for"),
        ("../api.yaml", "STK204", "leaves the project"),
        ("/etc/passwd", "STK204", "leaves the project"),
        ("a/../../api.yaml", "STK204", "leaves the project"),
        ("https://x.test/api.yaml", "STK105", "download it"),
        ("folder", "STK009", "no regular file"),
        ("pipe", "STK009", "no regular file"),
        ("link.yaml", "STK011", "is a link that leaves the project"),
        ("broken.json", "STK001", "no JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_once(tmp_path, spec, code, hint):
    """Nothing outside of the project is opened, nothing waits for a pipe."""
    root = tmp_path / "project"
    (root / "folder").mkdir(parents=True)
    os.mkfifo(root / "pipe")
    (tmp_path / "api.yaml").write_text(FILE)
    (root / "link.yaml").symlink_to(tmp_path / "api.yaml")
    (root / "broken.json").write_text("{")
    ((found, message),) = problems_of(root, spec, ", include: [other]")
    assert found == code
    assert hint in message


def test_an_operation_that_is_not_there_names_the_nearest(tmp_path):
    """Each once."""
    ((code, message),) = problems_of(tmp_path, "api.yaml", ", include: [scoreOrder, scoreOder]")
    assert code == "STK504"
    assert "did you mean 'scoreOrder'?" in message
