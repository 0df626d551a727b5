"""Blotting secrets out of what people and programs are shown: logs, answers about jobs, errors, reports, metrics.

It knows values, not where they come from: `settings` tells it each one it hands out. What is stored stays as it is,
because jobs and replays need it; every edge that shows or writes a log passes through here. The one idea: one list for
the process, `SECRETS`, so that no edge can forget a secret that another one knows; and patterns for keys that nobody
told us of.
"""

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "***"
SHORTEST = 8  # characters; a shorter value would blot out ordinary words
_REST = r"[^\s\"'\\]*"  # of the word that a secret begins: providers and programs echo keys in part
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH|DSN", re.IGNORECASE)
_SCHEMES = ("Bearer", "Basic")  # words that stay
_KEYS = tuple(
    (begin, begin + rest)  # a word that is looked for first, and the pattern: most texts hold none of them
    for begin, rest in (
        ("Bearer", r"(?<=\bBearer)\s+(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{12,}"),
        ("Basic", r"(?<=\bBasic)\s+(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{12,}"),
        ("sk-", r"(?<![A-Za-z0-9]sk-)[A-Za-z0-9_-]{16,}"),
        ("gh", r"(?<![A-Za-z0-9]gh)[pousr]_[A-Za-z0-9]{20,}"),
        ("xox", r"(?<![A-Za-z0-9]xox)[abprs]-[A-Za-z0-9-]{10,}"),
        ("AKIA", r"(?<![A-Za-z0-9]AKIA)[0-9A-Z]{16}"),
        ("AIza", r"(?<![A-Za-z0-9]AIza)[A-Za-z0-9_-]{30,}"),
        ("eyJ", r"(?<![A-Za-z0-9]eyJ)[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"),
    )
)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret of 8 or more characters, or a word that starts as it does, replaced by ***.

    Also in base64 and as part of a URL.
    """
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = _pattern_of(secret).sub(HIDDEN, text)
    return text


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name is taken for that of a secret although nothing says so: DB_PASSWORD."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """A growing list of secret values, and the patterns of usual keys."""

    def __init__(self) -> None:
        """Know no value yet."""
        self._known: dict[str, tuple[tuple[str, ...], re.Pattern[str]]] = {}  # value: how it begins, and all of it

    def learn(self, value: str | None) -> None:
        """Hide this value from now on. None and values of less than 8 characters are passed over."""
        if value is not None and len(value) >= SHORTEST and value not in self._known:
            begins = tuple(form[:SHORTEST] for form in _forms(value))
            self._known = {**self._known, value: (begins, _pattern_of(value))}  # anew: other threads may go through it

    def text(self, text: str) -> str:
        """The text without secrets."""
        if len(text) < SHORTEST:
            return text
        for begins, pattern in self._known.values():
            for begin in begins:
                if begin in text:
                    text = pattern.sub(HIDDEN, text)
                    break
        for begin, key in _KEYS:
            if begin in text:
                text = re.sub(key, f"{begin} {HIDDEN}" if begin in _SCHEMES else HIDDEN, text)
        return text

    def data(self, data: Any) -> Any:
        """JSON data without secrets, in names of fields too; what it was given stays as it is."""
        match data:
            case str():
                return self.text(data)
            case dict():
                return {self.data(name): self.data(value) for name, value in data.items()}
            case list() | tuple():
                return [self.data(value) for value in data]
            case _:
                return data


SECRETS = Redactor()
"""Of this process: told by `statek.settings`, asked by every edge."""


def _pattern_of(secret: str) -> re.Pattern[str]:
    """The secret, its base64 and its URL spelling, from their eighth character on with the rest of the word.

    Of an address (`postgres://user:password@host`) only the whole: its beginning is an ordinary word.
    """
    forms = _forms(secret)
    if "://" in secret:
        return re.compile("|".join(re.escape(form) for form in forms))
    return re.compile("|".join(re.escape(form[:SHORTEST]) + _REST for form in forms))


def _forms(secret: str) -> set[str]:
    import base64  # these two only where there are secrets
    from urllib.parse import quote

    coded = secret.encode("utf-8", "surrogatepass")  # what an environment cannot say in UTF-8 comes as surrogates
    return {secret, quote(coded, safe=""), base64.b64encode(coded).decode()}
