"""Prompt templates: a small, checked part of Jinja2. The only module that imports jinja2.

`parse` reads a template into names, includes and problems and never raises; `render` fills one that has no problems.
The idea: the tree is checked against an allow-list before anything is compiled, since compiling folds constants and
`{{ 9**99999999 }}` would never return. The parser is fed offsets in place of line numbers, so that every node of the
tree knows its exact place. What values look like from inside is in `view.py`. Called by the compiler and the store.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import takewhile
from typing import Any

from jinja2 import DictLoader, Environment, Template, TemplateError, TemplateSyntaxError, nodes, pass_environment
from jinja2.filters import FILTERS, do_truncate
from jinja2.lexer import TokenStream
from jinja2.parser import Parser
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment

from statek.base.nearest import nearest
from statek.exceptions import BugError
from statek.text.includes import MAX_DEPTH, find_excess
from statek.text.marks import RAW_HINT, Places, TemplateProblem, Token, check_tokens, place
from statek.text.parsed import FORBIDDEN_ROOTS, FULL_NAMES, LOOP, ROOTS, Include, Name, Parsed, Path, Read
from statek.text.steps import Some, Step
from statek.text.view import Absent, Json, RenderError, as_json, as_text, look_up, view

__all__ = ["Include", "Name", "Parsed", "RenderError", "TemplateProblem", "engine", "parse", "render"]

MAX_OUTPUT = 2_000_000  # bytes of one rendered prompt

_FILTERS: dict[str, tuple[str, ...]] = {
    "default": ("default_value", "boolean"),
    "json": ("indent",),
    "upper": (),
    "lower": (),
    "join": ("d",),
    "truncate": ("length", "killwords", "end", "leeway"),
    "length": (),
}
_ARGUMENTS: dict[str, tuple[type, str]] = {
    "indent": (int, "a whole number"), "length": (int, "a whole number"), "leeway": (int, "a whole number"),
    "killwords": (bool, "true or false"), "end": (str, "text"), "d": (str, "text"),
}  # fmt: skip
_TESTS = ("defined", "none")
_MARKS = ("{{", "{%")
_MAX_DEPTH, _MAX_CHAIN, _MAX_LOOPS = 40, 30, 6


class _Environment(SandboxedEnvironment):
    """Jinja2 with item access only: no attribute of a Python object is ever looked up."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`a.b` in a template."""
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return look_up(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`a["b"]` in a template."""
        return look_up(obj, argument)


def _environment(partials: Mapping[str, str]) -> _Environment:
    # "{#" occurs in prose, so comments get marks that no text file holds
    marks = {"comment_start_string": "\0{#", "comment_end_string": "#}\0"}
    env = _Environment(
        **marks, keep_trailing_newline=True, finalize=as_text, loader=DictLoader(partials), auto_reload=False
    )
    env.globals.clear()
    env.filters = {name: FILTERS[name] for name in ("upper", "lower", "join")}
    env.filters |= {"default": _default, "json": as_json, "length": len, "truncate": _truncate}
    env.tests = {"defined": lambda value: not _is_none(value), "none": _is_none}
    return env


def _default(value: object, default_value: object = "", boolean: bool = False) -> object:
    return default_value if _is_none(value) or (boolean and not value) else value


@pass_environment
def _truncate(
    env: Environment,
    text: object,
    length: int = 255,
    killwords: bool = False,
    end: str = "...",
    leeway: int | None = None,
) -> str:
    if length < len(end) or (leeway or 0) < 0:
        raise RenderError(f"truncate(length={length}): the length must be at least that of the end, {len(end)}")
    return do_truncate(env, str(text), length, killwords, end, leeway)


def _is_none(value: object) -> bool:
    return value is None or isinstance(value, Absent)


_SHARED = _environment({})


@cache
def engine() -> str:
    """Name and version of the template engine: it is part of what an agent is."""
    from importlib.metadata import version  # large, and checking files needs no version

    return f"jinja2 {version('jinja2')}"


@lru_cache(maxsize=4096)  # those of a large project: a prompt is checked, then compiled
def parse(source: str) -> Parsed:
    """Read a template. Never raises: whatever is wrong is among the problems. Line ends are normalised first."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    places = Places(source)
    tokens, failure = _lex(source)
    problems = check_tokens(tokens, places, failure)
    if problems:
        return Parsed((), (), _in_order(problems))
    tree = _tree(tokens, places)
    if isinstance(tree, TemplateProblem):
        return Parsed((), (), (tree,))
    reader = _Reader(places, tokens)
    reader.read_all(tree, 0)
    reader.tell_unknown()
    return Parsed(tuple(reader.names), tuple(reader.includes), _in_order(reader.problems), tuple(reader.reads))


def _in_order(problems: list[TemplateProblem]) -> tuple[TemplateProblem, ...]:
    return tuple(sorted(problems, key=lambda p: (p.line, p.column, p.code)))


def _lex(source: str) -> tuple[tuple[Token, ...], str | None]:
    raw: list[tuple[str, str]] = []
    failure = None
    try:
        for _, kind, text in _SHARED.lexer.tokeniter(source, None):
            raw.append((kind, text))
    except TemplateSyntaxError as error:
        failure = str(error.message)
    return tuple(place(source, raw)), failure


def _tree(tokens: tuple[Token, ...], places: Places) -> list[nodes.Node] | TemplateProblem:
    parser = Parser(_SHARED, "")
    try:
        located = ((token.offset, token.kind, token.text) for token in tokens)
        parser.stream = TokenStream(_SHARED.lexer.wrap(located), None, None)
        return parser.subparse()  # not `parse`, which goes through the whole tree once more to make it compilable
    except TemplateSyntaxError as error:
        offset, why = error.lineno, error.message
    except RecursionError:
        offset, why = parser.stream.current.lineno, "it is nested too deeply"
    number = next((n for n, token in enumerate(tokens) if token.offset == offset), None)
    end = tokens[number].end if number is not None else offset + 1
    before = next((token.text for token in reversed(tokens[:number]) if token.kind != "whitespace"), "")
    hint = "write {% elif ... %}" if (before, str(why)[-4:]) == ("else", "'if'") else RAW_HINT
    hint = "write == to compare" if str(why).endswith("got '='") else hint
    return places.problem("STK302", f"this is not a template expression: {why}; {hint}", offset, end)


@dataclass
class _Reader:
    """Walks a tree once; collects names, includes and whatever is not on the allow-list."""

    places: Places
    tokens: tuple[Token, ...]
    names: list[Name] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    problems: list[TemplateProblem] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    local: Mapping[str, tuple[Step, ...] | None] = field(
        default_factory=dict
    )  # loop variables, and where in the inputs
    unknown: list[tuple[str, TemplateProblem]] = field(default_factory=list)  # names; told when all loops are known
    variables: set[str] = field(default_factory=set)  # of all loops
    looped: nodes.Node | None = None  # what the loop goes through whose head is read
    loops: int = 0
    present: frozenset[Path] = frozenset()  # paths that an `if` around this place has found to be there

    def __post_init__(self) -> None:
        self.at = {token.offset: n for n, token in enumerate(self.tokens) if token.text}

    def read_all(self, items: list[Any], depth: int, *, given: frozenset[Path] = frozenset()) -> None:
        """Read sibling nodes; the paths `given` are known to be there."""
        before, self.present = self.present, self.present | given
        for item in items:
            self.read(item, depth)
        self.present = before

    def read(self, node: nodes.Node, depth: int, *, tested: bool = False) -> None:
        """Read one node; `tested`: an absent value does no harm in this position."""
        handler = _HANDLERS.get(type(node))
        if depth > _MAX_DEPTH:
            self.refuse(node, "this is nested too deeply")
        elif handler is None:
            self.refuse(node, f"{_WORDS.get(type(node), type(node).__name__)} cannot be used in a prompt")
        else:
            handler(self, node, depth + 1, tested)

    def refuse(self, node: nodes.Node, message: str, *, suggestion: str | None = None) -> None:
        """Note a STK307 at the token of `node`."""
        token = self.tokens[self.at[node.lineno]]
        self.problems.append(self.places.problem("STK307", message, token.offset, token.end, suggestion=suggestion))

    def after(self, offset: int, kind: str) -> Token:
        """The first token of `kind` from `offset` on."""
        return next(token for token in self.tokens[self.at[offset] :] if token.kind == kind)

    # -- values

    def nothing(self, node: nodes.Node, depth: int, tested: bool) -> None:
        """A literal or plain text."""

    def children(self, node: nodes.Node, depth: int, tested: bool) -> None:
        """A node that only holds others."""
        for child in node.iter_child_nodes():
            self.read(child, depth)

    def name(self, node: nodes.Node, depth: int, tested: bool) -> None:
        """A name with the items asked of it: `inputs.event["id"]`."""
        links = _links(node)
        if len(links) > _MAX_CHAIN:
            return self.refuse(links[0], f"a name of {len(links)} parts; at most {_MAX_CHAIN} are allowed")
        if not isinstance(links[0], nodes.Name):
            self.read(links[0], depth)
        elif links[0].ctx != "load" or links[0].name in self.local:
            self.loop_name(links)
            self.ask(links, self._spans(links), self.local.get(links[0].name))
        else:
            self.job_name(links, tested)
        for link in links[1:]:
            if isinstance(link, nodes.Getitem) and not isinstance(link.arg, nodes.Const):
                self.read(link.arg, depth)
        return None

    def loop_name(self, links: list[Any]) -> None:
        """A loop variable; of `loop` itself only a few items exist."""
        if links[0].name != "loop":
            return
        key = _key(links[1]) if len(links) > 1 else None
        if key not in LOOP or len(links) > 2:
            message = f"of `loop` a prompt knows {', '.join(LOOP)}"
            place = self._spans(links)[: 2 + (key in LOOP)][-1]
            self.problems.append(self._unknown(message, *place, "" if key in LOOP else key or "", LOOP))

    def job_name(self, links: list[Any], tested: bool) -> None:
        """A name of the job: note it, or say that it does not exist."""
        root, start = links[0].name, links[0].lineno
        if root in FORBIDDEN_ROOTS:
            message = f"`{root}` cannot be used in a prompt: what a prompt holds is sent to the model"
            problem = self.places.problem("STK305", message, start, start + len(root))
            self.problems.append(problem._replace(asked=self._asked(links)))
            return
        if root not in ROOTS:
            message = f"unknown name '{root}'; a prompt knows inputs, vars, agent.name, job.id and tools; {RAW_HINT}"
            problem = self._unknown(message, start, start + len(root), root, (*ROOTS, *self.local))
            self.unknown.append((root, problem._replace(asked=self._asked(links))))
            return
        spans = self._spans(links)
        path = (root, *map(str, takewhile(_is_text, self._asked(links))))
        if root in FULL_NAMES and path != FULL_NAMES[root]:
            self.problems.append(self._no_member(links, path, spans))
            return
        parts = tuple(self.places.span(*span) for span in spans[: len(path)])
        line, column, end_column = self.places.span(start, spans[len(path) - 1][1])
        guarded = any(known[: len(path)] == path for known in self.present)
        self.names.append(Name(path, line, column, end_column, tested or guarded, parts))
        self.ask(links, spans, () if root == "inputs" else None)

    def _no_member(self, links: list[Any], path: Path, spans: list[tuple[int, int]]) -> TemplateProblem:
        """Of `agent`, `job` and `tools` a prompt knows one name each: the first part beside it is the problem."""
        full = FULL_NAMES[path[0]]
        index = len(full) if path[: len(full)] == full else len(path[:2]) - 1
        message = f"unknown name '{'.'.join(path)}'; of `{path[0]}` a prompt knows only {'.'.join(full)}"
        if index == len(full):
            return self.places.problem("STK301", message, *spans[index])  # with nothing to put in its place
        problem = self.places.problem("STK301", message, *spans[index], suggestion=".".join(full))
        return problem._replace(text=".".join(full[index:])) if index else problem._replace(asked=self._asked(links))

    def _asked(self, links: list[Any]) -> tuple[Step, ...]:
        """What is asked of the root of a name, a loop included."""
        return (*map(_step, links[1:]), *((Some.EACH,) if links[-1] is self.looped else ()))

    def tell_unknown(self) -> None:
        """Unknown names, once all is read: one that is a variable of a loop elsewhere is meant as that."""
        for root, problem in self.unknown:
            if root in self.variables:
                message = f"unknown name '{root}': it is the variable of a loop, and exists only inside the loop"
                told = problem._replace(message=message, suggestion=None, text="", asked=None, is_of_loop=True)
            else:
                told = problem
            self.problems.append(told)

    def ask(self, links: list[Any], spans: list[tuple[int, int]], base: tuple[Step, ...] | None) -> None:
        """Note what is asked of an input, or of a loop variable that comes from one."""
        path = (links[0].name, *self._asked(links))
        if base is not None and len(path) > 1:
            self.reads.append(Read(base, path, tuple(self.places.span(*span) for span in spans)))

    def _spans(self, links: list[Any]) -> list[tuple[int, int]]:
        """The offsets of the parts of a name."""
        return [(links[0].lineno, links[0].lineno + len(links[0].name)), *map(self._span, links[1:])]

    def _span(self, link: Any) -> tuple[int, int]:
        """The offsets of a written-out key, without its quotes, or of the brackets of another."""
        if _key(link) is None:
            return link.lineno, self._closing(link.lineno)
        token = self.after(link.lineno, "name" if isinstance(link, nodes.Getattr) else "string")
        quote = int(token.kind == "string")
        return token.offset + quote, token.end - quote

    def _closing(self, offset: int) -> int:
        """The offset behind the bracket that closes the one at `offset`; `.0` has none."""
        depth = 0
        for token in self.tokens[self.at[offset] :]:
            if token.kind == "operator":
                depth += (token.text in "([{") - (token.text in ")]}")
            if depth == 0 and token.text != ".":
                return token.end
        raise BugError("brackets of a template that was parsed are not closed")

    def _unknown(self, message: str, start: int, end: int, word: str, known: tuple[str, ...]) -> TemplateProblem:
        return self.places.problem("STK301", message, start, end, suggestion=nearest(word, known))

    def filter(self, node: Any, depth: int, tested: bool) -> None:
        """`value | name(arguments)`."""
        known = _FILTERS.get(node.name)
        if known is None:
            near = nearest(node.name, _FILTERS)
            self.refuse(node, f"unknown filter '{node.name}'; known are {', '.join(_FILTERS)}", suggestion=near)
        elif node.dyn_args or node.dyn_kwargs or not _fits(node, known):
            self.refuse(node, f"filter '{node.name}' takes {', '.join(known) or 'no arguments'}")
        else:
            self.arguments(node, known)
        if node.node is not None:
            self.read(node.node, depth, tested=node.name == "default")
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self.read(argument, depth)

    def arguments(self, node: Any, known: tuple[str, ...]) -> None:
        """Those that are written out have the type that the filter needs, or it would fail in every job."""
        given = [*zip(known, node.args, strict=False), *((keyword.key, keyword.value) for keyword in node.kwargs)]
        for name, value in given:
            wanted, words = _ARGUMENTS.get(name, (object, ""))
            if isinstance(value, nodes.Const) and value.value is not None and not isinstance(value.value, wanted):
                message = f"'{name}' of filter '{node.name}' must be {words}, found {as_json(value.value)}"
                self.refuse(node, message)

    def test(self, node: Any, depth: int, tested: bool) -> None:
        """`value is name`."""
        if node.name not in _TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            near = nearest(node.name, _TESTS)
            self.refuse(node, f"unknown test 'is {node.name}'; known are {', '.join(_TESTS)}", suggestion=near)
        self.read(node.node, depth, tested=True)

    def compare(self, node: Any, depth: int, tested: bool) -> None:
        """`a == b`, `a in b`, `a < b`: absent values can be compared for equality, not ordered or searched."""
        operators = {operand.op for operand in node.ops}
        self.read(node.expr, depth, tested=operators <= {"eq", "ne", "in", "notin"})
        for operand in node.ops:
            self.read(operand.expr, depth, tested=operand.op in {"eq", "ne"})

    def either(self, node: Any, depth: int, tested: bool) -> None:
        """`a or b`."""
        self.read(node.left, depth, tested=True)
        self.under(node.right, depth, tested, given=_present(node.left, when=False))

    def both(self, node: Any, depth: int, tested: bool) -> None:
        """`a and b`."""
        self.read(node.left, depth, tested=tested)
        self.under(node.right, depth, tested, given=_present(node.left, when=True))

    def negation(self, node: Any, depth: int, tested: bool) -> None:
        """`not a`."""
        self.read(node.node, depth, tested=True)

    def choice(self, node: Any, depth: int, tested: bool) -> None:
        """`a if test else b`."""
        self.read(node.test, depth, tested=True)
        self.under(node.expr1, depth, tested, given=_present(node.test, when=True))
        if node.expr2 is not None:
            self.under(node.expr2, depth, tested, given=_present(node.test, when=False))

    def under(self, node: nodes.Node, depth: int, tested: bool, *, given: frozenset[Path]) -> None:
        """Read one node in a place where the paths `given` are known to be there."""
        before, self.present = self.present, self.present | given
        self.read(node, depth, tested=tested)
        self.present = before

    # -- blocks

    def if_(self, node: Any, depth: int, tested: bool) -> None:
        """`{% if %}` with its `elif` and `else`."""
        self.read(node.test, depth, tested=True)
        self.read_all(node.body, depth, given=_present(node.test, when=True))
        self.read_all([*node.elif_, *node.else_], depth, given=_present(node.test, when=False))

    def for_(self, node: Any, depth: int, tested: bool) -> None:
        """`{% for %}`: its variables exist inside only."""
        targets = [target.name for target in _targets(node.target)]
        shadowed = next((name for name in targets if name in (*ROOTS, *FORBIDDEN_ROOTS, "loop")), None)
        if shadowed or not targets or node.recursive or self.loops == _MAX_LOOPS:
            why = (
                f"a loop variable cannot be called '{shadowed}'" if shadowed else "this loop cannot be used in a prompt"
            )
            return self.refuse(node, why)
        inner = self.enter(node.iter, depth)
        if inner is not None and isinstance(node.target, nodes.Tuple):
            inner = (*inner, Some.EACH)
        self.variables.update(targets, ("loop",))
        before, self.loops = self.local, self.loops + 1
        self.local = {**before, **dict.fromkeys(targets, inner), "loop": None}
        if node.test is not None:
            self.read(node.test, depth, tested=True)
        self.read_all(node.body, depth, given=_present(node.iter, when=True))
        self.local, self.loops = before, self.loops - 1
        return self.read_all(node.else_, depth)

    def enter(self, node: Any, depth: int) -> tuple[Step, ...] | None:
        """Read what a loop goes through; where in the inputs its items come from, None when that is not known."""
        self.looped = node.node if isinstance(node, nodes.Filter) and node.name == "default" else node
        links = _links(self.looped)
        self.read(node, depth)
        if not isinstance(links[0], nodes.Name) or (self.looped is not node and not _has_empty_default(node)):
            return None
        base = () if links[0].name == "inputs" else self.local.get(links[0].name)
        return None if base is None else (*base, *map(_step, links[1:]), Some.EACH)

    def include(self, node: Any, depth: int, tested: bool) -> None:
        """`{% include "name" %}` and no other form."""
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str) or node.ignore_missing or not node.with_context:
            return self.refuse(node, 'a partial is included by its name only: {% include "tone" %}')
        token = self.after(node.template.lineno, "string")
        self.includes.append(Include(name, *self.places.span(token.offset + 1, token.end - 1)))
        return None


_Handler = Callable[[_Reader, Any, int, bool], None]
_HANDLERS: dict[type, _Handler] = {
    nodes.TemplateData: _Reader.nothing, nodes.Const: _Reader.nothing,
    nodes.Output: _Reader.children, nodes.List: _Reader.children, nodes.Tuple: _Reader.children,
    nodes.Dict: _Reader.children, nodes.Pair: _Reader.children,
    nodes.Name: _Reader.name, nodes.Getattr: _Reader.name, nodes.Getitem: _Reader.name,
    nodes.Filter: _Reader.filter, nodes.Test: _Reader.test, nodes.Compare: _Reader.compare,
    nodes.Or: _Reader.either, nodes.And: _Reader.both, nodes.Not: _Reader.negation, nodes.CondExpr: _Reader.choice,
    nodes.If: _Reader.if_, nodes.For: _Reader.for_, nodes.Include: _Reader.include,
}  # fmt: skip
_WORDS: dict[type, str] = {
    nodes.Call: "a call", nodes.Slice: "a slice", nodes.Concat: "`~`", nodes.Add: "arithmetic", nodes.Sub: "arithmetic",
    nodes.Mul: "arithmetic", nodes.Div: "arithmetic", nodes.FloorDiv: "arithmetic", nodes.Mod: "arithmetic",
    nodes.Pow: "arithmetic", nodes.Neg: "arithmetic", nodes.Pos: "arithmetic",
}  # fmt: skip


def _links(node: Any) -> list[Any]:
    """The nodes of `a.b["c"]` from the left: the base, then one for every item asked of it."""
    links = [node]
    while isinstance(links[-1], nodes.Getattr | nodes.Getitem):
        links.append(links[-1].node)
    return links[::-1]


def _key(link: Any) -> str | None:
    """The written-out text key of one link, or None when it is an index or computed."""
    if isinstance(link, nodes.Getattr):
        return str(link.attr)
    return link.arg.value if isinstance(link.arg, nodes.Const) and isinstance(link.arg.value, str) else None


def _step(link: Any) -> Step:
    """What one link asks for; a key that is true or false counts as computed."""
    key = _key(link)
    if key is not None:
        return key
    return link.arg.value if isinstance(link.arg, nodes.Const) and type(link.arg.value) is int else Some.COMPUTED


def _is_text(step: Step) -> bool:
    return isinstance(step, str)


def _has_empty_default(node: nodes.Filter) -> bool:
    """Whether `value | default(...)` gives a loop nothing to go through that is not of the value."""
    given = [*node.args, *(keyword.value for keyword in node.kwargs if keyword.key == "default_value")]
    found = given[0] if given else nodes.Const("")
    return not (found.value if isinstance(found, nodes.Const) else getattr(found, "items", True))


def _fits(node: Any, known: tuple[str, ...]) -> bool:
    keywords = [keyword.key for keyword in node.kwargs]
    return len(node.args) <= len(known) and set(keywords) <= set(known[len(node.args) :])


def _targets(node: Any) -> Iterator[nodes.Name]:
    found = node.items if isinstance(node, nodes.Tuple) else [node]
    return (item for item in found if isinstance(item, nodes.Name))


def _present(test: Any, *, when: bool, depth: int = 0) -> frozenset[Path]:
    """Paths that cannot be absent once `test` came out as `when`."""
    if depth > _MAX_DEPTH:
        return frozenset()  # the reader refuses this tree anyway
    if isinstance(test, nodes.Not):
        return _present(test.node, when=not when, depth=depth + 1)
    if isinstance(test, nodes.And if when else nodes.Or):
        left, right = (_present(side, when=when, depth=depth + 1) for side in (test.left, test.right))
        return left | right
    if isinstance(test, nodes.Test):
        return _written(test.node) if (test.name == "defined") == when else frozenset()
    if isinstance(test, nodes.Compare):
        return _written(test.expr) if _tells_present(test.ops, when=when) else frozenset()
    return _written(test) if when else frozenset()


def _tells_present(operands: list[nodes.Operand], *, when: bool) -> bool:
    """True when `path == "x"` or `path != none`, coming out as `when`, says that the path is there."""
    operand = operands[0]
    if len(operands) > 1 or not isinstance(operand.expr, nodes.Const):
        return False
    if operand.expr.value is None:
        return operand.op == ("ne" if when else "eq")
    return operand.op == ("eq" if when else "ne")


def _written(node: Any) -> frozenset[Path]:
    links = _links(node)
    keys = [_key(link) for link in links[1:]]
    if not isinstance(links[0], nodes.Name) or None in keys:
        return frozenset()
    return frozenset({(links[0].name, *(key for key in keys if key is not None))})


def render(source: str, *, partials: Mapping[str, str], values: Mapping[str, Json]) -> str:
    """Fill a template.

    Args:
        source: the template.
        partials: name -> text of every partial it may include; one newline at the end of each is left out.
        values: `inputs`, `vars`, `agent` {name}, `job` {id} and `tools` (text); what is missing is absent.

    Raises:
        RenderError: the template has problems, uses a value that is absent, includes too much, or gives more than
            `MAX_OUTPUT` bytes.
    """
    texts = tuple(sorted(partials.items()))
    if not any(mark in source for mark in _MARKS):
        return _constant(source, texts)
    return _filled(source, texts, {root: view(values.get(root), root) for root in ROOTS})


@lru_cache(maxsize=256)
def _constant(source: str, partials: tuple[tuple[str, str], ...]) -> str:
    """A template that asks for nothing is the same for every job."""
    return _filled(source, partials, {})


def _filled(source: str, partials: tuple[tuple[str, str], ...], seen: Mapping[str, object]) -> str:
    template = _compiled(source, partials)
    try:
        return _bounded(template.generate(seen))
    except (TypeError, ValueError, TemplateError) as error:
        raise RenderError(f"the prompt cannot be rendered: {error}") from error


def _bounded(pieces: Iterator[str]) -> str:
    """The pieces as one text; stops at the piece that makes it too long."""
    found, size = [], 0
    for piece in pieces:
        size += len(piece.encode("utf-8", "surrogatepass"))
        if size > MAX_OUTPUT:
            raise RenderError(
                f"the prompt is longer than {MAX_OUTPUT:,} bytes", hint="shorten what it prints, or print a part of it"
            )
        found.append(piece)
    return "".join(found)


@lru_cache(maxsize=256)
def _compiled(source: str, partials: tuple[tuple[str, str], ...]) -> Template:
    texts = {name: text.removesuffix("\n") for name, text in partials}
    edges: dict[str, tuple[str, ...]] = {}
    _check(source, texts, (), edges)
    excess = find_excess((include.name for include in parse(source).includes), edges)
    if excess is not None:
        raise RenderError(f"the prompt cannot be rendered: {excess}")
    return _environment(texts).from_string(source)


def _check(source: str, partials: Mapping[str, str], chain: tuple[str, ...], edges: dict[str, tuple[str, ...]]) -> None:
    """Refuse a template, or a partial reached through `chain`, that must not be compiled; `edges` are those checked."""
    where = f"partial '{chain[-1]}'" if chain else "the prompt"
    parsed = parse(source)
    for problem in parsed.problems:
        raise RenderError(f"{where}, line {problem.line}, column {problem.column}: {problem.message}")
    for include in parsed.includes:
        if include.name in chain:
            raise RenderError(f"partials include each other: {' -> '.join((*chain, include.name))}")
        if include.name not in partials:
            raise RenderError(f"{where} includes '{include.name}', which is not among the partials")
        if include.name not in edges and len(chain) <= MAX_DEPTH:
            _check(partials[include.name], partials, (*chain, include.name), edges)
    edges.update({chain[-1]: tuple(include.name for include in parsed.includes)} if chain else {})
