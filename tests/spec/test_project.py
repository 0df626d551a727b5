"""Finding a project and reading its settings."""

from pathlib import Path

import pytest

from statek.spec.problems import SpecProblems
from statek.spec.reading.project import load_project


def settings(folder: Path, text: str) -> Path:
    """A folder with these settings."""
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_everything_has_a_default(tmp_path):
    """An empty table is a whole project."""
    config = load_project(settings(tmp_path, "[tool.statek]\n"))
    assert (config.roots, config.default_env, config.python_path) == (
        ("agents", "warmups", "queues"),
        "dev",
        (tmp_path,),
    )


def test_the_nearest_parent_with_the_table_is_the_root(tmp_path):
    """A folder or file deep in the project finds it, past settings of others."""
    settings(tmp_path, "[tool.statek]\n")
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    settings(tmp_path / "package", "[tool.other]\n")
    assert load_project(inner / "file.md").root == tmp_path


def test_a_folder_named_agents_makes_a_project(tmp_path):
    """Without settings the folder above `agents` is the root."""
    (tmp_path / "agents").mkdir()
    assert load_project(tmp_path / "agents").root == tmp_path


def test_an_environment_that_is_not_listed_has_the_defaults(tmp_path):
    """Every environment has its own store."""
    config = load_project(settings(tmp_path, "[tool.statek.env.prod]\nstore = 'data'\n"))
    assert config.env("prod").store == tmp_path / "data"
    assert config.env("test").store == tmp_path / ".statek" / "test" / "store"


def test_no_project_says_what_was_looked_for():
    """The message names both signs of a project and the way to get one."""
    with pytest.raises(SpecProblems, match=r"pyproject.toml.*\[tool.statek\].*'agents'.*statek init"):
        load_project(Path("/"))


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("[tool]\nstatek = 3\n", "STK103", 2),
        ("[tool.statek]\nproject = 3\n", "STK103", 2),
        ("[tool.statek]\n\nproject = 'a b'\n", "STK105", 3),
        ("[tool.statek]\nroots = []\n", "STK110", 2),
        ("[tool.statek]\nexclude = [1]\n", "STK103", 2),
        ("[tool.statek]\nenv = 1\n", "STK103", 2),
        ("[tool.statek.env]\ndev = 1\n", "STK103", 2),
        ("[tool.statek.env.dev]\nstroe = 'x'\n", "STK101", 2),
        ("[tool.statek.env.dev]\nstore = 1\n", "STK103", 2),
        ("[tool.statek.env.dev]\nvars = {A = [1]}\n", "STK103", 2),
        ("[tool.statek.env.dev.reload]\nprompt = 'never'\n", "STK104", 2),
        ("[tool.statek.env.dev.reload]\ntools = 'restart'\n", "STK104", 2),
        ("[tool.statek.env.dev.reload]\nprompts = 'now'\n", "STK101", 2),
        ("[tool.statek.env.dev.models]\nfast = 1\n", "STK103", 2),
        ("[tool.statek]\nwatch = 1\n", "STK103", 2),
        ("[tool.statek\n", "STK001", 1),
    ],
)
def test_wrong_settings_have_a_place(tmp_path, text, code, line):
    """Each wrong setting is one problem at its line."""
    with pytest.raises(SpecProblems) as caught:
        load_project(settings(tmp_path, text))
    assert [(p.code, p.file, p.range.start.line) for p in caught.value.problems] == [(code, "pyproject.toml", line)]


@pytest.mark.parametrize(
    ("text", "line"),
    [("[tool.statek.env.dev.reload]\ntools = 'on-resume'\n", 2), ("[tool.statek.watch]\nsettle = '1s'\n", 1)],
)
def test_settings_that_are_not_run_yet_are_no_mistakes(tmp_path, text, line):
    """They are kept beside the settings, each at its line; those of another environment do not count."""
    config = load_project(settings(tmp_path, text))
    assert [(p.code, p.file, p.range.start.line) for p in config.later_in("dev")] == [
        ("STK100", "pyproject.toml", line)
    ]
    assert config.later_in("other") == config.later


def test_settings_that_are_not_text_have_a_place(tmp_path):
    """Bytes that are not UTF-8 are a problem, not a failure."""
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.statek]\nproject = '\xff'\n")
    with pytest.raises(SpecProblems, match="STK010"):
        load_project(tmp_path)


def test_notes_pass(tmp_path):
    """Fields that start with `x-` are nobody's business."""
    load_project(settings(tmp_path, "[tool.statek]\nx-a = 1\n[tool.statek.env.dev]\nx-b = 2\n"))
