"""What a compilation was made from is all named in it."""

import hashlib
import shutil
from pathlib import Path

from statek.compiler.project import compile_project

EXAMPLE = Path(__file__).parents[1] / "examples" / "valid" / "language-3"


def test_every_file_that_was_read_has_its_digest(tmp_path):
    """Settings, specs, prompts, warmups, Evals, modules of tools and OpenAPI files alike."""
    root = shutil.copytree(EXAMPLE, tmp_path / "desk", ignore=shutil.ignore_patterns("later.txt", "__pycache__"))
    found = compile_project(root).sources
    read = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    assert set(found) == set(read) - {"pay/__init__.py"}  # which nobody looks into
    assert all(
        hashlib.sha256(path.read_bytes()).hexdigest() == found[name] for name, path in read.items() if name in found
    )


def test_modules_of_installed_packages_are_none_of_them(tmp_path):
    """They belong to the environment, not to the project."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "a.md").write_text("---\ndescription: One.\nmodel: openai/gpt-5-mini\n---\nHello.\n")
    (tmp_path / "agents" / "t.yaml").write_text(
        "apiVersion: statek/v1\nkind: ToolSet\nmetadata: {name: t}\nspec: {tools: [{python: 'json:dumps'}]}\n"
    )
    assert set(compile_project(tmp_path).sources) == {"agents/a.md", "agents/t.yaml"}
