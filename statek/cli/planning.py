"""From paths to a plan: what `plan`, `apply` and `status` share. Reads files and ledger, writes nothing."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statek.cli.place import Place
from statek.compiler.project import Compilation, compile_project
from statek.control.desired import desired_objects
from statek.control.plan import Plan, Prune, compare
from statek.control.scope import WHOLE, Scope, scope_of
from statek.ledger import releases
from statek.ledger.file import LedgerFile


@dataclass(frozen=True)
class Wanted:
    """What the files say, and where that belongs."""

    compilation: Compilation
    place: Place
    scope: Scope


def read_files(paths: Sequence[Path], env: str | None) -> Wanted:
    """Compile the project of `paths`; the scope is what lies under them.

    Raises SpecProblems when there is no project, StatekError when the paths lie in several.
    """
    compilation = compile_project(paths[0] if paths else Path(), env=env)
    config = compilation.config
    chosen = config.env(compilation.env)
    place = Place(config.root, chosen.name, chosen.store, config.python_path)
    return Wanted(compilation, place, scope_of(config.root, paths) if paths else WHOLE)


def read_project(path: Path, env: str | None) -> Wanted:
    """Compile the whole project that `path` lies in. Raises SpecProblems when there is none."""
    return dataclasses.replace(read_files([path], env), scope=WHOLE)


def make_plan(wanted: Wanted, ledger: LedgerFile | None, prune: Prune | None = None) -> Plan:
    """The plan from head to files that this build can run; `ledger` is None when there is none yet."""
    head = releases.head(ledger) if ledger else None
    base = releases.read_release(ledger, head.release) if ledger and head else None
    return compare(
        base,
        desired_objects(wanted.compilation),
        env=wanted.place.env,
        project=wanted.compilation.config.project,
        scope=wanted.scope,
        prune=prune,
    )
