"""Job definitions: what many jobs of one agent share, frozen.

Inputs of a single job never go here, so that a thousand jobs share one definition. Equal definitions are found again
by a digest over everything that counts.
"""

import hashlib
import traceback
from collections.abc import Iterator
from typing import Any

import dbzero as db0

from statek.settings import ChatStyle
from statek.store import root
from statek.store.encoding import bytes_json, json_bytes
from statek.text.warmup import CallSpec, CodeBlock, parse_warmup_code


@db0.memo(id="statek/JobDefError")
class JobDefError:
    """An error that was recorded on a definition or a job."""

    def __init__(self, error: BaseException, collect_traceback: bool = True) -> None:
        """Keep the text of `error`, and its frames unless told not to."""
        self._message = json_bytes(str(error))
        kept = traceback.format_tb(error.__traceback__) if collect_traceback and error.__traceback__ else None
        self._traceback = json_bytes(kept)

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
class JobDef:
    """Agent, model, prompt parameters, warmup, chat style and locale of jobs."""

    def __init__(
        self,
        agent: Any,
        metadata: dict[str, str] | None = None,
        job_params: dict[str, Any] | None = None,
        warmup_code: Any = None,
        _chat_style: ChatStyle | None = None,
        locale: Any = None,
    ) -> None:
        """Freeze a definition. Raises ValueError when there is no MODEL metadata."""
        chosen = dict(metadata) if metadata is not None else dict(agent.metadata or {})
        if not chosen.get("MODEL"):
            raise ValueError(f"no MODEL metadata for agent {agent.role!r}: a job needs to know its model")
        self.agent = agent
        self._metadata_bytes = json_bytes(chosen)
        self._params_bytes = json_bytes(job_params)
        self._warmup_bytes = json_bytes(warmup_data(parse_warmup_code(warmup_code)))
        self._style = _chat_style.name if _chat_style is not None else ""
        self.locale = locale if locale is None else str(locale)
        self._errors: Any = []
        root.add_job_def(db0.materialized(self), definition_digest(
            agent, chosen, job_params, warmup_data(parse_warmup_code(warmup_code)), self._style, self.locale
        ))  # fmt: skip

    @property
    def metadata(self) -> dict[str, str]:
        """A copy of the metadata."""
        data: dict[str, str] = bytes_json(self._metadata_bytes)
        return data

    @property
    def job_params(self) -> dict[str, Any] | None:
        """Values for prompt formatting, or None."""
        data: dict[str, Any] | None = bytes_json(self._params_bytes)
        return data

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
        """The job-level override, else the CHAT_STYLE metadata, else None."""
        name = self._style or self.metadata.get("CHAT_STYLE", "")
        return ChatStyle[name.upper()] if name else None

    @property
    def model(self) -> str | None:
        """The model string."""
        return self.metadata.get("MODEL")

    @property
    def model_family(self) -> str | None:
        """The last but one part of the model string, or None."""
        parts = (self.model or "").split("/", 2)
        return (parts[-2] or None) if len(parts) > 1 else None

    @property
    def provider(self) -> str | None:
        """The provider named in the model string, else PROVIDER metadata, else None."""
        parts = (self.model or "").split("/", 2)
        return (parts[0] or None) if len(parts) == 3 else self.metadata.get("PROVIDER")

    def set_error(self, error: BaseException, collect_traceback: bool = True) -> None:
        """Record an error of this definition."""
        self._errors.append(JobDefError(error, collect_traceback))

    def get_errors(self) -> Iterator[JobDefError]:
        """The recorded errors."""
        return iter(list(self._errors))

    def has_errors(self) -> bool:
        """Are there recorded errors?"""
        return len(self._errors) > 0

    def clear_errors(self) -> None:
        """Forget the recorded errors."""
        if self.has_errors():
            self._errors = []

    def update_warmup_code(self, warmup_code: Any) -> None:
        """Replace the warmup; None clears it."""
        data = json_bytes(warmup_data(parse_warmup_code(warmup_code)))
        if data != self._warmup_bytes:
            self._warmup_bytes = data

    def set_chat_style(self, chat_style: ChatStyle | None) -> None:
        """Set or clear the override."""
        self._style = chat_style.name if chat_style is not None else ""


def definition_digest(
    agent: Any, metadata: dict[str, str], params: Any, warmup: Any, style: str, locale: str | None
) -> str:
    """One text for everything that makes two definitions equal."""
    parts = json_bytes([str(db0.uuid(agent)), sorted(metadata.items()), params, warmup, style, locale])
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
