"""A consistent set of the project's files: list, read, list again. Refuses what is no plain text file of the project.

Files are opened relative to an open folder and never through a link that leaves its root, so what was checked is what
is read. Nothing is parsed here; `documents` does that. Called once per compilation.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from statek.spec.globs import path_pattern
from statek.spec.problems import Problem, make_problem, span
from statek.spec.reading.project import FILE, ProjectConfig

MAX_BYTES = 1_000_000
TRIES = 5
ENDINGS = (".md", ".yaml", ".py")
RENAMES = {".yml": ".yaml", ".markdown": ".md", ".mdx": ".md"}
EVALS = "tests"  # the folder of Evals, beside the roots
_START = span(1, 1)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes of one file; `path` is relative to the project, with slashes; `root` is the root it lies under."""

    path: str
    root: str
    raw: bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All files of one moment, sorted by path, and what could not be read."""

    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    root: str
    real: str
    identity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Listing:
    entries: tuple[_Entry, ...]
    problems: tuple[Problem, ...]

    @property
    def identity(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return tuple((entry.path, entry.identity) for entry in self.entries)


def is_eval_file(path: str) -> bool:
    """Whether Evals are read from the file at `path`, relative to the project."""
    folder, _, name = path.partition("/")
    return folder == EVALS and "/" not in name and name.endswith(".eval.yaml")


class _Changed(Exception):  # noqa: N818 - no error, the reading starts anew
    """A file is not the one that was listed."""


def take_snapshot(config: ProjectConfig) -> Snapshot:
    """Read every file of the roots as of one moment. Never raises for what is on the disk: see `problems`."""
    for _ in range(TRIES):
        before = _list(config)
        try:
            snapshot = _read_all(before)
        except _Changed:
            continue
        if _list(config).identity == before.identity:
            return snapshot
    message = f"files keep changing while they are read ({TRIES} tries); try again when they are at rest"
    return Snapshot((), (make_problem("STK020", message, config.roots[0], _START),))


def _list(config: ProjectConfig) -> _Listing:
    walker = _Walker(config)
    entries: list[_Entry] = []
    by_default = config.roots_place is None  # then one may be absent, but not be there and unreadable
    present = [root for root in config.roots if _is_there(config.root / root, by_default=by_default)]
    for root in config.roots:
        if root in present:
            entries.extend(walker.walk(root))
        elif config.roots_place is not None or not present:
            walker.missing_root(root, alone=config.roots_place is None)
        if not present and config.roots_place is None:
            break
    entries.extend(walker.evals())
    return _Listing(tuple(sorted(entries, key=lambda entry: entry.path)), tuple(walker.problems))


def _is_there(folder: Path, *, by_default: bool) -> bool:
    """A link that leads nowhere is no absent folder: taken for one, all its objects would be taken for deleted."""
    return os.path.lexists(folder) if by_default else folder.is_dir()


class _Walker:
    """Lists files under the roots."""

    def __init__(self, config: ProjectConfig) -> None:
        self.config = config
        self.problems: list[Problem] = []
        self.excluded = [path_pattern(pattern) for pattern in config.exclude]

    def report(self, code: str, message: str, path: str) -> None:
        where = self.config.roots_place if path == FILE else None
        self.problems.append(make_problem(code, message, path, where or _START))

    def missing_root(self, root: str, *, alone: bool) -> None:
        if alone:
            names = ", ".join(self.config.roots)
            message = f"none of the folders {names} exists in {self.config.root}; 'statek init' writes them"
            self.report("STK021", message, FILE)
        else:
            message = f"root '{root}' of [tool.statek] is not a folder in {self.config.root}; create or remove it"
            self.report("STK021", message, FILE)

    def walk(self, root: str) -> Iterator[_Entry]:
        top = self.config.root / root
        project = os.path.realpath(self.config.root)
        real = os.path.realpath(top)
        if not _inside(real, project):
            self.report("STK011", f"root '{root}' leaves the project: it is {real}, outside {project}", FILE)
            return
        failed: list[OSError] = []
        for folder, folders, files in os.walk(real, onerror=failed.append):
            relative = os.path.relpath(folder, real)
            prefix = root.strip("/") if relative == "." else f"{root.strip('/')}/{Path(relative).as_posix()}"
            folders[:] = sorted(name for name in folders if self.enters(Path(folder, name), prefix, real))
            for name in sorted(files):
                entry = self.entry(f"{folder}{os.sep}{name}", f"{prefix}/{name}", root, real)
                if entry is not None:
                    yield entry
        for error in failed:
            self.report("STK021", f"folder cannot be read: {error}", self.relative(str(error.filename)))

    def relative(self, path: str) -> str:
        return Path(os.path.relpath(path, self.config.root)).as_posix()

    def enters(self, full: Path, prefix: str, real: str) -> bool:
        name = full.name
        path = f"{prefix}/{name}"
        if name.startswith(".") or name == "__pycache__" or self.is_excluded(path):
            return False
        if full.is_symlink():
            target = _real(str(full))
            message = f"folder is a link to {target}; links to folders are not followed (the root is {real})"
            self.report("STK011", message, path)
            return False
        if name.endswith(ENDINGS):
            self.report("STK009", "a folder has the name of a file that is read; rename it", path)
            return False
        return True

    def is_excluded(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in self.excluded)

    def entry(self, full: str, path: str, root: str, real: str) -> _Entry | None:
        """The file at `full`, whose folder is a real path."""
        name = path.rpartition("/")[2]
        stem, dot, last = name.rpartition(".")
        ending = dot + last
        if name.startswith(".") or name == "README.md" or self.is_excluded(path):
            return None
        if ending in RENAMES:
            self.report("STK014", f"'{ending}' files are not read; rename it to '{stem}{RENAMES[ending]}'", path)
            return None
        if ending not in ENDINGS:
            return None
        try:
            is_link = stat.S_ISLNK(os.lstat(full).st_mode)
        except OSError as error:
            self.report("STK021", f"file cannot be read: {error.strerror}", path)
            return None
        target = _real(full) if is_link else full
        if not _inside(target, real):
            self.report("STK011", f"the file is a link that leaves its root: it is {target}, the root is {real}", path)
            return None
        return self.checked(path, root, target)

    def checked(self, path: str, root: str, target: str) -> _Entry | None:
        try:
            found = os.lstat(target)
        except OSError as error:
            self.report("STK021", f"file cannot be read: {error.strerror}", path)
            return None
        if not stat.S_ISREG(found.st_mode):
            self.report("STK009", "not a regular file (a pipe, a socket, a device or a broken link)", path)
            return None
        if found.st_size > MAX_BYTES:
            self.report("STK009", f"file has {found.st_size} bytes, more than the {MAX_BYTES} allowed", path)
            return None
        return _Entry(path, root, target, _identity(found))

    def evals(self) -> Iterator[_Entry]:
        """Those of the folder itself; what else lies there, or deeper, is none of ours."""
        folder = self.config.root / EVALS
        if EVALS in (root.strip("/") for root in self.config.roots) or not (folder.is_dir() or folder.is_symlink()):
            return
        real, project = os.path.realpath(folder), os.path.realpath(self.config.root)
        if not _inside(real, project):
            self.report("STK011", f"the folder leaves the project: it is {real}, outside {project}", EVALS)
            return
        try:
            files = sorted(Path(real).iterdir())
        except OSError as error:
            self.report("STK021", f"folder cannot be read: {error.strerror}", EVALS)
            return
        for full in files:
            if full.stem.endswith(".eval") and full.suffix in {".yaml", ".yml"}:
                entry = self.entry(str(full), f"{EVALS}/{full.name}", EVALS, real)
                if entry is not None:
                    yield entry


def _read_all(listing: _Listing) -> Snapshot:
    files: list[SourceFile] = []
    problems = list(listing.problems)
    for entry in listing.entries:
        try:
            files.append(SourceFile(entry.path, entry.root, _read(entry)))
        except FileNotFoundError as error:
            raise _Changed from error
        except OSError as error:
            problems.append(make_problem("STK021", f"file cannot be read: {error.strerror}", entry.path, _START))
    return Snapshot(tuple(files), tuple(problems))


def _read(entry: _Entry) -> bytes:
    """The bytes of the very file that was listed. Raises _Changed when it is another one by now."""
    flags = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(entry.real, flags)
    with os.fdopen(handle, "rb") as file:
        if _identity(os.fstat(file.fileno())) != entry.identity:
            raise _Changed
        raw = file.read(MAX_BYTES + 1)
    if len(raw) != entry.identity[2]:
        raise _Changed
    return raw


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, stat.S_IFMT(found.st_mode))


def _real(link: str) -> str:
    """Where a link leads to; the link itself when it is another thing by now, which whoever opens it will find."""
    try:
        return os.path.realpath(link)
    except OSError:
        return link


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def digests(files: tuple[SourceFile, ...]) -> Mapping[str, str]:
    """File -> SHA-256 of its bytes."""
    return {file.path: file.sha256 for file in files}
