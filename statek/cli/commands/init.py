"""`statek init`: a small working project. Writes new files only, all of them or none."""

import re
from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.new_files import write_new
from statek.cli.sample import FILES, OPTIONAL, PROJECT_FILE
from statek.cli.screen import Screen


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
    write_new(folder, wanted, hint="choose a new folder: statek init DIR")
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
