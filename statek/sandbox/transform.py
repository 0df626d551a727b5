"""RestrictedPython's transformer, extended to ordinary Python and to waits that cannot be swallowed.

Rewrites one top-level statement at a time; runs and compiles nothing. Every construct RestrictedPython does not know is
refused by its `generic_visit`. What guards do is in `guards.py`; this module decides where they stand:

    x.a            _getattr_(x, "a")             x.a = v       _write_(x, "a").a = v
    x[k]           _getitem_(x, k)               x[k] = v      _write_(x)[k] = v
    x.a += v       _store_(_load_attr_(x, "a"), "+=", v)
    f(a, *b)       _callee_(f)(a, *_getiter_(b))
    a + b          _binary_("+", a, b)           f"{a}{b:>9}"  _join_(_show_(a), _format_(b, -1, ">9"))
    try/except     first handler `except _signals_: raise`
    finally: F     finally: if not _pausing_(): F
    with x as y    with _cm_(x) as y
    for, while, def, lambda                      `_getiter_` or `_tick_()` at every turn
"""

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

# ruff: noqa: N802, N815 - names of visitor methods are given
from RestrictedPython.transformer import IOPERATOR_TO_STR, RestrictingNodeTransformer, copy_locations

from statek.sandbox import names
from statek.sandbox.policy import KIT_MODULES, MODULES, NEVER_IMPORTED, Policy

_CHECKED_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Mult: "*",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.Mod: "%",
}
_LOOPS = (ast.For, ast.While)
_SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef)
_NO_ASYNC = "code here is synchronous: call the function without `await`, it returns its final value"


class Found(NamedTuple):
    """One refusal, at byte columns from 0."""

    line: int
    column: int
    end_column: int
    code: str
    message: str


def call_of(name: str, args: list[Any]) -> ast.Call:
    """A call of a guard."""
    return ast.Call(func=ast.Name(name, ast.Load()), args=args, keywords=[])


class Transform(RestrictingNodeTransformer):
    """Rewrites statements of one block and collects every refusal in `found`."""

    def __init__(self, policy: Policy, tag: str) -> None:
        """Start a block; `tag` tells its patterns from those of other blocks."""
        super().__init__()
        self.found: list[Found] = []
        known = (MODULES | frozenset(policy.imports)) - NEVER_IMPORTED
        self._imports = known if policy.only is None else known & policy.only
        self._class_names: list[str] = []  # the classes around, outermost first: for private names
        self._in_class_body = False
        self.annotations_as_text = False  # `from __future__ import annotations`
        self._case = 0
        self._tag = tag

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """Rewrite one top-level statement."""
        result = self.visit(node)
        nodes = result if isinstance(result, list) else [result] if result is not None else []
        for new in nodes:
            ast.fix_missing_locations(new)
        return nodes

    # --- refusals -----------------------------------------------------------------------------------------------

    def error(self, node: ast.AST, info: str) -> None:
        """Record what RestrictedPython refuses."""
        self._refuse(node, info)

    def not_allowed(self, node: ast.AST) -> None:
        """Record a construct that is not known."""
        self._refuse(node, f"{type(node).__name__} is not allowed here")

    def _refuse(self, node: Any, message: str, code: str = "STK402") -> None:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end = node.end_col_offset if getattr(node, "end_lineno", None) == line else column + 1
        self.found.append(Found(line, column, end, code, message))

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuse names of guards and of Python's machinery."""
        if name is None or (allow_magic_methods and self._in_class_body and name in names.MAGIC_METHODS):
            return
        if allow_magic_methods and self._in_class_body and names.is_dunder(name):
            self._refuse(node, f"a class here cannot define '{name}'")
        elif (problem := names.variable_problem(name, in_class=bool(self._class_names))) is not None:
            self._refuse(node, problem)

    def gen_tmp_name(self) -> str:
        """Give a name that model code cannot write."""
        self._tmp_idx += 1
        return f"_tmp{self._tmp_idx}_"

    @contextmanager
    def _class_body(self, inside: bool) -> Iterator[None]:
        before, self._in_class_body = self._in_class_body, inside
        try:
            yield
        finally:
            self._in_class_body = before

    def _as(self, new: Any, old: Any) -> Any:
        copy_locations(new, old)
        return new

    # --- names and literals ---------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Keep `print` an ordinary name; a program asking for `__name__` is the main one."""
        if node.id == "__name__" and isinstance(node.ctx, ast.Load):
            return self._as(ast.Constant("__main__"), node)  # type: ignore[no-any-return]
        if node.id == "print" and not isinstance(node.ctx, ast.Load):
            self._refuse(node, "the name 'print' cannot be given another meaning")
        if not (self._in_class_body and node.id in names.CLASS_BODY_NAMES and isinstance(node.ctx, ast.Store)):
            self.check_name(node, node.id)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """Check the names it lists."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """Allow it; check the names it lists."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """Check the name of a keyword argument."""
        self.check_name(node, node.arg)
        return self.node_contents_visit(node)

    def visit_List(self, node: ast.List) -> ast.AST:
        """Tick what is unpacked into a list."""
        return self._display(node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """Tick what is unpacked into a tuple."""
        return self._display(node)

    def visit_Set(self, node: ast.Set) -> ast.AST:
        """Tick what is unpacked into a set."""
        return self._display(node)

    def _display(self, node: Any) -> ast.AST:
        node = self.node_contents_visit(node)
        if isinstance(getattr(node, "ctx", None), ast.Load | None):
            self._guard_stars(node.elts)
        return node  # type: ignore[no-any-return]

    def _guard_stars(self, elements: Iterable[ast.expr]) -> None:
        for element in elements:
            if isinstance(element, ast.Starred):
                element.value = self._as(call_of("_getiter_", [element.value]), element)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        """Guard the mappings that are unpacked into it."""
        node = self.node_contents_visit(node)
        for index, key in enumerate(node.keys):
            if key is None:
                node.values[index] = self._as(call_of("_mapping_", [node.values[index]]), node.values[index])
        return node

    # --- text -----------------------------------------------------------------------------------------------------

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Render and size-check the parts of an f-string."""
        parts = [self._text_part(part) if isinstance(part, ast.FormattedValue) else part for part in node.values]
        if len(parts) == 1 and isinstance(parts[0], ast.Constant):
            return parts[0]
        return self._as(call_of("_join_", list(parts)), node)  # type: ignore[no-any-return]

    def _text_part(self, part: ast.FormattedValue) -> ast.expr:
        value = self.visit(part.value)
        if part.conversion == -1 and part.format_spec is None:
            return self._as(call_of("_show_", [value]), part)  # type: ignore[no-any-return]
        spec = self.visit(part.format_spec) if part.format_spec is not None else ast.Constant("")
        return self._as(call_of("_format_", [value, ast.Constant(part.conversion), spec]), part)  # type: ignore[no-any-return]

    # --- operators, calls, attributes -------------------------------------------------------------------------------

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Size-check the operators that can blow a value up."""
        node = self.node_contents_visit(node)
        sign = _CHECKED_OPERATORS.get(type(node.op))
        if sign is None:
            return node
        if sign == "+" and any(_is_number(side) for side in (node.left, node.right)):
            return node
        return self._as(call_of("_binary_", [ast.Constant(sign), node.left, node.right]), node)  # type: ignore[no-any-return]

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Size-check a comparison of two values that may be nested."""
        node = self.node_contents_visit(node)
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides) or isinstance(node.ops[0], ast.Is | ast.IsNot):
            return node
        node.left = self._as(call_of("_weighed_", [node.left]), node.left)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Let a guard choose what is really called, and guard what is unpacked into arguments."""
        is_super = isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args
        node = self.node_contents_visit(node)
        if not is_super:
            node.func = self._as(call_of("_callee_", [node.func]), node.func)
        self._guard_stars(node.args)
        for keyword in node.keywords:
            if keyword.arg is None:
                keyword.value = self._as(call_of("_mapping_", [keyword.value]), keyword.value)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Guard reading and writing; give private names the spelling Python gives them."""
        name = self._attribute_name(node)
        node = self.node_contents_visit(node)
        if isinstance(node.ctx, ast.Load):
            return self._as(call_of("_getattr_", [node.value, ast.Constant(name)]), node)  # type: ignore[no-any-return]
        node.attr = name
        node.value = self._as(call_of("_write_", [node.value, ast.Constant(name)]), node.value)
        return node

    def _attribute_name(self, node: ast.Attribute) -> str:
        if names.is_private(node.attr) and self._class_names:
            return names.mangled(node.attr, self._class_names[-1])
        problem = names.attribute_problem(node.attr)
        if problem is None and names.is_private(node.attr):
            problem = f"the attribute '{node.attr}' is private to its class"
        if problem is None and names.is_dunder(node.attr) and not isinstance(node.ctx, ast.Load):
            problem = f"the attribute '{node.attr}' belongs to Python's machinery and cannot be set"
        if problem is not None:
            self._refuse(node, problem)
        return node.attr

    # --- assignment -----------------------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> Any:
        """Guard unpacking; the value is computed once, the targets are filled from left to right."""
        node = self.node_contents_visit(node)
        node.targets = [_tupled(target) for target in node.targets]
        if not any(isinstance(target, ast.Tuple) for target in node.targets):
            return node
        if len(node.targets) == 1:
            node.value = self._as(self._unpacked(node.targets[0], node.value), node)
            return node
        tmp = self.gen_tmp_name()
        new: list[ast.stmt] = [ast.Assign([ast.Name(tmp, ast.Store())], node.value)]
        for target in node.targets:
            value: ast.expr = ast.Name(tmp, ast.Load())
            if isinstance(target, ast.Tuple):
                value = self._unpacked(target, value)
            new.append(ast.Assign([target], value))
        new.append(self.gen_del_stmt(tmp))
        return [self._as(statement, node) for statement in new]

    def _unpacked(self, target: Any, value: ast.expr) -> ast.Call:
        return self.protect_unpack_sequence(target, value)

    def guard_iter(self, node: Any) -> Any:
        """Guard what a loop or comprehension goes through."""
        node.target = _tupled(node.target)
        return super().guard_iter(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Allow annotated assignment."""
        annotation, node.annotation = self._annotation(node.annotation), ast.Constant(None)
        node = self.node_contents_visit(node)
        node.annotation = annotation
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Rewrite its annotation."""
        node.annotation = self._annotation(node.annotation)
        return node

    def _annotation(self, node: ast.expr | None) -> Any:
        if node is None or not self.annotations_as_text:
            return self.visit(node) if node is not None else None
        return self._as(ast.Constant(ast.unparse(node)), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Evaluate the owner once, read, compute, write: each through its guard."""
        sign = ast.Constant(IOPERATOR_TO_STR[type(node.op)])
        if isinstance(node.target, ast.Name):
            self.visit(node.target)
            old = ast.Name(node.target.id, ast.Load())
            value = call_of("_inplace_", [sign, old, self.visit(node.value)])
            return self._as(ast.Assign([node.target], value), node)  # type: ignore[no-any-return]
        if isinstance(node.target, ast.Attribute):
            name = self._attribute_name(node.target)
            place = call_of("_load_attr_", [self.visit(node.target.value), ast.Constant(name)])
        else:
            place = call_of("_load_item_", [self.visit(node.target.value), self.visit(node.target.slice)])
        return self._as(ast.Expr(call_of("_store_", [place, sign, self.visit(node.value)])), node)  # type: ignore[no-any-return]

    # --- imports --------------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> Any:
        """Check the modules."""
        for alias in node.names:
            self._check_import(node, alias.name)
            if "." in alias.name and alias.asname is None:
                self._refuse(node, f"write `from {alias.name} import ...`", "STK403")
            self.check_name(node, alias.asname or alias.name.partition(".")[0])
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """Check the module and the names."""
        if node.module == "__future__" and not node.level:
            self.annotations_as_text |= any(alias.name == "annotations" for alias in node.names)
            return self._as(ast.Pass(), node)
        if node.level:
            self._refuse(node, "there are no relative imports here", "STK403")
            return node
        if node.module in KIT_MODULES and node.module not in self._imports:
            return self._kit_import(node)
        self._check_import(node, node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self._refuse(node, f"name what you import: `from {node.module} import a, b`", "STK403")
            elif alias.name.startswith("_"):
                self._refuse(node, f"'{alias.name}' is private to {node.module}", "STK403")
            self.check_name(node, alias.asname or alias.name)
        return node

    def _kit_import(self, node: ast.ImportFrom) -> Any:
        """`from statek import f`: `f` is there under its name; it is looked up here so that a wrong one fails here."""
        body: list[ast.stmt] = []
        for alias in node.names:
            if alias.name == "*":
                self._refuse(node, f"name what you import: `from {node.module} import a, b`", "STK403")
                continue
            found = ast.Name(alias.name, ast.Load())
            body.append(ast.Assign([ast.Name(alias.asname, ast.Store())], found) if alias.asname else ast.Expr(found))
        return self.visit(self._as(ast.If(ast.Constant(True), body or [ast.Pass()], []), node))

    def _check_import(self, node: ast.stmt, module: str) -> None:
        if module in self._imports:
            return
        if module.partition(".")[0] in NEVER_IMPORTED:
            self._refuse(node, f"the module '{module}' is never available to code here; use a tool", "STK403")
        else:
            hint = "an operator can allow it in `sandbox.imports`"
            self._refuse(node, f"the module '{module}' is not available here; {hint}", "STK403")

    # --- control flow -----------------------------------------------------------------------------------------------

    def visit_While(self, node: ast.While) -> ast.AST:
        """Tick at every turn."""
        node = self.node_contents_visit(node)
        node.body.insert(0, self._as(ast.Expr(call_of("_tick_", [])), node))
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """Let waits and exits through every handler; do not run cleanup while pausing."""
        for statement in node.finalbody:
            self._check_leaving(statement, in_loop=False)
        node = self.node_contents_visit(node)
        if node.handlers:
            through = ast.ExceptHandler(ast.Name("_signals_", ast.Load()), None, [ast.Raise()])
            node.handlers.insert(0, self._as(through, node.handlers[0]))
        if node.finalbody:
            test = ast.UnaryOp(ast.Not(), call_of("_pausing_", []))
            node.finalbody = [self._as(ast.If(test, node.finalbody, []), node.finalbody[0])]
        return node

    def _check_leaving(self, node: ast.AST, *, in_loop: bool) -> None:
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not in_loop):
            word = type(node).__name__.lower()
            self._refuse(node, f"`{word}` inside `finally` would swallow a wait; move it behind the `try`")
        if isinstance(node, _SCOPES):
            return
        for child in ast.iter_child_nodes(node):
            self._check_leaving(child, in_loop=in_loop or isinstance(node, _LOOPS))

    def visit_TryStar(self, node: ast.AST) -> ast.AST:
        """Refuse it in words."""
        self._refuse(node, "`except*` is not available here; use `except`")
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """A bare `except` means `except Exception`."""
        self.check_name(node, node.name)
        node = self.node_contents_visit(node)
        if node.type is None:
            node.type = self._as(ast.Name("_any_error_", ast.Load()), node)
        return node

    def visit_With(self, node: Any) -> Any:
        """Guard entering, leaving and unpacking."""
        for item in node.items:
            if item.optional_vars is not None:
                item.optional_vars = _tupled(item.optional_vars)
        node = super().visit_With(node)
        for item in node.items:
            item.context_expr = self._as(call_of("_cm_", [item.context_expr]), item.context_expr)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AST) -> ast.AST:
        """Refuse it in words."""
        self._refuse(node, _NO_ASYNC.replace("call the function", "write `def`, and call the function"))
        return node

    def visit_Await(self, node: ast.AST) -> ast.AST:
        """Refuse it in words."""
        self._refuse(node, _NO_ASYNC)
        return node

    visit_AsyncFor = visit_AsyncWith = visit_Await

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        """Guard what it goes through."""
        if node.is_async:
            self._refuse(node.target, _NO_ASYNC)
        return self.guard_iter(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        """Guard what it goes through; generators are passed as they are, so that `send` reaches them."""
        node = self.node_contents_visit(node)
        node.value = self._as(call_of("_delegate_", [node.value]), node.value)
        return node

    # --- functions and classes ----------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Check its names; tick at every call."""
        self.check_name(node, node.name, allow_magic_methods=True)
        if node.name == "print":
            self._refuse(node, "the name 'print' cannot be given another meaning")
        node.decorator_list = [self._decorator(d) for d in node.decorator_list]
        node.returns = self._annotation(node.returns)
        with self._class_body(inside=False):
            self.check_function_argument_names(node)
            node.args = self.visit(node.args)
            body = [new for statement in node.body for new in self._several(statement)]
        has_docstring = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
        body.insert(1 if has_docstring else 0, self._as(ast.Expr(call_of("_tick_", [])), node.body[0]))
        node.body = body
        return node

    def _several(self, statement: ast.stmt) -> list[ast.stmt]:
        new = self.visit(statement)
        return new if isinstance(new, list) else [new]

    def _decorator(self, node: ast.expr) -> ast.expr:
        new = self.visit(node)
        if isinstance(new, ast.Name | ast.Call):
            return self._as(call_of("_callee_", [new]), node)  # type: ignore[no-any-return]
        return new  # type: ignore[no-any-return]

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Tick at every call: `None if _tick_() else body`, as a tick gives None."""
        with self._class_body(inside=False):
            self.check_function_argument_names(node)
            node = self.node_contents_visit(node)
        node.body = self._as(ast.IfExp(call_of("_tick_", []), ast.Constant(None), node.body), node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Check its names; what it may derive from is checked when it is built."""
        self.check_name(node, node.name)
        if not node.name.strip("_"):
            self._refuse(node, "a class needs a name with a letter in it")
        for keyword in node.keywords:
            if keyword.arg != "total":
                self._refuse(keyword, f"class keyword '{keyword.arg}' is not available here")
        node.decorator_list = [self._decorator(d) for d in node.decorator_list]
        node.bases = [self.visit(base) for base in node.bases]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        self._guard_stars(node.bases)
        self._class_names.append(node.name)
        with self._class_body(inside=True):
            for statement in node.body:
                self._check_slots(statement)
            node.body = [new for statement in node.body for new in self._several(statement)]
        self._class_names.pop()
        return node

    def _check_slots(self, statement: ast.stmt) -> None:
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1):
            return
        target = statement.targets[0]
        if not (isinstance(target, ast.Name) and target.id in names.CLASS_BODY_NAMES):
            return
        value = statement.value
        elements = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        for element in elements:
            text = element.value if isinstance(element, ast.Constant) else None
            free = target.id == "__slots__" and isinstance(text, str) and not text.startswith("__")
            if not isinstance(text, str) or not (free or names.pattern_problem(text) is None):
                self._refuse(element, f"{target.id} takes plain names in quotes")

    # --- match ------------------------------------------------------------------------------------------------------

    def visit_Match(self, node: ast.Match) -> ast.AST:
        """Read dotted names and classes of patterns through the guards, right before the match."""
        finder = _Patterns(self)
        for case in node.cases:
            finder.visit(case.pattern)
            case.guard = self.visit(case.guard) if case.guard is not None else None
            case.body = [new for statement in case.body for new in self._several(statement)]
        node.subject = self.visit(node.subject)
        if finder.values:
            keywords = [ast.keyword(name, value) for name, value in finder.values]
            subject = ast.Call(ast.Name("_match_", ast.Load()), [node.subject], keywords)
            node.subject = self._as(subject, node.subject)
        return node

    def next_case(self) -> str:
        """Name of the next value a pattern compares with."""
        self._case += 1
        return f"v{self._tag}_{self._case}"


class _Patterns(ast.NodeTransformer):
    """Replaces dotted names and classes in patterns by `_cases_.vN` and keeps what they stand for."""

    def __init__(self, owner: Transform) -> None:
        self.values: list[tuple[str, ast.expr]] = []
        self._owner = owner

    def _stand_in(self, value: ast.expr) -> ast.expr:
        name = self._owner.next_case()
        self.values.append((name, value))
        new = ast.Attribute(ast.Name("_cases_", ast.Load()), name, ast.Load())
        copy_locations(new, value)
        return new

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        if isinstance(node.value, ast.Attribute):
            node.value = self._stand_in(self._owner.visit(node.value))
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        for name in node.kwd_attrs:
            if (problem := names.pattern_problem(name)) is not None:
                self._owner.error(node, problem)
        reads = [ast.Constant(len(node.patterns)), ast.Constant(len(node.kwd_attrs))]
        checked = call_of("_case_class_", [self._owner.visit(node.cls), *reads])
        node.cls = self._stand_in(ast.copy_location(checked, node.cls))
        self.generic_visit(node)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        self._owner.check_name(node, node.name)
        return self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        self._owner.check_name(node, node.name)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        self._owner.check_name(node, node.rest)
        node.keys = [self._stand_in(self._owner.visit(k)) if isinstance(k, ast.Attribute) else k for k in node.keys]
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _tupled(target: Any) -> Any:
    """`[a, b] = x` written as `(a, b) = x`, so that one guard serves both."""
    if isinstance(target, ast.Tuple | ast.List):
        new = ast.Tuple([_tupled(element) for element in target.elts], target.ctx)
        ast.copy_location(new, target)
        return new
    if isinstance(target, ast.Starred):
        target.value = _tupled(target.value)
    return target
