"""Reading what clients of the mounted application send: bodies, keys, times. Everything wrong names its place.

Raises HTTPException for what is no request at all, BadInputs for what is wrong inside of one.
"""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from statek.base.strict_json import finite, refuse_constant
from statek.ledger.submit import BadInputs
from statek.worker.mount_table import MOST_JOBS, MOST_WAIT_SECONDS, RESERVED

_LONGEST_KEY = 256  # characters


async def read_body(request: Request, most: int) -> dict[str, Any]:
    """The request's JSON object. Raises HTTPException: too long, no JSON (NaN is none), no object."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise HTTPException(413, f"the body has more than {most:,} bytes")
    try:
        found = json.loads(bytes(data), parse_constant=refuse_constant, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise HTTPException(400, f"the body: expected a JSON object, got {type(found).__name__}")
    return found


def text_of(body: dict[str, Any], name: str) -> str:
    """The text under `name`, not empty. Raises BadInputs."""
    found = body.get(name)
    if not isinstance(found, str) or not found:
        raise bad(name, "expected text that is not empty", found)
    return found


def object_of(body: dict[str, Any], name: str, prefix: str = "") -> dict[str, Any]:
    """The object under `name`, an empty one when it is absent. Raises BadInputs."""
    found = body.get(name, {})
    if not isinstance(found, dict):
        raise bad(prefix + name, "expected an object of names and values", found)
    return found


def list_of(body: dict[str, Any], name: str) -> list[Any]:
    """The list under `name`, of 1 to MOST_JOBS entries. Raises BadInputs."""
    found = body.get(name)
    if not isinstance(found, list) or not 0 < len(found) <= MOST_JOBS:
        raise bad(name, f"expected a list of 1 to {MOST_JOBS:,} entries", found)
    return found


def key_of(request: Request, body: dict[str, Any]) -> str | None:
    """The key of what is sent, from the body's `id` or the header Idempotency-Key."""
    ours, header = own_key(body), request.headers.get("idempotency-key")
    if ours is not None and header is not None and ours != header:
        raise HTTPException(400, "id and the header Idempotency-Key differ: send one of them")
    return _checked_key(header) if ours is None and header is not None else ours


def own_key(body: dict[str, Any]) -> str | None:
    """The key under `id`, None when it is absent. Raises BadInputs."""
    return _checked_key(body["id"]) if body.get("id") is not None else None


def _checked_key(key: Any) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
        raise bad("id", f"expected text of 1 to {_LONGEST_KEY} characters", key)
    if key in RESERVED:
        raise bad("id", f"{', '.join(sorted(RESERVED))} are parts of addresses here, choose another", key)
    return key


def seconds_of(text: str) -> float:
    """Seconds within the bound of a wait. Raises HTTPException."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_WAIT_SECONDS:
        raise HTTPException(400, f"timeout {text[:20]!r}: expected seconds from 0 to {MOST_WAIT_SECONDS}")
    return seconds


def bad(path: str, expected: str, got: Any) -> BadInputs:
    """What is wrong at `path`."""
    return BadInputs([f"{path}: {expected}, got {json.dumps(got)[:60]}"])
