"""Which files of a project are read: those below its roots, and its Evals. Opens none of them.

What cannot be read, or must not be, is a problem; the rest is listed with what the disk says of it. Links within a
root are followed, links out of it never.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from statek.spec.globs import path_pattern
from statek.spec.problems import Problem, make_problem, span
from statek.spec.reading.known_files import Identity, identity_of
from statek.spec.reading.project import FILE, ProjectConfig

MAX_BYTES = 1_000_000
ENDINGS = (".md", ".yaml", ".py")
RENAMES = {".yml": ".yaml", ".markdown": ".md", ".mdx": ".md"}
_LOOKED_AT = (*ENDINGS, *RENAMES)
EVALS = "tests"  # the folder of Evals, beside the roots
_START = span(1, 1)

Entry = tuple[str, str, str, Identity]  # path and root as a SourceFile has them, the real path, what the disk says
Folders = Mapping[tuple[str, str], Mapping[str, Entry]]  # by root and real path -> its plain files by name


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries by path, and what is wrong; `folders` and `exclude` are for the next listing."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    folders: Folders
    exclude: tuple[str, ...]


def is_eval_file(path: str) -> bool:
    """Whether Evals are read from the file at `path`, relative to the project."""
    folder, _, name = path.partition("/")
    return folder == EVALS and "/" not in name and name.endswith(".eval.yaml")


def list_files(config: ProjectConfig, last: Listing | None = None) -> Listing:
    """All files that are there; those that are as they were in the `last` listing are the same entries."""
    walker = _Walker(config, last.folders if last is not None and last.exclude == config.exclude else {})
    by_default = config.roots_place is None  # then one may be absent, but not be there and unreadable
    present = [root for root in config.roots if _is_there(config.root / root, by_default=by_default)]
    for root in config.roots:
        if root in present:
            walker.walk(root)
        elif config.roots_place is not None or not present:
            walker.missing_root(root, alone=config.roots_place is None)
        if not present and config.roots_place is None:
            break
    walker.evals()
    entries = tuple(sorted(walker.entries, key=itemgetter(0)))
    return Listing(entries, tuple(walker.problems), walker.folders, config.exclude)


def _is_there(folder: Path, *, by_default: bool) -> bool:
    """A link that leads nowhere is no absent folder: taken for one, all its objects would be taken for deleted."""
    return os.path.lexists(folder) if by_default else folder.is_dir()


class _Walker:
    """Lists files under the roots."""

    def __init__(self, config: ProjectConfig, known: Folders) -> None:
        self.config, self.known = config, known
        self.folders: dict[tuple[str, str], Mapping[str, Entry]] = {}
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self.excluded = [path_pattern(pattern) for pattern in config.exclude]

    def report(self, code: str, message: str, path: str) -> None:
        where = self.config.roots_place if path == FILE else None
        self.problems.append(make_problem(code, message, path, where or _START))

    def missing_root(self, root: str, *, alone: bool) -> None:
        if alone:
            names = ", ".join(self.config.roots)
            message = f"none of the folders {names} exists in the project; 'statek init' writes them"
            self.report("STK021", message, FILE)
        else:
            message = f"root '{root}' of [tool.statek] is not a folder of the project; create or remove it"
            self.report("STK021", message, FILE)

    def walk(self, root: str) -> None:
        top = self.config.root / root
        project = os.path.realpath(self.config.root)
        real = os.path.realpath(top)
        if not _inside(real, project):
            self.report("STK011", f"root '{root}' leaves the project{leads_to(top)}", FILE)
            return
        folders = [(real, root.strip("/"))]
        while folders:
            folder, prefix = folders.pop()
            known, plain = self.known.get((root, folder), {}), dict[str, Entry]()
            for one in self.inside(folder, prefix):
                entry = known.get(one.name)
                if entry is None or not _is_still(one, entry):
                    entry, path = None, f"{prefix}/{one.name}"
                    if one.name.startswith("."):
                        continue
                    if not _is_folder(one):
                        entry = self.file(one, path, root, real)
                    elif self.enters(one, path):
                        folders.append((one.path, path))
                if entry is not None:
                    self.entries.append(entry)
                    if entry[2] == one.path:  # no link: what it leads to may be another file by now
                        plain[one.name] = entry
            self.folders[root, folder] = plain

    def inside(self, folder: str, path: str) -> "list[os.DirEntry[str]]":
        try:
            with os.scandir(folder) as found:
                return list(found)
        except OSError as error:
            self.report("STK021", f"folder cannot be read: {error.strerror}", path)
            return []

    def enters(self, folder: "os.DirEntry[str]", path: str) -> bool:
        name = folder.name
        if name == "__pycache__" or self.is_excluded(path):
            return False
        if folder.is_symlink():
            where = leads_to(Path(folder.path))
            message = f"folder is a link{where}; links to folders are not followed, copy what it holds"
            self.report("STK011", message, path)
            return False
        if name.endswith(ENDINGS):
            self.report("STK009", "a folder has the name of a file that is read; rename it", path)
            return False
        return True

    def is_excluded(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in self.excluded)

    def file(self, file: "os.DirEntry[str]", path: str, root: str, real: str) -> Entry | None:
        """A file whose folder is a real path."""
        name, target = file.name, file.path
        if not name.endswith(_LOOKED_AT) or name == "README.md" or (self.excluded and self.is_excluded(path)):
            return None
        if not name.endswith(ENDINGS):
            stem, _, ending = name.rpartition(".")
            self.report("STK014", f"'.{ending}' files are not read; rename it to '{stem}{RENAMES[f'.{ending}']}'", path)
            return None
        try:
            if file.is_symlink():
                target = _real(target)
                if not _inside(target, real):
                    message = f"the file is a link that leaves its root, '{root}'{leads_to(Path(file.path))}; copy it"
                    self.report("STK011", message, path)
                    return None
            found = file.stat(follow_symlinks=False) if target is file.path else os.lstat(target)
        except OSError as error:
            self.report("STK021", f"file cannot be read: {error.strerror}", path)
            return None
        if not stat.S_ISREG(found.st_mode):
            self.report("STK009", "not a regular file (a pipe, a socket, a device or a broken link)", path)
        elif found.st_size > MAX_BYTES:
            self.report("STK009", f"file has {found.st_size} bytes, more than the {MAX_BYTES} allowed", path)
        else:
            return (path, root, target, identity_of(found))
        return None

    def evals(self) -> None:
        """Those of the folder itself; what else lies there, or deeper, is none of ours."""
        folder = self.config.root / EVALS
        if EVALS in (root.strip("/") for root in self.config.roots) or not (folder.is_dir() or folder.is_symlink()):
            return
        real, project = os.path.realpath(folder), os.path.realpath(self.config.root)
        if not _inside(real, project):
            self.report("STK011", f"the folder leaves the project{leads_to(folder)}; copy what it holds", EVALS)
            return
        for one in self.inside(real, EVALS):
            if one.name.endswith((".eval.yaml", ".eval.yml")) and not one.name.startswith("."):
                entry = self.file(one, f"{EVALS}/{one.name}", EVALS, real)
                self.entries.extend([entry] if entry is not None else [])


def _is_still(one: "os.DirEntry[str]", entry: Entry) -> bool:
    try:
        return identity_of(one.stat(follow_symlinks=False)) == entry[3]
    except OSError:  # told of when it is looked at
        return False


def _is_folder(one: "os.DirEntry[str]") -> bool:
    """Also a link to one."""
    try:
        return one.is_dir()
    except OSError:  # a link round in a circle: told of when it is looked at
        return False


def _real(link: str) -> str:
    """Where a link leads to; the link itself when it is another thing by now, which whoever opens it will find."""
    try:
        return os.path.realpath(link)
    except OSError:
        return link


def leads_to(path: Path) -> str:
    """The end of a message about a link: the text that is in it, which is the same in every checkout."""
    try:
        return f": it leads to '{path.readlink()}'"
    except OSError:  # no link itself, but below one, or another thing by now
        return ""


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
