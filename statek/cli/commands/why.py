"""`statek why`: why a field of an object, or of a job, has its value.

For an object it works from the files and needs no store and no worker; for a job it asks the worker, or the store.
"""

import json
from pathlib import Path

import click

from statek.base.nearest import did_you_mean
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.reasons import reason_json
from statek.cli.screen import Screen
from statek.compiler.project import Project, read_project
from statek.compiler.why import Reason, Said, reasons_for
from statek.exceptions import StatekError
from statek.spec.schema.kinds import SCHEMAS
from statek.spec.types import Spec

_BUILT_IN = "built in"


class NoSuchObject(StatekError):  # noqa: N818 - says what happened
    """The files declare no such object, or one with problems."""


@click.command(name="why")
@click.argument("name", metavar="OBJECT")
@click.argument("field")
@options.project()
@options.env()
@options.output()
@click.pass_obj
def command(screen: Screen, name: str, field: str, project: Path, env: str | None) -> int:
    """Show why FIELD of OBJECT has its value: every place that gives one, the one that counts first.

    OBJECT is Kind/name, such as Agent/triage, or job/ID; FIELD a dotted path, such as limits.turns, for a job also
    inputs.NAME. A mapping is shown field by field.
    """
    kind, _, short = name.partition("/")
    if kind.casefold() == "job" and short:
        from statek.cli import job_reasons  # whatever can ask a store takes a second to load

        return job_reasons.run(screen, short, field, project, env)
    return run(screen, name, field, project, env)


def run(screen: Screen, name: str, field: str, folder: Path, env: str | None) -> int:
    """Show the chains. Raises StatekError for what is not there."""
    project = read_project(folder, env=env)
    spec = find_object(project, name)
    reasons = reasons_for(project, spec, tuple(field.split(".")))
    if screen.json:
        values = [reason_json(reason) for reason in reasons]
        screen.document("Why", {"object": spec.id, "field": field, "env": project.env.name, "values": values})
        return Exit.OK
    for reason in reasons:
        for line in _lines(spec, reason):
            screen.line(line)
    if not reasons:
        screen.line(f"{field} is not set, and has no default")
    return Exit.OK


def find_object(project: Project, name: str) -> Spec:
    """The merged object `Kind/name`. Raises NoSuchObject, UsageError when it is not written so."""
    kind, slash, short = name.partition("/")
    if not slash:
        raise click.UsageError(f"'{name}' is no object; write Kind/name, such as Agent/{name}, or job/ID")
    if kind not in SCHEMAS:
        raise NoSuchObject(f"there is no kind '{kind}'{did_you_mean(kind, SCHEMAS)}", hint=f"a job is job/{name}")
    spec = project.specs.get(kind, short)
    if spec is None and project.specs.may_exist(kind, short):
        raise NoSuchObject(f"{name} has problems, or its file cannot be read", hint="`statek validate` shows them")
    if spec is None:
        hint = did_you_mean(short, project.specs.names(kind), also=f"declared {kind}s")
        raise NoSuchObject(f"{kind} '{short}' is not defined{hint}")
    return spec


def _lines(spec: Spec, reason: Reason) -> list[str]:
    """`limits.turns = 30  queues/live.yaml:9 (Overlay/live)`, and what that overrides below it."""
    if not reason.chain:
        return [f"{reason.field} is not set, and has no default"]
    first, *others = reason.chain
    shown = json.dumps(reason.value, ensure_ascii=False)
    as_written = f", written as {first.text}" if "${" in first.text else ""
    lines = [f"{reason.field} = {shown}  {_place(spec, reason, first)}{as_written}"]
    return lines + [f"  {said.relation} {said.text}  {_place(spec, reason, said)}" for said in others]


def _place(spec: Spec, reason: Reason, said: Said) -> str:
    if said.file is None:
        return f"{_BUILT_IN} (statek explain {spec.kind}.{reason.field})"
    return f"{said.file}:{said.line} ({said.owner})"
