"""Tools in words: listings for the prompt, JSON Schemas for providers, docstrings taken apart.

It calls and changes nothing. The runtime puts `listing` into prompts and sends `formal_spec` to providers. The idea
to keep in mind: everything shown comes from signature and docstring, in the order in which tools are given, so equal
tools make equal text. Hidden and internal tools never appear.
"""

import enum
import inspect
import re
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Literal

from statek.tools import convert
from statek.tools.registry import IDEMPOTENCY_KEY, Tool, from_callable

SECTIONS = {
    "args": "args", "arguments": "args", "returns": "returns", "return": "returns", "raises": "raises",
    "raise": "raises", "example": "example", "examples": "example", "attributes": "attributes", "note": "other",
    "notes": "other", "yields": "other", "tags": "tags", "statek-acl": "acl",
}  # fmt: skip
VARIANT = "tool"  # which variant of a docstring speaks to models

_SECTION = re.compile(r"([A-Za-z][A-Za-z-]*):\s*")
_ITEM = re.compile(r"(\*{0,2}\w+)\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?\s*:\s*(.*)")
_RAISE = re.compile(r"([\w.]+)\s*:\s*(.*)")
_VARIANTS = re.compile(r"\s*VARIANTS\s*/")
_VARIANT = re.compile(r"/(\w{0,8}):")
_SCALARS: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    None: "null",
}
_DATES = {datetime: "date-time", date: "date", time: "time"}


@dataclass(frozen=True)
class Docstring:
    """A Google-style docstring taken apart; what it does not say is empty."""

    brief: str = ""  # first paragraph, on one line
    rest: str = ""  # further paragraphs before the first section
    args: Mapping[str, str] = field(default_factory=dict)
    returns: str = ""
    raises: Mapping[str, str] = field(default_factory=dict)
    example: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    acl: str = ""


def listing(tools: Iterable[Tool], *, detailed: bool = False) -> str:
    """The tools for a prompt, in the order given, a blank line between them; "" when there is none to show.

    Args:
        tools: hidden and internal ones among them are left out.
        detailed: as Python declarations with the whole docstring, instead of a line of call and a line of text.
    """
    show = full_text if detailed else brief_text
    return "\n\n".join(show(tool) for tool in tools if not tool.hidden and not tool.internal)


def formal_spec(tool: Tool) -> dict[str, Any]:
    """Name, description and parameters (JSON Schema) of a tool, as providers take them.

    Parameters that begin with an underscore and variadic ones are left out; a parameter whose annotation has no
    counterpart in JSON is a string, which the call converts or takes as the name of a variable.
    """
    doc = docstring_of(tool)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter, wanted in parameters_of(tool):
        properties[parameter.name] = json_type(wanted)
        if doc.args.get(parameter.name):
            properties[parameter.name]["description"] = doc.args[parameter.name]
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return {"name": tool.name, "description": doc.brief, "parameters": schema}


def docstring_of(tool: Tool) -> Docstring:
    """The tool's docstring; its own description, when it has one, takes the place of the text."""
    doc = parse_docstring(inspect.getdoc(tool.call) or "")
    if tool.description is None:
        return doc
    brief, _, rest = tool.description.strip().partition("\n\n")
    return replace(doc, brief=_joined(brief), rest=rest.strip())


def parse_docstring(text: str) -> Docstring:
    """Take a Google-style docstring apart; of a text in variants the one for tools is taken."""
    parts = _sections(inspect.cleandoc(text))
    brief, _, rest = parts["text"].partition("\n\n")
    return Docstring(
        brief=_joined(_variant(brief)),
        rest=_variant(rest).strip(),
        args=_items(parts["args"], _ITEM),
        returns=_joined(_variant(parts["returns"])),
        raises=_items(parts["raises"], _RAISE),
        example=textwrap.dedent(parts["example"]).strip(),
        attributes=_items(parts["attributes"], _ITEM),
        tags=textwrap.dedent(parts["tags"]).strip(),
        acl=textwrap.dedent(parts["acl"]).strip(),
    )


def json_type(wanted: Any) -> dict[str, Any]:
    """JSON Schema of an annotation: of a union the first member that is not None.

    An enum of the store is plain text: its members are not known until a store is open.
    """
    parts = [part for part in convert.members(wanted) if part is not type(None)]
    kind = parts[0] if parts else type(None)
    origin, args = typing.get_origin(kind) or kind, typing.get_args(kind)
    if isinstance(kind, enum.EnumMeta):
        return {"type": "string", "enum": list(kind.__members__)}
    if origin is Literal:
        return {"type": _SCALARS.get(type(args[0]), "string"), "enum": list(args)}
    if origin in _SCALARS:
        return {"type": _SCALARS[origin]}
    if origin in _DATES:
        return {"type": "string", "format": _DATES[origin]}
    if not isinstance(origin, type) or origin is object:
        return {"type": "string"}
    if issubclass(origin, Mapping):
        return {"type": "object"}
    if issubclass(origin, (Sequence, Set)) and not issubclass(origin, (str, bytes)):
        return {"type": "array", **_array_items(args)}
    return {"type": "string"}


def _array_items(args: tuple[Any, ...]) -> dict[str, Any]:
    """Schema of the items where all have one type."""
    kinds = [arg for arg in args if arg is not Ellipsis]
    return {"items": json_type(kinds[0])} if len(kinds) == 1 and kinds[0] is not Any else {}


def format_tool_spec(func: Callable[..., Any]) -> dict[str, Any]:
    """The specification of a function as providers of OpenAI's shape take it.

    Returns:
        `{"type": "function", "function": {"name", "description", "parameters"}}`.

    Raises:
        TypeError: `func` has no name, or cannot be called.
    """
    return {"type": "function", "function": formal_spec(from_callable(func))}


def format_callable_decl(func: Callable[..., Any]) -> str:
    """The function as a declaration in Python with its whole docstring. Raises TypeError as `format_tool_spec`."""
    return full_text(from_callable(func))


def brief_text(tool: Tool) -> str:
    """A line of call, the first paragraph, and what it returns; types only for functions marked so by `docs_style`."""
    doc = docstring_of(tool)
    typed = getattr(tool.call, "docs_brief_types", False)
    shown = [_declared(p, type_text(p.annotation) if typed else None) for p, _ in parameters_of(tool)]
    returns = type_text(_returned(tool.call)) if typed else ""
    lines = [f"{tool.name}({', '.join(shown)}){f' -> {returns}' if returns else ''}"]
    if doc.brief:
        lines.append(f"    {doc.brief}")
    if doc.returns:
        lines.append(f"    Returns: {doc.returns}")
    return "\n".join(lines)


def full_text(tool: Tool, *, brief: bool = False) -> str:
    """The declaration in Python with the whole docstring; `brief`: with its first paragraph and what it returns."""
    doc = docstring_of(tool)
    if brief:
        doc = Docstring(brief=doc.brief, returns=doc.returns)
    call = ", ".join(_declared(parameter, type_text(parameter.annotation)) for parameter, _ in parameters_of(tool))
    returns = type_text(_returned(tool.call))
    head = f"def {tool.name}({call}){f' -> {returns}' if returns else ''}:"
    body = "\n\n".join(_paragraphs(tool, doc))
    closing = "\n" if "\n" in body else ""
    return head + ("\n" + textwrap.indent(f'"""{body}{closing}"""', "    ") if body else "")


def _paragraphs(tool: Tool, doc: Docstring) -> Iterator[str]:
    shown = {parameter.name for parameter, _ in parameters_of(tool)}
    args = {name: text for name, text in doc.args.items() if name in shown}
    sections = {
        "Args": "\n".join(f"{name}: {text}" for name, text in args.items()),
        "Raises": "\n".join(f"{name}: {text}" for name, text in doc.raises.items()),
        "Returns": doc.returns,
        "Example": doc.example,
    }
    yield from (text for text in (doc.brief, doc.rest) if text)
    yield from (f"{head}:\n{textwrap.indent(text, '    ')}" for head, text in sections.items() if text)


def parameters_of(tool: Tool) -> list[tuple[inspect.Parameter, Any]]:
    """Parameters that a model may fill, with their resolved annotations."""
    signature = inspect.signature(tool.call)
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        (parameter, convert.annotation(tool.call, signature, parameter.name))
        for parameter in signature.parameters.values()
        if parameter.kind not in variadic and not parameter.name.startswith("_") and parameter.name != IDEMPOTENCY_KEY
    ]


def _declared(parameter: inspect.Parameter, type_text: str | None) -> str:
    text = f"{parameter.name}: {type_text}" if type_text else parameter.name
    if parameter.default is parameter.empty:
        return text
    default = _stable_text(repr(parameter.default))
    return f"{text} = {default}" if type_text else f"{text}={default}"


def _stable_text(text: str) -> str:
    """The same in every process: no object addresses."""
    return re.sub(r"<(.*?) at 0x[0-9a-fA-F]+>", r"<\1>", text)


def _returned(f: Callable[..., Any]) -> Any:
    """Return annotation; a temporal function gives what its complement gives."""
    return inspect.signature(getattr(f, "__temporal_complement__", f)).return_annotation


def type_text(wanted: Any) -> str:
    """An annotation as it is written in source, "" when there is none; enums of the store are passed by name: str."""
    if wanted is inspect.Parameter.empty:
        return ""
    if isinstance(wanted, str):
        return wanted
    if convert.is_store_enum(wanted):
        return "str"
    return _stable_text(str(inspect.formatannotation(wanted)))


def _sections(text: str) -> dict[str, str]:
    """Text by section; a header is a known word and a colon alone at the beginning of a line."""
    found: dict[str, list[str]] = {"text": [], **{name: [] for name in SECTIONS.values()}}
    current = "text"
    for line in text.split("\n"):
        head = _SECTION.fullmatch(line)
        if head and head[1].lower() in SECTIONS:
            current = SECTIONS[head[1].lower()]
        else:
            found[current].append(line)
    return {name: "\n".join(lines).strip("\n") for name, lines in found.items()}


def _items(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    """`name (type): text` items, deeper lines going on with the one before."""
    found: dict[str, list[str]] = {}
    for line in textwrap.dedent(text).split("\n"):
        match = None if line.startswith(" ") else pattern.fullmatch(line.rstrip())
        if match:
            found[match[1]] = [match[match.lastindex or 1]]
        elif found:
            found[next(reversed(found))].append(line.strip())
    return {name: _joined(_variant(" ".join(lines))) for name, lines in found.items()}


def _variant(text: str) -> str:
    """The variant for tools of a text `VARIANTS/NAME: ... /NAME: ...`; without it the unnamed one, else ""."""
    if not _VARIANTS.match(text):
        return text
    _, *pieces = _VARIANT.split(text)
    named = dict(zip((name.lower() for name in pieces[::2]), pieces[1::2], strict=True))
    return (named.get(VARIANT) or named.get("") or "").strip()


def _joined(text: str) -> str:
    return " ".join(text.split())
