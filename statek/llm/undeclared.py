"""The configuration of a provider that no document describes: a known service, or an address from the settings.

Pure, no I/O. Credentials go by the name that was used, as documented.
"""

from collections.abc import Mapping
from typing import Protocol

from statek.exceptions import StatekError
from statek.ledger.compiled import Backoff, Provider, Retry, Timeouts
from statek.llm.known import LOCAL, Known, find_known, variable

TIMEOUT = Timeouts(connect_us=10_000_000, first_byte_us=300_000_000, idle_us=60_000_000, total_us=300_000_000)
RETRY = Retry(max_attempts=4, backoff=Backoff(min_us=500_000, max_us=20_000_000, factor=2.0))


class Credentials(Protocol):
    """What the settings know of a provider."""

    @property
    def api_url(self) -> str:
        """Base url or whole address; '' for the default."""
        ...

    @property
    def api_key(self) -> str:
        """The key itself; '' when the service wants none."""
        ...


class KeyText(str):
    """A key that does not show in a repr, so that no log of a configuration holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Three stars."""
        return "'***'"


def credentials_for(name: str, credentials: Mapping[str, Credentials]) -> Credentials | None:
    """Those of a provider among the settings', in any letter case; a dash counts as an underscore."""
    return next((api for key, api in credentials.items() if variable(key) == variable(name)), None)


def known_provider(name: str, api: Credentials | None) -> Provider:
    """The configuration of a provider that no document describes.

    Args:
        name: as the model string has it; any letter case.
        api: credentials from the settings. None: the default address and `${secret:NAME_API_KEY}`.

    Raises:
        StatekError: for a name that is neither known nor given an address.
    """
    known = find_known(name) or (Known("openai", None) if api is not None else None)
    if known is None:
        raise StatekError(
            f"unknown provider {name!r}: there is no Provider document of that name and no built-in one",
            hint=f"set {variable(name)}_API_URL and {variable(name)}_API_KEY, or add a Provider document",
        )
    base_url = (api.api_url if api is not None else "") or known.base_url
    if base_url is None:
        raise StatekError(f"provider {name!r} has no default address", hint=f"set {variable(name)}_API_URL")
    key, headers = _credentials(name, api, base_url)
    return Provider(
        name=name,
        driver=known.driver,
        base_url=base_url,
        api_key=key,
        headers=headers,
        timeout=TIMEOUT,
        concurrent=None,
        rpm=None,
        tpm=None,
        cost_usd_per_day=None,
        retry=RETRY,
    )


def _credentials(name: str, api: Credentials | None, base_url: str) -> tuple[str | None, dict[str, str]]:
    if api is not None:
        key: str | None = KeyText(api.api_key) if api.api_key else None
    else:
        key = None if variable(name) in LOCAL else f"${{secret:{variable(name)}_API_KEY}}"
    vertex = "VERTEX" in variable(name) or "aiplatform.googleapis.com" in base_url
    if key is not None and vertex:  # Vertex AI takes a token, not the header of the Gemini API
        return None, {"Authorization": KeyText(f"Bearer {key}")}
    return key, {}
