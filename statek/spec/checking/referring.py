"""References in texts, `${secret:NAME}`, `${env:NAME}`, `${var:NAME}`: can be read, and stand where they are looked up.

Runs on whole objects whose variables are filled in; called by `rules`. Elsewhere such a text would be taken as it is,
and nobody would notice before a model or a server gets it. Texts that hold what others say (answers of a Script, cases
of an Eval, rules of a Policy, annotations) may hold anything; so do prompts and warmups, which are no YAML.
"""

import re
from collections.abc import Iterator

from statek.base.nearest import did_you_mean
from statek.spec.fixes import word_fix
from statek.spec.positions import first_line, inside
from statek.spec.problems import Fix, Problem, Range, make_problem
from statek.spec.reading.nodes import Node
from statek.spec.references import REFERENCE, REFERRING, SCHEMES, at_part
from statek.spec.types import Path, Spec, dotted, pointer

_WRITTEN = re.compile(r"\$\{([^}]*)(\}?)")
_OTHER_WAY = re.compile(r"\$\{\{? *(secret|env|var)s?\. *([A-Za-z_][A-Za-z0-9_]*) *\}?\}")  # of other tools
_PLAIN_KINDS = frozenset({"Policy", "Overlay", "Defaults"})  # what they set is looked at where it holds
_PLAIN_FIELDS = {"Script": ("reply",), "Eval": ("cases",), "Agent": ("annotations",)}
_LOOKED_UP = {
    "Provider": "base_url, api_key and headers",
    "ToolSet": "address, headers, body and command of a tool",
}


def check_referring(spec: Spec) -> Iterator[Problem]:
    """Every reference of one object that cannot be read, or that nobody would look up."""
    if _may_refer(spec) and spec.kind not in _PLAIN_KINDS:
        yield from _labels(spec)
        yield from _texts(spec, spec.node, ())


def _may_refer(spec: Spec) -> bool:
    """Whether any file that the object comes from has a reference: few agents have, so few are walked."""
    documents = [layer.document for layer in spec.layers] or [spec.document]
    return any("${" in document.text for document in documents)


def _labels(spec: Spec) -> Iterator[Problem]:
    """Those of a .yaml file, which stand outside of its `spec`."""
    whole = spec.document.node
    if whole is None or spec.document.form != "yaml":
        return
    for name, node in whole.at(("metadata", "labels")).members.items() if "labels" in whole.data["metadata"] else ():
        found = REFERENCE.search(node.data)
        if found is not None:
            message = f"'{found[0]}' would stay as it is: nothing is looked up in labels; write it out"
            path = ("metadata", "labels", name)
            where = first_line(node.span)
            yield make_problem("STK803", message, node.file, where, object=spec.id, pointer=pointer(path))


def _texts(spec: Spec, node: Node, path: Path) -> Iterator[Problem]:
    if path and path[-1] in _PLAIN_FIELDS.get(spec.kind, ()):
        return
    for name, inner in node.members.items():
        if not name.startswith("x-") or path == ("headers",):
            yield from _texts(spec, inner, (*path, name))
    for index, inner in enumerate(node.items):
        yield from _texts(spec, inner, (*path, index))
    if isinstance(node.data, str):
        yield from _one_text(spec, node.data, path)


def _one_text(spec: Spec, text: str, path: Path) -> Iterator[Problem]:
    """The first problem of a text, if there is one."""
    pattern = _WRITTEN if spec.kind in REFERRING else REFERENCE
    for found in pattern.finditer(text):
        problem = _unreadable(found) if spec.kind in REFERRING else None
        if problem is not None:
            fixes = _scheme_fixes(spec.where(*path), text, found)
            yield at_part(spec.problem("STK803", problem, *path, fixes=fixes), text, found)
            return
        reason = _not_looked_up(spec, found[1].partition(":")[0], path)
        if reason is not None:
            message = f"'{found[0]}' in '{dotted(path)}' would stay as it is: {reason}"
            yield at_part(spec.problem("STK803", message, *path), text, found)
            return


def _scheme_fixes(where: Range, text: str, found: re.Match[str]) -> tuple[Fix, ...]:
    """The nearest scheme; without one, what the reference could have been."""
    other = _OTHER_WAY.match(text, found.start())
    if other is not None:
        whole = inside(where, text, *other.span())
        new = _meant(other)
        return (Fix(f"write {new}", safe=True, range=whole, text=new),) if whole != where or other[0] == text else ()
    scheme, colon, _ = found[1].partition(":")
    part = inside(where, text, found.start(1), found.start(1) + len(scheme))
    if part == where or not found[2]:
        return ()
    if colon:
        return word_fix(part, scheme, SCHEMES)
    before = Range(part.start, part.start)
    return tuple(Fix(f"write ${{{name}:{scheme}}}", safe=False, range=before, text=f"{name}:") for name in SCHEMES)


def _meant(other: re.Match[str]) -> str:
    return f"${{{other[1]}:{other[2]}}}"


def _unreadable(found: re.Match[str]) -> str | None:
    scheme, colon, name = found[1].partition(":")
    other = _OTHER_WAY.match(found.string, found.start())
    if other is not None:
        return f"'{other[0]}' is no reference; write {_meant(other)}"
    if not found[2]:
        return f"'{found[0][:30]}' is never closed; write ${{secret:NAME}} or ${{env:NAME}}"
    if not colon:
        return f"'{found[0]}' has no scheme; write ${{secret:{scheme}}} or ${{env:{scheme}}}"
    if scheme not in SCHEMES:
        return f"unknown scheme '{scheme}' in '{found[0]}'{did_you_mean(scheme, SCHEMES)}"
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
        return f"'{found[0]}' must name a variable: letters, digits and '_'"
    return None


def _not_looked_up(spec: Spec, scheme: str, path: Path) -> str | None:
    """Why a good reference means nothing at this place."""
    article = "an" if spec.kind[0] in "AE" else "a"
    if spec.kind not in REFERRING:
        instead = "set the value in an Overlay of the environment"
        instead = "write {{ vars.NAME }} in the prompt, or " + instead if spec.kind == "Agent" else instead
        return f"nothing is looked up in {article} {spec.kind}; {instead if scheme == 'var' else 'write it out'}"
    if scheme == "var" or _is_looked_up(spec.kind, path):
        return None
    if path[-2:] == ("openapi", "spec"):
        return "which file it is has to be known when it is compiled; write ${var:NAME}"
    where = f" beside {_LOOKED_UP[spec.kind]}" if spec.kind in _LOOKED_UP else ""
    return f"of {article} {spec.kind} nothing{where} is looked up when it is used; write ${{var:NAME}}, or the value"


def _is_looked_up(kind: str, path: Path) -> bool:
    if kind == "Provider":
        return path[0] in {"base_url", "api_key", "headers"}
    outside = len(path) > 3 and path[2] in {"http", "openapi", "mcp"}  # behind ("tools", INDEX)
    return kind == "ToolSet" and outside and path[3] in {"url", "base_url", "headers", "body", "command"}
