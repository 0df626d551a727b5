"""Job definitions: what many jobs of one agent share, frozen.

Inputs of a single job never go here, so that a thousand jobs share one definition. Equal definitions are found again
by a digest over everything that counts; one whose warmup or style is changed later moves to its new digest.
"""

import hashlib
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import dbzero as db0

from statek.base.prices import ModelPricing, get_model_pricing
from statek.settings import ChatStyle, get_statek_settings
from statek.store import root
from statek.store.encoding import bytes_json, json_bytes
from statek.store.layout import lay_out_first
from statek.store.model_choice import model_text, parse_model_metadata
from statek.store.params import kept_params, params_data, params_of
from statek.store.prompt import TaskDifficulty, parse_task_difficulty
from statek.store.signatures import Documented
from statek.text.warmup import CallSpec, CodeBlock, parse_warmup_code


@db0.memo(id="statek/JobDefError")
@db0.tag_fields("job_def")
class JobDefError:
    """An error that was recorded on a definition or a job."""

    job_def: Any = None  # the definition it is tagged with while that has it; of a job's error None
    _late_fields = ("job_def",)

    def __init__(self, error: BaseException, collect_traceback: bool = True) -> None:
        """Keep the text of `error`, and its frames unless told not to."""
        self.job_def = None
        self._message = json_bytes(str(error))
        kept = traceback.format_tb(error.__traceback__) if collect_traceback and error.__traceback__ else None
        self._traceback = json_bytes(kept)
        lay_out_first(self)

    @property
    def error_message(self) -> str:
        """The exception's text."""
        return str(bytes_json(self._message))

    @property
    def traceback(self) -> list[str] | None:
        """Formatted frames, or None."""
        frames: list[str] | None = bytes_json(self._traceback)
        return frames


@db0.memo(id="statek/JobDef")
@db0.tag_fields("agent")
class JobDef:
    """Agent, model, prompt parameters, warmup, chat style and locale of jobs."""

    found_by = ""  # the digest it is found by; "" in stores written before it was kept
    _default_style = ""  # the settings' style when it was made: a later change must not reach what was answered before
    _default_level = ""  # the settings' difficulty when it was made, "" for medium
    _params_objects: Any = None  # stored objects among the parameters
    _late_fields = ("locale", "_errors", "_params_objects", "found_by", "_default_style", "_default_level")
    __signature__ = Documented({"_attach"})

    def __init__(
        self,
        agent: Any,
        metadata: dict[str, str] | None = None,
        job_params: dict[str, Any] | None = None,
        warmup_code: Any = None,
        _chat_style: ChatStyle | None = None,
        locale: Any = None,
        _attach: bool = True,
    ) -> None:
        """Freeze a definition. Raises ValueError when there is no MODEL metadata, or a MODEL that cannot be read."""
        chosen = dict(metadata) if metadata is not None else dict(agent.metadata or {})
        if not chosen.get("MODEL"):
            raise ValueError(f"no MODEL metadata for agent {agent.role!r}: a job needs to know its model")
        parse_model_metadata(chosen["MODEL"])
        self.agent = agent
        self._metadata_bytes = json_bytes(chosen)
        params, objects = kept_params(job_params)
        self._params_bytes = json_bytes(params)
        self._params_objects = objects or None
        self._warmup_bytes = json_bytes(warmup_data(parse_warmup_code(warmup_code)))
        self._style = _chat_style.name if _chat_style is not None else ""
        self.locale = locale if locale is None else str(locale)
        self._errors: Any = None
        if default_style():
            self._default_style = default_style()
        if default_level():
            self._default_level = default_level()
        lay_out_first(self)
        if _attach:
            me = db0.materialized(self)
            root.add_job_def(me, me.digest)

    @property
    def digest(self) -> str:
        """One text for everything that makes two definitions equal."""
        return definition_digest(
            self.agent, self.metadata, self.job_params, self.warmup_blocks or None, self._style, self.locale,
            self._default_style, self._default_level,
        )  # fmt: skip

    @property
    def face(self) -> tuple[Any, ...]:
        """Metadata, warmup and chat style as they are stored: what jobs are offered depends on nothing else of it."""
        return self._metadata_bytes, self._warmup_bytes, self._style, self._default_style

    @property
    def metadata(self) -> dict[str, str]:
        """A copy of the metadata."""
        data: dict[str, str] = bytes_json(self._metadata_bytes)
        return data

    @property
    def job_params(self) -> dict[str, Any] | None:
        """Values for prompt formatting, or None."""
        return params_of(bytes_json(self._params_bytes), self._params_objects or ())

    @property
    def warmup_code(self) -> Any:
        """None, a text, a CodeBlock or a list of them."""
        return warmup_from(bytes_json(self._warmup_bytes))

    @property
    def warmup_blocks(self) -> list[dict[str, Any]]:
        """The blocks as data: code, calls, metadata."""
        return bytes_json(self._warmup_bytes) or []

    @property
    def chat_style(self) -> ChatStyle | None:
        """The job-level override, else the CHAT_STYLE metadata, else the settings' when it was made, else None."""
        name = self._style or self.metadata.get("CHAT_STYLE", "") or self._default_style
        return ChatStyle[name.upper()] if name else None

    @property
    def _chat_style(self) -> ChatStyle | None:
        """The job-level override alone, as it was given."""
        return ChatStyle[self._style] if self._style else None

    @property
    def default_difficulty(self) -> TaskDifficulty:
        """DEFAULT_DIFFICULTY of the metadata, else the settings' when it was made, else medium."""
        chosen = self.metadata.get("DEFAULT_DIFFICULTY") or self._default_level or TaskDifficulty.medium
        level = parse_task_difficulty(chosen)
        assert level is not None
        return level

    @property
    def model(self) -> str | None:
        """The model string; `L:...,M:...,H:...` where difficulties have models of their own."""
        return model_text(self.metadata["MODEL"])

    @property
    def model_family(self) -> str | None:
        """The last but one part of the model string, or None; that of all difficulties if they have the same."""
        return self._common(lambda parts: (parts[-2] or None) if len(parts) > 1 else None)

    @property
    def named_provider(self) -> str | None:
        """The provider named in the model string, else the PROVIDER metadata, else None."""
        return self._common(lambda parts: (parts[0] or None) if len(parts) == 3 else None) or self.metadata.get(
            "PROVIDER"
        )

    @property
    def provider(self) -> str | None:
        """The provider named in the model string, else the PROVIDER metadata, else the settings' default."""
        return self.named_provider or get_statek_settings().default_llm_api_provider

    @property
    def pricing(self) -> ModelPricing | None:
        """The price of the model, None when none is known, or difficulties have models of their own."""
        model, provider = self._common(lambda parts: _bare(parts[-1])), self.provider
        return None if model is None else get_model_pricing(provider or "", model, self.model_family, no_create=True)

    def _common(self, part_of: Callable[[list[str]], str | None]) -> str | None:
        found = parse_model_metadata(self.metadata["MODEL"])
        parts = {part_of(text.split("/", 2)) for text in ([found] if isinstance(found, str) else found.values())}
        return parts.pop() if len(parts) == 1 else None

    def set_error(self, error: BaseException, collect_traceback: bool = True) -> None:
        """Record an error of this definition: a `JobDefError` that is tagged with it."""
        if self._errors is None:
            self._errors = []
        made = JobDefError(error, collect_traceback)
        made.job_def = self
        self._errors.append(made)

    def get_errors(self) -> Iterator[JobDefError]:
        """The recorded errors."""
        return iter(list(self._errors or ()))

    def has_errors(self) -> bool:
        """Are there recorded errors?"""
        return len(self._errors or ()) > 0

    def clear_errors(self) -> None:
        """Forget the recorded errors."""
        if self.has_errors():
            for error in self._errors:
                error.job_def = None
            self._errors = None

    def update_warmup_code(self, warmup_code: Any) -> None:
        """Replace the warmup; None clears it. Raises ValueError or SyntaxError for bad directives."""
        data = json_bytes(warmup_data(parse_warmup_code(warmup_code)))
        if data != self._warmup_bytes:
            self._warmup_bytes = data
            root.move_job_def(self, self.digest)

    def set_chat_style(self, chat_style: ChatStyle | None) -> None:
        """Set or clear the override."""
        name = chat_style.name if chat_style is not None else ""
        if name != self._style:
            self._style = name
            root.move_job_def(self, self.digest)


def make_definition(
    agent: Any,
    metadata: dict[str, str],
    params: dict[str, Any] | None,
    warmup: list[dict[str, Any]] | None,
    locale: Any,
) -> JobDef:
    """The definition of these, found again or made; `warmup` as `warmup_data` gives it.

    Made from outside of the constructor: what that hangs into the store itself stays in this process's memory.

    Raises:
        ValueError: there is no MODEL metadata, or one that cannot be read.
    """
    text = None if locale is None else str(locale)
    digest = definition_digest(agent, metadata, params, warmup or None, "", text, default_style(), default_level())
    found: JobDef | None = root.find_job_def(digest)
    if found is not None:
        return found
    made = JobDef(agent, metadata, params, warmup_from(warmup), None, locale, _attach=False)
    root.add_job_def(made, digest)
    return made


def default_style() -> str:
    """The name of the settings' chat style, "" for none."""
    style = get_statek_settings().chat_style
    return "" if style is None else style.name


def default_level() -> str:
    """The settings' difficulty by its name, "" for medium."""
    level = parse_task_difficulty(get_statek_settings().statek_default_difficulty)
    return "" if level in (None, TaskDifficulty.medium) else level.name


def definition_digest(
    agent: Any,
    metadata: dict[str, str],
    params: Any,
    warmup: Any,
    style: str,
    locale: str | None,
    default_style: str = "",
    default_level: str = "",
) -> str:
    """One text for everything that makes two definitions equal."""
    said = params_data(params, lambda item: str(db0.uuid(item)))
    fields = [str(db0.uuid(agent)), sorted(metadata.items()), said, warmup, style, locale]
    settings = [default_style, default_level] if default_level else [default_style] if default_style else []
    parts = json_bytes([*fields, *settings])
    return hashlib.sha256(parts).hexdigest()[:24]


def warmup_data(parsed: Any) -> list[dict[str, Any]] | None:
    """Parsed warmup as JSON data."""
    if parsed is None:
        return None
    blocks = [parsed] if isinstance(parsed, str | CodeBlock) else list(parsed)
    return [_block_data(block) for block in blocks]


def warmup_from(data: list[dict[str, Any]] | None) -> Any:
    """What `warmup_data` was made from."""
    if not data:
        return None
    blocks = [_block_from(entry) for entry in data]
    return blocks[0] if len(blocks) == 1 else blocks


def _block_data(block: str | CodeBlock) -> dict[str, Any]:
    if isinstance(block, str):
        return {"code": block, "calls": [], "metadata": None}
    calls = [
        {"id": call.id, "name": call.func_name, "args": call.args, "kwargs": call.kwargs}
        for call in block.tool_calls or ()
    ]
    return {"code": block.code, "calls": calls, "metadata": block.metadata}


def _block_from(entry: dict[str, Any]) -> str | CodeBlock:
    if not entry["calls"] and not entry["metadata"]:
        return str(entry["code"])
    calls = [CallSpec(call["id"], call["name"], call["args"], call["kwargs"]) for call in entry["calls"]]
    return CodeBlock(entry["code"], calls or None, entry["metadata"])


def _bare(model: str) -> str:
    """The model's own name, without parameters behind it."""
    name, _, last = model.partition("?")[0].rpartition("/")
    return name if name and "=" in last else f"{name}/{last}" if name else last
