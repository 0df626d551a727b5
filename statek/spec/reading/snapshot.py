"""A consistent set of the project's files: list, read, list again. Refuses what is no plain text file of the project.

Files are never opened through a link that leaves its root, and what is opened has to be what was listed, so what was
checked is what is read. Who takes one snapshot after the other reads only what changed (see `known_files`). Nothing is
parsed here; `documents` does that.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from statek.base.clock import Clock
from statek.spec.problems import Problem, make_problem, span
from statek.spec.reading.known_files import Identity, KnownFiles, identity_of
from statek.spec.reading.listing import Listing, list_files
from statek.spec.reading.project import ProjectConfig

TRIES = 5
_START = span(1, 1)


@dataclass(frozen=True, eq=False)
class SourceFile:
    """The bytes of one file; `path` is relative to the project, with slashes; `root` is the root it lies under.

    Two of them are the same when they are the very same object.
    """

    path: str
    root: str
    raw: bytes

    @cached_property
    def sha256(self) -> str:
        """Digest of the bytes."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All files of one moment, sorted by path, and what could not be read."""

    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


class _Changed(Exception):  # noqa: N818 - no error, the reading starts anew
    """A file is not the one that was listed."""


def take_snapshot(config: ProjectConfig) -> Snapshot:
    """Read every file of the roots as of one moment. Never raises for what is on the disk: see `problems`."""
    return Snapshots().take(config)


class Snapshots:
    """Takes one snapshot after the other. A file that did not change is read once, and is the very same object."""

    def __init__(self, clock: Clock | None = None) -> None:
        """No file is known yet."""
        self._known: KnownFiles[SourceFile] = KnownFiles(clock)
        self._last: Listing | None = None  # of the last snapshot

    def take(self, config: ProjectConfig) -> Snapshot:
        """The files of the roots as of one moment; see `take_snapshot`."""
        for _ in range(TRIES):
            self._known.begin()
            before = list_files(config, self._last)
            try:
                snapshot = _read_all(before, self._known)
            except _Changed:
                continue
            as_ever = not self._known.fresh and self._last is not None and before.entries == self._last.entries
            if as_ever or list_files(config, before).entries == before.entries:
                self._last = before
                return snapshot
        message = f"files keep changing while they are read ({TRIES} tries); try again when they are at rest"
        return Snapshot((), (make_problem("STK020", message, config.roots[0], _START),))


def _read_all(listing: Listing, known: KnownFiles[SourceFile]) -> Snapshot:
    files: list[SourceFile] = []
    problems = list(listing.problems)
    for path, root, real, identity in listing.entries:
        key = (path, root)
        try:
            file = known.believed(key, identity)
            file = file or known.of(key, identity, partial(_read, real, identity), partial(SourceFile, path, root))
            files.append(file)
        except FileNotFoundError as error:
            raise _Changed from error
        except OSError as error:
            problems.append(make_problem("STK021", f"file cannot be read: {error.strerror}", path, _START))
    return Snapshot(tuple(files), tuple(problems))


def _read(real: str, identity: Identity) -> bytes:
    """The bytes of the very file that was listed. Raises _Changed when it is another one by now."""
    flags = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(real, flags)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if identity_of(found) != identity:
            raise _Changed
        raw = file.read(found.st_size + 1)  # one more than listed: a file that grew is another one
    if len(raw) != found.st_size:
        raise _Changed
    return raw


def digests(files: tuple[SourceFile, ...]) -> Mapping[str, str]:
    """File -> SHA-256 of its bytes."""
    return {file.path: file.sha256 for file in files}
