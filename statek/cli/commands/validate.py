"""`statek validate`: are the files good? Reads them and nothing else."""

from collections.abc import Sequence
from pathlib import Path

import click

from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.diagnostics import show_problems, validation
from statek.cli.screen import Screen
from statek.compiler.project import Compilation, compile_project
from statek.control.desired import scope_of
from statek.spec.project import FILE


@click.command(name="validate")
@click.argument("paths", nargs=-1, type=options.PATHS)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@options.env()
@options.output("text", "json", "compact")
@click.pass_obj
def command(screen: Screen, paths: tuple[Path, ...], strict: bool, env: str | None) -> int:
    """Check the files of a project, or only those under PATHS.

    No network, no user code, no store. Ends with 0 when there are no errors, else with 1.
    """
    return run(screen, paths, env, strict=strict)


def run(screen: Screen, paths: Sequence[Path], env: str | None, *, strict: bool) -> int:
    """Check and report. Returns 0 when good, else 1."""
    compilation = compile_project(paths[0] if paths else Path(), env=env)
    scope = scope_of(compilation.config.root, paths)
    shown = [problem for problem in compilation.problems if problem.file == FILE or scope.covers(problem.file)]
    bad = {"error", "warning"} if strict else {"error"}
    ok = not any(problem.severity in bad for problem in shown)
    if screen.json:
        screen.document("Validation", validation(shown, ok=ok))
    show_problems(screen, shown, compilation.config.root)
    if len(shown) < len(compilation.problems):
        screen.note(f"{len(compilation.problems) - len(shown)} more outside of the given paths")
    elif ok and screen.output == "text":
        screen.line(f"valid: {counted(compilation)}")
    return Exit.OK if ok else Exit.WRONG


def counted(compilation: Compilation) -> str:
    """`7 objects (2 Agent, 1 Queue, ...) for environment dev`."""
    kinds = [item.kind for item in compilation.objects]
    parts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return f"{len(kinds)} object{'s' if len(kinds) != 1 else ''} ({parts}) for environment {compilation.env}"
