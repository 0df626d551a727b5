"""Runs the benchmarks, each in a process of its own, and prints one table.

`python -m benchmarks.run` runs all of them, `python -m benchmarks.run step desk` these two; `--json` prints one JSON
document instead: `{"python", "machine", "rows": [{"benchmark", "name", "value", "unit", "floor", "ratio", "target"}]}`.
"""

import argparse
import importlib
import json
import platform
import subprocess
import sys
from dataclasses import asdict
from typing import Any

NAMES = ("step", "http", "history", "create", "fanout", "crowd", "replay", "desk", "memory", "growth", "specs")
ONE = "--measure-here"


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments name; 0 when everything could be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Speed, beside floors of this run.")
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(ONE, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    if given.measure_here:
        module = importlib.import_module(f"benchmarks.{given.names[0]}")
        print(json.dumps([asdict(row) for row in module.measure()]))
        return 0
    found = {name: _run(name, quiet=given.json) for name in given.names or NAMES}
    if given.json:
        rows = [{"benchmark": name, **row} for name, rows in found.items() for row in rows or ()]
        print(json.dumps({"python": platform.python_version(), "machine": platform.machine(), "rows": rows}, indent=1))
    return 1 if None in found.values() else 0


def _run(name: str, *, quiet: bool) -> list[dict[str, Any]] | None:
    """Rows of one benchmark, None when it failed (its error is on stderr then)."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.run", ONE, name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    rows: list[dict[str, Any]] | None = json.loads(done.stdout) if done.returncode == 0 else None
    if not quiet:
        _print(name, rows)
    return rows


def _print(name: str, rows: list[dict[str, Any]] | None) -> None:
    print(f"\n{name}" + ("" if rows is not None else ": FAILED, see above"), flush=True)
    for row in rows or ():
        ratio = f"{row['ratio']:7.2f} x {row['floor']}" if row["ratio"] is not None else ""
        missed = "" if row["target"] is None else f"  (target {row['target']:g}: {_verdict(row)})"
        print(f"  {row['name']:<46} {row['value']:10.3f} {row['unit']:<8} {ratio}{missed}", flush=True)


def _verdict(row: dict[str, Any]) -> str:
    return "met" if row["value"] <= row["target"] else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
