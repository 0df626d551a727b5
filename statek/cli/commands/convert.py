"""`statek convert`: prompt files of the older header style to agents. Reads files, writes new ones, changes none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.new_files import write_new
from statek.cli.old_headers import convert_header
from statek.cli.old_prompts import convert_body
from statek.cli.screen import Screen
from statek.exceptions import StatekError
from statek.spec.checking.validate import load_specs
from statek.spec.formats import NAME
from statek.spec.problems import SpecProblems
from statek.spec.reading.documents import read_documents
from statek.spec.reading.project import load_project
from statek.spec.reading.snapshot import SourceFile
from statek.store.prompt import parse_system_prompt, split_prompt_file

MODELS = "converted-models.yaml"


@dataclass(frozen=True)
class Converted:
    """One file: where it came from, the name and text of the agent's file, and what is to be told, with old lines."""

    source: Path
    name: str
    text: str
    notes: tuple[tuple[int, str], ...]
    documents: Mapping[str, str]


@click.command(name="convert")
@click.argument("files", nargs=-1, required=True, type=options.PATHS, metavar="FILE...")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where agents go; default: agents.")
@click.option("--dry-run", is_flag=True, help="Show what would be written.")
@click.option("--plain", is_flag=True, help="Jobs have no parameters: {name} in a prompt is plain text.")
@options.output()
@click.pass_obj
def command(screen: Screen, files: tuple[Path, ...], out: Path | None, dry_run: bool, plain: bool) -> int:
    """Write prompt files with `# KEY: value` headers and `# System Prompt` as agents of today.

    A folder stands for the .md files in it. The prompt that a model sees stays the same; what has no counterpart is
    named. The old files are not changed, and no file is overwritten.
    """
    return run(screen, files, out or _agents(), dry_run=dry_run, plain=plain)


def run(screen: Screen, paths: Sequence[Path], out: Path, *, dry_run: bool, plain: bool) -> int:
    """Convert all or none. Raises StatekError naming every file that cannot be, or that is in the way."""
    done, failed = [], []
    for path in _listed(paths):
        try:
            done.append(_convert(path, plain=plain))
        except (ValueError, StatekError) as error:
            failed.append(str(error))
        except OSError as error:
            failed.append(f"{path}: {error.strerror}")
    failed += _same_names(done)
    if failed:
        raise StatekError("\n".join(failed), hint="nothing was written")
    wanted = _files(done)
    if not dry_run:
        write_new(out, wanted, hint="name another folder with --out DIR")
    _show(screen, out, done, wanted, dry_run=dry_run)
    return Exit.OK


def _agents() -> Path:
    """The project's folder of agents; `agents` here when there is no project yet."""
    try:
        config = load_project(Path())
    except SpecProblems:
        return Path("agents")
    root = next((root for root in config.roots if root.strip("/").rpartition("/")[2] == "agents"), config.roots[0])
    return config.root / root


def _listed(paths: Sequence[Path]) -> list[Path]:
    found = [path for given in paths for path in (sorted(given.glob("*.md")) if given.is_dir() else [given])]
    if not found:
        raise StatekError(f"there is no .md file in {', '.join(map(str, paths))}")
    return list(dict.fromkeys(found))


def _convert(path: Path, *, plain: bool) -> Converted:
    """Raises ValueError, StatekError, OSError with a message that names the file."""
    if not NAME.fits(path.stem) or path.name == "README.md":
        raise StatekError(
            f"{path}: the file's name becomes the agent's, which must be {NAME.title}, not README: rename a copy"
        )
    try:
        header, start, prompt = split_prompt_file(path)
    except UnicodeDecodeError as error:
        raise StatekError(f"{path}: not UTF-8: byte {error.object[error.start]:#04x} at {error.start}") from error
    try:
        body = convert_body(parse_system_prompt(prompt), plain=plain)
    except ValueError as error:
        raise StatekError(f"{path}: {error}") from error
    if not body.text.strip():
        raise StatekError(f"{path}: there is no prompt below '# System Prompt'")
    front = convert_header(path.stem, header)
    inputs = ["inputs:", *(f"  {name}: {shape}" for name, shape in body.inputs.items())] if body.inputs else []
    text = "\n".join(["---", *front.comments, *front.lines, *inputs, "---", f"{body.text}\n"])
    notes = (*sorted(set(front.notes)), *((start, note) for note in body.notes))
    _require_valid(path, text)
    return Converted(path, f"{path.stem}.md", text, notes, front.documents)


def _require_valid(path: Path, text: str) -> None:
    """What no agent may hold, such as control characters, stood in the old file too. Raises StatekError."""
    read = read_documents([SourceFile(f"agents/{path.stem}.md", "agents", text.encode())])
    _, problems = load_specs(read)
    found = (*read.problems, *problems)
    wrong = [problem.message for problem in found if problem.severity == "error" and problem.code != "STK100"]
    if wrong:
        raise StatekError(f"{path}: the agent would not be valid: {'; '.join(wrong)}")


def _same_names(done: Sequence[Converted]) -> list[str]:
    first: dict[str, Converted] = {}
    twice = [item for item in done if first.setdefault(item.name.casefold(), item) is not item]
    return [f"{item.source}: {first[item.name.casefold()].source} gives an agent of that name too" for item in twice]


def _files(done: Sequence[Converted]) -> dict[str, str]:
    documents = {name: text for item in done for name, text in item.documents.items()}
    ordered = sorted(documents.items(), key=lambda item: (not item[0].startswith("Provider/"), item[0]))
    models = {MODELS: "---\n".join(text for _, text in ordered)} if documents else {}
    return {**{item.name: item.text for item in done}, **models}


def _show(screen: Screen, out: Path, done: Sequence[Converted], wanted: Mapping[str, str], *, dry_run: bool) -> None:
    if screen.json:
        screen.document("Converted", {"out": str(out), "written": not dry_run, "files": _json(done, wanted)})
        return
    for name, text in wanted.items():
        screen.line(str(out / name))
        if dry_run:
            for line in text.splitlines():
                screen.line(f"  | {line}".rstrip())
    for item in done:
        for number, note in item.notes:
            screen.note(f"{item.source}:{number}: {note}")
    if not dry_run:
        screen.note("next: say under `tools` which tools each agent may call, then `statek validate`")


def _json(done: Sequence[Converted], wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    sources = {item.name: str(item.source) for item in done}
    notes = {item.name: [{"line": line, "message": text} for line, text in item.notes] for item in done}
    return [
        {"from": sources.get(name), "to": name, "text": text, "notes": notes.get(name, [])}
        for name, text in wanted.items()
    ]
