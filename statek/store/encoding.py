"""Text and JSON data as bytes the store keeps exactly. Pure.

The store cuts text at NUL and drops lone surrogates, and forgets the order of dictionaries; bytes it keeps.
"""

import json
from typing import Any

Json = Any
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def text_bytes(text: str) -> bytes:
    """Any text as bytes, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def bytes_text(data: bytes) -> str:
    """The text that `text_bytes` encoded."""
    return data.decode("utf-8", "surrogatepass")


def json_bytes(data: Json) -> bytes:
    """JSON data as bytes, key order kept. Raises TypeError for what JSON cannot say."""
    return _ENCODER.encode(data).encode()


def bytes_json(data: bytes | None) -> Json:
    """The data that `json_bytes` encoded; None for None."""
    return None if data is None else json.loads(data.decode())
