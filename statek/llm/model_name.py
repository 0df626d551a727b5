"""The grammar of model strings: `model`, `family/model`, `provider/family/model`, each with optional parameters.

Pure. Read by the runtime and by stored definitions; `statek.model_name` is its documented path. The one surprise is
documented: two parts are family and model, so `openai/gpt-5-mini` names no provider and goes to the default one.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from statek.llm.known import find_known

LEVELS = ("rl", "reasoning_level")
LEVEL = re.compile(r"0|[1-9]\d?|100")
NUMBERS = ("temperature", "top_p", "max_output_tokens", "seed")
PARAMS = re.compile(r"[A-Za-z_]\w*=[^&=]*(?:&[A-Za-z_]\w*=[^&=]*)*")


class ModelName(NamedTuple):
    """The parts of a model string; None where it has none. `params` are texts, as in a url's query."""

    provider: str | None
    family: str | None
    model: str | None
    params: Mapping[str, str] | None = None

    @property
    def model_family(self) -> str | None:
        """The documented name of `family`."""
        return self.family


def parse_model_name(text: str | None) -> ModelName:
    """Read a model string.

    Parameters follow a `?` or stand alone in the last part: `openai/gpt-5?rl=50`, `openai/gpt-5/rl=50`. Only the
    first two slashes split; an empty part is None, so `openai//gpt-5` has a provider and no family.

    Raises:
        ValueError: for no text, or parameters that are not `name=value` joined by `&`.
    """
    if text is None or not text.strip():
        raise ValueError("a model string is empty; expected model, family/model or provider/family/model")
    names, params = _split_params(text.strip())
    parts = [part.strip() or None for part in names.split("/", 2)]
    provider, family, model = [None] * (3 - len(parts)) + parts
    return ModelName(provider, family, model, params)


def ensure_model_name(value: str | ModelName | None, *, model_family: str | None = None) -> ModelName:
    """`value` parsed, with `model_family` where it names no family. Raises ValueError for no text."""
    name = value if isinstance(value, ModelName) else parse_model_name(value)
    return name._replace(family=name.family or model_family)


def select_model_provider(
    value: str | ModelName | None, *, default_provider: str | None = None, model_family: str | None = None
) -> str | None:
    """The provider that the string names, in its letter case, else the default."""
    if value is None:
        return default_provider
    return ensure_model_name(value, model_family=model_family).provider or default_provider


def format_model_for_provider(value: str | ModelName, provider: str, *, model_family: str | None = None) -> str:
    """The id to send: `family/model`, or the bare model at a service that serves its maker's models only.

    Raises:
        ValueError: when the string names no model.
    """
    name = ensure_model_name(value, model_family=model_family)
    if name.model is None:
        raise ValueError(f"{value!r} names no model; expected model, family/model or provider/family/model")
    known = find_known(provider)
    bare = name.family is None or (known is not None and known.own_models)
    return name.model if bare else f"{name.family}/{name.model}"


def request_params(name: ModelName) -> dict[str, int | float | str]:
    """The parameters of a model string as a request has them: `rl` or `reasoning_level` is `reasoning`, 0 to 100.

    Raises:
        ValueError: for a level that is none, two that differ, or a number that is none.
    """
    said = dict(name.params or {})
    levels = {said.pop(key) for key in LEVELS if key in said}
    if len(levels) > 1 or not all(LEVEL.fullmatch(level) for level in levels):
        raise ValueError(f"reasoning level {' and '.join(sorted(levels))}: expected one whole number from 0 to 100")
    params: dict[str, int | float | str] = {
        key: _number(key, text) if key in NUMBERS else text for key, text in said.items()
    }
    if levels:
        params["reasoning"] = int(levels.pop())
    return params


def _number(key: str, text: str) -> int | float:
    try:
        return int(text) if key in ("max_output_tokens", "seed") else float(text)
    except ValueError as error:
        raise ValueError(f"parameter {key}={text} of a model string: expected a number") from error


def _split_params(text: str) -> tuple[str, dict[str, str] | None]:
    names, mark, query = text.partition("?")
    if not mark:
        names, slash, query = text.rpartition("/")
        if not slash or "=" not in query:  # a single part with an equals sign is an id, not parameters of nothing
            return text, None
    if not PARAMS.fullmatch(query.strip()):
        raise ValueError(f"{text!r}: {query!r} are no parameters; expected name=value, joined by &")
    return names, dict(parse_qsl(query.strip(), keep_blank_values=True))
