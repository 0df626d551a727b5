"""`statek init`: a small working project. Writes new files only, all of them or none."""

import re
from collections.abc import Mapping
from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.sample import FILES, OPTIONAL, PROJECT_FILE
from statek.cli.screen import Screen
from statek.exceptions import StatekError


@click.command(name="init")
@click.argument("folder", metavar="[DIR]", default=Path(), type=click.Path(path_type=Path))
@options.output()
@click.pass_obj
def command(screen: Screen, folder: Path) -> int:
    """Write a small working project into DIR (default: this folder).

    It runs offline. No file that exists is changed; if one is in the way, nothing is written.
    """
    return run(screen, folder)


def run(screen: Screen, folder: Path) -> int:
    """Write the files. Raises StatekError when one is in the way or the folder cannot be written."""
    wanted = {name: text for name, text in FILES.items() if name not in OPTIONAL or not (folder / name).exists()}
    wanted = {name: text.replace("{project}", _project_name(folder)) if name == PROJECT_FILE else text
              for name, text in wanted.items()}  # fmt: skip
    _require_free(folder, wanted)
    _write_all(folder, wanted)
    left = [name for name in OPTIONAL if name not in wanted]
    if screen.json:
        screen.document("Project", {"root": str(folder.resolve()), "files": sorted(wanted), "left": left})
        return Exit.OK
    for name in sorted(wanted):
        screen.line(str(folder / name))
    for name in left:
        screen.note(f"{folder / name} was there and is left as it is")
    here = "." if folder.resolve() == Path.cwd() else str(folder)
    enter = "" if here == "." else f"cd {here} && "
    screen.note(f"next: {enter}statek apply . && statek submit greeter name=Ada && statek work --until-idle")
    return Exit.OK


def _project_name(folder: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_0123456789")[:60]
    return name or "project"


def _require_free(folder: Path, wanted: Mapping[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise StatekError(f"{folder} is a file", hint="name a folder")
    there = [name for name in wanted if (folder / name).exists()]
    if there:
        raise StatekError(
            f"{', '.join(there)} in {folder} would be overwritten; nothing was written",
            hint="choose a new folder: statek init DIR",
        )


def _write_all(folder: Path, wanted: Mapping[str, str]) -> None:
    """Write every file, or take away again what was written."""
    made: list[Path] = []
    try:
        for name, text in wanted.items():
            path = folder / name
            for missing in reversed([parent for parent in path.parents if not parent.exists()]):
                missing.mkdir()
                made.append(missing)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                made.append(path)
                file.write(text)
    except OSError as error:
        _take_away(made)
        reason = error.strerror or str(error)
        raise StatekError(f"{error.filename or folder} cannot be written: {reason}; nothing was left behind") from error


def _take_away(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
