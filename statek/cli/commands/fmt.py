"""`statek fmt`: bring the spec files into their one form. Which form that is, `statek.spec.formatting.form` decides."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_problems
from statek.cli.screen import Screen
from statek.control.scope import Scope, scope_of
from statek.spec.formatting.form import Formatted, format_file
from statek.spec.problems import Problem, ordered, to_json
from statek.spec.reading.project import ProjectConfig, load_project
from statek.spec.reading.snapshot import Snapshot, SourceFile, take_snapshot
from statek.spec.replacing import NotReplaced, replace_file


@dataclass(frozen=True)
class _Done:
    """What became of the files; `left`: file and reason."""

    changed: tuple[tuple[SourceFile, Formatted], ...]
    unchanged: int
    problems: tuple[Problem, ...]
    left: tuple[tuple[str, str], ...]
    is_bug: bool

    @property
    def ok(self) -> bool:
        return not self.left and not any(problem.severity == "error" for problem in self.problems)


@click.command(name="fmt")
@click.argument("paths", nargs=-1, type=options.PATHS)
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@options.output()
@click.pass_obj
def command(screen: Screen, paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Format the files of a project, or only those under PATHS, and name those that change.

    Comments and the spelling of values stay; prompts and warmups keep every character but line ends. A file with
    problems of the STK00x family is left as it is; then the command ends with 1.
    """
    return run(screen, paths, check=check, diff=diff)


def run(screen: Screen, paths: Sequence[Path], *, check: bool, diff: bool) -> int:
    """Format and report. Returns 0, or 1 when a file was left as it is or, with `check`, would change."""
    config = load_project(paths[0] if paths else Path())
    scope = scope_of(config.root, paths)
    writes = not (check or diff)
    done = _format(take_snapshot(config), scope)
    done = _write(config, done) if writes else done
    if screen.json:
        screen.document("Formatted", _document(done, writes=writes, diff=diff))
    else:
        _report(screen, config, done, writes=writes, diff=diff)
    if done.is_bug:
        return Exit.BUG
    return Exit.WRONG if not done.ok or (check and done.changed) else Exit.OK


def _format(snapshot: Snapshot, scope: Scope) -> _Done:
    files = [file for file in snapshot.files if scope.covers(file.path)]
    results = [(file, format_file(file)) for file in files]
    changed = tuple((file, result) for file, result in results if result.raw != file.raw)
    problems = [problem for problem in snapshot.problems if scope.covers(problem.file)]
    problems += [problem for _, result in results for problem in result.problems]
    left = tuple((file.path, result.left) for file, result in results if result.left)
    is_bug = any(result.is_bug for _, result in results)
    return _Done(changed, len(files) - len(changed), ordered(problems), left, is_bug)


def _write(config: ProjectConfig, done: _Done) -> _Done:
    """Write what has changed; a file that cannot be written for a reason of its own is left, the others go on."""
    changed, left = [], list(done.left)
    for file, result in done.changed:
        try:
            replace_file(config.root, file.path, file.sha256, result.raw)
        except NotReplaced as error:
            left.append((file.path, str(error)))
        else:
            changed.append((file, result))
    return _Done(tuple(changed), done.unchanged, done.problems, tuple(left), done.is_bug)


def _document(done: _Done, *, writes: bool, diff: bool) -> dict[str, Any]:
    return {
        "ok": done.ok,
        "written": writes,
        "changed": [
            {"file": file.path, "diff": "".join(_diff(file, result)) if diff else None} for file, result in done.changed
        ],
        "unchanged": done.unchanged,
        "left": [{"file": file, "reason": reason} for file, reason in done.left],
        "diagnostics": [to_json(problem) for problem in done.problems],
    }


def _report(screen: Screen, config: ProjectConfig, done: _Done, *, writes: bool, diff: bool) -> None:
    for file, result in done.changed:
        if diff:
            for line in _diff(file, result):
                screen.line(line.removesuffix("\n"))
        else:
            screen.line(file.path)
    show_problems(screen, done.problems, config.root)
    for name, reason in done.left:
        screen.note(f"error: {reason}" if reason.startswith(name) else f"error: {name}: {reason}", "bold red")
    verb = "formatted" if writes else "would be formatted"
    count = len(done.changed)
    screen.note(f"{count} file{'s' if count != 1 else ''} {verb}, {done.unchanged} as they were")


def _diff(file: SourceFile, result: Formatted) -> Iterator[str]:
    """A unified diff, as `patch -p1` takes it."""
    before, after = (re.findall("[^\n]*\n|[^\n]+", raw.decode("utf-8", "replace")) for raw in (file.raw, result.raw))
    for line in difflib.unified_diff(before, after, f"a/{file.path}", f"b/{file.path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
