"""Patterns of file paths, as `exclude` and the lint settings have them. Pure."""

import re


def path_pattern(pattern: str) -> re.Pattern[str]:
    """`**/` any folders, `*` and `?` within one name; a pattern without slash fits names at any depth."""
    parts = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    body = "".join(parts.get(token) or re.escape(token) for token in tokens)
    return re.compile(body if "/" in pattern else f"(?:.*/)?{body}")
