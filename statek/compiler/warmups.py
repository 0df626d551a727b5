"""Warmup files: blocks, what the sandbox refuses, and names that nobody provides. Compiles the code, runs nothing.

A warmup is checked once by itself, and once for every agent that uses it, since imports, tools, inputs and the
queues that deliver items are the agent's.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statek.base.nearest import did_you_mean
from statek.ledger import compiled
from statek.sandbox.policy import BUILTIN_NAMES, UNOFFERED_NAMES, Policy
from statek.sandbox.restrict import SourceRefused, compile_block
from statek.spec.checking.patterns import selected
from statek.spec.formats import duration_us
from statek.spec.problems import Position, Problem, Range, Related, make_problem, span
from statek.spec.reading.documents import Document
from statek.spec.types import Spec, SpecSet
from statek.text.warmup import DirectiveError, LocatedBlock, NameUse, free_names, split_blocks
from statek.tools.registry import KIT_NAMES

_AS_TOOL = "#STATEK: as tool"
_DIRECTIVE = re.compile(r"\s*#STATEK:\s*(?P<key>\w+)\s*=\s*(?P<value>.*)")
_DIRECTIVES = {"hidden": (bool, "True or False"), "label": (str, "text")}


@dataclass(frozen=True, slots=True)
class _Use:
    """A warmup as one agent uses it."""

    document: Document
    agent: Spec
    specs: SpecSet

    @property
    def queues(self) -> tuple[Spec, ...]:
        return tuple(queue for queue in self.specs.of("Queue") if queue.data.get("agent") == self.agent.name)

    @property
    def provided(self) -> frozenset[str]:
        """Every name that is there before the first block, but for what queues deliver."""
        tools = (tool.name for _, tool in selected(self.agent, self.specs))
        return frozenset((*tools, *self.agent.data.get("subagents", ()), *self.agent.data.get("inputs", {})))


def check_warmups(specs: SpecSet, agents: Sequence[Spec]) -> Iterator[Problem]:
    """Every problem of every warmup; `agents` are those whose references are known to be good."""
    by_warmup: dict[str | None, list[Spec]] = {}
    for agent in agents:
        by_warmup.setdefault(warmup_of(agent), []).append(agent)
    # An agent with problems may use a warmup: then nobody knows which imports are allowed.
    wanted = {warmup_of(agent) for agent in specs.of("Agent")}
    broken = any(kind == "Agent" for kind, _ in specs.broken)
    for name, document in sorted(specs.warmups.items()):
        blocks, problems = _blocks(document)
        yield from problems
        if problems:
            continue
        users = by_warmup.get(name, [])
        refused = list(_refusals(document, blocks, users))
        if not users and (broken or name in wanted):
            refused = [problem for problem in refused if problem.code != "STK403"]
        yield from refused
        told = {problem.range.start for problem in refused}
        for agent in users if all(problem.code != "STK401" for problem in refused) else ():
            unknown = _names(_Use(document, agent, specs), blocks)
            yield from (problem for problem in unknown if problem.range.start not in told)


def warmup_of(agent: Spec) -> str | None:
    """The name of the agent's warmup."""
    given = agent.data.get("warmup")
    return given if given is None or isinstance(given, str) else given.get("use")


def compiled_warmup(document: Document, *, timeout: str = "30s", hidden: bool = False) -> compiled.Warmup:
    """A warmup without problems; `hidden` hides all of its blocks. Lines count from the first line of code."""
    located = split_blocks(document.text)
    blocks = tuple(
        compiled.Block(block.code, block.line - located[0].line + 1, block.hidden or hidden, block.label)
        for block in located
    )
    return compiled.Warmup(document.stem, _id(document), blocks, duration_us(timeout))


def _id(document: Document) -> str:
    return f"Warmup/{document.stem}"


def _blocks(document: Document) -> tuple[tuple[LocatedBlock, ...], list[Problem]]:
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


def _refusals(document: Document, blocks: Sequence[LocatedBlock], users: Sequence[Spec]) -> Iterator[Problem]:
    """What the sandbox refuses, under the imports of every agent that uses the warmup."""
    allowed = {tuple(agent.data.get("sandbox", {}).get("imports", ())) for agent in users}
    for imports in sorted(allowed) or [()]:
        for block in blocks:
            try:
                compile_block(block.code, Policy(imports=imports))
            except SourceRefused as refused:
                for found in refused.problems:
                    row = block.line + found.line - 1
                    where = Range(Position(row, found.column), Position(row, found.end_column))
                    yield make_problem(found.code, found.message, document.file, where, object=_id(document))


def _names(use: _Use, blocks: Sequence[LocatedBlock]) -> Iterator[Problem]:
    """Names that neither the agent, nor the sandbox, nor a queue provides."""
    provided = use.provided | BUILTIN_NAMES | KIT_NAMES
    unknown = [name for name in free_names(_joined(blocks)) if name.name not in provided]
    read = {name.name for name in unknown}
    delivered = {queue.data["deliver_as"] for queue in use.queues}
    inputs = frozenset(use.agent.data.get("inputs", {}))
    odd = [queue for queue in use.queues if queue.data["deliver_as"] not in inputs | read]
    for name in unknown:
        if name.name in delivered:
            continue
        if odd and not name.called:
            yield _other_name(use, odd[0], name)
            odd = odd[1:]
            continue
        yield _unknown(use, name, provided | delivered | _bound(blocks))


def check_deliveries(specs: SpecSet, agents: Sequence[Spec]) -> Iterator[Problem]:
    """Queues that deliver a name which their agent neither declares as an input nor reads in its warmup."""
    for agent in agents:
        use = [queue for queue in specs.of("Queue") if queue.data.get("agent") == agent.name]
        if not use:
            continue
        document = specs.warmups.get(warmup_of(agent) or "")
        blocks, problems = _blocks(document) if document is not None else ((), [])
        inputs = agent.data.get("inputs", {})
        try:
            free = free_names(_joined(blocks)) if not problems else []
        except SyntaxError:
            continue  # reported as STK401 by check_warmups
        tools = frozenset(tool.name for _, tool in selected(agent, specs))
        offered = tools | BUILTIN_NAMES | KIT_NAMES | frozenset(inputs)
        unknown = {name.name for name in free if name.name not in offered and not name.called}
        for queue in use:
            name = queue.data["deliver_as"]
            if name not in inputs and name not in {found.name for found in free} and not unknown and not problems:
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


def _range(name: NameUse) -> Range:
    return Range(Position(name.line, name.column), Position(name.line, max(name.end_column, name.column + 1)))


def _bound(blocks: Sequence[LocatedBlock]) -> frozenset[str]:
    """Names that the code itself binds anywhere."""
    nodes = ast.walk(ast.parse(_joined(blocks)))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _unknown(use: _Use, name: NameUse, known: frozenset[str]) -> Problem:
    if name.name in UNOFFERED_NAMES:
        message = f"'{name.name}' is not there: {UNOFFERED_NAMES[name.name]}"
        return make_problem("STK402", message, use.document.file, _range(name), object=_id(use.document))
    own = known - BUILTIN_NAMES
    hint = did_you_mean(name.name, known if "did you mean" in did_you_mean(name.name, known) else own)
    message = f"name '{name.name}' is neither input, tool nor local of agent '{use.agent.name}'{hint}"
    return make_problem("STK404", message, use.document.file, _range(name), object=_id(use.document))


def _other_name(use: _Use, queue: Spec, name: NameUse) -> Problem:
    message = (
        f"queue '{queue.name}' delivers '{queue.data['deliver_as']}', but warmup '{use.document.stem}' of agent "
        f"'{use.agent.name}' reads '{name.name}' ({use.document.file}:{name.line}); use one name"
    )
    related = (Related(use.document.file, _range(name), f"'{name.name}' is read here"),)
    return queue.problem("STK405", message, "deliver_as", related=related)
