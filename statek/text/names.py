"""Which names a piece of Python reads without binding them. Reads syntax only: nothing is compiled or run.

The idea: statements are walked in the order they run, a name counts as bound from its first binding on, and branches
are walked one after the other, so that a name bound in either branch counts as bound. Called by `warmup.py` (which
hands these functions out under its own name) and `reply.py`.
"""

import ast
import builtins
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_BUILTINS = frozenset(dir(builtins))
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class NameUse(NamedTuple):
    """The first place where a block reads a name. From 1, end exclusive, in characters of the block's own text."""

    name: str
    line: int
    column: int
    end_column: int
    called: bool


class Binding(NamedTuple):
    """Where code first binds a name. `inside`: what has it to itself, in words; "" when the whole code has it."""

    line: int
    inside: str


def parse_python(code: str) -> ast.Module:
    """The syntax tree of `code`. Raises SyntaxError for everything that Python itself could not read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice on style is not for this reader
            return ast.parse(code)
    except ValueError as error:
        raise SyntaxError(str(error)) from error
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("the code is nested too deeply") from error


def referenced_names(code: str) -> list[str]:
    """Variables that `code` reads before binding them, in the order of first appearance.

    Builtin names and directly called names (`f(x)`) do not count, the receiver of a method (`f.go()`) does. Bodies of
    functions are not looked at, their decorators, defaults and annotations are. Raises SyntaxError.
    """
    reads = _walk(parse_python(code), bodies=False).reads
    return list(dict.fromkeys(n.id for n, called in reads if not called and n.id not in _BUILTINS))


def free_names(code: str) -> list[NameUse]:
    """Names that nothing in `code` has bound when they are read, one entry a name, in the order of the text.

    Called names and builtins are among them. A name read inside a function counts when neither the function nor any
    statement of the block binds it. Raises SyntaxError.
    """
    walk = _walk(parse_python(code), bodies=True)
    late = [(node, called) for node, called in walk.late if node.id not in walk.bound]
    first: dict[str, tuple[ast.Name, bool]] = {}
    for node, called in sorted([*walk.reads, *late], key=lambda read: (read[0].lineno, read[0].col_offset)):
        first.setdefault(node.id, (node, called))
    lines = code.split("\n")
    return sorted((_use(node, called, lines) for node, called in first.values()), key=lambda u: (u.line, u.column))


def bindings(code: str) -> dict[str, Binding]:
    """Every name that `code` binds. What the whole code has counts before what only a part of it has.

    Raises SyntaxError.
    """
    found: dict[str, Binding] = {}
    for name, binding in sorted(_bindings(parse_python(code)), key=lambda item: item[1].line):
        if name not in found or (found[name].inside and not binding.inside):
            found[name] = binding
    return found


def _bindings(tree: ast.Module) -> Iterator[tuple[str, Binding]]:
    """Every binding of every name; no call of itself, for code may be nested deeply."""
    waiting: list[tuple[ast.AST, str, frozenset[str]]] = [(tree, "", frozenset())]
    while waiting:
        node, inside, own = waiting.pop()
        line = getattr(node, "lineno", 1)
        for name in names_bound_by(node):
            yield name, Binding(line, "the comprehension" if name in own else inside)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside, own = f"'{node.name}'", frozenset()
        elif isinstance(node, ast.Lambda):
            inside, own = "the lambda", frozenset()
        elif isinstance(node, _Comprehension):
            own |= {name for generator in node.generators for name in _stored(generator.target)}
        elif isinstance(node, ast.Global):
            yield from ((name, Binding(line, "")) for name in node.names)
        waiting.extend((child, inside, own) for child in _below(node))


def _below(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, but for a name that is only annotated: that binds nothing."""
    bare = isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name)
    yield from (child for child in ast.iter_child_nodes(node) if not (bare and isinstance(child, ast.Name)))


def names_bound_by(node: ast.AST) -> Iterator[str]:
    """The names that one node binds where it stands, without those of the nodes below it."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _use(node: ast.Name, called: bool, lines: list[str]) -> NameUse:
    line, column = searched_name(node.id, node.lineno, node.col_offset, lines)
    return NameUse(node.id, line, column, column + len(node.id), called)


def searched_name(name: str, row: int, offset: int, lines: list[str]) -> tuple[int, int]:
    """Line and column, from 1 and in characters, of a name that the parser saw at `offset` bytes in line `row`.

    Inside f-strings Python 3.11 gives rough places only: there it is looked for.
    """
    line = lines[row - 1] if row <= len(lines) else ""
    start = len(line.encode()[:offset].decode(errors="ignore"))
    if line.startswith(name, start):
        return row, start + 1
    word = re.compile(rf"\b{re.escape(name)}\b")
    near = [*range(row, len(lines) + 1), *range(1, row)]
    found = ((number, word.search(lines[number - 1])) for number in near if number <= len(lines))
    return next(((number, match.start() + 1) for number, match in found if match), (row, 1))


def _walk(tree: ast.Module, *, bodies: bool) -> "_Walk":
    walk = _Walk(bodies=bodies)
    try:
        for statement in tree.body:
            walk.visit(statement)
    except RecursionError as error:
        raise SyntaxError("the code is nested too deeply") from error
    return walk


@dataclass
class _Walk(ast.NodeVisitor):
    """Collects reads of unbound names. `late`: reads inside function bodies, which run when all is bound."""

    bodies: bool
    bound: set[str] = field(default_factory=set)
    hidden: tuple[frozenset[str], ...] = ()  # names of the comprehensions and classes around this place
    reads: list[tuple[ast.Name, bool]] = field(default_factory=list)
    late: list[tuple[ast.Name, bool]] = field(default_factory=list)

    def read(self, node: ast.Name, *, called: bool) -> None:
        if node.id not in self.bound and not any(node.id in names for names in self.hidden):
            self.reads.append((node, called))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
        else:
            self.read(node, called=False)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self.read(node.func, called=True)
        else:
            self.visit(node.func)
        for part in (*node.args, *node.keywords):
            self.visit(part)

    def visit_Assign(self, node: ast.Assign) -> None:
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target, called=False)
        for part in (node.value, node.target):
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bound.add(node.name)
        for statement in node.body:
            self.visit(statement)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            self.bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.bound.add(node.rest)
        super().generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *_signature(node.args), *([node.returns] if node.returns else [])):
            self.visit(part)
        self.bound.add(node.name)
        self.bound.update(name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names)
        if self.bodies:
            self.late += _body_reads(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in _signature(node.args):
            self.visit(part)
        if self.bodies:
            self.late += [read for read in _body_reads(node) if not any(read[0].id in names for names in self.hidden)]

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        before = set(self.bound)
        for statement in node.body:
            self.visit(statement)
        self.bound = before | {node.name}

    def visit_ListComp(self, node: _Comprehension) -> None:
        before = self.hidden
        for generator in node.generators:
            self.visit(generator.iter)
            self.hidden = (*self.hidden, frozenset(_stored(generator.target)))
            for condition in generator.ifs:
                self.visit(condition)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.hidden = before

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815


def _signature(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from (default for default in arguments.kw_defaults if default is not None)
    yield from (parameter.annotation for parameter in _parameters(arguments) if parameter.annotation is not None)


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (parameter for parameter in (arguments.vararg, arguments.kwarg) if parameter is not None)


def _body_reads(function: _Function) -> list[tuple[ast.Name, bool]]:
    """Names that the body reads and the function itself does not bind."""
    inner = _Walk(bodies=True, bound={parameter.arg for parameter in _parameters(function.args)})
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    for statement in body:
        inner.visit(statement)
    return [read for read in (*inner.reads, *inner.late) if read[0].id not in inner.bound]


def _stored(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
