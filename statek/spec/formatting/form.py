"""The one form of a spec file: `statek fmt`. Text in, text out; it reads and writes no file.

The author's spelling of every value stays: entries are moved, indented and spaced anew, never written out from what
they mean. Prompts and Python stay as they are. What comes out is read again, and is only given when it means the same
and has the same comments.

The form, which has no options: two spaces of indentation, also for lists; the fields of a document, of `metadata` and
of `spec` in the order of the schema, all other maps in the author's; `{...}` and `[...]` on one line up to 100 columns
and without comments inside, else as a block; at most one blank line; a comment behind a value keeps its column.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from statek.spec.formatting.layout import lay_out
from statek.spec.formatting.written import Collection, Entry, Scalar, Written, comments_of, read_written
from statek.spec.problems import Problem
from statek.spec.reading.documents import Document, form_of, read_documents
from statek.spec.reading.snapshot import SourceFile
from statek.spec.schema.kinds import SCHEMAS
from statek.text.fences import split as split_fences

_HEAD = ("apiVersion", "kind", "metadata", "spec")
_MODELINE = "# yaml-language-server:"


_NOT_THE_SAME = "formatting would change what it means; this is a bug in statek: please report it with the file"
_LINE_ENDS = "U+2028 or U+2029 ends a line in its YAML; put that text in double quotes and write \\u2028"


@dataclass(frozen=True, slots=True)
class Formatted:
    """What a file should hold: what it holds when it cannot be read (`problems`), or for the reason `left`."""

    raw: bytes
    problems: tuple[Problem, ...] = ()
    left: str = ""
    is_bug: bool = False


def format_file(file: SourceFile) -> Formatted:
    """The formatted content of a file. One that cannot be read has problems and is given back as it is."""
    read = read_documents([file])
    if read.broken:
        return Formatted(file.raw, read.problems)
    text = _text(file.raw)
    try:
        raw = _formatted(file.path, text).encode()
        if _is_same(file, raw, read.documents):
            return Formatted(raw, read.problems)
    except (ValueError, AssertionError, LookupError):
        pass  # it could be read before: a mistake of ours, told below
    if re.search("[\u2028\u2029]", text):
        return Formatted(file.raw, read.problems, left=_LINE_ENDS)
    return Formatted(file.raw, read.problems, left=_NOT_THE_SAME, is_bug=True)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig").replace("\r\n", "\n")


def _formatted(path: str, text: str) -> str:
    form = form_of(path)
    if form == "yaml":
        return format_yaml(text)
    if form == "markdown":
        fenced = split_fences(text)
        return f"---\n{format_front_matter(fenced.yaml)}---\n{_one_end(fenced.body)}"
    return _one_end(text)


def _one_end(text: str) -> str:
    """The text with one line feed at its end, empty text as it is."""
    return text.rstrip("\n") + "\n" if text.strip("\n") else ""


def format_yaml(text: str) -> str:
    """The documents of a YAML file without problems."""
    parts: list[str] = []
    for number, written in enumerate(read_written(text)):
        marker = "  ".join(["---", " ".join(note.text for note in written.marker)]).rstrip()
        parts.append(f"{marker}\n" if number else "")
        parts.append(_document(written, _kind_of(written.root)))
    return "".join(parts)


def format_front_matter(text: str) -> str:
    """The front matter of an agent without problems, without its fences."""
    return _document(read_written(text)[0], "Agent", is_front_matter=True)


def _document(written: Written, kind: str | None, *, is_front_matter: bool = False) -> str:
    root = written.root
    if not root.entries:
        return "\n".join([*(note.text for note in root.opening), *filter(None, root.tail), "{}\n"])
    header = _split_header(root.entries[0], is_front_matter=is_front_matter)
    fields = SCHEMAS.get(kind or "", {}).get("properties", {})
    _sort(root, tuple(fields) if is_front_matter else _HEAD)
    for entry in root.entries:
        if not is_front_matter and entry.name in {"metadata", "spec"} and isinstance(entry.value, Collection):
            _sort(entry.value, tuple(fields.get(entry.name, {}).get("properties", ())))
    return lay_out(root, header)


def _sort(collection: Collection, order: Sequence[str]) -> None:
    """Known fields in their order, then the others in the author's."""
    rank = {name: place for place, name in enumerate(order)}
    collection.entries.sort(key=lambda entry: rank.get(entry.name or "", len(rank)))


def _kind_of(root: Collection) -> str | None:
    value = next((entry.value for entry in root.entries if entry.name == "kind"), None)
    return value.lines[0].strip("\"'") if isinstance(value, Scalar) and value.lines else None


def _split_header(first: Entry, *, is_front_matter: bool) -> list[str]:
    """Take the comments that are about the whole document away from its first key."""
    end = max((number + 1 for number, line in enumerate(first.lead) if not line), default=0)
    modelines = [number + 1 for number, line in enumerate(first.lead) if line.startswith(_MODELINE)]
    end = max([end, *modelines])
    if not is_front_matter and first.name in {"apiVersion", "kind", "metadata"}:
        end = len(first.lead)
    header, first.lead = first.lead[:end], first.lead[end:]
    return header


def _is_same(file: SourceFile, raw: bytes, before: Sequence[Document]) -> bool:
    """Whether the new content means what the old one did, and has the same comments."""
    again = read_documents([SourceFile(file.path, file.root, raw)])
    if again.broken or len(again.documents) != len(before):
        return False
    return all(_meaning(new) == _meaning(old) for new, old in zip(again.documents, before, strict=True)) and (
        _comments(file.path, raw) == _comments(file.path, file.raw)
    )


def _meaning(document: Document) -> tuple[str, str]:
    data = None if document.node is None else document.node.data
    return json.dumps(data, sort_keys=True), document.body.rstrip("\n")


def _comments(path: str, raw: bytes) -> list[str]:
    text = _text(raw)
    form = form_of(path)
    if form == "markdown":
        return comments_of(split_fences(text).yaml)
    return comments_of(text) if form == "yaml" else []
