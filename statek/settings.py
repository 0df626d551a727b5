"""Settings, and the only place that reads environment variables. A documented import path.

It must not import anything above the ground, and it decides nothing: who needs a setting gets it as an argument.
One rule of precedence for every field: constructor, value sources (earlier before later), environment, `.env` in the
working directory, default. A field's variable is STATEK_ and its name; exceptions stand beside the field. The
process-wide accessors at the end exist because they are documented; the package itself passes settings on.
"""

import enum
import functools
import logging
import os
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, PrivateAttr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from statek.base.nearest import suggestion
from statek.base.redaction import SECRETS, is_secret_name
from statek.exceptions import StatekError

DOTENV = ".env"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
_IDLE = {
    "examples_dir": "agents are not shown example files",
    "examples_style": "agents are not shown example files",
    "xml_box_example": "agents are not shown example files",
    "documents_dir": "agents are not shown documents; give them a tool that reads the folder",
}
"""Documented settings that can be given and that nothing acts on, and why."""


class ChatStyle(enum.Enum):
    """What the model sees of a console, and how its answer becomes code."""

    CONSOLE = "console"  # answers are code
    MARKDOWN = "markdown"  # code stands in python fences
    MD_DIALOG = "md_dialog"  # code in fences, the rest is said to the user
    DIRECT = "direct"  # text is said to the user, code comes as calls of python_cli


class PromptDef(NamedTuple):
    """A prompt file: the prompt below its heading, as text or parsed, and the metadata above it, keys in capitals."""

    system: Any
    metadata: dict[str, str]


class SettingValuesSource(ABC):
    """A further place that setting values come from, such as a database or a vault."""

    def __init__(self, source_fields: Iterable[str] | None = None) -> None:
        """Keep `source_fields` for the subclass; the settings ask for every field."""
        self.source_fields = None if source_fields is None else frozenset(source_fields)

    @abstractmethod
    def get_value(self, field_name: str) -> Any | None:
        """The value of a field, or of a variable such as OPENROUTER_API_KEY; None when it has none."""


class LLM_API_Settings(BaseSettings):  # noqa: N801 - documented name
    """Address and key of one provider. Neither its repr nor an error about it shows the key."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    api_url: str
    api_key: str = Field(repr=False)
    response_format_file: str | None = None
    use_prompt_caching: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: a stray API_KEY in the environment belongs to somebody else."""
        return (init_settings,)


class MultiSourceBaseSettings(BaseSettings):
    """Settings that also ask the given value sources. A field's variable is its name; `env_prefix` puts more before."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_file_encoding="utf-8",
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )
    _sources: tuple[SettingValuesSource, ...] = PrivateAttr(default=())

    def __init__(self, *, sources: Sequence[SettingValuesSource] | None = None, **values: Any) -> None:
        """Read everything once. Raises pydantic's ValidationError (a ValueError) for a value that does not fit."""
        asked = tuple(sources or ())
        for name in set(type(self).model_fields) - set(values):
            value = _first_value(asked, name)
            if value is not None:
                values[name] = value
        super().__init__(**values)
        self._sources = asked

    def get_value_from_sources(self, name: str) -> Any | None:
        """The first value that a source has for `name`."""
        return _first_value(self._sources, name)


class StatekSettings(MultiSourceBaseSettings):
    """Every setting. Construction is keyword-only and has no effect outside the object."""

    model_config = SettingsConfigDict(env_prefix="STATEK_")

    llm_api_settings: dict[str, LLM_API_Settings] = Field(
        default_factory=dict, validation_alias=AliasChoices("STATEK_LLM_API_SETTINGS", "LLM_API_SETTINGS")
    )
    default_llm_api_provider: str = Field(default="OPENROUTER", validation_alias="DEFAULT_LLM_API_PROVIDER")
    store: str | None = None
    ledger: str | None = None
    prompt_files_dir: str | None = None
    prompt_defs: dict[str, PromptDef] = Field(default_factory=dict)
    warmup_defs_dir: str | None = None
    examples_dir: str | None = None
    documents_dir: str | None = None
    statek_model_info_dir: str | None = Field(default=None, validation_alias="STATEK_MODEL_INFO_DIR")
    copy_seconds: float = Field(default=300.0, gt=0)
    copies_kept: int = Field(default=3, ge=0)
    keys_kept_days: int = Field(default=30, ge=1)
    keep_jobs_days: float = Field(default=30.0, ge=0)
    keep_jobs: int = Field(default=100_000, ge=0)
    step_seconds: float = Field(default=5.0, gt=0)
    plain_call_seconds: float = Field(default=300.0, gt=0)
    logs_path: str | None = None
    logs_max_bytes: int = Field(default=10_000_000, gt=0)
    log_level: str = "ERROR"
    max_turns: int = Field(default=5, ge=0)
    max_exceptions: int = Field(default=3, ge=0)
    max_consecutive_exceptions: int = Field(default=1, ge=0)
    max_token_usage: int = Field(default=10_000, ge=0)
    limit_extension_per_completion: float = Field(default=0.0, ge=0)
    chat_style: ChatStyle | None = None
    examples_style: ChatStyle | None = None
    xml_box_console: str | None = None
    xml_box_example: str | None = None
    statek_default_difficulty: str = Field(default="M", validation_alias="STATEK_DEFAULT_DIFFICULTY")
    python_sandbox_mode: Literal["restricted", "off"] = "restricted"
    python_sandbox_max_source_bytes: int = Field(default=200_000, gt=0)
    python_sandbox_max_ast_nodes: int = Field(default=20_000, gt=0)
    python_sandbox_allowed_imports: str | None = None
    python_sandbox_allowed_tools: str = ""

    def __init__(self, *, sources: Sequence[SettingValuesSource] | None = None, **values: Any) -> None:
        """Read everything once: fields, then credentials and prompt files where no field gave them.

        Warns of keywords that are no setting.
        """
        known = set(type(self).model_fields) | self.variables()
        for name in sorted(set(values) - known):
            warnings.warn(_no_setting(name, known), stacklevel=2)
        super().__init__(sources=sources, **values)
        if not self.llm_api_settings:
            self.llm_api_settings = _discover(_environment(), self.get_value_from_sources)
        for api in self.llm_api_settings.values():
            SECRETS.learn(api.api_key)
        if not self.prompt_defs and self.prompt_files_dir:
            self.prompt_defs = load_prompt_files(self.prompt_files_dir)

    @field_validator("chat_style", "examples_style", mode="before")
    @classmethod
    def _style_by_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value.upper() not in ChatStyle.__members__:
                raise ValueError(f"expected one of {', '.join(ChatStyle.__members__)}, found {value!r}")
            return ChatStyle[value.upper()]
        return value

    @field_validator("statek_default_difficulty")
    @classmethod
    def _known_difficulty(cls, value: str) -> str:
        if value.lower() not in ("l", "m", "h", "low", "medium", "high"):
            raise ValueError(f"expected one of L, M, H, low, medium, high, found {value!r}")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        return check_level(value)

    @field_validator("python_sandbox_mode", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @classmethod
    def variables(cls) -> set[str]:
        """Names of the environment variables that the settings are read from."""
        found: set[str] = set()
        for name, field in cls.model_fields.items():
            match field.validation_alias:
                case AliasChoices(choices=choices):
                    found |= {str(choice) for choice in choices}
                case None:
                    found.add(f"{cls.model_config['env_prefix']}{name}".upper())
                case alias:
                    found.add(str(alias))
        return found

    def without_effect(self) -> list[str]:
        """A line for everything that is set, and that nothing acts on: settings, variables beginning with STATEK_."""
        lines = [f"{name} has no effect: {why}" for name, why in _IDLE.items() if getattr(self, name)]
        if self.python_sandbox_mode == "off":
            lines.append("python_sandbox_mode 'off' has no effect: model-written code always runs in the sandbox")
        for provider, api in self.llm_api_settings.items():
            idle = [name for name in ("response_format_file", "use_prompt_caching") if getattr(api, name)]
            lines += [f"{name} of {provider} has no effect: no request says it" for name in idle]
        known = self.variables()
        strange = [name for name in _environment() if name.upper().startswith("STATEK_") and name.upper() not in known]
        return lines + [_no_setting(name, known) for name in sorted(strange)]

    def get_prompt_def(self, name: str) -> PromptDef | None:
        """The prompt file of that role."""
        return self.prompt_defs.get(name)

    def get_provider_settings(self, provider: str | None = None) -> LLM_API_Settings | None:
        """Credentials of a provider, of the default one when none is named; the name as it was written."""
        return self.llm_api_settings.get(self.default_llm_api_provider if provider is None else provider)

    def get_xml_box_tags(self) -> dict[str, str]:
        """The configured tags, by `console` and `example`."""
        tags = {"console": self.xml_box_console, "example": self.xml_box_example}
        return {name: tag for name, tag in tags.items() if tag is not None}

    def secret(self, name: str) -> str | None:
        """Value of the secret or variable `name`: now, not when the settings were made. None: unset or empty.

        `<PROVIDER>_API_KEY` and `_API_URL` of providers in `llm_api_settings` are known under these names too.
        """
        for suffix, field in (("_API_KEY", "api_key"), ("_API_URL", "api_url")):
            for provider, api in self.llm_api_settings.items() if name.endswith(suffix) else ():
                if provider.upper().replace("-", "_") + suffix == name.upper():
                    return getattr(api, field) or None
        sourced = self.get_value_from_sources(name)
        value = (str(sourced) if sourced is not None else _variable(name)) or None
        if is_secret_name(name):
            SECRETS.learn(value)
        return value


class Secrets(Protocol):
    """What can look up a reference; StatekSettings does."""

    def secret(self, name: str) -> str | None:
        """Value of a secret or variable, None when unset."""
        ...


_REFERENCE = re.compile(r"\$\{(\w+):([^}]*)\}")


def resolve_references(text: str, settings: Secrets) -> str:
    """`text` with each `${secret:NAME}` and `${env:NAME}` replaced by its value.

    Raises:
        StatekError: for a variable that is unset or empty, naming it, and for a reference of another kind.
    """
    return fill_references(text, settings.secret)


def fill_references(text: str, look_up: Callable[[str], str | None]) -> str:
    """As `resolve_references`, with any way to look a name up."""

    def fill(found: re.Match[str]) -> str:
        kind, name = found.groups()
        if kind not in ("secret", "env"):
            raise StatekError(f"reference ${{{kind}:{name}}}: expected ${{secret:NAME}} or ${{env:NAME}}")
        value = look_up(name)
        if not value:
            raise StatekError(f"{kind} {name} is not set", hint=f"export {name}=... where the worker starts")
        if kind == "secret":
            SECRETS.learn(value)
        return value

    return _REFERENCE.sub(fill, text) if "${" in text else text


def load_prompt_files(folder: str | Path) -> dict[str, PromptDef]:
    """The prompt files directly in `folder` by file stem, README.md apart; empty when there is no such folder.

    Raises:
        ValueError: for a file without the heading, or a header line that is meant as metadata and is none.
    """
    paths = sorted(path for path in Path(folder).glob("*.md") if path.name != "README.md")
    return {path.stem: parse_prompt_file(path) for path in paths}


def parse_prompt_file(path: str | Path) -> PromptDef:
    """Read one prompt file: lines `# KEY: value`, the heading `# System Prompt`, the prompt. Errors: see above."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    metadata: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if re.fullmatch(r"#\s+system\s+prompt\s*", line, re.IGNORECASE):
            return PromptDef("\n".join(lines[number:]).strip(), metadata)
        if found := re.fullmatch(r"#\s+(\w+):\s+(\S.*)", line):
            metadata[found[1].upper()] = found[2].strip()
        elif re.match(r"#\s*[\w-]+:", line):
            raise ValueError(f"{path}:{number}: expected '# KEY: value', found {line!r}")
    raise ValueError(f"{path}: no line '# System Prompt' between metadata and prompt")


def check_level(level: str) -> str:
    """The level in capitals. Raises ValueError for an unknown one."""
    if level.upper() not in LEVELS:
        raise ValueError(f"log level {level!r}: expected one of {', '.join(LEVELS)}")
    return level.upper()


def get_statek_logger() -> logging.Logger:
    """The logger that everything of the kit logs to, or to children of it."""
    return logging.getLogger("statek")


def set_log_level(level: str = "ERROR") -> None:
    """Set the logger's level; handlers and propagation stay the host's. Raises ValueError for an unknown level."""
    get_statek_logger().setLevel(check_level(level))


def statek_log(message: object, level: str = "info") -> None:
    """Log a message of the application between two rules of 40 dashes; an unknown level counts as info."""
    rule = "-" * 40
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    get_statek_logger().log(number, "%s\n%s\n%s", rule, message, rule)


_active: list[StatekSettings] = []  # none or one


@functools.cache
def get_statek_settings() -> StatekSettings:
    """The settings given to `set_statek_settings`, else some read from the environment once."""
    return _active[0] if _active else StatekSettings()


def set_statek_settings(settings: StatekSettings | None) -> None:
    """Make `settings` the process's, with their log level; None goes back to the environment.

    Warns of what is set and has no effect (`StatekSettings.without_effect`). Raises TypeError for what is no settings.
    """
    if not isinstance(settings, StatekSettings | None):
        raise TypeError(f"settings are StatekSettings or None, found {type(settings).__name__}")
    _active[:] = [] if settings is None else [settings]
    get_statek_settings.cache_clear()
    get_provider_settings.cache_clear()
    if settings is not None:
        set_log_level(settings.log_level)
        for line in settings.without_effect():
            warnings.warn(line, stacklevel=2)


@functools.cache
def get_provider_settings(provider: str | None = None) -> LLM_API_Settings | None:
    """Credentials of a provider by the active settings, else by the environment as it is at the first call."""
    return (_active[0] if _active else StatekSettings()).get_provider_settings(provider)


def get_prompt_def(name: str) -> PromptDef | None:
    """The prompt file of that role, by the active settings."""
    return get_statek_settings().get_prompt_def(name)


def certificate_places() -> tuple[str | None, str | None]:
    """`SSL_CERT_FILE` and `SSL_CERT_DIR`: whom to trust in place of the usual authorities; None where unset."""
    return _variable("SSL_CERT_FILE") or None, _variable("SSL_CERT_DIR") or None


def _no_setting(name: str, known: Iterable[str]) -> str:
    hint = suggestion(name, known)
    return f"{name} is no setting and has no effect" + (f"; {hint}" if hint else "")


def _first_value(sources: Iterable[SettingValuesSource], name: str) -> Any | None:
    return next((value for source in sources if (value := source.get_value(name)) is not None), None)


def _environment() -> dict[str, str]:
    return {**_filed(), **os.environ}


def _variable(name: str) -> str | None:
    found = os.environ.get(name)
    return _filed().get(name) if found is None else found


def _filed() -> Mapping[str, str]:
    try:
        state = Path(DOTENV).stat()
    except OSError:
        return {}
    return _parsed((state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))


@functools.lru_cache(maxsize=1)
def _parsed(_state: tuple[int, ...]) -> Mapping[str, str]:
    """What `.env` says; reading it takes half a millisecond, and each question to a model looks a key up."""
    return {name: value for name, value in dotenv_values(DOTENV).items() if value is not None}


def _discover(environment: Mapping[str, str], from_sources: Callable[[str], Any | None]) -> dict[str, LLM_API_Settings]:
    """Providers with both `<NAME>_API_URL` and `<NAME>_API_KEY`; sources are asked before the environment."""
    found: dict[str, LLM_API_Settings] = {}
    for variable in environment:
        name = variable.removesuffix("_API_URL")
        if not name or name == variable:
            continue

        def value(what: str, name: str = name) -> Any | None:
            sourced = from_sources(f"{name}_{what}")
            return environment.get(f"{name}_{what}") if sourced is None else sourced

        url, key = value("API_URL"), value("API_KEY")
        if url is None or key is None:
            continue
        found[name] = LLM_API_Settings(
            api_url=url,
            api_key=key,
            response_format_file=value("RESPONSE_FORMAT_FILE"),
            use_prompt_caching=str(value("USE_PROMPT_CACHING") or "").lower() in TRUE_WORDS,
        )
    return found
