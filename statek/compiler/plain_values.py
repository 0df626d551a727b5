"""Names of a module that certainly are no function: bound once, at the top, to what is written out as a value.

Reads syntax only. In doubt a name is not among them: what is decorated, called, imported, bound under a condition or
bound twice may be anything, and so may every name of a module that reaches for its own namespace.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from statek.text.warmup import names_bound_by

_KINDS: Mapping[type[ast.expr], str] = {
    ast.JoinedStr: "text", ast.List: "a list", ast.ListComp: "a list", ast.Dict: "a mapping",
    ast.DictComp: "a mapping", ast.Set: "a set", ast.SetComp: "a set", ast.Tuple: "a tuple",
}  # fmt: skip
_OF_CONSTANTS: Mapping[type, str] = {
    str: "text", bytes: "bytes", bool: "true or false", int: "a number", float: "a number", complex: "a number",
    type(None): "None",
}  # fmt: skip
_REACHING = frozenset({"globals", "locals", "vars", "exec", "eval", "setattr", "__dict__", "modules"})
"""Words by which code may bind names of its own module that no statement shows."""


def plain_values(body: list[ast.stmt]) -> dict[str, str]:
    """Name -> what it is, in words."""
    given = {name: kind for statement in body for name, kind in _given(statement)}
    if not given:
        return {}
    times: Counter[str] = Counter()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name | ast.Attribute) and _word(node) in _REACHING:
                return {}
            times.update(_bound(node))
    return {name: kind for name, kind in given.items() if times[name] == 1}


def _given(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """The names that a plain assignment gives a value to which is written out."""
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return
    kind = _kind(value)
    yield from ((target.id, kind) for target in targets if kind and isinstance(target, ast.Name))


def _kind(value: ast.expr) -> str | None:
    if isinstance(value, ast.UnaryOp) and not isinstance(value.op, ast.Not):
        value = value.operand
        return "a number" if isinstance(value, ast.Constant) and isinstance(value.value, int | float) else None
    if isinstance(value, ast.Constant):
        return _OF_CONSTANTS.get(type(value.value))
    return _KINDS.get(type(value))


def _word(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _bound(node: ast.AST) -> Iterator[str]:
    """Every name that a node binds or gives away, in whatever scope: a function may have it by `global`."""
    yield from names_bound_by(node)
    if isinstance(node, ast.Global):
        yield from node.names
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
        yield node.id
