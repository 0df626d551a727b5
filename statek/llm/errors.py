"""What can go wrong with one call of a model provider, as one exception with a code.

It never holds a key: whoever resolved a secret calls `hide` before the error leaves. Raised by the transport, the
adapters and the scripted provider; read by the runtime, which decides by `retryable` and `code`.
"""

from collections.abc import Iterable
from typing import Literal

from statek.base.redaction import redact
from statek.exceptions import StatekError

Code = Literal["timeout", "connection", "rate", "server", "auth", "bad-request", "bad-answer", "no-rule", "no-key"]

CODES: tuple[Code, ...] = (
    "timeout", "connection", "rate", "server", "auth", "bad-request", "bad-answer", "no-rule", "no-key",
)  # fmt: skip
RETRYABLE: frozenset[Code] = frozenset({"timeout", "connection", "rate", "server"})
EXCERPT = 300  # characters of a provider's own words that an error repeats


class ProviderError(StatekError):
    """A model provider did not answer as it should."""

    def __init__(
        self,
        message: str,
        *,
        code: Code,
        status: int | None = None,
        retry_after: float | None = None,
        tries: int = 1,
        hint: str = "",
    ) -> None:
        """Keep what the runtime decides by.

        Args:
            message: what happened, at which provider.
            code: the kind of failure.
            status: HTTP status, when one was received.
            retry_after: seconds the provider asked to wait, when it said so.
            tries: how many calls were made before giving up.
            hint: what to do.
        """
        super().__init__(message, hint=hint)
        self.code: Code = code
        self.status = status
        self.retry_after = retry_after
        self.tries = tries

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.code in RETRYABLE

    def after(self, tries: int) -> "ProviderError":
        """The same error, saying how many calls were made."""
        text = f"{self} (gave up after {tries} {'try' if tries == 1 else 'tries'})"
        return ProviderError(
            text, code=self.code, status=self.status, retry_after=self.retry_after, tries=tries, hint=self.hint
        )

    def hide(self, secrets: Iterable[str]) -> None:
        """Blot out `secrets` in the message, also in part and in other spellings: providers echo keys."""
        self.args = (redact(str(self), secrets),)


def code_of_status(status: int) -> Code:
    """The code for an HTTP status that is no success. A redirect is never followed, so it is a bad answer."""
    if status < 400:
        return "bad-answer"
    named: dict[int, Code] = {401: "auth", 402: "auth", 403: "auth", 408: "timeout", 429: "rate"}
    return named.get(status, "server" if status >= 500 else "bad-request")


def excerpt(text: str) -> str:
    """The start of a provider's own words on one line, without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * EXCERPT]).split())
    return line if len(line) <= EXCERPT else line[:EXCERPT] + "..."
