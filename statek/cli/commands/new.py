"""`statek new`: one more small working object for a project. Writes new files only, never over another."""

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from statek.base.nearest import did_you_mean
from statek.cli import new_texts, options
from statek.cli.codes import Exit
from statek.cli.new_files import write_new
from statek.cli.screen import Screen
from statek.exceptions import StatekError
from statek.sandbox.policy import BUILTIN_NAMES
from statek.spec.checking.validate import load_specs
from statek.spec.formats import NAME
from statek.spec.merging.merge import merge_specs
from statek.spec.reading.documents import read_documents
from statek.spec.reading.project import ProjectConfig, load_project
from statek.spec.reading.snapshot import take_snapshot
from statek.spec.types import Spec, SpecSet
from statek.tools.kit_names import KIT_NAMES

MODEL = "openrouter/openai/gpt-5-mini"  # when the project declares none
_KINDS = {"agent": "Agent", "tool": "ToolSet", "queue": "Queue", "warmup": "Warmup"}


@dataclass(frozen=True)
class Made:
    """Files to write, path below the project's root -> text, and what to do next."""

    files: Mapping[str, str]
    next: Sequence[str]
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Project:
    """The project as it is; objects with problems are known by name only."""

    config: ProjectConfig
    specs: SpecSet

    def folder(self, wanted: str) -> str:
        """The root of that name, else a folder of that name in the first root."""
        roots = [root.strip("/") for root in self.config.roots]
        named = next((root for root in roots if root.rpartition("/")[2] == wanted), None)
        return named or f"{roots[0]}/{wanted}"

    def first(self, kind: str) -> Spec | None:
        """The first good object of a kind, by name."""
        return next((spec for spec in self.specs.of(kind) if not spec.abstract), None)


@click.command(name="new")
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.argument("name")
@click.option("--agent", metavar="AGENT", help="For a queue: the agent whose jobs its items become.")
@options.project()
@options.output()
@click.pass_obj
def command(screen: Screen, kind: str, name: str, agent: str | None, project: Path) -> int:
    """Add a small working agent, tool, queue or warmup called NAME to the project.

    It refers to the first Model, ToolSet or agent there is. No file that exists is changed: if one is in the way,
    nothing is written and the exit code is 1.
    """
    if agent is not None and kind != "queue":
        raise click.UsageError("--agent goes with `statek new queue`")
    if not NAME.fits(name):
        raise click.UsageError(f"{name!r} is not {NAME.title}, such as '{NAME.example}'")
    if kind == "agent" and name == "README":
        raise click.UsageError("README.md is never read as an agent; choose another name")
    return run(screen, project, kind, name, agent)


def run(screen: Screen, path: Path, kind: str, name: str, agent: str | None) -> int:
    """Write the files. Raises SpecProblems without a project, StatekError when the name is taken or a file is there."""
    project = _read(path)
    taken = {other.casefold(): other for other in project.specs.names(_KINDS[kind])}
    if name.casefold() in taken:
        raise StatekError(
            f"{_KINDS[kind]} '{taken[name.casefold()]}' is there already; nothing was written",
            hint="choose another name",
        )
    made = _queue(project, name, agent) if kind == "queue" else _MAKERS[kind](project, name)
    write_new(project.config.root, made.files, hint="choose another name, or remove what is there")
    _show(screen, project.config.root, _KINDS[kind], name, made)
    return Exit.OK


def _read(path: Path) -> Project:
    config = load_project(path)
    specs, _ = load_specs(read_documents(take_snapshot(config).files))
    merged, _ = merge_specs(specs, config, config.default_env)
    return Project(config, merged)


def _agent(project: Project, name: str) -> Made:
    model, toolset = project.first("Model"), project.first("ToolSet")
    file = f"{project.folder('agents')}/{name}.md"
    text = new_texts.agent_text(name, model.name if model else MODEL, toolset.name if toolset else None)
    steps = [f"write its prompt in {file}", f"statek render {name} task=...", "statek apply ."]
    return Made({file: text}, [*steps, f"statek submit {name} task=..."], [*_model_notes(project, name, model)])


def _model_notes(project: Project, name: str, model: Spec | None) -> Sequence[str]:
    if model is None:
        return [f"no Model is declared: it says '{MODEL}', which needs OPENROUTER_API_KEY when it runs"]
    provider = project.specs.get("Provider", model.data["provider"])
    if provider is not None and provider.data.get("driver") == "scripted":
        script = model.data["id"]
        return [f"Model '{model.name}' answers from Script '{script}': add rules for agent {name} there"]
    return []


def _tool(project: Project, name: str) -> Made:
    function = name.replace("-", "_")
    if keyword.iskeyword(function) or function in BUILTIN_NAMES | KIT_NAMES:
        what = "a word of Python" if keyword.iskeyword(function) else "what the code of every job calls something else"
        raise click.UsageError(f"'{function}' is {what}; choose another name, such as '{function}_text'")
    module = f"{function}_tools"  # never the name of a module that others import
    home = project.config.python_path[0] / f"{module}.py"
    if not home.is_relative_to(project.config.root):
        raise StatekError(
            f"the first folder of python_path, {home.parent}, lies outside of the project; nothing was written",
            hint="write the function there by hand, or put a folder of the project first",
        )
    code, file = home.relative_to(project.config.root).as_posix(), f"{project.folder('agents')}/{name}.yaml"
    files = {file: new_texts.toolset_text(name, module, function), code: new_texts.function_text(function)}
    return Made(files, [f"write the function in {code}", f"add {name}/* under `tools` of an agent", "statek apply ."])


def _queue(project: Project, name: str, wanted: str | None) -> Made:
    agent = _served(project, wanted)
    variable = _delivered(agent) if agent else None
    file = f"{project.folder('queues')}/{name}.yaml"
    text = new_texts.queue_text(name, agent.name if agent else None, variable)
    steps = ["statek apply .", f"statek submit --queue {name} --from items.jsonl"]
    notes = [] if agent else [f"no agent takes its items yet: name one in {file}"]
    return Made({file: text}, steps if agent else [f"name an agent in {file}", *steps], notes)


def _served(project: Project, wanted: str | None) -> Spec | None:
    """The agent that takes the items: the one asked for, else the first that can. Raises StatekError."""
    if wanted is None:
        able = (spec for spec in project.specs.of("Agent") if not spec.abstract and _delivered(spec) is not None)
        return next(able, None)
    agent = project.specs.get("Agent", wanted)
    if agent is None:
        known = project.specs.names("Agent")
        broken = "has problems: see `statek validate`" if wanted in known else "is not there"
        hint = "" if wanted in known else did_you_mean(wanted, known)
        raise StatekError(f"agent '{wanted}' {broken}{hint}; nothing was written")
    if agent.abstract or _delivered(agent) is None:
        why = "is abstract and never runs" if agent.abstract else "must have one input that items become, and no other"
        hint = "" if agent.abstract else "that is required: give others a default, or make them optional"
        raise StatekError(f"agent '{wanted}' {why} {hint}".rstrip() + "; nothing was written")
    return agent


def _delivered(agent: Spec) -> str | None:
    """The input that an item becomes: the only required one, else the first; None when items alone are not enough."""
    inputs: Mapping[str, Any] = agent.data.get("inputs", {})
    required = [name for name, shape in inputs.items() if not (shape.get("optional") or "default" in shape)]
    return None if len(required) > 1 else next(iter((*required, *inputs)), None)


def _warmup(project: Project, name: str) -> Made:
    file = f"{project.folder('warmups')}/{name}.py"
    agent = project.specs.get("Agent", name)
    text = new_texts.warmup_text(name, list(agent.data.get("inputs", {})) if agent else [])
    user = f"agent {name}" if agent else "an agent"
    return Made({file: text}, [f"say `warmup: {name}` in the front matter of {user}", "statek apply ."])


_MAKERS = {"agent": _agent, "tool": _tool, "warmup": _warmup}


def _show(screen: Screen, root: Path, kind: str, name: str, made: Made) -> None:
    if screen.json:
        found = {"object": f"{kind}/{name}", "root": str(root), "files": sorted(made.files)}
        screen.document("Created", {**found, "next": list(made.next), "notes": list(made.notes)})
        return
    for file in made.files:
        screen.line(file)
    for note in made.notes:
        screen.note(f"note: {note}")
    for number, step in enumerate(made.next):
        screen.note(f"{'next: ' if not number else '      '}{step}")
