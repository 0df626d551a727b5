"""Warmup files: blocks, what the sandbox refuses, and names that nobody provides. Compiles the code, runs nothing.

A warmup is checked once by itself, and once for every agent that uses it, since imports, tools, inputs and the
queues that deliver items are the agent's.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statek.base.nearest import did_you_mean
from statek.compiler.warmup_imports import unoffered
from statek.compiler.warmup_names import Lack, lack_of, place_of, unknown_names
from statek.sandbox.policy import BUILTIN_NAMES, Policy
from statek.sandbox.restrict import SourceRefused, compile_block
from statek.spec.checking.patterns import selected
from statek.spec.problems import Position, Problem, Range, Related, make_problem, span
from statek.spec.reading.documents import Document
from statek.spec.types import Spec, SpecSet
from statek.text.warmup import Binding, DirectiveError, LocatedBlock, NameUse, bindings, free_names, split_blocks
from statek.tools.kit_names import KIT_NAMES

_AS_TOOL = "#STATEK: as tool"
_DIRECTIVE = re.compile(r"\s*#STATEK:\s*(?P<key>\w+)\s*=\s*(?P<value>.*)")
_DIRECTIVES = {"hidden": (bool, "True or False"), "label": (str, "text")}


def check_warmups(specs: SpecSet, agents: Sequence[Spec]) -> Iterator[Problem]:
    """Every problem of every warmup; `agents` are those whose references are known to be good."""
    by_warmup: dict[str, list[_Found]] = {}
    for found in specs.each(_found, agents):
        if found is not None:
            by_warmup.setdefault(found.warmup, []).append(found)
    # An agent with problems may use a warmup: then nobody knows which imports are allowed.
    unused = specs.warmups.keys() - by_warmup.keys()
    wanted = {warmup_of(agent) for agent in specs.of("Agent")} if unused else set()
    broken = specs.broken_of("Agent")
    documents = [document for _, document in sorted(specs.warmups.items())]
    for document, (_, problems) in zip(documents, specs.each(_blocks, documents), strict=True):
        yield from problems
        if problems:
            continue
        users = by_warmup.get(document.stem, [])
        allowed = sorted({found.imports for found in users}) or [()]
        refused = [problem for imports in allowed for problem in specs.told(_refusals, document, imports)]
        if not users and (broken or document.stem in wanted):
            refused = [problem for problem in refused if problem.code != "STK403"]
        yield from refused
        yield from specs.told(_members, document)
        told = {problem.range.start for problem in refused}
        if all(problem.code != "STK401" for problem in refused):
            yield from (problem for problem in _of_users(document, users, specs) if problem.range.start not in told)


def _of_users(document: Document, users: Sequence["_Found"], specs: SpecSet) -> Iterator[Problem]:
    """What is wrong with the warmup as its agents use it: each name once, whoever lacks it."""
    for found in users:
        yield from found.delivered
    if any(found.lacks for found in users):
        lacks = [lack for found in users for lack in found.lacks]
        yield from unknown_names(document, specs.remembered(_bindings, document), lacks, specs.names("ToolSet"))


def warmup_of(agent: Spec) -> str | None:
    """The name of the agent's warmup."""
    given = agent.data.get("warmup")
    return given if given is None or isinstance(given, str) else given.get("use")


def _id(document: Document) -> str:
    return f"Warmup/{document.stem}"


def _blocks(document: Document, _specs: SpecSet) -> tuple[tuple[LocatedBlock, ...], list[Problem]]:
    """The blocks of a warmup, and what is wrong with how they are written."""
    try:
        blocks = split_blocks(document.text)
    except DirectiveError as error:
        return (), [_at_line(document, "STK401", str(error).partition(": ")[2], error.line)]
    except SyntaxError as error:
        return (), [_at_line(document, "STK401", error.msg.partition(": ")[2] or error.msg, error.lineno or 1)]
    if not blocks:
        return (), [_at_line(document, "STK012", "the warmup holds no code", 1)]
    return blocks, [*_written_calls(document, blocks), *_directives(document)]


def _written_calls(document: Document, blocks: Sequence[LocatedBlock]) -> Iterator[Problem]:
    if not any(block.calls for block in blocks):
        return
    for number, line in enumerate(document.text.split("\n"), 1):
        if _AS_TOOL in line and not line.lstrip().startswith("#"):
            message = f"'{_AS_TOOL}' is not supported yet; write the call as plain code"
            where = span(number, line.index(_AS_TOOL) + 1, len(_AS_TOOL))
            yield make_problem("STK100", message, document.file, where, object=_id(document))


def _directives(document: Document) -> Iterator[Problem]:
    """Directives that say nothing to this build; they all have been read as `key = literal`."""
    for number, line in enumerate(document.text.split("\n"), 1):
        found = _DIRECTIVE.match(line)
        if found is None:
            continue
        kind, shown = _DIRECTIVES.get(found["key"], (None, ""))
        if kind is None:
            message = f"unknown directive '{found['key']}'{did_you_mean(found['key'], _DIRECTIVES)}"
            yield _at_line(document, "STK401", message, number)
        elif not isinstance(ast.literal_eval(found["value"]), kind):
            message = f"'{found['key']}' must be {shown}, found {found['value'].strip()}"
            yield _at_line(document, "STK401", message, number)


def _at_line(document: Document, code: str, message: str, line: int) -> Problem:
    text = document.text.split("\n")[line - 1]
    column = len(text) - len(text.lstrip()) + 1
    where = span(line, column, max(1, len(text.strip())))
    return make_problem(code, message, document.file, where, object=_id(document))


def _refusals(document: Document, imports: tuple[str, ...], specs: SpecSet) -> Iterator[Problem]:
    """What the sandbox refuses when it allows these imports."""
    for block in specs.remembered(_blocks, document)[0]:
        try:
            compile_block(block.code, Policy(imports=imports))
        except SourceRefused as refused:
            for found in refused.problems:
                row = block.line + found.line - 1
                where = Range(Position(row, found.column), Position(row, found.end_column))
                is_of_tools = found.code == "STK403" and specs.remembered(_tools_come_from, _module_of(found.message))
                message = f"{found.message}; {_TOOL_BY_NAME}" if is_of_tools else found.message
                if found.code == "STK401":
                    message = _not_python(document.text.split("\n")[row - 1]) or message
                yield make_problem(found.code, message, document.file, where, object=_id(document))


def _members(document: Document, specs: SpecSet) -> Sequence[Problem]:
    """Names of modules that the sandbox does not offer."""
    try:
        return list(unoffered(document, _joined(specs.remembered(_blocks, document)[0])))
    except SyntaxError:
        return []  # reported as STK401


def _not_python(line: str) -> str | None:
    """What a line was meant to be that is no Python at all."""
    if line.lstrip().startswith("```"):
        return "a warmup is Python itself, without a fence of Markdown; remove the line"
    if re.fullmatch(r"-{3,}\s*", line):
        return "the line between two blocks is a comment; write '# ----------'"
    return None


_TOOL_BY_NAME = "tools of the agent need no import, they are there by their names"


def _module_of(message: str) -> str:
    """The module that a refusal of an import is about."""
    found = re.search(r"module '([^']+)'", message)
    return found[1] if found is not None else ""


def _tools_come_from(module: str, specs: SpecSet) -> bool:
    tools = (tool for toolset in specs.of("ToolSet") for tool in toolset.data["tools"])
    return any(tool.get("python", "").partition(":")[0] == module for tool in tools)


def _free_names(document: Document, specs: SpecSet) -> Sequence[NameUse]:
    """Names that the warmup reads and does not bind. Raises SyntaxError as Python does."""
    return free_names(_joined(specs.remembered(_blocks, document)[0]))


def _bindings(document: Document, specs: SpecSet) -> dict[str, Binding]:
    """Names that the warmup binds. Raises SyntaxError as Python does."""
    return bindings(_joined(specs.remembered(_blocks, document)[0]))


@dataclass(frozen=True, slots=True)
class _Found:
    """What an agent allows its warmup to import, the names there that it lacks, and queues that deliver others."""

    warmup: str
    imports: tuple[str, ...]
    lacks: tuple[Lack, ...] = ()
    delivered: tuple[Problem, ...] = ()


def _found(agent: Spec, specs: SpecSet) -> _Found | None:
    """None: it has no warmup."""
    document = specs.warmup(warmup_of(agent) or "")
    if document is None:
        return None
    imports = tuple(agent.data.get("sandbox", {}).get("imports", ()))
    if specs.remembered(_blocks, document)[1]:
        return _Found(document.stem, imports)
    try:
        lacks, delivered = _names(agent, document, specs)
    except SyntaxError:
        return _Found(document.stem, imports)  # reported as STK401
    return _Found(document.stem, imports, lacks, delivered)


def _names(agent: Spec, document: Document, specs: SpecSet) -> tuple[tuple[Lack, ...], tuple[Problem, ...]]:
    """Names that neither the agent, nor the sandbox, nor a queue provides; queues that mean one of them."""
    tools = (tool.name for _, tool in selected(agent, specs))
    inputs, queues = frozenset(agent.data.get("inputs", {})), specs.queues_of(agent.name)
    provided = frozenset((*tools, *agent.data.get("subagents", ()))) | inputs
    free = specs.remembered(_free_names, document)
    unknown = [name for name in free if name.name not in provided | BUILTIN_NAMES | KIT_NAMES]
    read = {name.name for name in unknown}
    delivered = {queue.data["deliver_as"] for queue in queues}
    odd = [queue for queue in queues if queue.data["deliver_as"] not in inputs | read]
    missing = [name for name in unknown if name.name not in delivered]
    bound = specs.remembered(_bindings, document) if odd else {}
    meant = [name for name in missing if not name.called and name.name not in bound][: len(odd)]
    wrong = tuple(_other_name(agent, document, queue, name) for queue, name in zip(odd, meant, strict=False))
    lacked = [name for name in missing if name not in meant]
    # Inputs and values cannot be called: only what can is near to a name that is.
    own = {True: provided - inputs, False: provided | delivered}
    return tuple(lack_of(agent, name, own[name.called], specs) for name in lacked), wrong


def check_deliveries(specs: SpecSet, agents: Sequence[Spec]) -> Iterator[Problem]:
    """Queues that deliver a name which their agent neither declares as an input nor reads in its warmup."""
    receivers = {queue.data.get("agent") for queue in specs.of("Queue")}
    yield from specs.told_of_each(_deliveries, [agent for agent in agents if agent.name in receivers])


def _deliveries(agent: Spec, specs: SpecSet) -> Iterator[Problem]:
    document, inputs = specs.warmup(warmup_of(agent) or ""), agent.data.get("inputs", {})
    if document is not None and specs.remembered(_blocks, document)[1]:
        return
    try:
        free = specs.remembered(_free_names, document) if document is not None else ()
    except SyntaxError:
        return  # reported as STK401 by check_warmups
    tools = frozenset(tool.name for _, tool in selected(agent, specs))
    offered = tools | BUILTIN_NAMES | KIT_NAMES | frozenset(inputs)
    if any(name.name not in offered and not name.called for name in free):
        return
    for queue in specs.queues_of(agent.name):
        name = queue.data["deliver_as"]
        if name not in inputs and name in offered:
            owner = f"agent '{agent.name}' has a tool" if name in tools else "the code of every job has a"
            message = f"{owner} '{name}' already, which the item would hide; choose another name"
            yield queue.problem("STK503", message, "deliver_as")
        elif name not in inputs and name not in {found.name for found in free}:
            hint = did_you_mean(name, inputs, also="declared inputs")
            message = f"agent '{agent.name}' has no input '{name}', nor does its warmup read it{hint}"
            yield queue.problem("STK201", message, "deliver_as")


def _joined(blocks: Sequence[LocatedBlock]) -> str:
    """All blocks as one text in which every line has its number of the file."""
    lines: list[str] = []
    for block in blocks:
        lines.extend([""] * (block.line - 1 - len(lines)))
        lines.extend(block.code.split("\n"))
    return "\n".join(lines)


def _other_name(agent: Spec, document: Document, queue: Spec, name: NameUse) -> Problem:
    message = (
        f"queue '{queue.name}' delivers '{queue.data['deliver_as']}', but warmup '{document.stem}' of agent "
        f"'{agent.name}' reads '{name.name}' ({document.file}:{name.line}); use one name"
    )
    related = (Related(document.file, place_of(name), f"'{name.name}' is read here"),)
    return queue.problem("STK405", message, "deliver_as", related=related)
