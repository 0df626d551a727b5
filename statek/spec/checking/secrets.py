"""Secrets that are written out in a file in place of `${secret:NAME}`. Looks at texts only; prints none of them.

A text is taken for a secret by its place (a key, a header, a parameter, an option of that name) or by its looks (the
keys of well-known services). A text that holds a reference or a placeholder is none.
"""

import json
import re
from collections.abc import Iterator

from statek.spec.positions import LineTable, first_line
from statek.spec.problems import Fix, Problem, make_problem
from statek.spec.reading.documents import Document
from statek.spec.reading.nodes import Node
from statek.spec.types import Path, Spec, pointer

_HEADERS = re.compile(r"(?i)(^|[-_])(auth|authorization|cookie|token|secret|password|(api|access)-?key)([-_]|$)")
_FIELDS = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|(auth|access|api|bearer|refresh)[-_]?token"
    r"|(api|access|secret|private|auth)[-_]?key|client[-_]?secret)"
)
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s@]*:[^/\s@$]+@")
_PARAMETER = re.compile(r"[?&]([^=&#\s]+)=([^&#\s]+)")
_OPTION = re.compile(r"--?([A-Za-z][A-Za-z0-9_-]*)=(.+)", re.DOTALL)
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}"
    r"|glpat-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_VARIABLE = re.compile(  # one, in the ways of other tools, or by its name alone
    r"(?:[A-Z][a-z]+ +)?(?:\$([A-Z_][A-Z0-9_]*)|(?:\{\{ *\w+\. *)?([A-Z]+(?:_[A-Z]+)+)(?: *\}\})?)"
)
_MARKS = (  # each key of `_KEYS` holds one
    "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "AKIA", "AIza", "eyJ", "PRIVATE KEY",
)  # fmt: skip
_BY_FIELD = ("Provider", "ToolSet")  # whose texts may hold references, and are looked at one by one
_REMOVE = "remove it: it would be kept with every release; tools read secrets where they run"
_INSTEAD = "write ${secret:NAME} in its place, and set NAME in the environment"


def check_secrets(spec: Spec) -> Iterator[Problem]:
    """A problem for each text of a Provider or ToolSet that is a secret."""
    for path, node in _texts(spec.node, ()):
        what = _what(path, node.data, spec)
        if what is not None:
            instead = "remove it: the model reads this" if path[-1] == "description" else _INSTEAD
            fixes = _reference(spec, path, node) if path == ("api_key",) or "headers" in path[-2:-1] else ()
            yield spec.problem("STK802", f"{what} holds a literal secret; {instead}", *path, fixes=fixes)


def check_keys(document: Document, kind: str, owner: str | None) -> Iterator[Problem]:
    """A problem for each key of a well-known service in a document where no reference can take its place."""
    if not any(mark in document.text for mark in _MARKS):
        return
    for path, node in _texts(document.node, ()) if document.node is not None and kind not in _BY_FIELD else ():
        if _looks_like_key(node.data):
            message = f"'{path[-1]}' holds a literal secret; {_REMOVE}"
            where = first_line(node.span)
            yield make_problem("STK802", message, document.file, where, object=owner, pointer=pointer(path))
    if document.form == "yaml":
        return
    text, line = (document.text, 1) if document.form == "python" else (document.body, document.body_line)
    lines = LineTable.of(text, line)
    for found in _keys(text):
        where = lines.range(*found.span())
        yield make_problem("STK802", f"a literal secret; {_REMOVE}", document.file, where, object=owner)


def _reference(spec: Spec, path: Path, node: Node) -> tuple[Fix, ...]:
    """A reference in the place of the secret; its name is a guess, so nobody makes this fix without asking."""
    name = re.sub(r"[^A-Z0-9]+", "_", f"{spec.name}_{path[-1]}".upper()).strip("_")
    named = _VARIABLE.fullmatch(node.data)
    name = name if named is None else named[1] or named[2]
    scheme = re.match(r"(?i)(bearer|basic|token) +", node.data)
    text = json.dumps(f"{scheme[0] if scheme else ''}${{secret:{name}}}")
    return (Fix(f"write {text}", safe=False, range=node.span, text=text),)


def _texts(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    for name, inner in node.members.items():
        yield from _texts(inner, (*path, name))
    for index, inner in enumerate(node.items):
        yield from _texts(inner, (*path, index))
    if isinstance(node.data, str):
        yield path, node


def _what(path: Path, text: str, spec: Spec) -> str | None:
    """What holds a secret; None when the text is none."""
    name = str(path[-1])
    if _looks_like_key(text):
        return f"'{name}'" if not isinstance(path[-1], int) else f"an item of '{path[-2]}'"
    if path == ("api_key",):
        return "'api_key'" if _is_literal(text) else None
    if "headers" in path[-2:-1]:
        return f"header '{name}'" if _HEADERS.search(name) and _is_literal(text) else None
    if "body" in path and "http" in path:
        return f"'{name}' of the body" if _FIELDS.fullmatch(name) and _is_literal(text) else None
    if name in {"url", "base_url"}:
        return _in_address(name, text)
    return _in_command(path, text, spec) if "command" in path else None


def _is_literal(text: str) -> bool:
    return text != "" and "${" not in text and re.search(r"\{\w+\}", text) is None


def _looks_like_key(text: str) -> bool:
    return any(True for _ in _keys(text))


def _keys(text: str) -> Iterator[re.Match[str]]:
    return (found for found in _KEYS.finditer(text) if found[0].startswith("-") or _is_mixed(found[0]))


def _is_mixed(key: str) -> bool:
    """Digits among letters: `sk-` may begin ordinary names, too."""
    return sum(char.isdigit() for char in key) > 1


def _in_address(name: str, text: str) -> str | None:
    if _PASSWORD.search(text):
        return f"the password in '{name}'"
    for found in _PARAMETER.finditer(text):
        if _FIELDS.fullmatch(found[1]) and _is_literal(found[2]):
            return f"parameter '{found[1]}' of '{name}'"
    return None


def _in_command(path: Path, text: str, spec: Spec) -> str | None:
    """`--token=abc` as one word, or the word behind `--token`."""
    found = _OPTION.fullmatch(text)
    if found is not None:
        return f"option '{found[1]}'" if _FIELDS.fullmatch(found[1]) and _is_literal(found[2]) else None
    index = path[-1]
    before = spec.node.at((*path[:-1], index - 1)).data if isinstance(index, int) and index > 0 else None
    if isinstance(before, str) and before.startswith("-") and _FIELDS.fullmatch(before.lstrip("-")):
        return f"the value of option '{before}'" if not text.startswith("-") and _is_literal(text) else None
    return None
