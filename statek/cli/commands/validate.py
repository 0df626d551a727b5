"""`statek validate`: are the files good? Reads them and nothing else."""

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_validation
from statek.cli.screen import Screen
from statek.compiler.project import Compilation, check_project
from statek.control.scope import scope_of
from statek.spec.problems import Problem
from statek.spec.reading.project import FILE

_MOST = 10  # names in the note on what is not run yet
_WHAT = re.compile(r" (?:is|are) (?:checked|not supported)")  # what stands before it in a message


@click.command(name="validate")
@click.argument("paths", nargs=-1, type=options.PATHS)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--fix", is_flag=True, help="First make the fixes that are safe, and say how many.")
@options.env()
@options.output("text", "json", "compact", "sarif", "github")
@click.pass_obj
def command(screen: Screen, paths: tuple[Path, ...], strict: bool, fix: bool, env: str | None) -> int:
    """Check the files of a project, or only those under PATHS.

    No network, no user code, no store. Ends with 0 when there are no errors, else with 1.
    """
    return run(screen, paths, env, strict=strict, fix=fix)


def run(screen: Screen, paths: Sequence[Path], env: str | None, *, strict: bool, fix: bool) -> int:
    """Check and report. Returns 0 when good, else 1."""

    def compiled() -> Compilation:
        with _uncollected():
            return check_project(paths[0] if paths else Path(), env=env)

    def in_scope(found: Compilation) -> list[Problem]:
        scope = scope_of(found.config.root, paths)
        return [problem for problem in found.problems if problem.file == FILE or scope.covers(problem.file)]

    if fix:
        from statek.cli.fixing import fix_all  # the others do without

        compilation = fix_all(screen, compiled, in_scope)
    else:
        compilation = compiled()
    scope = scope_of(compilation.config.root, paths)
    shown = in_scope(compilation)
    bad = {"error", "warning"} if strict else {"error"}
    ok = not any(problem.severity in bad for problem in shown)
    show_validation(screen, shown, compilation.config.root, ok=ok)
    later = [problem for problem in compilation.later if problem.file == FILE or scope.covers(problem.file)]
    if later and screen.output == "text":
        screen.note(not_run(later))
    if len(shown) < len(compilation.problems):
        screen.note(f"{len(compilation.problems) - len(shown)} more outside of the given paths")
    elif ok and screen.output == "text":
        screen.line(f"valid: {counted(compilation)}")
    return Exit.OK if ok else Exit.WRONG


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage: of a large project it takes a fifth of the time and finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def not_run(later: Sequence[Problem]) -> str:
    """One note on what is good, and what `plan`, `apply` and a worker's reload refuse all the same."""
    names = [f"{_WHAT.split(item.message)[0]} ({item.file}:{item.range.start.line})" for item in later[:_MOST]]
    more = [f"and {len(later) - _MOST} more"] if len(later) > _MOST else []
    return f"note: checked, but not supported by this build yet, so not to be applied: {', '.join([*names, *more])}"


def counted(compilation: Compilation) -> str:
    """`7 objects (2 Agent, 1 Queue, ...) for environment dev`."""
    parts = ", ".join(f"{count} {kind}" for kind, count in compilation.declared.items())
    total = sum(compilation.declared.values())
    return f"{total} object{'s' if total != 1 else ''} ({parts}) for environment {compilation.env}"
