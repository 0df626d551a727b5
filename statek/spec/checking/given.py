"""Values that a file gives for the inputs of an agent: known names, nothing missing, each of its declared type.

Used for the inputs of a Schedule and of the cases of an Eval. The agent is a good one; what is wrong with its own
declarations is reported elsewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from statek.base.nearest import did_you_mean, nearest
from statek.spec.checking.explain import explain
from statek.spec.checking.validate import check_value
from statek.spec.fixes import word_fix
from statek.spec.problems import Problem
from statek.spec.types import Path, Spec, dotted


def check_given(spec: Spec, path: Path, given: Mapping[str, Any], agent: Spec) -> Iterator[Problem]:
    """Every problem of the inputs `given` under `path` of `spec`, as those of a job of `agent`."""
    declared = agent.data.get("inputs", {})
    unknown = [name for name in given if name not in declared]
    for name in unknown:
        message = f"agent '{agent.name}' has no input '{name}'{did_you_mean(name, declared, also='declared inputs')}"
        problem = spec.at_key("STK607", message, *path, name)
        yield replace(problem, fixes=word_fix(problem.range, name, declared, beside=given))
    for name in (name for name in given if name in declared):
        yield from _value(spec, (*path, name), given[name], declared[name])
    meant = {nearest(name, declared) for name in unknown}  # told to be these: then they are not missing, too
    for name, shape in declared.items():
        may_be_absent = "default" in shape or shape.get("optional", False)
        if name not in given and not may_be_absent and name not in meant:
            message = f"missing input '{name}' in '{dotted(path)}': agent '{agent.name}' requires it"
            yield spec.missing("STK607", message, *path)


def _value(spec: Spec, path: Path, value: Any, shape: Mapping[str, Any]) -> Iterator[Problem]:
    plain = {key: part for key, part in shape.items() if key not in {"default", "optional"}}
    for failure in check_value(plain, value):
        told = explain(replace(failure, path=(*path, *failure.path)), spec.node)
        problem = spec.problem(told.code, told.message, *path, *failure.path, fixes=told.fixes)
        yield problem if failure.check != "required" else replace(problem, range=told.where)
