"""A whole project to compiled objects, or to problems. The one door of the compiler: files in, values out.

No network, no user code, no store. Phases run in order, each only on what the phases before it found good, so that
one root cause gives one problem. Called by the command line and by a worker that noticed an edit.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from statek.base.clock import Clock
from statek.compiler.environments import check_environments, environment_of
from statek.compiler.memory import Memory
from statek.compiler.openapi import check_openapi
from statek.compiler.templates import check_partials, check_prompt
from statek.compiler.tools import ModuleFinder, check_targets, unread_once
from statek.compiler.warmups import check_deliveries, check_warmups
from statek.llm.known import needs_no_document
from statek.spec.checking.evals import check_evals
from statek.spec.checking.links import check_links
from statek.spec.checking.patterns import has_more, use_and_deny
from statek.spec.checking.policies import check_policies
from statek.spec.checking.schedules import check_schedules
from statek.spec.checking.validate import has_errors, load_specs
from statek.spec.merging.merge import homes, merge_specs
from statek.spec.problems import Problem, once, ordered
from statek.spec.reading.documents import read_documents
from statek.spec.reading.lint import apply_lint
from statek.spec.reading.project import FILE, EnvConfig, ProjectConfig, load_project
from statek.spec.reading.snapshot import Snapshot, digests
from statek.spec.types import Spec, SpecSet

if TYPE_CHECKING:  # a third of what this module would load, and checking alone makes no objects
    from statek.compiler.objects import CompiledObject


@dataclass(frozen=True)
class Files:
    """A project's settings, and its files as of one moment."""

    config: ProjectConfig
    snapshot: Snapshot

    @cached_property
    def digest(self) -> str:
        """Of the bytes of all of them, and of why some cannot be read."""
        total = hashlib.sha256(f"{self.config.sha256}\0".encode())
        for file in self.snapshot.files:
            total.update(f"{file.path}\0{file.sha256}\0".encode())
        for problem in self.snapshot.problems:
            total.update(f"{problem.file}\0{problem.message}\0".encode())
        return total.hexdigest()


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
    """What became of a project's files; `declared`: kind -> how many good ones there are.

    `sources`: file, as seen from the project -> SHA-256, of all that was read: also modules of tools in `python_path`
    and OpenAPI files.

    `later` says what is good and not run by this build yet. `objects` is empty when there is an error or a `later`.
    """

    config: ProjectConfig
    env: str
    problems: tuple[Problem, ...]
    objects: "tuple[CompiledObject, ...]"
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
    once = Memory(lasts=False)
    return _compiled(_files(path, once), env, once)


def check_project(path: Path, *, env: str | None = None) -> Compilation:
    """The same without the objects, which takes half the time: whatever is wrong is found before they are made.

    Raises:
        SpecProblems: there is no project, or its settings cannot be used.
    """
    once = Memory(lasts=False)
    return _checked(_project(_files(path, once), env, once), once)


def read_project(path: Path, *, env: str | None = None) -> Project:
    """Read and merge the whole project that `path` lies in; what refers to other objects is not checked yet.

    Raises:
        SpecProblems: there is no project, or its settings cannot be used.
    """
    once = Memory(lasts=False)
    return _project(_files(path, once), env, once)


class Compiler:
    """Compiles one project again and again, as a worker does after each edit; the `Memory` says what that costs.

    What it gives is what `compile_project` gives. One thread at a time.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """Nothing was compiled yet. `clock` tells for how long files have been at rest."""
        self._memory = Memory(clock)

    def files(self, path: Path) -> Files:
        """All files of the project that `path` lies in, as they are now; raises as `compile_project` does."""
        return _files(path, self._memory)

    def compile(self, files: Path | Files, *, env: str | None = None) -> Compilation:
        """What `compile_project` gives for these files, or for the project that a path lies in."""
        found = self.files(files) if isinstance(files, Path) else files
        return _compiled(found, env, self._memory)


def _files(path: Path, memory: Memory) -> Files:
    config = load_project(path)
    return Files(config, memory.snapshots.take(config))


def _project(files: Files, env: str | None, memory: Memory) -> Project:
    memory.begin()
    config, snapshot = files.config, files.snapshot
    name = env or config.default_env
    read = read_documents(snapshot.files, memory.kept)
    lost = frozenset(problem.file for problem in snapshot.problems)
    read = type(read)(read.documents, (*snapshot.problems, *read.problems), read.broken | lost)
    written, problems = load_specs(read, memory.kept)
    merged, more = merge_specs(memory.of_stage("written", written), config, name)
    specs = memory.of_stage("merged", merged)
    settings = {} if config.sha256 is None else {FILE: config.sha256}
    sources = {**digests(snapshot.files), **settings}
    found = (*read.problems, *problems, *more)
    return Project(config, memory.the_same(environment_of(specs, config, name)), specs, found, sources)


def _checked(project: Project, memory: Memory) -> Compilation:
    config, specs = project.config, project.specs
    sources = dict(project.sources)
    found = [*project.problems, *_check(project, memory, sources), *config.later, *project.env.later]
    problems, later = _split(unread_once(apply_lint(found, config.lint)))
    return Compilation(config, project.env.name, problems, (), sources, later, _counts(specs))


def _compiled(files: Files, env: str | None, memory: Memory) -> Compilation:
    project = _project(files, env, memory)
    checked = _checked(project, memory)
    if not checked.runs:
        return checked
    from statek.compiler.objects import objects_of  # see above

    return replace(checked, objects=objects_of(memory.of_stage("compiled", project.specs), project.env))


def _counts(specs: SpecSet) -> dict[str, int]:
    return dict(sorted(Counter([*(kind for kind, _ in specs.specs), *("Warmup" for _ in specs.warmups)]).items()))


def _split(found: Iterable[Problem]) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """What is wrong, and what is good and not run by this build yet."""
    problems = ordered(found)
    wrong = tuple(problem for problem in problems if problem.code != "STK100")
    return wrong, tuple(problem for problem in problems if problem.code == "STK100")


def in_scope(compilation: Compilation, paths: Sequence[Path]) -> "tuple[CompiledObject, ...]":
    """The objects whose source lies under one of `paths` (each a file or folder)."""
    wanted = [Path(os.path.realpath(path)) for path in paths]
    root = Path(os.path.realpath(compilation.config.root))
    return tuple(
        item for item in compilation.objects if any((root / item.file).is_relative_to(path) for path in wanted)
    )


def _check(project: Project, memory: Memory, sources: dict[str, str]) -> list[Problem]:
    """References, templates, tools and warmups; `sources` takes in the files that are read for it."""
    specs, config = project.specs, project.config
    problems = [*check_links(specs, needs_no_document), *check_environments(specs, config)]
    finder = ModuleFinder(config.python_path, config.root, memory.modules)
    problems.extend(check_targets(specs, finder))
    problems.extend(check_openapi(specs, config.root, memory.apis, sources))
    sources.update(finder.sources)
    problems.extend((*check_schedules(specs), *check_evals(specs)))
    problems.extend(check_partials(specs))
    agents = [agent for agent in specs.of("Agent") if not agent.abstract]
    shared = specs.told_of_each(check_prompt, agents, frozenset(project.env.vars))
    blamed = {problem.object for problem in problems if has_errors([problem]) and _tells_names(problem)}
    bad_sets = frozenset(found.partition("/")[2] for found in blamed if found and found.startswith("ToolSet/"))
    good = zip(agents, specs.each(_names_are_known, agents, bad_sets), strict=True)
    known = [agent for agent, is_known in good if is_known and not (blamed and agent.id in blamed)]
    shared.extend(check_warmups(specs, known))
    shared.extend(check_deliveries(specs, known))
    found = [*problems, *shared]
    return [*(once(found, homes(specs)) if found else ()), *check_policies(specs)]


def _tells_names(problem: Problem) -> bool:
    """Whether the names that a job has may not be those that are meant, because of this problem."""
    return not problem.pointer.startswith(("/model", "/eval", "/aliases"))


def _names_are_known(agent: Spec, bad_sets: frozenset[str], specs: SpecSet) -> bool:
    """Whether all tools and queues of the agent are good, so that a missing name is a problem of its own.

    `bad_sets` are ToolSets in which something was found to be wrong.
    """
    use, _ = use_and_deny(agent)
    sets = specs.names("ToolSet") if any("*" in pattern.partition("/")[0] for pattern in use) else frozenset()
    wanted = {pattern.partition("/")[0] for pattern in use} | sets
    bad_tools = (wanted - {"*"}) & (bad_sets | specs.broken_of("ToolSet"))
    untold = any(has_more(specs, pattern.partition("/")[0]) for pattern in use)
    return not (bad_tools or untold or specs.is_unsure("ToolSet")) and specs.has_all("Queue")
