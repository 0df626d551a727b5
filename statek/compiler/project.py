"""A whole project to compiled objects, or to problems. The one door of the compiler: files in, values out.

No network, no user code, no store. Phases run in order, each only on what the phases before it found good, so that
one root cause gives one problem. Called by the command line and by a worker that noticed an edit.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.compiler import resolve
from statek.compiler.agents import agent as compile_agent
from statek.compiler.environments import check_environments
from statek.compiler.revision import revision_of
from statek.compiler.templates import check_partials, check_prompt
from statek.compiler.tools import ModuleFinder, check_targets
from statek.compiler.warmups import check_deliveries, check_warmups, compiled_warmup
from statek.ledger import compiled
from statek.spec.documents import read_documents
from statek.spec.links import check_links
from statek.spec.patterns import use_and_deny
from statek.spec.problems import Problem, Range, ordered
from statek.spec.project import FILE, ProjectConfig, load_project
from statek.spec.snapshot import digests, take_snapshot
from statek.spec.types import Spec, SpecSet
from statek.spec.validate import load_specs


@dataclass(frozen=True)
class CompiledObject:
    """One object of a release: its value, its text and name, and where it came from (lines from 1, end inclusive)."""

    kind: str
    name: str
    value: compiled.Compiled
    text: str
    revision: str  # "name@" + 12 hex digits
    file: str
    line: int
    end_line: int
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Compilation:
    """What became of a project's files. `objects` is empty when there is any error; `sources`: file -> SHA-256."""

    config: ProjectConfig
    env: str
    problems: tuple[Problem, ...]
    objects: tuple[CompiledObject, ...]
    sources: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether there are no errors (warnings may be)."""
        return not _has_errors(self.problems)


def compile_project(path: Path, *, env: str | None = None) -> Compilation:
    """Compile the whole project that `path` lies in, for `env` (default: the project's `default_env`).

    Raises:
        SpecProblems: there is no project, or its settings cannot be used.
    """
    config = load_project(path)
    name = env or config.default_env
    snapshot = take_snapshot(config)
    read = read_documents(snapshot.files)
    lost = frozenset(problem.file for problem in snapshot.problems)
    read = type(read)(read.documents, (*snapshot.problems, *read.problems), read.broken | lost)
    specs, problems = load_specs(read)
    problems = (*read.problems, *problems)
    problems = ordered((*problems, *_check(specs, config, name)))
    objects = () if _has_errors(problems) else _compile(specs, config, name)
    settings = {} if config.sha256 is None else {FILE: config.sha256}
    return Compilation(config, name, problems, objects, {**digests(snapshot.files), **settings})


def in_scope(compilation: Compilation, paths: Sequence[Path]) -> tuple[CompiledObject, ...]:
    """The objects whose source lies under one of `paths` (each a file or folder)."""
    wanted = [Path(os.path.realpath(path)) for path in paths]
    root = Path(os.path.realpath(compilation.config.root))
    return tuple(
        item for item in compilation.objects if any((root / item.file).is_relative_to(path) for path in wanted)
    )


def _has_errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _check(specs: SpecSet, config: ProjectConfig, env: str) -> list[Problem]:
    """References, templates, tools and warmups."""
    problems = [*check_links(specs), *check_environments(specs, config)]
    problems.extend(check_targets(specs, ModuleFinder(config.python_path)))
    problems.extend(check_partials(specs))
    blamed = {problem.object for problem in problems}
    linked = [agent for agent in specs.of("Agent") if agent.id not in blamed]
    shared: list[Problem] = []
    for agent in linked:
        shared.extend(check_prompt(agent, specs, config.env(env).vars))
    known = [agent for agent in linked if _names_are_known(agent, specs, blamed)]
    shared.extend(check_warmups(specs, known))
    shared.extend(check_deliveries(specs, known))
    return [*problems, *_once(shared)]


def _once(problems: Iterable[Problem]) -> Iterable[Problem]:
    """Only the first of the problems that several agents have with one place of a shared file."""
    first: dict[tuple[str, Range, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.file, problem.range, problem.code), problem)
    return first.values()


def _names_are_known(agent: Spec, specs: SpecSet, blamed: set[str | None]) -> bool:
    """Whether all tools and queues of the agent are good, so that a missing name is a problem of its own."""
    use, _ = use_and_deny(agent)
    sets = specs.names("ToolSet") if any("*" in pattern.partition("/")[0] for pattern in use) else set()
    wanted = {pattern.partition("/")[0] for pattern in use} | sets
    bad_tools = any(("ToolSet", name) in specs.broken or f"ToolSet/{name}" in blamed for name in wanted - {"*"})
    bad_queues = any(kind == "Queue" for kind, _ in specs.broken)
    return not (bad_tools or bad_queues or specs.unsure & {"ToolSet", "Queue"})


_RESOLVERS: dict[str, Callable[[Spec], compiled.Compiled]] = {
    "ToolSet": resolve.tool_set, "Model": resolve.model, "Provider": resolve.provider, "Script": resolve.script,
    "Queue": resolve.queue, "Fleet": resolve.fleet,
}  # fmt: skip


def _compile(specs: SpecSet, config: ProjectConfig, env: str) -> tuple[CompiledObject, ...]:
    objects = []
    for spec in specs.specs.values():
        is_agent = spec.kind == "Agent"
        value = compile_agent(spec, specs, config.env(env)) if is_agent else _RESOLVERS[spec.kind](spec)
        place = (spec.document.file, spec.document.line, spec.document.end_line)
        objects.append(_object(spec.kind, value, place, spec.labels))
    for document in specs.warmups.values():
        place = (document.file, document.line, document.end_line)
        objects.append(_object("Warmup", compiled_warmup(document), place, {}))
    return tuple(sorted(objects, key=lambda item: (item.kind, item.name)))


def _object(
    kind: str, value: compiled.Compiled, place: tuple[str, int, int], labels: Mapping[str, str]
) -> CompiledObject:
    text = compiled.encode(value)
    revision = revision_of(kind, value.name, text)
    return CompiledObject(kind, value.name, value, text, revision, *place, labels)
