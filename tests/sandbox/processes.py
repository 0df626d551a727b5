"""Rows of job code written in one process and read in another, both with the guards that jobs have."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from statek.sandbox import keep

Row = tuple[str, str]  # code that makes names, an expression that is True for them

_HARNESS = """
import json, sys
from statek.sandbox import guards, keep, runner
from statek.sandbox.policy import Policy
from statek.sandbox.restrict import compile_block

BORDER = runner.LocalBorder(7)
BUILTINS = guards.builtins_for(BORDER, Policy(), {})
AROUND = keep.Surroundings(guards.named_values(BUILTINS), lambda value: False, lambda source: compile_block(source))

def run(source, names):
    for statement in compile_block(source).statements:
        outcome = runner.run_statement(statement, names, BORDER)
        if not isinstance(outcome, runner.Finished):
            raise RuntimeError(f"{source!r}: {outcome}")
"""
_WRITER = """
for label, (source, _) in json.load(sys.stdin).items():
    names = {"__builtins__": BUILTINS}
    try:
        run(source, names)
        kept = keep.dumps(names, AROUND)
        print(json.dumps([label, kept.data.hex(), dict(kept.lost)]))
    except Exception as error:
        print(json.dumps([label, "", repr(error)]))
"""
_READER = """
rows = json.loads(sys.stdin.readline())
for line in sys.stdin:
    label, data, lost = json.loads(line)
    said = lost
    if not data:
        print(json.dumps([label, said]))
        continue
    names = {"__builtins__": BUILTINS}
    try:
        keep.loads(bytes.fromhex(data), (), AROUND, names)
        again = keep.dumps(names, AROUND).data
        run("checked = bool(" + rows[label][1] + ")", names)
        if names["checked"] is not True:
            said = "is not so"
        elif not lost:
            names = {"__builtins__": BUILTINS}
            keep.loads(again, (), AROUND, names)
            if keep.dumps(names, AROUND).data != again:
                said = "the second restore gives other bytes"
            run("checked = bool(" + rows[label][1] + ")", names)
            if names["checked"] is not True:
                said = "is not so after the second restore"
    except Exception as error:
        said = repr(error)
    print(json.dumps([label, said or True]))
"""


def read_elsewhere(rows: Mapping[str, Row]) -> dict[str, object]:
    """Write every row in one process and read it in another: label -> True, or what was wrong.

    The two have other hashes of texts than each other and the same ones every time: a set whose members collide is
    written in the other order after each restore, which changes nothing but the bytes.
    """
    text = json.dumps(rows)
    lines = _fresh(_READER, text + "\n" + _fresh(_WRITER, text, "1"), "2")
    return dict(json.loads(line) for line in lines.splitlines())


def _fresh(script: str, text: str, hash_seed: str) -> str:
    root = Path(keep.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _HARNESS + script],
        input=text, capture_output=True, text=True, cwd=root, env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
