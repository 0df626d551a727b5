"""A whole project to compiled objects, or to problems. The one door of the compiler: files in, values out.

No network, no user code, no store. Phases run in order, each only on what the phases before it found good, so that
one root cause gives one problem. Called by the command line and by a worker that noticed an edit.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from statek.base.kept import Kept
from statek.compiler import resolve
from statek.compiler.agents import agent as compile_agent
from statek.compiler.environments import check_environments, environment_of
from statek.compiler.openapi import check_openapi
from statek.compiler.revision import revision_of
from statek.compiler.templates import check_partials, check_prompt
from statek.compiler.tools import ModuleFinder, check_targets
from statek.compiler.warmups import check_deliveries, check_warmups, compiled_warmup
from statek.ledger import compiled
from statek.llm.known import needs_no_document
from statek.spec.checking.evals import check_evals
from statek.spec.checking.links import check_links
from statek.spec.checking.patterns import has_more, use_and_deny
from statek.spec.checking.policies import check_policies
from statek.spec.checking.schedules import check_schedules
from statek.spec.checking.validate import Judged, has_errors, load_specs
from statek.spec.merging.merge import homes, merge_specs
from statek.spec.problems import Problem, once, ordered
from statek.spec.reading.documents import Document, Read, read_documents
from statek.spec.reading.lint import apply_lint
from statek.spec.reading.project import FILE, EnvConfig, ProjectConfig, load_project
from statek.spec.reading.snapshot import digests, take_snapshot
from statek.spec.types import Spec, SpecSet


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
    protect: bool = False  # never pruned


@dataclass(frozen=True)
class Project:
    """A project's specs as they hold in `env`, and what is wrong so far; `sources`: file -> SHA-256."""

    config: ProjectConfig
    env: EnvConfig
    specs: SpecSet
    problems: tuple[Problem, ...]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Compilation:
    """What became of a project's files; `sources`: file -> SHA-256; `declared`: kind -> how many good ones there are.

    `later` says what is good and not run by this build yet. `objects` is empty when there is an error or a `later`.
    """

    config: ProjectConfig
    env: str
    problems: tuple[Problem, ...]
    objects: tuple[CompiledObject, ...]
    sources: Mapping[str, str]
    later: tuple[Problem, ...] = ()
    declared: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there are no errors (warnings may be, and what is not run yet)."""
        return not has_errors(self.problems)

    @property
    def runs(self) -> bool:
        """Whether this build can run it: there is neither an error nor something that is not run yet."""
        return self.ok and not self.later

    @property
    def obstacles(self) -> tuple[Problem, ...]:
        """The problems, and what is not run yet: all that is to be shown when it cannot be applied."""
        return ordered((*self.problems, *self.later))


def compile_project(path: Path, *, env: str | None = None) -> Compilation:
    """Compile the whole project that `path` lies in, for `env` (default: the project's `default_env`).

    Raises:
        SpecProblems: there is no project, or its settings cannot be used.
    """
    return Compiler().compile(path, env=env)


def check_project(path: Path, *, env: str | None = None) -> Compilation:
    """The same without the objects, which takes half the time: whatever is wrong is found before they are made.

    Raises:
        SpecProblems: there is no project, or its settings cannot be used.
    """
    return _checked(read_project(path, env=env))


class Compiler:
    """Compiles one project again and again, as a worker does after each edit, and makes anew what an edit changed.

    What it gives is what `compile_project` gives. One thread at a time.
    """

    def __init__(self) -> None:
        """Nothing was compiled yet."""
        self._kept = Keeping()
        self._ground: object = None
        self._made: dict[tuple[str, str], tuple[object, CompiledObject]] = {}

    def compile(self, path: Path, *, env: str | None = None) -> Compilation:
        """The whole project that `path` lies in; see `compile_project`."""
        self._kept.begin()
        project = read_project(path, env=env, kept=self._kept)
        checked = _checked(project)
        return replace(checked, objects=self._objects(project.specs, project.env)) if checked.runs else checked

    def _objects(self, specs: SpecSet, env: EnvConfig) -> tuple[CompiledObject, ...]:
        """Those made before of equal specs, on equal ground: what an agent takes from others than agents."""
        ground = (env, specs.partials, specs.warmups, specs.of("ToolSet"))
        before = self._made if ground == self._ground else {}
        self._ground, self._made = ground, {}
        for key, source in _sources(specs):
            found = before.get(key)
            same = found is not None and found[0] == source
            self._made[key] = found if found is not None and same else (source, _compiled(source, specs, env))
        return tuple(made for _, made in sorted(self._made.values(), key=lambda item: (item[1].kind, item[1].name)))


@dataclass(frozen=True)
class Keeping:
    """What of the reading of files is kept between two runs."""

    read: Kept[Read] = field(default_factory=Kept)
    judged: Kept[Judged] = field(default_factory=Kept)

    def begin(self) -> None:
        """A run begins."""
        self.read.begin()
        self.judged.begin()


def _checked(project: Project) -> Compilation:
    config, specs = project.config, project.specs
    found = [*project.problems, *_check(specs, config, project.env), *config.later, *project.env.later]
    problems, later = _split(apply_lint(found, config.lint))
    return Compilation(config, project.env.name, problems, (), project.sources, later, _counts(specs))


def read_project(path: Path, *, env: str | None = None, kept: Keeping | None = None) -> Project:
    """Read and merge the whole project that `path` lies in; what refers to other objects is not checked yet.

    Raises:
        SpecProblems: there is no project, or its settings cannot be used.
    """
    kept = kept or Keeping()
    config = load_project(path)
    name = env or config.default_env
    snapshot = take_snapshot(config)
    read = read_documents(snapshot.files, kept.read)
    lost = frozenset(problem.file for problem in snapshot.problems)
    read = type(read)(read.documents, (*snapshot.problems, *read.problems), read.broken | lost)
    written, problems = load_specs(read, kept.judged)
    specs, more = merge_specs(written, config, name)
    settings = {} if config.sha256 is None else {FILE: config.sha256}
    sources = {**digests(snapshot.files), **settings}
    found = (*read.problems, *problems, *more)
    return Project(config, environment_of(specs, config, name), specs, found, sources)


def _counts(specs: SpecSet) -> dict[str, int]:
    return dict(sorted(Counter([*(kind for kind, _ in specs.specs), *("Warmup" for _ in specs.warmups)]).items()))


def _split(found: Iterable[Problem]) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """What is wrong, and what is good and not run by this build yet."""
    problems = ordered(found)
    wrong = tuple(problem for problem in problems if problem.code != "STK100")
    return wrong, tuple(problem for problem in problems if problem.code == "STK100")


def in_scope(compilation: Compilation, paths: Sequence[Path]) -> tuple[CompiledObject, ...]:
    """The objects whose source lies under one of `paths` (each a file or folder)."""
    wanted = [Path(os.path.realpath(path)) for path in paths]
    root = Path(os.path.realpath(compilation.config.root))
    return tuple(
        item for item in compilation.objects if any((root / item.file).is_relative_to(path) for path in wanted)
    )


def _check(specs: SpecSet, config: ProjectConfig, env: EnvConfig) -> list[Problem]:
    """References, templates, tools and warmups."""
    problems = [*check_links(specs, needs_no_document), *check_environments(specs, config)]
    problems.extend(check_targets(specs, ModuleFinder(config.python_path)))
    problems.extend(check_openapi(specs, config.root))
    problems.extend((*check_schedules(specs), *check_evals(specs)))
    problems.extend(check_partials(specs))
    agents = [agent for agent in specs.of("Agent") if not agent.abstract]
    shared: list[Problem] = []
    for agent in agents:
        shared.extend(check_prompt(agent, specs, env.vars))
    blamed = {problem.object for problem in problems if has_errors([problem]) and _tells_names(problem)}
    known = [agent for agent in agents if agent.id not in blamed and _names_are_known(agent, specs, blamed)]
    shared.extend(check_warmups(specs, known))
    shared.extend(check_deliveries(specs, known))
    return [*once([*problems, *shared], homes(specs)), *check_policies(specs)]


def _tells_names(problem: Problem) -> bool:
    """Whether the names that a job has may not be those that are meant, because of this problem."""
    return not problem.pointer.startswith(("/model", "/eval", "/aliases"))


def _names_are_known(agent: Spec, specs: SpecSet, blamed: set[str | None]) -> bool:
    """Whether all tools and queues of the agent are good, so that a missing name is a problem of its own."""
    use, _ = use_and_deny(agent)
    sets = specs.names("ToolSet") if any("*" in pattern.partition("/")[0] for pattern in use) else set()
    wanted = {pattern.partition("/")[0] for pattern in use} | sets
    bad_tools = any(("ToolSet", name) in specs.broken or f"ToolSet/{name}" in blamed for name in wanted - {"*"})
    bad_queues = any(kind == "Queue" for kind, _ in specs.broken)
    untold = any(has_more(specs, pattern.partition("/")[0]) for pattern in use)
    return not (bad_tools or bad_queues or untold or specs.unsure & {"ToolSet", "Queue"})


_RESOLVERS: dict[str, Callable[[Spec], compiled.Compiled]] = {
    "ToolSet": resolve.tool_set, "Model": resolve.model, "Provider": resolve.provider, "Script": resolve.script,
    "Queue": resolve.queue, "Fleet": resolve.fleet,
}  # fmt: skip


def _sources(specs: SpecSet) -> Iterator[tuple[tuple[str, str], Spec | Document]]:
    """Whatever becomes an object, by kind and name; not what only says something about others."""
    for key, spec in specs.specs.items():
        if not spec.abstract and (spec.kind == "Agent" or spec.kind in _RESOLVERS):
            yield key, spec
    yield from ((("Warmup", name), document) for name, document in specs.warmups.items())


def _compiled(source: Spec | Document, specs: SpecSet, env: EnvConfig) -> CompiledObject:
    if isinstance(source, Document):
        place = (source.file, source.line, source.end_line)
        return _object("Warmup", compiled_warmup(source), place, {})
    value = compile_agent(source, specs, env) if source.kind == "Agent" else _RESOLVERS[source.kind](source)
    place = (source.document.file, source.document.line, source.document.end_line)
    return _object(source.kind, value, place, source.labels, protect=_is_protected(source))


def _is_protected(spec: Spec) -> bool:
    assert spec.document.node is not None
    head = spec.data if spec.kind == "Agent" else spec.document.node.data["metadata"]
    return bool(head.get("protect", False))


def _object(
    kind: str,
    value: compiled.Compiled,
    place: tuple[str, int, int],
    labels: Mapping[str, str],
    *,
    protect: bool = False,
) -> CompiledObject:
    text = compiled.encode(value)
    revision = revision_of(kind, value.name, text)
    return CompiledObject(kind, value.name, value, text, revision, *place, labels, protect)
