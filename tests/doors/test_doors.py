"""The documented import paths: every name is there with its documented signature, and a door is nothing but a door."""

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

import statek
from statek.agents.agent import SupervisedAgent
from statek.executors.job import Job, JobDef, JobStatus
from statek.store.session import Store
from statek.task import SubTaskHandler, SubTaskState
from tests.doors import documented

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "statek"
REAL = {"presets", "web", "testing"}  # edge modules that hold code of their own


def door_names() -> list[str]:
    """The doors that the ring contract allows, whether they exist yet or not."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["id"] == "rings")["layers"]
    edge = next(layer for layer in layers if "(runner)" in layer)
    return sorted({name.strip().strip("()") for name in edge.split("|")} - REAL - {"cli"})


def door_files() -> list[Path]:
    """The files of the doors that exist."""
    files = [PACKAGE / f"{name}.py" for name in door_names()]
    files += [file for name in door_names() for file in (PACKAGE / name).glob("*.py")]
    return [file for file in files if file.exists()]


def shape(function: Any) -> str:
    """A signature without annotations, defaults by their names."""
    parts = [
        parameter.replace(annotation=inspect.Parameter.empty, default=Default(parameter.default))
        if parameter.default is not inspect.Parameter.empty
        else parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    return str(inspect.Signature(parts))


class Default:
    """A default value that shows as the documents write it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        shown = self.value.__name__ if isinstance(self.value, type) else repr(self.value)
        return re.sub(r"<EnumValue \S+\.(\w+)>", r"\1", shown)


def begins_like(found: str, wanted: str) -> bool:
    """Whether the documented parameters come first and in order; what the kit adds is optional."""
    return found == wanted or all("=" in part for part in added(found, wanted))


def added(found: str, wanted: str) -> list[str]:
    """Parameters of `found` that `wanted` has not. An order that differs gives `["different order"]`."""
    have, want = split(found), split(wanted)
    if [part for part in have if part in want] != want:
        return ["different order"]
    return [part for part in have if part not in want and part != "*"]


def split(signature: str) -> list[str]:
    """The parameters of a signature as text."""
    return [part.strip() for part in signature.strip("()").split(",") if part.strip()]


def door_object(path: str, name: str) -> Any:
    """A name at its documented import path."""
    return getattr(importlib.import_module(path), name)


def imports_of(file: Path) -> Iterator[str]:
    """Dotted names that a file imports, at any depth."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """One of each documented object, in a store."""
    store = Store.open(tmp_path, "doors")
    try:
        agent = SupervisedAgent(role="r", _system_prompt="p", _tools=[], _metadata={"MODEL": "a/b/c"})
        job = Job(JobDef(agent))
        yield {
            "job": job, "job_def": job.job_def, "py_env": job.py_env, "handler": SubTaskHandler(job), "agent": agent,
            "usage": job.usage,
        }  # fmt: skip
    finally:
        store.close()


@pytest.mark.parametrize(("path", "name"), documented.SIGNATURES, ids=lambda part: part)
def test_signature(path: str, name: str) -> None:
    """A documented function or class takes its documented parameters, in order, with their documented defaults."""
    wanted = documented.SIGNATURES[path, name]
    found = shape(door_object(path, name))
    assert begins_like(found, wanted), f"documented {wanted}, found {found}"
    if name in documented.EXACT:
        assert found == wanted


@pytest.mark.parametrize(("path", "name"), documented.METHODS, ids=lambda part: part)
def test_methods(path: str, name: str) -> None:
    """The documented methods of a class take their documented parameters."""
    owner = door_object(path, name)
    for method, wanted in documented.METHODS[path, name].items():
        found = shape(getattr(owner, method))
        assert begins_like(found, wanted), f"{name}.{method}: documented {wanted}, found {found}"


@pytest.mark.parametrize("path", documented.NAMES)
def test_names(path: str) -> None:
    """Every other documented name imports from its path."""
    assert all(door_object(path, name) is not None for name in documented.NAMES[path])


@pytest.mark.parametrize("kind", documented.MEMBERS)
def test_members(objects: dict[str, Any], kind: str) -> None:
    """Every documented attribute can be read from a new object."""
    missing = [name for name in documented.MEMBERS[kind] if not hasattr(objects[kind], name)]
    assert missing == []


def test_job_status(objects: dict[str, Any]) -> None:
    """The five documented statuses exist, a new job is READY, and a status finds jobs in dbzero."""
    statuses = [JobStatus.READY, JobStatus.WARMING_UP, JobStatus.STARTED, JobStatus.SUSPENDED, JobStatus.DONE]
    assert len(set(map(str, statuses))) == 5
    assert objects["job"].status == JobStatus.READY
    assert list(db0.find(Job, JobStatus.READY)) == [objects["job"]]


def test_sub_task_state() -> None:
    """A handler's states are the four documented ones."""
    assert [state.name for state in SubTaskState] == ["WAITING", "STARTED", "COMPLETED", "ERROR"]


@pytest.mark.parametrize("name", statek.NAMES)
def test_root_names(name: str) -> None:
    """Every row of the root's table imports, and is the object of its module."""
    assert getattr(statek, name) is door_object(statek.NAMES[name], name)


def test_root_lists_its_names() -> None:
    """`from statek import *` gives the rows of the table."""
    assert set(statek.__all__) == set(statek.NAMES)


@pytest.mark.parametrize("file", door_files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_door_is_only_a_door(file: Path) -> None:
    """A door holds a docstring, imports and `__all__`, nothing else."""
    docstring, *rest = ast.parse(file.read_text()).body
    assert isinstance(docstring, ast.Expr)
    for node in rest:
        exports = isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
        assert exports or isinstance(node, ast.ImportFrom), ast.unparse(node)


@pytest.mark.parametrize("file", door_files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_door_exports_what_it_imports(file: Path) -> None:
    """`__all__` of a door lists exactly the names that it imports."""
    tree = ast.parse(file.read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    exports = [ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)]
    assert set(exports[0] if exports else []) == imported


def test_nothing_inside_imports_a_door() -> None:
    """No module of the package imports a door, or a name from `statek` itself."""
    doors = tuple(f"statek.{name}." for name in door_names())
    inside = [file for file in PACKAGE.rglob("*.py") if file not in door_files()]
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in inside
        for name in imports_of(file)
        if f"{name}.".startswith(doors) or name == "statek" or name.removeprefix("statek.") in statek.NAMES
    ]
    assert wrong == []
