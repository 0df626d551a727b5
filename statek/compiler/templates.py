"""Prompts and partials: every name that a template reads is declared, every partial it includes exists.

Reads no files and renders nothing; syntax is checked by `statek.text.prompts`, names here, because only here the
inputs and variables of the agent are known.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from statek.base.nearest import did_you_mean, nearest
from statek.spec.cycles import find_cycles
from statek.spec.fixes import is_slip, replaced, word_fix
from statek.spec.problems import Fix, Position, Problem, Range, Related, make_problem, span
from statek.spec.reading.documents import Document
from statek.spec.types import Spec, SpecSet
from statek.text.includes import find_excess
from statek.text.parsed import Name, Parsed, Read
from statek.text.prompts import parse
from statek.text.steps import Some, Step

_NO_LOOP = ("integer", "number", "boolean")
_SINGLE = re.compile(r"(?<!\{)\$?\{ ?inputs\.([A-Za-z_]\w*)(?:\.\w+)* ?\}(?!\})")


class Prompt(NamedTuple):
    """An agent's template with everything it includes: what the compiled agent takes over."""

    partials: Mapping[str, str]
    variables: frozenset[str] | None  # names in `vars`; None: all of them


class _Part(NamedTuple):
    """One template text of a prompt: the body of the agent or a partial."""

    document: Document
    parsed: Parsed

    def range(self, line: int, column: int, end_column: int) -> Range:
        row = self.document.body_line + line - 1
        return Range(Position(row, column), Position(row, max(end_column, column + 1)))


def check_partials(specs: SpecSet) -> Iterator[Problem]:
    """Syntax and includes of every partial, whether an agent includes it or not."""
    parts = {name: specs.remembered(_part, document) for name, document in sorted(specs.partials.items())}
    yield from specs.told_of_each(_partial, [part.document for part in parts.values()])
    edges = {name: [(include, include.name) for include in part.parsed.includes] for name, part in parts.items()}
    for name, include, shown in find_cycles(edges):
        where = parts[name].range(include.line, include.column, include.end_column)
        message = f"partials include each other in a circle: {shown}"
        yield make_problem("STK203", message, parts[name].document.file, where, object=f"Partial/{name}")


def _partial(document: Document, specs: SpecSet) -> Iterator[Problem]:
    part, owner = specs.remembered(_part, document), f"Partial/{document.stem}"
    yield from _syntax(part, owner, {})
    yield from _includes(part, specs, owner)


def check_prompt(agent: Spec, variables: frozenset[str], specs: SpecSet) -> Iterator[Problem]:
    """Every problem of the agent's prompt, with the partials it includes; `variables` are set in the environment."""
    document = agent.document
    if not document.body.strip():
        message = "the prompt is empty; write it below the front matter"
        line = min(document.body_line, document.text.count("\n") + 1)
        yield make_problem("STK306", message, document.file, span(line, 1), object=agent.id)
        return
    yield from _later_features(agent)
    body = _part(document, specs)
    yield from _syntax(body, agent.id, agent.data.get("inputs", {}))
    yield from _includes(body, specs, agent.id)
    parts = _included(body, specs)
    for part in (body, *parts):
        yield from _names(part, agent, variables if specs.has_all("Overlay") else None)
        yield from _single_braces(part, agent)
    yield from _excess(agent, body, parts)


def prompt_of(agent: Spec, specs: SpecSet) -> Prompt:
    """What the prompt of an agent without problems is made of."""
    body = _part(agent.document, specs)
    parts = _included(body, specs)
    paths = [name.path for part in (body, *parts) for name in part.parsed.names if name.path[0] == "vars"]
    whole = any(len(path) == 1 for path in paths)
    names = frozenset(path[1] for path in paths if len(path) > 1)
    return Prompt({part.document.stem: part.document.body for part in parts}, None if whole else names)


def _part(document: Document, _specs: SpecSet) -> _Part:
    return _Part(document, parse(document.body))


def _syntax(part: _Part, owner: str, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    for found in part.parsed.problems:
        where = part.range(found.line, found.column, found.end_column)
        message, _, _ = found.message.partition("; did you mean")
        word = part.document.body.split("\n")[found.line - 1][found.column - 1 : found.end_column - 1]
        meant = _full_name(word, inputs) if found.asked is not None else None
        close = meant or found.suggestion
        message += f"; did you mean '{close}'?" if close else ""
        certain = _is_input(word, found.asked, inputs) if meant else is_slip(word, found.text, [found.text])
        fixes = replaced(where, word, meant or found.text, safe=certain) if close else ()
        fixes = fixes or (() if found.is_of_loop else _raw(where, part.document.body.split("\n")[found.line - 1]))
        yield make_problem(found.code, message, part.document.file, where, object=owner, pointer="/body", fixes=fixes)


def _raw(where: Range, line: str) -> tuple[Fix, ...]:
    """Braces that were meant as text; whether they were, only the author knows."""
    start = line.rfind("{{", 0, where.start.column + 1)
    end = line.find("}}", max(start, where.end.column - 1))
    if start < 0 or end < 0:
        return ()
    row, whole = where.start.line, line[start : end + 2]
    place = Range(Position(row, start + 1), Position(row, end + 3))
    return (Fix("show the braces as they are", safe=False, range=place, text=f"{{% raw %}}{whole}{{% endraw %}}"),)


def _full_name(word: str, inputs: Mapping[str, Any]) -> str | None:
    """How a template names an input or property that is called just this; None when none is."""
    waiting = [(f"inputs.{name}", shape) for name, shape in inputs.items()]
    while waiting:
        path, shape = waiting.pop(0)
        if path.rpartition(".")[2] == word:
            return path
        waiting.extend((f"{path}.{name}", inner) for name, inner in shape.get("properties", {}).items())
    return None


def _is_input(word: str, asked: Sequence[Step] | None, inputs: Mapping[str, Any]) -> bool:
    """Whether `word` is an input of which all that is `asked` can be had, so that it is certainly meant."""
    shape: Mapping[str, Any] | None = inputs.get(word)
    if shape is None or asked is None:
        return False
    for step in asked:
        if shape is None:
            return True
        if not (_can_take(shape, step) and _can_index(shape, step)):
            return False
        shape = _inner(shape, step)
    return True


def _later_features(agent: Spec) -> Iterator[Problem]:
    for number, line in enumerate(agent.document.body.split("\n"), agent.document.body_line):
        if line.startswith("## ") and "{difficulty=" in line:
            where = span(number, line.index("{difficulty=") + 1, len("{difficulty="))
            message = "sections for one difficulty are not supported yet; remove the mark"
            yield make_problem("STK100", message, agent.document.file, where, object=agent.id, pointer="/body")


def _includes(part: _Part, specs: SpecSet, owner: str) -> Iterator[Problem]:
    """Partials that do not exist or leave the folder."""
    for include in part.parsed.includes:
        found = _include_problem(include.name, specs)
        if found is not None:
            where = part.range(include.line, include.column, include.end_column)
            stem = include.name.removesuffix(".md").removeprefix("_")
            is_file = specs.partial(stem) is not None  # named by its file, with mark or ending
            fixes = replaced(where, include.name, stem, safe=True) if is_file else ()
            fixes = fixes or word_fix(where, include.name, specs.partials)
            more: dict[str, Any] = {"object": owner, "pointer": "/body", "fixes": fixes}
            yield make_problem(found[0], found[1], part.document.file, where, **more)


def _include_problem(name: str, specs: SpecSet) -> tuple[str, str] | None:
    if "/" in name or "\\" in name or ".." in name:
        return "STK204", f"'{name}' leaves the folder; a partial is named by its file name alone, such as \"tone\""
    if not specs.may_exist("Partial", name):
        hint = did_you_mean(name, specs.partials, also="partials")
        return "STK303", f"partial '{name}' not found: looked for a file '_{name}.md'{hint}"
    return None


def _excess(agent: Spec, body: _Part, parts: Sequence[_Part]) -> Iterator[Problem]:
    """Includes that are too deep or too many; found at the first include of the prompt."""
    edges = {part.document.stem: [include.name for include in part.parsed.includes] for part in parts}
    why = find_excess([include.name for include in body.parsed.includes], edges)
    if why is not None:
        include = body.parsed.includes[0]
        where = body.range(include.line, include.column, include.end_column)
        yield make_problem("STK009", why, agent.document.file, where, object=agent.id, pointer="/body")


def _included(part: _Part, specs: SpecSet) -> tuple[_Part, ...]:
    """Every partial reached from `part`, each once, by name."""
    found: dict[str, _Part] = {}
    waiting = [include.name for include in part.parsed.includes]
    while waiting:
        name = waiting.pop()
        document = specs.partial(name)
        if document is not None and name not in found:
            found[name] = specs.remembered(_part, document)
            waiting.extend(include.name for include in found[name].parsed.includes)
    return tuple(found[name] for name in sorted(found))


def _names(part: _Part, agent: Spec, variables: frozenset[str] | None) -> Iterator[Problem]:
    """Names that nobody declares; without `variables` more may be set than can be read."""
    for read in part.parsed.reads:
        yield from _input(part, read, agent)
    for name in part.parsed.names:
        if name.path[0] == "vars" and len(name.path) > 1 and variables is not None and name.path[1] not in variables:
            hint = did_you_mean(name.path[1], variables, also="set in this environment")
            message = f"variable '{name.path[1]}' is not set{hint}"
            where = part.range(*_place(name, 1))
            more: dict[str, Any] = {"object": agent.id, "pointer": "/body"}
            fixes = word_fix(where, name.path[1], variables)
            yield make_problem("STK801", message, part.document.file, where, fixes=fixes, **more)


def _single_braces(part: _Part, agent: Spec) -> Iterator[Problem]:
    """Inputs in single braces, which are plain text: a warning, for a prompt may mean them so."""
    text, inputs = part.document.body, agent.data.get("inputs", {})
    if "{inputs." not in text or "{% raw" in text:
        return
    for number, line in enumerate(text.split("\n"), 1):
        for found in _SINGLE.finditer(line):
            if found[1] in inputs:
                meant = f"{{{{ {found[0].strip('${} ')} }}}}"
                message = f"`{found[0]}` is plain text, which the model gets as it is; write `{meant}` to fill it in"
                where = part.range(number, found.start() + 1, found.end() + 1)
                fixes = (Fix(f"write {meant}", safe=False, range=where, text=meant),)
                more: dict[str, Any] = {"object": agent.id, "pointer": "/body", "fixes": fixes, "severity": "warning"}
                yield make_problem("STK302", message, part.document.file, where, **more)


def _place(name: Name, index: int) -> tuple[int, int, int]:
    """Line, column and end column of one part of a name."""
    return name.parts[index] if index < len(name.parts) else (name.line, name.column, name.end_column)


def _input(part: _Part, read: Read, agent: Spec) -> Iterator[Problem]:
    """Follow what is asked through the declared inputs; the first step that does not fit is the problem."""
    inputs = {"type": "object", "properties": agent.data.get("inputs", {})}
    found = _misfit(inputs, (*read.base, *read.path[1:]))
    if found is None or found[0] < len(read.base):
        return  # what is wrong with a loop is told at the loop
    index, shape = found[0] - len(read.base) + 1, found[1]
    if isinstance(read.path[index], str):
        yield _unknown(part, read, index, _properties(shape) or {}, agent)
    else:
        yield _no_loop(part, read, shape["type"], agent)


def _misfit(shape: Mapping[str, Any], steps: Sequence[Step]) -> tuple[int, Mapping[str, Any]] | None:
    """The first step that a declared value cannot take, and the declaration there; None: none is known not to fit."""
    found: Mapping[str, Any] | None = shape
    for index, step in enumerate(steps):
        if found is None:
            return None
        if not _can_take(found, step):
            return index, found
        found = _inner(found, step)
    return None


def _can_take(shape: Mapping[str, Any], step: Step) -> bool:
    if isinstance(step, str):
        known = _properties(shape)
        return known is None or step in known
    return step is not Some.EACH or shape["type"] not in _NO_LOOP


def _can_index(shape: Mapping[str, Any], step: Step) -> bool:
    if isinstance(step, int):
        return bool(shape["type"] == "array")
    return step is not Some.COMPUTED or shape["type"] in {"array", "object"}


def _inner(shape: Mapping[str, Any], step: Step) -> Mapping[str, Any] | None:
    """The declaration of a part; None when nothing is known of it."""
    if isinstance(step, str):
        return (_properties(shape) or {}).get(step)
    if shape["type"] == "array":
        return shape.get("items")
    return {"type": "string"} if step is Some.EACH else None  # the names of an object, the letters of a text


def _properties(shape: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What can be asked of a value; None: anything, since its properties are not declared."""
    if shape["type"] == "object":
        return shape.get("properties")
    return {}


def _label(path: Sequence[Step]) -> str:
    """A name as it is read, such as `inputs.rows[0].name`."""
    steps = (
        f".{step}" if isinstance(step, str) else f"[{step}]" if isinstance(step, int) else "[...]" for step in path
    )
    return "".join(steps)[1:]


def _no_loop(part: _Part, read: Read, type_: str, agent: Spec) -> Problem:
    """A loop over a number or a boolean, which fails in every job."""
    (line, column, _), (last, _, end_column) = read.parts[0], read.parts[-1]
    where = part.range(line, column, end_column if line == last else column + 1)
    message = f"'{_label(read.path[:-1])}' is declared as {type_}; a loop goes through an array, an object or text"
    related = (agent.related("inputs are declared here", "inputs"),)
    more: dict[str, Any] = {"object": agent.id, "pointer": "/body", "related": related}
    return make_problem("STK307", message, part.document.file, where, **more)


def _unknown(part: _Part, read: Read, index: int, known: Mapping[str, Any], agent: Spec) -> Problem:
    step, parent = str(read.path[index]), _label(read.path[:index])
    is_input = parent == "inputs"
    what = "input" if is_input else f"property of '{parent}'"
    where = part.range(*read.parts[index])
    close = nearest(step, known)
    fixes = word_fix(where, step, filter(str.isidentifier, known))
    full = f"{parent}.{close}" if close else _full_name(step, agent.data.get("inputs", {}))
    if full:
        hint = f"; did you mean '{full}'?"
    elif known:
        hint = f"; declared: {', '.join(sorted(known))}"
    else:
        hint = f"; agent '{agent.name}' declares no inputs" if is_input else f"; '{parent}' has no properties"
    related: tuple[Related, ...] = ()
    if agent.has("inputs"):
        related = (agent.related("inputs are declared here", "inputs"),)
    message = f"unknown {what} '{step}'{hint}"
    return make_problem(
        "STK301", message, part.document.file, where, object=agent.id, pointer="/body", fixes=fixes, related=related
    )
