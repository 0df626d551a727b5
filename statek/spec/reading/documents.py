"""Files to documents: decoding, front matter, YAML. Knows endings and fences, not the fields of a kind.

`.md` is an agent, `_name.md` a partial, `.yaml` any number of documents, `.py` below a folder named `warmups` a
warmup. The result is what the schema phase checks; every file that cannot be read is a problem, never skipped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Literal

import frontmatter
from frontmatter.default_handlers import BaseHandler

from statek.base.kept import Kept
from statek.spec.positions import LineTable, first_line
from statek.spec.problems import Problem, Related, make_problem, span
from statek.spec.reading.edits import with_fixes
from statek.spec.reading.nodes import Composed, Node, compose
from statek.spec.reading.repairs import repair
from statek.spec.reading.snapshot import SourceFile
from statek.text.fences import Fenced, FenceError
from statek.text.fences import split as split_fences

Form = Literal["markdown", "partial", "yaml", "python"]
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_ASCII = bytes((*b"\t\n", *range(0x20, 0x7F)))  # a text of these alone is most often good, and soon seen to be
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TELLING = ("description", "model", "tools", "inputs", "limits")  # fields that tell front matter from other text
_CONFLICT = re.compile(r"^(<{7} |>{7} )", re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One spec as written. `node` is None for partials and warmups; `body` is what follows the front matter.

    Two of them are the same when they are the very same object.
    """

    form: Form
    file: str
    stem: str
    node: Node | None
    text: str
    body: str
    body_line: int
    end_line: int

    @property
    def line(self) -> int:
        """First line of the document in its file."""
        return 1 if self.form != "yaml" or self.node is None else self.node.span.start.line


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents, and what could not be read. `broken` are the files that have problems."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    broken: frozenset[str]


class StrictHandler(BaseHandler):
    """The door of python-frontmatter with our own splitting and composing: nothing is guessed or dropped."""

    FM_BOUNDARY = re.compile(r"^---$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "---"

    def __init__(self, fenced: Fenced, file: str) -> None:
        """Take the text as it was split; `composed` has the nodes after `load`."""
        super().__init__()
        self.fenced, self.file = fenced, file
        self.composed = Composed((), ())

    def split(self, text: str) -> tuple[str, str]:
        """Front matter and body, as the fences gave them."""
        return self.fenced.yaml, self.fenced.body

    def load(self, fm: str) -> dict[str, Any]:
        """Compose the front matter; problems and positions stay in `composed`."""
        self.composed = compose(fm, self.file, self.fenced.yaml_line)
        data = self.composed.nodes[0].data if self.composed.nodes else {}
        return data if isinstance(data, dict) else {}


Read = tuple[list[Document], list[Problem]]


def read_documents(files: Sequence[SourceFile], kept: Kept | None = None) -> Documents:
    """Every document of `files`; those of a file that is in `kept` are the very same objects."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for found in (kept or Kept()).each(_read_and_repair, files):
        documents.extend(found[0])
        problems.extend(found[1])
    broken = frozenset(problem.file for problem in problems if problem.severity == "error")
    return Documents(tuple(documents), tuple(problems), broken)


def _read_and_repair(file: SourceFile) -> Read:
    documents, problems = _read(file)
    return documents, _with_repairs(file, problems) if problems else problems


def _read(file: SourceFile) -> Read:
    form = form_of(file.path)
    if form is None:
        return [], []
    text, problems = _decode(file)
    if text is None:
        return [], problems
    if form == "yaml":
        documents, more = _yaml(file.path, text)
    elif form == "markdown":
        documents, more = _markdown(file.path, text)
    else:
        documents, more = [_plain(form, file.path, text)], []
    return documents, [*problems, *more]


def _with_repairs(file: SourceFile, problems: list[Problem]) -> list[Problem]:
    """The same problems; the first has a fix when the file can be read further with it."""
    first = min(problems, key=lambda problem: (problem.severity != "error", problem.range.start))
    try:
        text = file.raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").decode()
    except UnicodeDecodeError:
        return problems  # it is one of the problems
    fix = repair(text, first)
    if fix is None:
        return problems
    _, left = _read(SourceFile(file.path, file.root, with_fixes(text, [fix]).encode()))
    if any(problem.severity == "error" and problem.range.start <= fix.range.end for problem in left):
        return problems
    return [replace(problem, fixes=(fix,)) if problem is first else problem for problem in problems]


def form_of(path: str) -> Form | None:
    """How a file is read; None for Python files outside of a `warmups` folder."""
    parts = PurePosixPath(path)
    if parts.suffix == ".yaml":
        return "yaml"
    if parts.suffix == ".py":
        return "python" if "warmups" in parts.parts[:-1] else None
    return "partial" if parts.name.startswith("_") else "markdown"


def _plain(form: Form, path: str, text: str) -> Document:
    stem = PurePosixPath(path).stem
    name = stem.removeprefix("_") if form == "partial" else stem
    return Document(form, path, name, None, text, text, 1, _last_line(text))


def _last_line(text: str, first: int = 1) -> int:
    return first + text.rstrip("\n").count("\n")


def _decode(file: SourceFile) -> tuple[str | None, list[Problem]]:
    """Text with line feeds only and no byte order mark, or None with the reason."""
    raw = file.raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return None, [_not_utf8(file.path, raw, error.start)]
    if not raw.translate(None, _ASCII) and "<<<<<<< " not in text and ">>>>>>> " not in text:
        return text, []
    control = _CONTROL.search(text)
    lines = LineTable.of(text)
    if control is not None:
        where = lines.range(control.start(), control.end())
        message = f"control character U+{ord(control[0]):04X} is not allowed; remove it"
        return None, [make_problem("STK010", message, file.path, where)]
    conflict = _CONFLICT.search(text)
    if conflict is not None:
        where = lines.range(conflict.start(), conflict.end())
        return None, [make_problem("STK001", "a merge conflict is not resolved here", file.path, where)]
    return text, [_bidi(file.path, lines, found) for found in _BIDI.finditer(text)]


def _bidi(path: str, lines: LineTable, found: re.Match[str]) -> Problem:
    message = f"bidirectional control U+{ord(found[0]):04X}: what is shown may differ from what is read"
    return make_problem("STK010", message, path, lines.range(found.start(), found.end()), severity="warning")


def _not_utf8(path: str, raw: bytes, offset: int) -> Problem:
    before = raw[:offset]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    wide = "; it looks like UTF-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
    message = f"not UTF-8: byte {raw[offset]:#04x}{wide}; save the file as UTF-8"
    return make_problem("STK010", message, path, span(line, column))


def _yaml(path: str, text: str) -> tuple[list[Document], list[Problem]]:
    composed = compose(text, path)
    problems = list(composed.problems)
    if problems:
        return [], problems
    if not composed.nodes:
        return [], [make_problem("STK012", "the file holds no document", path, span(1, 1))]
    documents = []
    for node in composed.nodes:
        problem = _shape_problem(path, node, "document")
        if problem is not None:
            problems.append(problem)
            continue
        last = max(node.span.start.line, node.span.end.line - (node.span.end.column == 1))
        documents.append(Document("yaml", path, PurePosixPath(path).stem, node, text, "", 1, last))
    return documents, problems


def _shape_problem(path: str, node: Node, what: str) -> Problem | None:
    if isinstance(node.data, dict):
        return None
    where = first_line(node.span)
    if node.data is None:
        return make_problem("STK012", f"the {what} is empty", path, where)
    kind = "a list" if isinstance(node.data, list) else "plain text" if isinstance(node.data, str) else "a number"
    kind = "a boolean" if isinstance(node.data, bool) else kind
    hint = ""
    if isinstance(node.data, str) and re.fullmatch(r"[\w-]+:\S.*", node.data.split("\n")[0]):
        hint = "; put a space after the ':'"
    return make_problem("STK006", f"the {what} must be a mapping of fields, found {kind}{hint}", path, where)


def _markdown(path: str, text: str) -> tuple[list[Document], list[Problem]]:
    try:
        fenced = split_fences(text)
    except FenceError as error:
        return [], [_fence_problem(path, error)]
    handler = StrictHandler(fenced, path)
    frontmatter.parse(text, handler=handler)
    composed = handler.composed
    problems = list(composed.problems)
    node = composed.nodes[0] if composed.nodes else None
    if not problems:
        problem = _front_matter_problem(path, composed, fenced) or _second_front_matter(path, composed.nodes[0], fenced)
        problems = [problem] if problem is not None else []
    if problems or node is None:
        return [], problems
    stem = PurePosixPath(path).stem
    end = _last_line(fenced.body, fenced.body_line) if fenced.body.strip() else _last_line(text)
    return [Document("markdown", path, stem, node, text, fenced.body, fenced.body_line, end)], problems


def _front_matter_problem(path: str, composed: Composed, fenced: Fenced) -> Problem | None:
    if not composed.nodes:
        return make_problem("STK012", "the front matter is empty", path, span(fenced.yaml_line, 1))
    if len(composed.nodes) > 1:
        where = first_line(composed.nodes[1].span)
        return make_problem("STK006", "front matter is one mapping, found several documents", path, where)
    return _shape_problem(path, composed.nodes[0], "front matter")


def _second_front_matter(path: str, first: Node, fenced: Fenced) -> Problem | None:
    """A prompt that begins with what another front matter would hold: the model would read it, and nobody else."""
    prompt = fenced.body.lstrip("\n")
    if not prompt.startswith("---"):
        return None
    try:
        composed = compose(split_fences(prompt).yaml, path)
    except FenceError:
        return None
    fields = composed.nodes[0].members if len(composed.nodes) == 1 and not composed.problems else {}
    if not fields.keys() & {*first.members, *_TELLING}:
        return None
    line = fenced.body_line + fenced.body[: -len(prompt)].count("\n")
    message = "a second front matter begins here; write all fields between the first two `---` lines"
    return make_problem("STK003", message, path, span(line, 1, 3))


def _fence_problem(path: str, error: FenceError) -> Problem:
    where = span(error.line, error.column)
    related: tuple[Related, ...] = ()
    if error.related_line is not None and error.related_line != error.line:
        related = (Related(path, span(error.related_line, 1), "see this line"),)
    return make_problem(error.code, error.message, path, where, related=related)
