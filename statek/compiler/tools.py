"""Are the functions of tools there, and can their options be kept? Read from source files, which are never imported.

A module is looked for under the project's `python_path`, then where installed packages lie. What a module computes
at run time is beyond this check; preparing a release imports it for real.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from statek.base.nearest import did_you_mean
from statek.spec.fixes import word_fix
from statek.spec.positions import first_line, inside
from statek.spec.problems import Problem, make_problem
from statek.spec.types import Spec, SpecSet, pointer

MAX_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Module:
    """Names bound at the top of one module. `open_ended`: more may be bound that cannot be seen."""

    functions: frozenset[str]  # `async` ones too
    classes: frozenset[str]
    others: frozenset[str]
    open_ended: bool = False
    failure: str | None = None
    coroutines: frozenset[str] = frozenset()  # functions written `async def`


@dataclass
class ModuleFinder:
    """Reads each module once for one compilation."""

    python_path: tuple[Path, ...]
    seen: dict[str, Module | None] = field(default_factory=dict)

    def find(self, name: str) -> Module | None:
        """The module `a.b.c`, or None when no folder has it."""
        if name not in self.seen:
            self.seen[name] = self._find(name)
        return self.seen[name]

    def folders(self) -> tuple[Path, ...]:
        """Where modules are looked for."""
        return (*self.python_path, *(Path(entry) for entry in sys.path if entry and Path(entry).is_dir()))

    def _find(self, name: str) -> Module | None:
        if name in sys.builtin_module_names:
            return Module(frozenset(), frozenset(), frozenset(), open_ended=True)
        for folder in self.folders():
            path = folder.joinpath(*name.split("."))
            for file in (path / "__init__.py", path.with_name(path.name + ".py")):
                if file.is_file():
                    return _read(file)
            if any(path.with_name(path.name + suffix).is_file() for suffix in EXTENSION_SUFFIXES):
                return Module(frozenset(), frozenset(), frozenset(), open_ended=True)
        return None

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
        looked = ", ".join(str(folder) for folder in finder.python_path)
        hint = did_you_mean(module_name, finder.known(module_name), also="modules there")
        message = f"module '{module_name}' not found under {looked} nor among installed packages{hint}"
        known = finder.known(module_name)
        yield _problem("STK501", message, toolset, index, part=(0, len(module_name)), word=module_name, known=known)
    elif module.failure is not None:
        message = f"module '{module_name}' cannot be read: {module.failure}"
        yield _problem("STK501", message, toolset, index, part=(0, len(module_name)))
    elif function in module.classes:
        message = f"'{function}' in module '{module_name}' is a class; a tool must be a function"
        yield _problem("STK502", message, toolset, index, part=(len(module_name) + 1, len(tool["python"])))
    elif function not in module.functions | module.others and not module.open_ended:
        hint = did_you_mean(function, module.functions, also="functions there")
        message = f"function '{function}' not found in module '{module_name}'{hint}"
        part = (len(module_name) + 1, len(tool["python"]))
        yield _problem("STK502", message, toolset, index, part=part, word=function, known=module.functions)


def _timeout(toolset: Spec, index: int, tool: Mapping[str, Any], finder: ModuleFinder) -> Iterator[Problem]:
    """Only a call that is awaited can be given up; a plain function holds the loop, or runs within its step."""
    function, kind = _kind_of(tool, finder)
    effect = tool.get("effect", "external")
    if kind != "def":
        return
    if effect != "external":
        why, what = f"a plain 'def' with the effect '{effect}'", "remove it: such a call is bounded by its step"
    else:
        why, what = f"'{function}', which is a plain 'def'", "add 'thread: true', or write it as 'async def'"
    yield _not_supported(toolset, index, "timeout", why, what)


def _thread(toolset: Spec, index: int, tool: Mapping[str, Any], finder: ModuleFinder) -> Iterator[Problem]:
    """A thread must not touch the store, and an async function needs none."""
    function, kind = _kind_of(tool, finder)
    effect = tool.get("effect", "external")
    if effect != "external":
        why = f"a tool with the effect '{effect}', which works on stored objects"
        yield _not_supported(toolset, index, "thread", why, "remove it")
    elif kind == "async def":
        yield _not_supported(toolset, index, "thread", f"'{function}', which is an 'async def'", "remove it")


def _kind_of(tool: Mapping[str, Any], finder: ModuleFinder) -> tuple[str, str]:
    """The function's name, and "def", "async def", or "" when that cannot be seen."""
    module_name, _, function = tool["python"].partition(":")
    module = finder.find(module_name)
    if module is None or function not in module.functions:
        return function, ""
    return function, "async def" if function in module.coroutines else "def"


def _not_supported(toolset: Spec, index: int, field: str, why: str, what: str) -> Problem:
    path = ("tools", index, field)
    message = f"'{field}' is not supported for {why}; {what}"
    return toolset.at_key("STK100", message, *path)


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


def _read(file: Path) -> Module:
    empty: frozenset[str] = frozenset()
    try:
        with file.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            return Module(empty, empty, empty, failure=f"{file} has more than {MAX_BYTES} bytes")
        tree = ast.parse(raw)
    except OSError as error:
        return Module(empty, empty, empty, failure=f"{file}: {error.strerror}")
    except SyntaxError as error:
        return Module(empty, empty, empty, failure=f"{file}, line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Module(empty, empty, empty, failure=f"{file}: {error or 'nested too deeply'}")
    return _names(tree.body)


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
    return Module(*found, open_ended=star, coroutines=frozenset(coroutines))


def _top_level(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node outside of functions and classes."""
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
