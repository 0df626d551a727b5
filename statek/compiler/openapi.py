"""OpenAPI files of tool sets: they lie in the project, can be read, and have the operations that are named.

Only the names of operations are taken from a file (see `spec.operations`). What an operation looks like matters when
it is called.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from statek.base.nearest import did_you_mean, nearest
from statek.spec.checking.operations import MAX_JSON, Unreadable, operations_of
from statek.spec.fixes import word_fix
from statek.spec.problems import Problem
from statek.spec.reading.known_files import KnownFiles, identity_of
from statek.spec.reading.listing import leads_to
from statek.spec.types import Spec, SpecSet


class _Refused(Exception):  # noqa: N818 - a finding, not an error
    """A file cannot be used: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Operations(NamedTuple):
    """What a file has, or why nobody knows, and the digest of its bytes."""

    names: frozenset[str] | Unreadable
    sha256: str


@dataclass
class _Files:
    """Reads each file once for one compilation, and not again for the next when it is in `known`."""

    root: Path
    known: KnownFiles[Operations]
    seen: dict[str, Operations] = field(default_factory=dict)

    def operations(self, path: str) -> frozenset[str]:
        """The operations of a file that is named relative to the project. Raises _Refused."""
        if path not in self.seen:
            self.seen[path] = self._read(self._place(path), path)
        found = self.seen[path].names
        if isinstance(found, Unreadable):
            raise _Refused(found.code, f"OpenAPI file '{path}' cannot be read: {found}") from found
        return found

    def _read(self, place: Path, path: str) -> Operations:
        try:
            status = place.stat()
            if not stat.S_ISREG(status.st_mode):
                raise _Refused("STK009", f"'{path}' is no regular file")
            is_json = path.endswith(".json")
            make = partial(_operations, is_json)
            return self.known.of((place, is_json), identity_of(status), partial(_bytes, place), make)
        except OSError as error:
            raise _Refused("STK021", f"file '{path}' cannot be read: {error.strerror}") from error

    def _place(self, path: str) -> Path:
        """The file itself, behind all links; it lies in the project."""
        if "://" in path:
            why = "must be the path of a file in the project, found an address; download it"
            raise _Refused("STK105", f"'spec' {why}")
        root = Path(os.path.realpath(self.root))
        if path.startswith("/") or ".." in PurePosixPath(path).parts or "\\" in path:
            message = f"'{path}' leaves the project; copy the file into it and name it from there"
            raise _Refused("STK204", message)
        place = Path(os.path.realpath(root / path))
        if not place.is_relative_to(root):
            message = f"'{path}' is a link that leaves the project{leads_to(root / path)}; copy the file into it"
            raise _Refused("STK011", message)
        if not place.exists():
            message = f"file '{path}' not found: looked for it from the project's folder{_beside(root, path)}"
            raise _Refused("STK205", message)
        return place


def _beside(root: Path, path: str) -> str:
    """The nearest file of the same folder."""
    folder = (root / path).parent
    names = [entry.name for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []
    close = nearest(Path(path).name, names)
    return f"; did you mean '{(PurePosixPath(path).parent / close).as_posix()}'?" if close else ""


def _bytes(place: Path) -> bytes:
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
        return file.read(MAX_JSON + 1)


def _operations(is_json: bool, raw: bytes) -> Operations:
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return Operations(operations_of(raw, is_json=is_json), digest)
    except Unreadable as error:
        return Operations(error.with_traceback(None), digest)


def check_openapi(
    specs: SpecSet, root: Path, known: KnownFiles[Operations] | None = None, sources: dict[str, str] | None = None
) -> Iterator[Problem]:
    """Files that cannot be used, and operations that their file does not have.

    `known`: files read before; `sources` takes in the SHA-256 of each that is read.
    """
    files = _Files(root, known or KnownFiles())
    for toolset in specs.of("ToolSet"):
        for index, tool in enumerate(toolset.data["tools"]):
            if "openapi" in tool:
                yield from _check(toolset, index, tool["openapi"], files)
    if sources is not None:
        sources.update({path: found.sha256 for path, found in files.seen.items()})


def _check(toolset: Spec, index: int, openapi: Mapping[str, Any], files: _Files) -> Iterator[Problem]:
    path = ("tools", index, "openapi")
    if "${" in openapi["spec"]:
        return  # which file it is depends on values that are not known here
    try:
        known = files.operations(openapi["spec"])
    except _Refused as refused:
        yield toolset.problem(refused.code, refused.message, *path, "spec")
        return
    for number, name in enumerate(openapi.get("include", ())):
        if name not in known:
            hint = did_you_mean(name, known, also="operations there")
            message = f"operation '{name}' is not in '{openapi['spec']}'{hint}"
            fixes = word_fix(toolset.where(*path, "include", number), name, known, beside=openapi["include"])
            yield toolset.problem("STK504", message, *path, "include", number, fixes=fixes)
