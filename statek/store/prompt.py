"""System prompts: intro and sections, their difficulties, their files, and how they are written out.

A prompt is a frozen value; an agent stores its canonical text (`to_text`, `from_text`). Everything here is a pure
function but the two that read files; nothing here knows tools: their texts come in as arguments. Agents, the prompt
files of a folder and `Job.system_prompt` go through it. The idea to keep in mind: placeholders are filled in one pass
over the written-out prompt, so braces in what was filled in mean nothing.
"""

import enum
import json
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from statek.exceptions import InvalidFormat
from statek.settings import PromptDef


class TaskDifficulty(enum.Enum):
    """How hard the task of a job is; chooses sections of the prompt."""

    low = "low"
    medium = "medium"
    high = "high"


class PromptStyle(enum.Enum):
    """How section titles are written out."""

    XML = "xml"  # <title>...</title>
    DASHED = "dashed"  # --- title ---
    ASTERISK = "asterisk"  # *** title ***
    MARKDOWN = "markdown"  # ## title


@dataclass(frozen=True)
class PromptSectionData:
    """One titled part; `target_difficulties` None means all of them."""

    title: str
    contents: str
    target_difficulties: frozenset[TaskDifficulty] | None = None


@dataclass(frozen=True)
class SystemPromptData:
    """A whole prompt. Two prompts are equal when their texts, sections in order, and difficulties are."""

    intro: str
    sections: tuple[PromptSectionData, ...] = ()


SystemPrompt = SystemPromptData
PromptSection = PromptSectionData


ORDER = tuple(TaskDifficulty)
LABELS = {name: level for level in ORDER for name in (level.name, level.name[0])}
XML_NAME = r"[A-Za-z_][\w.\-]*"

_HEADS = {PromptStyle.DASHED: "--- {} ---", PromptStyle.ASTERISK: "*** {} ***", PromptStyle.MARKDOWN: "## {}"}
_HEADER = re.compile(r"#[ \t]+system[ \t]+prompt[ \t]*", re.IGNORECASE)
_METADATA = re.compile(r"#[ \t]+(\w+):[ \t]+(\S.*)")
_FENCE = re.compile(r"\s*(```+|~~~+)")
_TITLES = (
    re.compile(r"\s*-{3,}\s*([^-\s].*?)\s*-{3,}\s*"),
    re.compile(r"\s*\*{3,}\s*([^*\s].*?)\s*\*{3,}\s*"),
    re.compile(r"\s*#{2,6}\s+(\S.*?)[\s#]*"),
)
_XML_OPEN = re.compile(rf"[ \t]*<({XML_NAME})((?:\s+[^<>]*)?)>")
_ATTRIBUTE = re.compile(r"\s(?:target_difficulties|difficulty)\s*=\s*[\"']([^\"']*)[\"']")
_SUFFIX = re.compile(r"(.*?)\s*\{\s*(?:target_difficulties|difficulty)\s*=\s*[\"']?([^{}\"']*?)[\"']?\s*\}")
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)(?:!([rsa]))?(?::([^{}\s]+))?\}")
TOOLS = {"tools", "brief_tools", "detailed_tools"}
_SHARED = "shared_var_names"


def parse_task_difficulty(value: TaskDifficulty | str | None) -> TaskDifficulty | None:
    """The difficulty named by L, M, H, low, medium or high in any case; None stays None. Raises ValueError."""
    if value is None or isinstance(value, TaskDifficulty):
        return value
    found = LABELS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"unknown difficulty {value!r}: expected L, M, H, low, medium or high")
    return found


def max_task_difficulty(a: TaskDifficulty | None, b: TaskDifficulty | None) -> TaskDifficulty | None:
    """The harder of the two; None counts as easier than any."""
    known = [level for level in (a, b) if level is not None]
    return max(known, key=ORDER.index, default=None)


def make_system_prompt(prompt: str | SystemPromptData) -> SystemPromptData:
    """The prompt of a text; a prompt is returned as it is. Raises TypeError for anything else."""
    if isinstance(prompt, SystemPromptData):
        return prompt
    if not isinstance(prompt, str):
        raise TypeError(f"a prompt is made of text, found {type(prompt).__name__}")
    return parse_system_prompt(prompt)


def compare_prompts(a: SystemPromptData | str | None, b: SystemPromptData | str | None) -> bool:
    """Do the two say the same, as prompts or as their texts?"""
    first, second = (parse_system_prompt(prompt) if isinstance(prompt, str) else prompt for prompt in (a, b))
    return first == second


def parse_system_prompt(text: str) -> SystemPromptData:
    """Split a prompt into intro and sections.

    A section starts at the beginning of a line with `--- TITLE ---`, `*** TITLE ***`, a heading of level 2 to 6 or an
    XML element; not inside a fenced code block. Titles may name difficulties: `LM: TITLE`, `## Title {difficulty=H}`,
    `<tag difficulty="H">`.

    Raises:
        ValueError: an attribute names an unknown difficulty.
    """
    intro: list[str] = []
    sections: list[tuple[str, frozenset[TaskDifficulty] | None, list[str]]] = []
    for piece in _pieces(text.replace("\r\n", "\n")):
        if isinstance(piece, str):
            (sections[-1][2] if sections else intro).append(piece)
        else:
            sections.append((piece.title, piece.target_difficulties, [piece.contents]))
    return SystemPromptData(
        intro="\n".join(intro).strip(),
        sections=tuple(PromptSectionData(title, "\n".join(lines).strip(), levels) for title, levels, lines in sections),
    )


def parse_prompt_file(path: str | Path) -> PromptDef:
    """The prompt definition in a file.

    The lines before `# System Prompt` are its header, where `# KEY: value` lines are metadata; the rest is the prompt.

    Raises:
        ValueError: there is no `# System Prompt` line, or a section names an unknown difficulty.
    """
    header, _, body = split_prompt_file(path)
    metadata = {line.key: line.value for line in header if line.key}
    try:
        system = parse_system_prompt(body)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return PromptDef(system, metadata)


class HeaderLine(NamedTuple):
    """A line before the prompt: its number, and its key (in upper case) and value; key "" for one that says nothing."""

    number: int
    key: str
    value: str


def split_prompt_file(path: str | Path) -> tuple[list[HeaderLine], int, str]:
    """The header without its blank lines, the number of the line `# System Prompt`, and the prompt below it.

    Raises:
        ValueError: there is no such line.
    """
    lines = Path(path).read_text(encoding="utf-8-sig").split("\n")  # text mode has made CRLF one character
    start = next((n for n, line in enumerate(lines) if _HEADER.fullmatch(line)), None)
    if start is None:
        raise ValueError(f"{path}: no line '# System Prompt' found; it must stand between the metadata and the prompt")
    found = ((n, line, _METADATA.fullmatch(line)) for n, line in enumerate(lines[:start], 1) if line.strip())
    header = [HeaderLine(n, m[1].upper(), m[2].strip()) if m else HeaderLine(n, "", line) for n, line, m in found]
    return header, start + 1, "\n".join(lines[start + 1 :])


def load_prompt_files(folder: str | Path | None) -> dict[str, PromptDef]:
    """The definitions in the `*.md` files directly in `folder`, by role (file stem); none if there is no folder."""
    if not folder or not Path(folder).is_dir():
        return {}
    return {path.stem: parse_prompt_file(path) for path in sorted(Path(folder).glob("*.md"))}


def format_system_prompt(
    prompt: SystemPromptData,
    task_difficulty: TaskDifficulty | None,
    style: PromptStyle = PromptStyle.DASHED,
    section_formatter: Callable[[str], str] | None = None,
    prompt_part_formatter: Callable[[str], str] | None = None,
) -> str:
    """Write out intro, unmarked sections, and those marked for this difficulty, a blank line between them.

    Args:
        prompt: what to write.
        task_difficulty: chooses among marked sections; None: unmarked ones only.
        style: how titles are written, whatever they looked like in the source.
        section_formatter: applied to the contents of each section.
        prompt_part_formatter: applied to the intro and to each whole section.

    Raises:
        ValueError: a title is no XML name, in XML style.
    """
    parts = [prompt.intro] if prompt.intro else []
    for section in prompt.sections:
        if section.target_difficulties is None or task_difficulty in section.target_difficulties:
            contents = section_formatter(section.contents) if section_formatter else section.contents
            parts.append(_write_section(section.title, contents, style))
    return "\n\n".join(prompt_part_formatter(part) if prompt_part_formatter else part for part in parts)


def render_prompt(
    prompt: SystemPromptData | None,
    difficulty: TaskDifficulty | None,
    *,
    brief_tools: str = "",
    detailed_tools: str = "",
    params: Mapping[str, Any] | None = None,
) -> str:
    """The prompt as the model gets it.

    `{tools}` and `{brief_tools}` become `brief_tools`, `{detailed_tools}` becomes `detailed_tools`, as a comment when
    their line begins with `#`; `{shared_var_names}` becomes the names in `params["shared_vars"]`. With any `params`,
    other `{name}` (also `{name!r}`, `{name:.2f}`) are filled from them and doubled braces become single ones; all
    other braces stay as they are, and without `params` every brace does.

    Raises:
        KeyError: a placeholder that `params` does not have.
    """
    if prompt is None:
        return ""
    values = dict(params or {})
    fixed = {"tools": brief_tools, "brief_tools": brief_tools, "detailed_tools": detailed_tools}
    fixed[_SHARED] = ", ".join(str(name) for name in values.get("shared_vars") or ())
    text = format_system_prompt(prompt, difficulty)
    return "\n".join(_fill_line(line, fixed, values) for line in text.split("\n"))


def to_text(prompt: SystemPromptData) -> str:
    """Canonical JSON text of a prompt, in ASCII: equal prompts have equal texts."""
    sections = [
        {"title": section.title, "contents": section.contents, "difficulties": _names(section.target_difficulties)}
        for section in prompt.sections
    ]
    return json.dumps({"intro": prompt.intro, "sections": sections}, sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> SystemPromptData:
    """The prompt that `to_text` wrote. Raises InvalidFormat for any other text."""
    try:
        data = json.loads(text)
        sections = tuple(
            PromptSectionData(_string(entry["title"]), _string(entry["contents"]), _levels(entry["difficulties"]))
            for entry in data["sections"]
        )
        return SystemPromptData(_string(data["intro"]), sections)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidFormat(f"this is not a stored prompt ({type(error).__name__}: {error}): {text[:80]!r}") from error


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {value!r}")
    return value


def _names(levels: frozenset[TaskDifficulty] | None) -> list[str] | None:
    return None if levels is None else [level.name for level in ORDER if level in levels]


def _levels(names: list[str] | None) -> frozenset[TaskDifficulty] | None:
    return None if names is None else frozenset(TaskDifficulty(name) for name in names)


def _pieces(text: str) -> Iterator[str | PromptSectionData]:
    """Lines of plain text, and sections: XML elements whole, others with their title only."""
    fence: str | None = None
    at = 0
    while at <= len(text):
        end = (text + "\n").index("\n", at)
        line = text[at:end]
        element = None if fence else _xml_element(text, at)
        if element:
            section, at = element
            yield section
            continue
        title = None if fence else _title(line)
        fence = _fence_after(line, fence)
        yield line if title is None else title
        at = end + 1


def _xml_element(text: str, at: int) -> tuple[PromptSectionData, int] | None:
    """The element that opens at `at` and the position behind it; an element that is never closed is plain text."""
    opening = _XML_OPEN.match(text, at)
    if not opening or opening[2].endswith("/"):
        return None
    closing = f"</{opening[1]}>"
    end = text.find(closing, opening.end())
    if end < 0:
        return None
    attribute = _ATTRIBUTE.search(opening[2])
    levels = _required_labels(attribute[1], f"<{opening[1]}>") if attribute else None
    return PromptSectionData(opening[1], text[opening.end() : end].strip(), levels), end + len(closing)


def _title(line: str) -> PromptSectionData | None:
    match = next((found for pattern in _TITLES if (found := pattern.fullmatch(line))), None)
    if match is None or not re.search(r"\w", match[1]):
        return None
    suffix = _SUFFIX.fullmatch(match[1])
    if suffix and suffix[1]:
        return PromptSectionData(suffix[1], "", _required_labels(suffix[2], suffix[1]))
    label, colon, rest = match[1].partition(":")
    levels = _labels(label) if colon and rest.strip() else None
    return PromptSectionData(rest.strip() if levels else match[1], "", levels)


def _fence_after(line: str, fence: str | None) -> str | None:
    """The fence mark that is open after this line."""
    match = _FENCE.match(line)
    if not match:
        return fence
    if fence is None:
        return match[1]
    return None if match[1].startswith(fence) and line.strip() == match[1] else fence


def _labels(text: str) -> frozenset[TaskDifficulty] | None:
    """Difficulties of a label list (`LM`, `low, high`, `medium|high`), None if it is none."""
    if re.fullmatch(r"\s*[LMHlmh]+\s*", text):
        return frozenset(LABELS[letter] for letter in text.strip().lower())
    words = [word for word in re.split(r"[\s,|/]+", text.strip().lower()) if word]
    if words and all(word in LABELS for word in words):
        return frozenset(LABELS[word] for word in words)
    return None


def _required_labels(text: str, where: str) -> frozenset[TaskDifficulty]:
    levels = _labels(text)
    if levels is None:
        raise ValueError(f"section {where}: unknown difficulty {text!r}, expected letters of L, M, H or their words")
    return levels


def _write_section(title: str, contents: str, style: PromptStyle) -> str:
    if style is not PromptStyle.XML:
        head = _HEADS[style].format(title)
        return f"{head}\n{contents}" if contents else head
    if not re.fullmatch(XML_NAME, title):
        raise ValueError(f"section title {title!r} is no XML name; choose another style or title")
    inner = f"\n{contents}\n" if "\n" in contents else contents
    return f"<{title}>{inner}</{title}>"


def _fill_line(line: str, fixed: Mapping[str, str], params: Mapping[str, Any]) -> str:
    def fill(match: re.Match[str]) -> str:
        name, conversion, spec = match.groups()
        if name in fixed and not conversion and not spec:
            return fixed[name]
        if not params:
            return match[0]
        return match[0][0] if name is None else _fill_param(match, params)

    filled = PLACEHOLDER.sub(fill, line)
    names = {match[1] for match in PLACEHOLDER.finditer(line)}
    if not line.lstrip().startswith("#") or not names & TOOLS:
        return filled
    first, *rest = filled.strip().split("\n")
    return "\n".join([first, *(f"# {more}".rstrip() for more in rest)])


def _fill_param(match: re.Match[str], params: Mapping[str, Any]) -> str:
    name, conversion, spec = match.groups()
    if name not in params:
        raise KeyError(f"the prompt has {match[0]}, but the job's parameters are: {', '.join(map(str, params))}")
    return format(string.Formatter().convert_field(params[name], conversion), spec or "")
