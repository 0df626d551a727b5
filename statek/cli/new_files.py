"""Writing files that are not there yet: all of them or none, and none over another. For `init`, `new` and `convert`."""

from collections.abc import Mapping
from pathlib import Path

from statek.exceptions import StatekError


def write_new(folder: Path, wanted: Mapping[str, str], *, hint: str) -> None:
    """Write every file, or none: path below `folder` -> text.

    Raises:
        StatekError: one is in the way (`hint` says what to do then), or one cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise StatekError(f"{folder} is a file", hint="name a folder")
    there = [name for name in wanted if (folder / name).exists()]
    if there:
        raise StatekError(f"{', '.join(there)} in {folder} would be overwritten; nothing was written", hint=hint)
    made: list[Path] = []
    try:
        for name, text in wanted.items():
            _write(folder / name, text, made)
    except OSError as error:
        _take_away(made)
        reason = error.strerror or str(error)
        raise StatekError(f"{error.filename or folder} cannot be written: {reason}; nothing was left behind") from error


def _write(path: Path, text: str, made: list[Path]) -> None:
    for missing in reversed([parent for parent in path.parents if not parent.exists()]):
        missing.mkdir()
        made.append(missing)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        made.append(path)
        file.write(text)


def _take_away(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
