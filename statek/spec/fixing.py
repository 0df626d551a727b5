"""Applies the safe fixes of problems to the files they are about: `statek validate --fix`.

One round only: fixes that overlap, and what a fix brings to light, are for the next one; the command line repeats
until nothing is left. A fix is text for text, so everything else in a file keeps every byte, line ends too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.exceptions import BugError
from statek.spec.problems import Fix, Problem
from statek.spec.reading.documents import read_documents
from statek.spec.reading.edits import apart, with_fixes
from statek.spec.reading.snapshot import SourceFile
from statek.spec.replacing import NotReplaced, replace_file


@dataclass(frozen=True, slots=True)
class Round:
    """How many problems were fixed in which files, and why other files were left as they are."""

    fixed: int
    files: frozenset[str]
    left: tuple[str, ...]


def apply_safe_fixes(root: Path, problems: Iterable[Problem], sources: Mapping[str, str]) -> Round:
    """Write the safe fixes of `problems` into the files of the project at `root`.

    Args:
        root: folder of the project.
        problems: what was found; those without a safe fix are passed over.
        sources: digest of each file as it was read; others, and files that are not this any more, stay as they are.

    Raises:
        BugError: a fix would make a file unreadable; that file is not written.
        OSError: as the disk does.
    """
    by_file: dict[str, list[Fix]] = {}
    for problem in problems:
        fix = next((fix for fix in problem.fixes if fix.safe), None)
        if fix is not None and problem.file in sources:
            by_file.setdefault(problem.file, []).append(fix)
    fixed, files, left = 0, set(), []
    for file, fixes in sorted(by_file.items()):
        try:
            fixed += _fix_file(root, file, sources[file], fixes)
        except NotReplaced as error:
            left.append(str(error))
        else:
            files.add(file)
    return Round(fixed, frozenset(files), tuple(left))


def _fix_file(root: Path, file: str, sha256: str, fixes: Sequence[Fix]) -> int:
    try:
        raw = (root / file).read_bytes()
    except FileNotFoundError as error:
        raise NotReplaced(f"{file} has gone meanwhile") from error
    old = SourceFile(file, "", raw)
    if old.sha256 != sha256:
        raise NotReplaced(f"{file} has changed meanwhile; it was left as it is: run the same again")
    chosen = apart(fixes)
    new = SourceFile(file, "", with_fixes(raw.decode(), chosen).encode())
    if read_documents([new]).broken and not read_documents([old]).broken:
        titles = "; ".join(fix.title for fix in chosen)
        raise BugError(f"{file} could not be read after these fixes, so none was made: {titles}")
    replace_file(root, file, sha256, new.raw)
    return len(chosen)
