"""`statek render`: what a job with these inputs would be given. Opens no store and no ledger, asks nobody.

Everything shown comes from the functions that the worker uses (`runtime.offer`), on what the files declare now. Tools
are described by their imported functions, so their modules are imported, as `statek apply` and the worker do.
"""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from statek.base.nearest import did_you_mean
from statek.cli import items, options
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_problems, validation
from statek.cli.screen import Screen
from statek.compiler.objects import CompiledObject
from statek.compiler.project import Compilation, compile_project
from statek.exceptions import NotApplied, StatekError
from statek.ledger import compiled
from statek.ledger.inputs import check_inputs, fill_defaults
from statek.ledger.submit import BadInputs
from statek.llm.pricing import estimate_tokens
from statek.runtime.offer import Offer, allowances, from_spec, model_chain
from statek.runtime.turn import sendable
from statek.settings import get_statek_settings

_SECOND = 1_000_000


@dataclass(frozen=True)
class Given:
    """What is asked for: an agent, its inputs as words or as a JSON file (`-` is stdin), the id of the job."""

    agent: str
    pairs: tuple[str, ...]
    json_file: str | None
    job: str


@click.command(name="render")
@click.argument("agent")
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--inputs", "json_file", metavar="FILE", help="All inputs as one JSON object in a file; `-` is stdin.")
@click.option("--job", metavar="ID", help="What `job.id` is in the prompt; by default AGENT/1.")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(
    screen: Screen,
    agent: str,
    pairs: tuple[str, ...],
    json_file: str | None,
    job: str | None,
    project: Path,
    env: str | None,
) -> int:
    """Show the exact prompt and tools that a job of AGENT would get for these inputs.

    Reads the files as they are now: nothing needs to be applied, no store is opened, no model is asked. The modules of
    the agent's tools are imported, as `statek apply` does, because tools are described by their functions.
    """
    if pairs and json_file is not None:
        raise click.UsageError("give key=value words or --inputs FILE, not both")
    return run(screen, project, env, Given(agent, pairs, json_file, job or f"{agent}/1"))


def run(screen: Screen, project: Path, env: str | None, given: Given) -> int:
    """Render and show. Returns 1 for bad files. Raises StatekError for an unknown agent, bad inputs, bad tools."""
    compilation = compile_project(project, env=env)
    root = compilation.config.root
    if not compilation.runs:
        if screen.json:
            screen.document("Validation", validation(compilation.obstacles, ok=False))
        show_problems(screen, compilation.obstacles, root)
        return Exit.WRONG
    show_problems(screen, compilation.problems, root)
    agent = _find(compilation, given.agent)
    inputs = _inputs(agent, given)
    offer = _offer(compilation, agent)
    found = _rendered(compilation, agent, offer, inputs, given.job)
    if screen.json:
        screen.document("Rendered", found)
    else:
        _show(screen, found)
    return Exit.OK


def _find(compilation: Compilation, name: str) -> CompiledObject:
    agents = {item.name: item for item in compilation.objects if item.kind == "Agent"}
    if name not in agents:
        raise NotApplied(f"there is no agent {name!r} to run{did_you_mean(name, agents, also='there are')}")
    return agents[name]


def _inputs(item: CompiledObject, given: Given) -> dict[str, Any]:
    agent = _agent(item)
    try:
        read = _read(agent, given)
        problems = check_inputs(agent, read)
    except BadInputs as error:
        read, problems = {}, list(error.problems)
    if problems:
        raise StatekError("\n".join(problems), hint=f"the inputs of agent {agent.name!r} are declared in {item.file}")
    return fill_defaults(agent, read)


def _read(agent: compiled.Agent, given: Given) -> Any:
    found = items.from_json(given.json_file) if given.json_file else items.from_pairs(given.pairs, agent.inputs)
    return found.values[0]


def _agent(item: CompiledObject) -> compiled.Agent:
    assert isinstance(item.value, compiled.Agent)
    return item.value


def _offer(compilation: Compilation, item: CompiledObject) -> Offer:
    """What the worker would make of it. Raises StatekError when a tool cannot be imported."""
    others = {other.name: _agent(other) for other in compilation.objects if other.kind == "Agent"}
    with _among_modules(compilation):
        return from_spec(_agent(item), item.revision, others, allowances(get_statek_settings()))


@contextlib.contextmanager
def _among_modules(compilation: Compilation) -> Iterator[None]:
    """Where tool modules are found; what they print while they are imported is not our answer."""
    sys.path[:0] = [str(path) for path in compilation.config.python_path]
    with contextlib.chdir(compilation.config.root), contextlib.redirect_stdout(sys.stderr):
        yield


def _rendered(
    compilation: Compilation, item: CompiledObject, offer: Offer, inputs: Mapping[str, Any], job: str
) -> dict[str, Any]:
    prompt = sendable(offer.prompt_for(inputs, job)) or ""
    formal = list(offer.formal_tools())
    sizes = {"promptBytes": len(prompt.encode()), "toolBytes": len(json.dumps(formal).encode()) if formal else 0}
    return {
        "env": compilation.env, "agent": item.name, "revision": item.revision, "job": job, "inputs": dict(inputs),
        "models": _models(compilation, offer), "chatStyle": offer.chat_style, "limits": _limits(offer.limits),
        "prompt": prompt, "listing": offer.listing, "formalTools": formal,
        "warmup": [{"code": part.code, "hidden": part.hidden} for part in offer.warmup],
        "estimate": {**sizes, "tokens": estimate_tokens(sum(sizes.values()))},
    }  # fmt: skip


def _models(compilation: Compilation, offer: Offer) -> list[dict[str, Any]]:
    """The chain in the order of asking, with the parameters of each request."""
    models = {item.name: item.value for item in compilation.objects if isinstance(item.value, compiled.Model)}
    found = []
    for name in model_chain(offer.chain, models):
        model = models.get(name)
        place = {"provider": model.provider, "id": model.id} if model else {"provider": None, "id": None}
        found.append({"name": name, **place, "params": {**(model.params if model else {}), **offer.params}})
    return found


def _limits(limits: compiled.Limits) -> dict[str, Any]:
    values = dataclasses.asdict(limits)
    seconds = values.pop("wall_clock_us") / _SECOND
    return {**{_camel(name): value for name, value in values.items()}, "wallClockSeconds": seconds}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _show(screen: Screen, found: Mapping[str, Any]) -> None:
    screen.line(f"{found['revision']} in environment {found['env']}")
    _head(screen, "models, in the order of asking")
    for model in found["models"]:
        place = f"  {model['id']} at {model['provider']}" if model["provider"] else ""
        params = f"  {json.dumps(model['params'])}" if model["params"] else ""
        screen.line(f"{model['name']}{place}{params}")
    _head(screen, "limits")
    screen.line(", ".join(f"{name} {value}" for name, value in found["limits"].items() if value is not None))
    _head(screen, f"system prompt, {found['estimate']['promptBytes']:,} bytes")
    screen.line(found["prompt"].removesuffix("\n"))
    _head(screen, "tools, as the prompt lists them where it says {{ tools }}")
    screen.line(found["listing"] or "(none)")
    _head(screen, f"formal tools, {found['estimate']['toolBytes']:,} bytes")
    for tool in found["formalTools"]:
        screen.line(json.dumps(tool, indent=2, ensure_ascii=False))
    if not found["formalTools"]:
        screen.line(f"(none: chat style {found['chatStyle']} takes code)")
    _warmup(screen, found["warmup"])
    _head(screen, "estimate")
    screen.line(f"about {found['estimate']['tokens']:,} tokens for prompt and formal tools (bytes // 4)")


def _warmup(screen: Screen, blocks: list[dict[str, Any]]) -> None:
    _head(screen, "warmup, run before the first answer")
    for number, block in enumerate(blocks):
        if number:
            screen.line("# ----------")
        if block["hidden"]:
            screen.line("# (hidden from the model)")
        screen.line(block["code"])
    if not blocks:
        screen.line("(none)")


def _head(screen: Screen, title: str) -> None:
    screen.line()
    screen.line(f"=== {title} ===", "bold")
