"""Are the functions of tools there, and can their options be kept? Read from source files, which are never imported.

A module is looked for under the project's `python_path`, then where installed packages lie. What a module computes
at run time is beyond this check; preparing a release imports it for real.
"""

import ast
import functools
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from statek.base.nearest import did_you_mean
from statek.compiler.plain_values import plain_values
from statek.spec.fixes import word_fix
from statek.spec.positions import first_line, inside
from statek.spec.problems import Problem, make_problem
from statek.spec.reading.known_files import KnownFiles, identity_of
from statek.spec.types import Spec, SpecSet, pointer

MAX_BYTES = 5_000_000
_UNREAD = " cannot be read: "


@dataclass(frozen=True, slots=True)
class Module:
    """Names bound at the top of one module. `open_ended`: more may be bound that cannot be seen."""

    functions: frozenset[str]  # `async` ones too
    classes: frozenset[str]
    others: frozenset[str]
    open_ended: bool = False
    failure: str | None = None
    coroutines: frozenset[str] = frozenset()  # functions written `async def`
    values: Mapping[str, str] = field(default_factory=dict)  # names that certainly are no function -> what they are
    sha256: str = ""  # of its file; "" for one that could not be read, or has none


@dataclass
class ModuleFinder:
    """Reads each module once for one compilation, and not again for the next when its file is in `files`."""

    python_path: tuple[Path, ...]
    root: Path  # of the project, which messages name folders from: they are the same in every checkout
    files: KnownFiles[Module] = field(default_factory=KnownFiles)
    seen: dict[str, Module | None] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # files of `python_path` that were read -> SHA-256

    def find(self, name: str) -> Module | None:
        """The module `a.b.c`, or None when no folder has it."""
        if name not in self.seen:
            self.seen[name] = self._find(name)
        return self.seen[name]

    @functools.cached_property
    def installed(self) -> tuple[Path, ...]:
        """Where modules are looked for that the project does not have."""
        return tuple(Path(entry) for entry in sys.path if entry and Path(entry).is_dir())

    def folders(self) -> Iterator[Path]:
        """Where modules are looked for, one after the other."""
        yield from self.python_path
        yield from self.installed

    def _find(self, name: str) -> Module | None:
        if name in sys.builtin_module_names:
            return Module(frozenset(), frozenset(), frozenset(), open_ended=True)
        for folder in self.folders():
            path = folder.joinpath(*name.split("."))
            for file in (path / "__init__.py", path.with_name(path.name + ".py")):
                if file.is_file():
                    shown = self._shown(file, folder)
                    module = self._read(file, shown)
                    self.sources.update({shown: module.sha256} if folder in self.python_path else {})
                    return module
            if any(path.with_name(path.name + suffix).is_file() for suffix in EXTENSION_SUFFIXES):
                return Module(frozenset(), frozenset(), frozenset(), open_ended=True)
        return None

    def _read(self, file: Path, shown: str) -> Module:
        """The names of a module; `shown`: its file as messages name it."""
        try:
            identity = identity_of(file.stat())
            return self.files.of((file, shown), identity, partial(_bytes, file), partial(_parsed, shown))
        except OSError as error:
            return _unreadable(f"{shown}: {error.strerror}")

    def _shown(self, file: Path, folder: Path) -> str:
        return self.relative(file) if folder in self.python_path else file.relative_to(folder).as_posix()

    def relative(self, path: Path) -> str:
        """A path as seen from the project."""
        return Path(os.path.relpath(path, self.root)).as_posix()

    def known(self, name: str) -> tuple[str, ...]:
        """Modules of the project beside the one that is missing."""
        parts = name.split(".")
        for depth in range(len(parts) - 1, -1, -1):
            found = [
                ".".join((*parts[:depth], path.stem))
                for folder in self.python_path
                for path in sorted(folder.joinpath(*parts[:depth]).glob("*"))
                if _is_module(path)
            ]
            if found:
                return tuple(found)
        return ()


def _is_module(path: Path) -> bool:
    is_package = path.is_dir() and any(path.glob("*.py"))
    return path.stem.isidentifier() and (path.suffix == ".py" or is_package) and path.name != "__init__.py"


def check_targets(specs: SpecSet, finder: ModuleFinder) -> Iterator[Problem]:
    """Tools whose module or function is not there, or whose options nobody could keep."""
    for toolset in specs.of("ToolSet"):
        for index, tool in enumerate(toolset.data["tools"]):
            if "python" not in tool:
                continue
            yield from _target(toolset, index, tool, finder)
            if tool.get("thread"):
                yield from _thread(toolset, index, tool, finder)
            elif "timeout" in tool:
                yield from _timeout(toolset, index, tool, finder)


def _target(toolset: Spec, index: int, tool: Mapping[str, str], finder: ModuleFinder) -> Iterator[Problem]:
    module_name, _, function = tool["python"].partition(":")
    module = finder.find(module_name)
    if module is None:
        hint = did_you_mean(module_name, finder.known(module_name), also="modules there")
        message = f"module '{module_name}' not found in {_looked(finder)} nor among installed packages{hint}"
        known = finder.known(module_name)
        yield _problem("STK501", message, toolset, index, part=(0, len(module_name)), word=module_name, known=known)
    elif module.failure is not None:
        message = f"module '{module_name}'{_UNREAD}{module.failure}"
        yield _problem("STK501", message, toolset, index, part=(0, len(module_name)))
    elif function in module.classes - module.functions - module.others:
        message = f"'{function}' in module '{module_name}' is a class; a tool must be a function"
        yield _problem("STK502", message, toolset, index, part=(len(module_name) + 1, len(tool["python"])))
    elif function in module.values:
        message = f"'{function}' in module '{module_name}' is {module.values[function]}; a tool must be a function"
        yield _problem("STK502", message, toolset, index, part=(len(module_name) + 1, len(tool["python"])))
    elif function not in module.functions and function not in module.others and not module.open_ended:
        hint = did_you_mean(function, module.functions, also="functions there")
        message = f"function '{function}' not found in module '{module_name}'{hint}"
        part = (len(module_name) + 1, len(tool["python"]))
        yield _problem("STK502", message, toolset, index, part=part, word=function, known=module.functions)


def unread_once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Only the first of those that several tools have with one module that cannot be read, an error if there is one.

    To be asked when it is known how severe each is: the one that is kept stands for all.
    """
    found = list(problems)
    first: dict[str, Problem] = {}
    for problem in sorted(found, key=lambda item: (item.severity != "error", item.sort_key)):
        first.setdefault(_unread(problem), problem)
    yield from (problem for problem in found if not _unread(problem) or first[_unread(problem)] is problem)


def _unread(problem: Problem) -> str:
    """Which file it says cannot be read, and why; "" for every other problem."""
    return problem.message.partition(_UNREAD)[2] if problem.code == "STK501" else ""


def _looked(finder: ModuleFinder) -> str:
    folders = [finder.relative(folder) for folder in finder.python_path]
    return ", ".join("the project's folder" if folder == "." else f"'{folder}'" for folder in folders)


def _timeout(toolset: Spec, index: int, tool: Mapping[str, Any], finder: ModuleFinder) -> Iterator[Problem]:
    """Only a call that is awaited can be given up; a plain function holds the loop, or runs within its step.

    A warning: the function is good, and the bound is only another one than was written.
    """
    function, kind = _kind_of(tool, finder)
    effect = tool.get("effect", "external")
    if kind != "def":
        return
    if effect != "external":
        what = f"with the effect '{effect}' it is bounded by the step that calls it; for another, write 'async def'"
    else:
        what = "add 'thread: true', or write it as 'async def'"
    message = f"'timeout' is for calls that can be given up, but '{function}' is a plain 'def'; {what}"
    yield toolset.at_key("STK101", message, "tools", index, "timeout", severity="warning")


def _thread(toolset: Spec, index: int, tool: Mapping[str, Any], finder: ModuleFinder) -> Iterator[Problem]:
    """A thread must not touch the store, and an async function needs none."""
    function, kind = _kind_of(tool, finder)
    effect = tool.get("effect", "external")
    if effect != "external":
        why = f"the effect '{effect}' lets '{function}' use stored objects, which no thread may touch"
    elif kind == "async def":
        why = f"'{function}' is an 'async def', which holds nobody up"
    else:
        return
    message = f"'thread' is for plain functions with the effect 'external', but {why}; remove it"
    yield toolset.at_key("STK101", message, "tools", index, "thread")


def _kind_of(tool: Mapping[str, Any], finder: ModuleFinder) -> tuple[str, str]:
    """The function's name, and "def", "async def", or "" when that cannot be seen."""
    module_name, _, function = tool["python"].partition(":")
    module = finder.find(module_name)
    if module is None or function not in module.functions:
        return function, ""
    return function, "async def" if function in module.coroutines else "def"


def _problem(
    code: str,
    message: str,
    toolset: Spec,
    index: int,
    *,
    part: tuple[int, int],
    word: str = "",
    known: Iterable[str] = (),
) -> Problem:
    """At the part of the target from one offset to another; `known` are names that its `word` may be a slip of."""
    path = ("tools", index, "python")
    node = toolset.node.at(path)
    where = first_line(inside(node.span, node.data, *part))
    fixes = word_fix(where, word, known) if word and where != node.span else ()
    return make_problem(code, message, node.file, where, object=toolset.id, pointer=pointer(path), fixes=fixes)


def _bytes(file: Path) -> bytes:
    with file.open("rb") as handle:
        return handle.read(MAX_BYTES + 1)


def _parsed(shown: str, raw: bytes) -> Module:
    if len(raw) > MAX_BYTES:
        return _unreadable(f"{shown} has more than {MAX_BYTES} bytes")
    try:
        tree = ast.parse(raw)
    except SyntaxError as error:
        return _unreadable(f"{shown}, line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return _unreadable(f"{shown}: {error or 'nested too deeply'}")
    return replace(_names(tree.body), sha256=hashlib.sha256(raw).hexdigest())


def _unreadable(why: str) -> Module:
    return Module(frozenset(), frozenset(), frozenset(), failure=why)


def _names(body: list[ast.stmt]) -> Module:
    functions: set[str] = set()
    coroutines: set[str] = set()
    classes: set[str] = set()
    others: set[str] = set()
    star = False
    for node in _top_level(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.add(node.name)
            coroutines.update({node.name} if isinstance(node, ast.AsyncFunctionDef) else ())
        elif isinstance(node, ast.ClassDef):
            classes.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            others.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            star = star or any(alias.name == "*" for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            others.add(node.id)
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            star = True
    found = (frozenset(functions), frozenset(classes), frozenset(others))
    values = {} if star else plain_values(body)
    return Module(*found, open_ended=star, coroutines=frozenset(coroutines), values=values)


def _top_level(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node outside of functions and classes."""
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
