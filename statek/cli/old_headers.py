"""The header of a prompt file in the older style (`# KEY: value` lines), as front matter of today. Pure.

Nothing is dropped: what has a field of its own goes there, every other key goes to `metadata`, and what cannot be kept
stays as a comment and is told.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from statek.llm.known import LOCAL, find_known
from statek.llm.model_name import ModelName, parse_model_name
from statek.spec.formats import MODEL, NAME
from statek.store.model_choice import parse_model_metadata
from statek.store.prompt import HeaderLine, TaskDifficulty, parse_task_difficulty
from statek.tools.selection import parse_llm_tools_scope

DEFAULT_PROVIDER = "OPENROUTER"
DEFAULT_MODEL = "openrouter/openai/gpt-5-mini"
LONGEST = 1024  # characters of a description
_STYLES = ("console", "markdown", "md_dialog", "direct")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./=-]*( [A-Za-z0-9_./=-]+)*")  # text that YAML needs no quotes for
_ENDS = {ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"}  # which end a line for YAML alone
_WORDS = {"true", "false", "null", "yes", "no", "on", "off"}
_LIMITS = {
    "MAX_TURNS": "turns", "MAX_TOKEN_USAGE": "tokens", "MAX_EXCEPTIONS": "exceptions",
    "MAX_CONSECUTIVE_EXCEPTIONS": "consecutive_exceptions",
}  # fmt: skip
_CALL = re.compile(r"\s*(\w+)\s*\(\s*(?:(\w+)\s*=\s*(\d+))?\s*\)\s*")


@dataclass
class Front:
    """Front matter line by line, documents of models that no model string can name, and what is to be told."""

    lines: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)  # Kind/name -> text
    notes: list[tuple[int, str]] = field(default_factory=list)  # with the line of the old file

    def say(self, field_name: str, value: str) -> None:
        """A field."""
        self.lines.append(f"{field_name}: {value}")

    def leave(self, line: HeaderLine, why: str) -> None:
        """A line of the header that has no effect: a comment, and told."""
        written = f"{line.key}: {line.value}" if line.key else line.value.strip()
        self.comments.append(f"# not taken over ({why}): {written}")
        self.notes.append((line.number, f"{written!r} is not taken over: {why}"))


def convert_header(name: str, header: Sequence[HeaderLine]) -> Front:
    """Front matter of the agent `name`, without inputs."""
    front = Front()
    last = {line.key: line for line in header if line.key}
    for line in header:
        if not line.key:
            front.leave(line, "it had no effect, for it is no `# KEY: value` line")
        elif last[line.key] is not line:
            front.leave(line, f"line {last[line.key].number} says it again")
    _description(name, last.pop("DESCRIPTION", None), front)
    _model(last.pop("MODEL", None), last.pop("PROVIDER", None), last.get("DEFAULT_DIFFICULTY"), front)
    for key, line in last.items():
        _KEYS.get(key, _other)(line, front)
    if front.limits:
        front.say("limits", f"{{{', '.join(f'{key}: {value}' for key, value in front.limits.items())}}}")
    if front.metadata:
        inner = ", ".join(f"{scalar(key)}: {scalar(value)}" for key, value in front.metadata.items())
        front.say("metadata", f"{{{inner}}}")
    return front


def scalar(text: str) -> str:
    """A text in YAML, quoted when it must be."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False).translate(_ENDS)


def _description(name: str, line: HeaderLine | None, front: Front) -> None:
    if line is None:
        front.say("description", f"{scalar(f'Agent {name}.')}  # the file had no DESCRIPTION")
        front.notes.append((1, "there is no DESCRIPTION: write one"))
        return
    front.say("description", scalar(line.value[:LONGEST]))
    if len(line.value) > LONGEST:
        front.leave(
            HeaderLine(line.number, "DESCRIPTION", line.value[LONGEST:]), f"it begins after {LONGEST} characters"
        )


def _model(line: HeaderLine | None, provider: HeaderLine | None, level: HeaderLine | None, front: Front) -> None:
    if line is None:
        front.say("model", f"{DEFAULT_MODEL}  # the file had no MODEL")
        front.notes.append((1, f"there is no MODEL: '{DEFAULT_MODEL}' is put in its place, choose one"))
        if provider is not None:
            front.leave(provider, "there is no MODEL")
        return
    given = provider.value if provider else None
    try:
        said = parse_model_metadata(line.value)
        models = said if isinstance(said, dict) else {None: said}
        strings = {key: _string(text, given, line.number, front) for key, text in models.items()}
    except ValueError as error:
        front.say("model", f"{DEFAULT_MODEL}  # MODEL could not be read")
        front.leave(line, str(error))
        return
    if None in strings:
        front.say("model", scalar(strings[None]))
    else:
        _by_difficulty({key: text for key, text in strings.items() if key}, level, front)
    if provider is not None and all(parse_model_name(text).provider for text in models.values()):
        front.leave(provider, "MODEL names its provider")


def _by_difficulty(strings: dict[TaskDifficulty, str], level: HeaderLine | None, front: Front) -> None:
    chosen = TaskDifficulty.medium
    if level is not None and level.value.strip().lower() in ("l", "h", "low", "high"):
        chosen = parse_task_difficulty(level.value) or chosen
    each = ", ".join(f"{key.name}: {scalar(text)}" for key, text in strings.items())
    front.say("model", f"{{use: {scalar(strings[chosen])}, by_difficulty: {{{each}}}}}")


def _string(text: str, provider: str | None, number: int, front: Front) -> str:
    """A model string of today, or the name of a Model that is declared for it. Raises ValueError."""
    name = parse_model_name(text)
    service = name.provider or provider
    if name.model is None:
        raise ValueError(f"{text!r} names no model")
    if name.family:
        found = text if name.provider or not provider else f"{provider}/{text}"
        return found if MODEL.fits(found) else _declared(name, service, number, front)
    if service and "/" in name.model and not name.params:
        return f"{service}/{name.model}"  # the part before the slash counts as the family, and is sent with it
    known = find_known(service) if service else None
    if service and known is not None and known.own_models and NAME.fits(service):
        found = f"{service}/{service}/{name.model}{_params(name)}"
        if MODEL.fits(found):
            front.notes.append((number, f"'{text}' is '{found}' now; this provider is sent the model's name alone"))
            return found
    return _declared(name, service, number, front)


def _params(name: ModelName) -> str:
    return "?" + "&".join(f"{key}={value}" for key, value in name.params.items()) if name.params else ""


def _declared(name: ModelName, service: str | None, number: int, front: Front) -> str:
    """Declare a Model with its Provider, since no model string says what the old one said. Returns its name."""
    given = service or DEFAULT_PROVIDER
    sent = f"{name.family}/{name.model}" if name.family else str(name.model)
    provider = _slug(given.lower(), "provider")
    model = _slug(sent, "model")
    front.documents[f"Provider/{provider}"] = _provider(provider, given)
    front.documents[f"Model/{model}"] = (
        f"apiVersion: statek/v1\nkind: Model\nmetadata: {{name: {model}}}\n"
        f"spec: {{provider: {provider}, id: {json.dumps(sent)}}}\n"
    )
    default = "" if service else f", the default of DEFAULT_LLM_API_PROVIDER being {DEFAULT_PROVIDER}"
    front.notes.append((number, f"no model string says {sent!r} at {given}: it is the Model '{model}' now{default}"))
    if name.params:
        front.notes.append((number, f"the parameters {_params(name)!r} of the model string are not taken over"))
        front.comments.append(f"# not taken over (a declared Model has `params`): {_params(name)}")
    return model


def _provider(name: str, given: str) -> str:
    variable = re.sub(r"\W", "_", given.upper())
    known = find_known(given)
    lines = [f"driver: {known.driver if known else 'openai'}"]
    lines.append(
        f"base_url: {known.base_url}" if known and known.base_url else f"base_url: ${{env:{variable}_API_URL}}"
    )
    lines += [] if variable in LOCAL else [f"api_key: ${{secret:{variable}_API_KEY}}"]
    head = f"apiVersion: statek/v1\nkind: Provider\nmetadata: {{name: {name}}}\nspec:\n"
    return head + "".join(f"  {line}\n" for line in lines)


def _slug(text: str, fallback: str) -> str:
    found = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60]
    return found if NAME.fits(found) else f"{fallback}-{found}".rstrip("-")


def _temperature(line: HeaderLine, front: Front) -> None:
    try:
        value = float(line.value)
    except ValueError:
        value = -1.0
    if 0 <= value <= 2:
        front.say("params", f"{{temperature: {value:g}}}")
    else:
        front.leave(line, "expected a number from 0 to 2")


def _chat_style(line: HeaderLine, front: Front) -> None:
    style = line.value.lower()
    if style in _STYLES:
        front.say("chat_style", style)
    else:
        front.leave(line, f"expected one of {', '.join(_STYLES).upper()}")


def _tools_scope(line: HeaderLine, front: Front) -> None:
    try:
        parse_llm_tools_scope(line.value)
    except ValueError as error:
        front.leave(line, str(error))
    else:
        front.say("tools_scope", scalar(line.value))


def _difficulty(line: HeaderLine, front: Front) -> None:
    try:
        level = parse_task_difficulty(line.value)
    except ValueError as error:
        front.leave(line, str(error))
    else:
        front.say("difficulty", level.name if level else "medium")


def _post_processors(line: HeaderLine, front: Front) -> None:
    calls = [_CALL.fullmatch(part) for part in line.value.split(",")]
    known = [call for call in calls if call and call[1] == "FinalCheck" and call[2] in (None, "max_llm_actions")]
    if len(known) != len(calls) or len(known) > 1:
        front.leave(line, "expected FinalCheck() or FinalCheck(max_llm_actions=N)")
        return
    options = [f"{{use: FinalCheck, max_llm_actions: {call[3]}}}" if call[2] else "FinalCheck" for call in known]
    front.say("post_processors", f"[{', '.join(options)}]")


def _limit(line: HeaderLine, front: Front) -> None:
    if re.fullmatch(r"[1-9][0-9]{0,11}", line.value):
        front.limits[_LIMITS[line.key]] = line.value
    else:
        front.leave(line, "expected a whole number; without one the default holds")


def _other(line: HeaderLine, front: Front) -> None:
    front.metadata[line.key] = line.value


_KEYS: dict[str, Callable[[HeaderLine, Front], None]] = {
    "TEMPERATURE": _temperature, "CHAT_STYLE": _chat_style, "LLM_TOOLS_SCOPE": _tools_scope,
    "DEFAULT_DIFFICULTY": _difficulty, "POST_PROCESSORS": _post_processors, **dict.fromkeys(_LIMITS, _limit),
}  # fmt: skip
