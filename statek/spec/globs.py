"""Patterns of file paths, as `exclude` and the lint settings have them, and of names. Pure."""

import functools
import re


def path_pattern(pattern: str) -> re.Pattern[str]:
    """`**/` any folders, `*` and `?` within one name; a pattern without slash fits names at any depth."""
    parts = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    body = "".join(parts.get(token) or re.escape(token) for token in tokens)
    return re.compile(body if "/" in pattern else f"(?:.*/)?{body}")


@functools.lru_cache(maxsize=1000)
def name_pattern(pattern: str) -> re.Pattern[str]:
    """`*` any characters of one part: of a name, or between the slashes of `set/name`."""
    return re.compile("[^/]*".join(re.escape(part) for part in pattern.split("*")))
