"""`statek init` writes a project that works, or nothing."""

from pathlib import Path

from statek.cli.sample import FILES
from tests.cli.conftest import Statek


def files(folder: Path) -> set[str]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_project_is_valid(statek: Statek, project: Path) -> None:
    """Without a single warning."""
    assert statek("validate", "--strict", cwd=project).code == 0


def test_it_writes_into_a_new_folder(statek: Statek, tmp_path: Path) -> None:
    """All files, listed in the document."""
    done = statek("init", "a/b", "-o", "json").document("Project")

    assert files(tmp_path / "a/b") == set(FILES) == set(done["files"])


def test_an_existing_file_is_never_overwritten(statek: Statek, tmp_path: Path) -> None:
    """One in the way: nothing is written at all."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/greeter.md").write_text("mine")

    done = statek("init")

    assert done.code == 1
    assert "agents/greeter.md" in done.err
    assert files(tmp_path) == {"agents/greeter.md"}


def test_existing_settings_are_left_alone(statek: Statek, tmp_path: Path) -> None:
    """A pyproject.toml of the user stays as it is, and the project is valid."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'mine'\n")

    assert statek("init").code == 0
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\nname = 'mine'\n"
    assert statek("validate").code == 0


def test_what_was_begun_is_taken_away_again(statek: Statek, tmp_path: Path) -> None:
    """When a file cannot be written, none is left behind."""
    (tmp_path / "queues").write_text("a file where a folder must be")

    done = statek("init")

    assert done.code == 1
    assert files(tmp_path) == {"queues"}
    assert not (tmp_path / "agents").exists()
