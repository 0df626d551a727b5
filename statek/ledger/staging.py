"""Objects that keep the text their revision was first written with.

A revision is named after what an object does; its text also holds where it was read (lines, paths). An edit that only
moves an object keeps its revision, and a revision has one text for ever. Called before a release is staged.
"""

import dataclasses
from collections.abc import Mapping

from statek.ledger.file import LedgerFile
from statek.ledger.releases import Release, StoredObject


def with_known_texts(file: LedgerFile, release: Release) -> Release:
    """The same release, each object with the text the ledger has for its revision already, if it has one."""
    return dataclasses.replace(release, objects=_known(file, release.objects))


def _known(file: LedgerFile, objects: Mapping[str, StoredObject]) -> dict[str, StoredObject]:
    found = {}
    for key, entry in objects.items():
        rows = file.rows("SELECT text FROM revisions WHERE kind = ? AND revision = ?", entry.kind, entry.revision)
        found[key] = dataclasses.replace(entry, text=str(rows[0][0])) if rows else entry
    return found
