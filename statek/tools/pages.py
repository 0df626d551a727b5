"""What `docstr` and `brief` show of a function, a class or a method.

It reads docstrings and signatures and calls nothing. The idea to keep in mind: a page is for a model that will believe
it, so what is undocumented is an error and not an empty line; members that a class keeps from an agent are left out.
"""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from statek.base.nearest import did_you_mean
from statek.tools import describe
from statek.tools.describe import Docstring, docstring_of, parameters_of, parse_docstring
from statek.tools.registry import Tool, from_callable

_RULE = re.compile(r"(?P<sign>[+-])(?P<name>\w*)(?P<prefix>\*)?\s*(?::\s*(?P<scopes>.*))?")


class DocstringParseError(ValueError):
    """A docstring is missing, or leaves out a parameter."""


@dataclass(frozen=True)
class Rule:
    """One line of a class's access list."""

    allows: bool
    name: str
    is_prefix: bool
    scopes: frozenset[str]

    def fits(self, name: str, agent: str | None) -> bool:
        """Does it speak of this member, for an agent of this class name?"""
        named = name.startswith(self.name) if self.is_prefix else name == self.name
        return named and (not self.scopes or agent in self.scopes)


def access_rules(text: str) -> list[Rule]:
    """The rules of a `STATEK-ACL` section, lines `+name`, `-name`, `+prefix*: Agent, Other`; others say nothing."""
    found = [_RULE.fullmatch(line.strip().removeprefix("- ")) for line in text.split("\n")]
    return [
        Rule(
            allows=match["sign"] == "+",
            name=match["name"],
            is_prefix=bool(match["prefix"]),
            scopes=frozenset(scope.strip() for scope in (match["scopes"] or "").split(",") if scope.strip()),
        )
        for match in found
        if match
    ]


def has_access(rules: list[Rule], name: str, agent: str | None) -> bool:
    """Whether an agent of this class name is shown the member: the last rule that fits decides, none of them: no."""
    return next((rule.allows for rule in reversed(rules) if rule.fits(name, agent)), False)


def page_of(what: Any, method_name: str | None = None, *, brief: bool = False, agent: str | None = None) -> str:
    """The page of a function, of a class (or of an instance's), or of one of its methods.

    Args:
        what: a Tool, a function, a class or an instance.
        method_name: of a class; blanks around it are ignored.
        brief: the short plain form instead of the full one in Python.
        agent: class name of the agent that reads; None: of no particular one.

    Raises:
        DocstringParseError: the docstring is missing, or a parameter is not documented.
        AttributeError: the class has no such method.
        TypeError: a method of something that is no class was asked for.
        NameError: `what` is a text.
    """
    if isinstance(what, str):
        raise NameError(f"{what!r} is a text: pass the function, class or object itself")  # noqa: TRY004 - documented
    method_name = (method_name or "").strip()
    if isinstance(what, Tool) or (callable(what) and not isinstance(what, type) and _is_function(what)):
        tool = what if isinstance(what, Tool) else from_callable(what)
        if method_name:
            raise TypeError(f"{tool.name} is a function and has no method {method_name!r}")
        return _function(tool, brief=brief)
    cls = what if isinstance(what, type) else type(what)
    if method_name:
        return _function(_method(cls, method_name, agent), brief=brief)
    return _class(cls, brief=brief, agent=agent)


def _is_function(what: Any) -> bool:
    return inspect.isroutine(what) or hasattr(what, "__name__")


def _function(tool: Tool, *, brief: bool) -> str:
    _check_documented(tool)
    return describe.brief_text(tool) if brief else describe.full_text(tool)


def _check_documented(tool: Tool) -> None:
    doc = docstring_of(tool)
    if not doc.brief:
        raise DocstringParseError(f"{tool.name} has no docstring")
    missing = [p.name for p, _ in parameters_of(tool) if p.name not in ("self", "cls") and p.name not in doc.args]
    if missing:
        raise DocstringParseError(f"the docstring of {tool.name} says nothing of {', '.join(missing)}")


def _method(cls: type, name: str, agent: str | None) -> Tool:
    methods = dict(_methods(cls, agent))
    if name not in methods:
        raise AttributeError(f"{_name(cls)} has no method {name!r}{did_you_mean(name, methods, also='it has')}")
    return _tool_of_method(cls, name, methods[name])


def _methods(cls: type, agent: str | None) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public methods that the agent is shown, those of base classes first."""
    shown = _shown(cls, agent)
    for name in dict.fromkeys(name for base in reversed(cls.__mro__[:-1]) for name in vars(base)):
        found = getattr(cls, name, None)
        if not name.startswith("_") and shown(name) and inspect.isroutine(found):
            yield name, found


def _shown(cls: type, agent: str | None) -> Callable[[str], bool]:
    text = parse_docstring(cls.__doc__ or "").acl
    rules = access_rules(text)
    return (lambda name: has_access(rules, name, agent)) if text else (lambda _: True)


def _tool_of_method(cls: type, name: str, method: Callable[..., Any]) -> Tool:
    """The method as it is called on an object: without `self`."""
    signature = inspect.signature(method)
    parameters = list(signature.parameters.values())
    if isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod):
        return from_callable(method, name=name)

    def bound() -> None: ...

    bound.__doc__ = inspect.getdoc(method)
    bound.__signature__ = signature.replace(parameters=parameters[1:])  # type: ignore[attr-defined]
    return from_callable(bound, name=name)


def _class(cls: type, *, brief: bool, agent: str | None) -> str:
    doc = parse_docstring(cls.__doc__ or "")
    if not doc.brief:
        raise DocstringParseError(f"class {_name(cls)} has no docstring")
    if brief:
        return f"{_name(cls)}\n    {doc.brief}"
    text = "\n\n".join(_class_paragraphs(cls, doc, agent))
    closing = "\n" if "\n" in text else ""
    lines = [f"class {_name(cls)}:", textwrap.indent(f'"""{text}{closing}"""', "    ")]
    for name, method in _methods(cls, agent):
        tool = _tool_of_method(cls, name, method)
        if docstring_of(tool).brief:
            lines.append("\n" + textwrap.indent(describe.full_text(tool, brief=True), "    "))
    return "\n".join(lines)


def _class_paragraphs(cls: type, doc: Docstring, agent: str | None) -> Iterator[str]:
    yield from (text for text in (doc.brief, doc.rest) if text)
    if doc.tags:
        yield f"Tags:\n{textwrap.indent(doc.tags, '    ')}"
    shown = _shown(cls, agent)
    attributes = {name: text for name, text in {**_declared(cls), **doc.attributes}.items() if shown(name)}
    if attributes:
        yield "Attributes:\n" + "\n".join(f"    {name}: {text}".rstrip() for name, text in attributes.items())


def _declared(cls: type) -> dict[str, str]:
    """Documented fields of a dataclass, and properties with what they return."""
    found: dict[str, str] = {}
    for entry in fields(cls) if is_dataclass(cls) else ():
        if "doc" in entry.metadata and not entry.name.startswith("_"):
            found[entry.name] = str(entry.metadata["doc"])
    for name, value in inspect.getmembers_static(cls, lambda member: isinstance(member, property)):
        doc = parse_docstring(value.__doc__ or "")
        if not name.startswith("_") and (doc.returns or doc.brief):
            found[name] = doc.returns or doc.brief
    return found


def _name(cls: type) -> str:
    return cls.__name__.removeprefix("Memo_")
