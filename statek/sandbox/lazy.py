"""The transform for code that may hold placeholders: values that are not there yet and behave like values.

A placeholder is bound and handed on without waiting where it comes from (the value of an assignment that is a call, an
element of a list, a `return`) and resolved where it is used. A plain name is resolved wherever it is read, except as an
argument: there `_call_` decides by what the function takes. On top of what `transform.py` writes stand:

    x                          _use_(x)              f(x, y())     _call_(_callee_(f), x, y())
    x + y(), not y(), if y():  the same with `_use_` around each operand, condition, key and index
    x == y(), f"{y()}"         `_within_`, which also looks into lists, tuples, sets and dicts
    a, b = y()                 _take_apart_(y(), ..., _getiter_)

Code that cannot hold a placeholder is compiled without any of this (`restrict.compile_block`).
"""

import ast
from typing import Any

from statek.sandbox.transform import Transform, call_of

# ruff: noqa: N802 - names of visitor methods are given

MARK = "\n# values here may come later"
"""The end of a source whose code may hold placeholders: part of its text, so that its functions are kept with it."""

_NEVER = (
    ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp, ast.Lambda, ast.Slice,
)  # fmt: skip
_GIVING = (ast.Call, ast.Attribute, ast.Subscript, ast.NamedExpr, ast.Starred)
_COMPUTED = (ast.BinOp, ast.UnaryOp, ast.Compare)


class _Used(ast.expr):
    """Marks an expression whose value is used where it stands; `how` is the guard."""

    _fields = ("value",)

    def __init__(self, value: ast.expr, how: str = "_use_") -> None:
        super().__init__()
        self.value, self.how = value, how


class _Handed(ast.expr):
    """Marks a name that is handed on as it is."""

    _fields = ("value",)

    def __init__(self, value: ast.Name) -> None:
        super().__init__()
        self.value = value


_PLAIN_ARGUMENTS = (ast.Constant, ast.JoinedStr, ast.Lambda, _Used)


def _used(node: Any, how: str = "_use_") -> Any:
    if node is None or (isinstance(node, (_Used, *_NEVER)) and not (how == "_within_" and _may_hold(node))):
        return node
    return ast.copy_location(_Used(node, how), node)


def _may_hold(display: ast.AST) -> bool:
    """Whether what is written between the brackets may give a placeholder."""
    inside = isinstance(display, ast.List | ast.Tuple | ast.Dict | ast.ListComp | ast.DictComp)
    return inside and any(isinstance(part, _GIVING) for part in ast.walk(display))


def _handed(node: Any) -> Any:
    return ast.copy_location(_Handed(node), node) if isinstance(node, ast.Name) else node


class LazyTransform(Transform):
    """Transform with a guard at every first use."""

    def visit__Used(self, node: _Used) -> Any:
        """Write the guard."""
        value = self.visit(_handed(node.value))
        return self._as(call_of(node.how, [value]), node)

    def visit__Handed(self, node: _Handed) -> Any:
        """Leave the name as it is."""
        return super().visit_Name(node.value)

    def visit_Name(self, node: ast.Name) -> Any:
        """Resolve what is read by name."""
        new = super().visit_Name(node)
        if isinstance(new, ast.Name) and isinstance(new.ctx, ast.Load):
            return self._as(call_of("_use_", [new]), node)
        return new

    # --- operators and conditions ------------------------------------------------------------------------------------

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        """Use both sides."""
        node.left, node.right = _used(node.left), _used(node.right)
        return super().visit_BinOp(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        """Use the operand."""
        node.operand = _used(node.operand)
        return super().visit_UnaryOp(node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        """Use all sides, what they hold included."""
        node.left = _used(node.left, "_within_")
        node.comparators = [_used(side, "_within_") for side in node.comparators]
        return super().visit_Compare(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        """Use all but the last, which is only handed on."""
        node.values = [*map(_used, node.values[:-1]), node.values[-1]]
        return super().visit_BoolOp(node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        """Use the condition."""
        node.test = _used(node.test)
        return super().visit_IfExp(node)

    def visit_If(self, node: ast.If) -> Any:
        """Use the condition."""
        node.test = _used(node.test)
        return super().visit_If(node)

    def visit_While(self, node: ast.While) -> Any:
        """Use the condition."""
        node.test = _used(node.test)
        return super().visit_While(node)

    def visit_Assert(self, node: ast.Assert) -> Any:
        """Use the condition and the message."""
        node.test, node.msg = _used(node.test), _used(node.msg)
        return super().visit_Assert(node)

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        """Use the conditions."""
        node.ifs = [*map(_used, node.ifs)]
        return super().visit_comprehension(node)

    def visit_Match(self, node: ast.Match) -> Any:
        """Use the subject and the conditions."""
        node.subject = _used(node.subject, "_within_")
        for case in node.cases:
            case.guard = _used(case.guard)
        return super().visit_Match(node)

    # --- keys, parts and text ----------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """The guards on attributes resolve the owner."""
        node.value = _handed(node.value)
        return super().visit_Attribute(node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        """Use the key; the guards on items resolve the owner."""
        node.value = _handed(node.value)
        node.slice = self._key(node.slice)
        return super().visit_Subscript(node)

    def _key(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Tuple):
            node.elts = [element if isinstance(element, ast.Starred) else _used(element) for element in node.elts]
        return _used(node)

    def visit_Slice(self, node: ast.Slice) -> Any:
        """Use its bounds."""
        node.lower, node.upper, node.step = _used(node.lower), _used(node.upper), _used(node.step)
        return super().visit_Slice(node)

    def visit_Dict(self, node: ast.Dict) -> Any:
        """Use its keys and the mappings unpacked into it."""
        node.values = [
            value if key is not None else _used(value) for key, value in zip(node.keys, node.values, strict=True)
        ]
        node.keys = [_used(key) for key in node.keys]
        return super().visit_Dict(node)

    def visit_Set(self, node: ast.Set) -> Any:
        """Use its members: they are compared."""
        node.elts = [element if isinstance(element, ast.Starred) else _used(element) for element in node.elts]
        return super().visit_Set(node)

    def visit_SetComp(self, node: ast.SetComp) -> Any:
        """Use its members."""
        node.elt = _used(node.elt)
        return super().visit_SetComp(node)

    def visit_DictComp(self, node: ast.DictComp) -> Any:
        """Use its keys."""
        node.key = _used(node.key)
        return super().visit_DictComp(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        """Use the parts, what they hold included."""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = _used(part.value, "_within_")
        return super().visit_JoinedStr(node)

    # --- calls and assignments ---------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> Any:
        """Let `_call_` resolve the arguments by what the function takes, where one may be a placeholder."""
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            return super().visit_Call(node)
        node.func = _handed(node.func)
        for keyword in node.keywords:
            keyword.value = self._argument(keyword.value) if keyword.arg is not None else _used(keyword.value)
        node.args = [self._argument(argument) for argument in node.args]
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        new: Any = super().visit_Call(node)
        if any(not isinstance(value, _PLAIN_ARGUMENTS) for value in given):
            new.args.insert(0, new.func)
            new.func = self._as(ast.Name("_call_", ast.Load()), new.func)
        return new

    def _argument(self, node: ast.expr) -> Any:
        if isinstance(node, _COMPUTED):
            return _used(node)
        return _handed(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """Use the value and what stood there before."""
        node.value = _used(node.value)
        new: Any = super().visit_AugAssign(node)
        if isinstance(new, ast.Assign):
            arguments = new.value.args  # type: ignore[attr-defined]
            arguments[1] = self._as(call_of("_use_", [arguments[1]]), node)
        else:
            arguments = new.value.args
            arguments[0] = self._as(call_of("_use_place_", [arguments[0]]), node)
        return new

    def _unpacked(self, target: Any, value: ast.expr) -> ast.Call:
        call = super()._unpacked(target, value)
        call.func = ast.Name("_take_apart_", ast.Load())
        return call
