"""What the adapters share and no vendor owns: outgoing and incoming values, and careful reading of foreign JSON.

It does no I/O. An adapter is two functions: `encode` (config and request -> Outgoing) and `decode` (JSON -> Reply).
Every wrong shape in an answer becomes ProviderError `bad-answer` that says where, so fuzzed answers cannot crash a
worker; every request that has no JSON becomes `bad-request`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from statek.base.strict_json import finite, refuse_constant
from statek.llm.errors import ProviderError, excerpt
from statek.llm.messages import MALFORMED, Call, Json, Message, Request

MAX_DEPTH = 100
MAX_COUNT = 10**12  # tokens of one answer, as a Script may say at most
MAX_COST = 1e6  # USD of one answer; more is no cost, and sums of it could not be kept
PARAMS = frozenset({"temperature", "top_p", "max_output_tokens", "reasoning", "seed"})
EFFORTS = ("low", "medium", "high")
BUDGETS = {"low": 1024, "medium": 4096, "high": 16384}  # thinking tokens, where a provider wants a number


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Outgoing:
    """One HTTP POST, ready but for its serialisation."""

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Json]


@dataclass(frozen=True)
class Tokens:
    """What a provider counted; `cached` is a part of `input`."""

    input: int
    output: int
    cached: int
    cost_usd: float | None = None


@dataclass(frozen=True)
class Reply:
    """What an adapter understood of an answer. `tokens` is None when the provider counted nothing."""

    text: str | None
    calls: tuple[Call, ...]
    tokens: Tokens | None
    model: str | None
    reasoning: Json | None


@dataclass(frozen=True)
class Adapter:
    """One wire format. `encode` gets the base url, the key (None: none) and the provider's name resolved."""

    encode: Callable[["Endpoint", Request], Outgoing]
    decode: Callable[[Json, str], Reply]
    base_url: str


@dataclass(frozen=True)
class Endpoint:
    """Where to send to, with every reference resolved. Its repr shows no key."""

    provider: str
    base_url: str
    api_key: str | None
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Name only: url, key and headers may be secret."""
        return f"Endpoint({self.provider!r})"


def bad_answer(message: str) -> ProviderError:
    """The error for an answer that cannot be understood."""
    return ProviderError(f"bad answer: {message}", code="bad-answer")


def bad_request(message: str) -> ProviderError:
    """The error for a request that must not go out."""
    return ProviderError(f"bad request: {message}", code="bad-request")


# Writing -----------------------------------------------------------------------------------------------------------


def dump(body: Mapping[str, Json]) -> bytes:
    """JSON in UTF-8. Raises ProviderError `bad-request` for what JSON does not have (NaN, a lone surrogate)."""
    try:
        return _encode(body).encode()
    except (ValueError, TypeError) as error:  # UnicodeEncodeError is a ValueError
        raise bad_request(f"the request has no JSON form: {type(error).__name__}: {excerpt(str(error))}") from error


def params_of(request: Request, unsupported: frozenset[str] = frozenset()) -> dict[str, Json]:
    """The parameters that are set. Raises ProviderError `bad-request` for an unknown or unsupported one."""
    params = {name: value for name, value in request.params.items() if value is not None}
    if unknown := sorted(set(params) - PARAMS):
        raise bad_request(f"unknown parameter {unknown[0]!r}; known are {', '.join(sorted(PARAMS))}")
    if missing := sorted(set(params) & unsupported):
        raise bad_request(f"this kind of provider has no parameter {missing[0]!r}; remove it from the model's params")
    for name in sorted(set(params) - {"reasoning"}):
        if isinstance(params[name], bool) or not isinstance(params[name], int | float):
            raise bad_request(f"parameter {name} is {excerpt(repr(params[name]))}, expected a number")
    return params


def effort_of(value: Json) -> str | None:
    """`low`, `medium` or `high` for a reasoning parameter: one of these words, or a level 0 to 100 (0: None)."""
    if isinstance(value, str) and value in EFFORTS:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
        return EFFORTS[min(2, (value - 1) // 33)] if value else None
    raise bad_request(f"reasoning is {value!r}; expected low, medium, high or a level from 0 to 100")


def own_reasoning(message: Message, provider: str, field: str) -> Json:
    """What `provider` itself thought in this message, under `field` of its payload; None for anybody else's."""
    payload = message.reasoning
    return payload.get(field) if payload is not None and payload["provider"] == provider else None


# Reading -----------------------------------------------------------------------------------------------------------


def load(body: bytes) -> Json:
    """JSON data of an answer, read strictly.

    Raises:
        ProviderError: `bad-answer` for anything but UTF-8 JSON without NaN, infinities and repeated keys, nested at
            most 100 deep. Half an escaped pair, as of an emoji that was cut off, is written out.
    """
    try:
        text = body.decode()
        data = _decode(text)
        if r"\ud" in text.lower():
            data = _written_out(data)
    except (ValueError, RecursionError) as error:
        found = excerpt(body[:2000].decode(errors="replace"))
        raise bad_answer(f"not JSON ({excerpt(str(error))}): {found or 'empty'}") from error
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(data)
    return data


def _written_out(data: Json) -> Json:
    """The same with each lone surrogate written out as code would write it: no request could hold one."""
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, list):
        return [_written_out(value) for value in data]
    if isinstance(data, dict):
        return {_written_out(name): _written_out(value) for name, value in data.items()}
    return data


def mapping(value: Json, where: str) -> Mapping[str, Json]:
    """`value` if it is an object."""
    if not isinstance(value, dict):
        raise bad_answer(f"{where} is {_kind(value)}, expected an object")
    return value


def items(value: Json, where: str) -> Sequence[Json]:
    """`value` if it is a list; nothing for null."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise bad_answer(f"{where} is {_kind(value)}, expected a list")
    return value


def text_of(value: Json, where: str) -> str:
    """`value` if it is text."""
    if not isinstance(value, str):
        raise bad_answer(f"{where} is {_kind(value)}, expected text")
    return value


def count_of(value: Json, where: str) -> int:
    """`value` if it is a whole number from 0 to MAX_COUNT; 0 for null."""
    if value is None:
        return 0
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= MAX_COUNT or value != int(value):
        raise bad_answer(f"{where} is {excerpt(repr(value))}, expected a count")
    return int(value)


def cost_of(value: float | None) -> float | None:
    """USD of one answer. Raises ProviderError `bad-answer` for what is below 0 or above MAX_COST."""
    if value is None:
        return None
    if not 0 <= value <= MAX_COST:
        raise bad_answer(f"the answer costs {excerpt(repr(value))} USD, expected 0 to {MAX_COST:,.0f}")
    return float(value)


def arguments_of(raw: Json) -> Mapping[str, Json]:
    """Arguments of a call: an object, or JSON text of one ('' means none).

    What is neither becomes the single argument `malformed_arguments`: calling any tool with it fails, and the model
    is told; the turn is paid for and should not be lost.
    """
    if isinstance(raw, dict):
        return raw
    if raw is None or raw == "":
        return {}
    if isinstance(raw, str):
        try:
            parsed = load(raw.encode())
        except ProviderError:
            return {MALFORMED: raw}
        if isinstance(parsed, dict):
            return parsed
    return {MALFORMED: raw if isinstance(raw, str) else json.dumps(raw)}


def _without_repeats(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("an object repeats a key")
    return data


_decode = json.JSONDecoder(
    parse_constant=refuse_constant, parse_float=finite, object_pairs_hook=_without_repeats
).decode


def _check_depth(data: Json) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise bad_answer(f"nested more than {MAX_DEPTH} deep")


def _kind(value: Json) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def hostname(url: str) -> str:
    """Host of an http url in lower case, '' when there is none."""
    found = re.match(r"https?://(?:[^/?#]*@)?([^/:?#]+)", url, re.IGNORECASE)
    return found[1].lower() if found else ""


def split_query(url: str) -> tuple[str, str]:
    """A url without closing slashes, and its query with the question mark ('' when it has none)."""
    path, mark, query = url.partition("?")
    return path.rstrip("/"), mark + query
