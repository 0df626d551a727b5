"""`statek why job/ID FIELD`: the values a job has, and what the files say of them. Asks the worker, or the store."""

import json
from pathlib import Path

from statek.cli.codes import Exit
from statek.cli.job_text import JobData
from statek.cli.jobs import asking, no_job
from statek.cli.place import Place, locate
from statek.cli.reasons import reason_json
from statek.cli.screen import Screen
from statek.compiler.project import Project, compile_project, read_project
from statek.compiler.why import Reason
from statek.compiler.why_job import Held, reasons_of_job
from statek.exceptions import NotApplied
from statek.ledger import compiled, releases
from statek.ledger.standing import Stand, standing
from statek.spec.problems import SpecProblems


def run(screen: Screen, job: str, field: str, folder: Path, env: str | None) -> int:
    """Show the chains of a job, whose id may be cut short. Raises StatekError for what is not there."""
    place = locate(folder, env)
    with place.open_ledger() as ledger:
        found = standing(ledger, job)
        if found.stand is Stand.WAITING:
            raise NotApplied(f"{job} waits, and is no job yet: it begins with the revision that is applied then")
        if (none := no_job(place, ledger, found)) is not None:
            raise NotApplied(f"{none['id']} is no job: {none['stands']}")
    with asking(place) as questions:
        row = questions.job(job)
    held = _held(place, row)
    project, now = _files(folder, place.env, row["agent"])
    reasons = reasons_of_job(held, tuple(field.split(".")), project, now)
    if screen.json:
        values = [reason_json(reason) for reason in reasons]
        screen.document("Why", {"object": f"job/{row['id']}", "field": field, "env": place.env, "values": values})
        return Exit.OK
    for line in (line for reason in reasons for line in _job_lines(reason)):
        screen.line(line)
    if project is None:
        screen.note("note: the files have problems, so nothing is said of them: see `statek validate`")
    return Exit.OK


def _held(place: Place, row: JobData) -> Held:
    if row["revision"] is None:
        raise NotApplied(f"agent {row['agent']} of job {row['id']} was made in Python: no file says its values")
    with place.open_ledger() as ledger:
        agent = compiled.decode("Agent", releases.revision_text(ledger, "Agent", row["revision"]))
    assert isinstance(agent, compiled.Agent)
    given = f"given by queue {row['queue']}" if row["queue"] else "given when it was submitted"
    release = f" in release {row['release']}" if row["release"] else ""
    return Held(agent, row["inputs"], f"{row['revision']}{release}", given)


def _files(folder: Path, env: str, agent: str) -> tuple[Project | None, compiled.Agent | None]:
    """The files as they are now, and the agent in them; nothing when they cannot be compiled."""
    try:
        project, compilation = read_project(folder, env=env), compile_project(folder, env=env)
    except SpecProblems:
        return None, None
    if not compilation.runs:
        return None, None
    found = (item.value for item in compilation.objects if (item.kind, item.name) == ("Agent", agent))
    return project, next((value for value in found if isinstance(value, compiled.Agent)), None)


def _job_lines(reason: Reason) -> list[str]:
    """`limits.turns = 12  triage@7c1e9f2a04b1 in release r-9d02c7e1a3f4`, and what the files say of it below."""
    first, *others = reason.chain
    lines = [f"{reason.field} = {json.dumps(reason.value, ensure_ascii=False)}  {first.owner}"]
    for said in others:
        place = "built in" if said.file is None else f"{said.file}:{said.line} ({said.owner})"
        what = "the files say" if said.relation == "now" else said.relation
        lines.append(f"  {what} {said.text}  {place}")
    return lines
