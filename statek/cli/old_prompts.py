"""The body of a prompt file in the older header style, as a template of today. Pure.

The text a model sees stays what it was: sections are written out as the runtime writes them for agents made in Python,
placeholders become expressions, and braces that a template would read become raw text. What has no counterpart is
told.
"""

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from statek.store.prompt import ORDER, PLACEHOLDER, TOOLS, SystemPromptData, format_system_prompt

SHARED = "shared_var_names"
_LONGEST = 50  # characters of an input's name
_BRACES = re.compile(r"\{[{%]+|\{+\Z")  # what a template reads as a mark, alone or with the mark that follows


@dataclass
class Body:
    """A converted prompt: its text, inputs (name -> declaration in YAML), and what is to be told."""

    text: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of parameters -> of inputs

    def note(self, text: str) -> None:
        """Tell something once."""
        if text not in self.notes:
            self.notes.append(text)


def convert_body(prompt: SystemPromptData, *, plain: bool) -> Body:
    """The prompt as a template; `plain`: jobs have no parameters, so braces but those of tools are plain text."""
    body = Body()
    text = _written(prompt, body)
    names = {found[1] for found in PLACEHOLDER.finditer(text) if found[1]}
    filled = not plain and bool(names - TOOLS)  # then each job has parameters, and doubled braces mean single ones
    lines = (line for line in text.split("\n"))
    body.text = _joined([piece for line in lines for piece in (*_pieces(line, body, filled=filled), "\n")][:-1])
    return body


def _written(prompt: SystemPromptData, body: Body) -> str:
    """The sections as they are shown to a model; as `## TITLE {difficulty=...}` when any is for one difficulty only."""
    if all(section.target_difficulties is None for section in prompt.sections):
        return format_system_prompt(prompt, None)
    body.note("sections for a difficulty are written as `## TITLE {difficulty=...}`, and so all titles as `## TITLE`")
    parts = [prompt.intro] if prompt.intro else []
    for section in prompt.sections:
        levels = "".join(level.name[0].upper() for level in ORDER if level in (section.target_difficulties or ()))
        mark = f" {{difficulty={levels}}}" if levels else ""
        parts.append(f"## {section.title}{mark}\n{section.contents}".rstrip("\n"))
    return "\n\n".join(parts)


@dataclass(frozen=True)
class _Expression:
    text: str


def _pieces(line: str, body: Body, *, filled: bool) -> Iterator[str | _Expression]:
    """Plain text and expressions of one line."""
    if line.lstrip().startswith("#") and any(found[1] in TOOLS for found in PLACEHOLDER.finditer(line)):
        line = line.strip()
        body.note(f"'{line}' made a comment of the whole listing; now only its first line follows the '#'")
    at = 0
    for found in PLACEHOLDER.finditer(line):
        yield line[at : found.start()]
        yield _piece(found, body, filled=filled)
        at = found.end()
    yield line[at:]


def _piece(found: re.Match[str], body: Body, *, filled: bool) -> str | _Expression:
    name, conversion, form = found.groups()
    if name in TOOLS and not conversion and not form:
        if name == "detailed_tools":
            body.note("{detailed_tools} is {{ tools }} now: a line of call and a line of text for each tool, no more")
        return _Expression("{{ tools }}")
    if name == SHARED and not filled:
        return ""
    if not filled:
        return found[0]
    if name is None:
        return found[0][0]
    if name == SHARED:
        body.inputs[SHARED] = "{type: array, items: {type: string}, default: []}"
        body.note("{shared_var_names} is the input 'shared_var_names' now, a list; or write the names of the inputs")
        return _Expression(f'{{{{ inputs.{SHARED} | join(", ") }}}}')
    return _parameter(name, found[0], body, formatted=bool(conversion or form))


def _parameter(name: str, written: str, body: Body, *, formatted: bool) -> _Expression:
    given = _input_name(name, body)
    if formatted:
        body.note(f"{written} is {{{{ inputs.{given} }}}} now: a value is printed as it is")
    body.note(f"{{{name}}} is the input '{given}' now, which each job must be given; with --plain it stays plain text")
    body.inputs[given] = "{type: string}"
    return _Expression(f"{{{{ inputs.{given} }}}}")


def _input_name(name: str, body: Body) -> str:
    """What the parameter may be called as an input; always the same for one prompt, and of no other parameter."""
    if name not in body.names:
        given = re.sub(r"[^A-Za-z0-9_]", "_", name).lstrip("_0123456789")[:_LONGEST] or "value"
        while keyword.iskeyword(given) or given in (*body.names.values(), SHARED):
            given += "_"
        body.names[name] = given
    return body.names[name]


def _joined(pieces: Sequence[str | _Expression]) -> str:
    """One text; plain text with raw braces where a template would see a mark."""
    found: list[str] = []
    plain = ""
    for piece in pieces:
        if isinstance(piece, str):
            plain += piece
        else:
            found += [_quoted(plain), piece.text]
            plain = ""
    return "".join([*found, _quoted(plain)])


def _quoted(text: str) -> str:
    return _BRACES.sub(lambda braces: f"{{% raw %}}{braces[0]}{{% endraw %}}", text)
