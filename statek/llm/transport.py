"""One bounded HTTP POST: the only module of the kit that knows aiohttp, and certifi.

It follows no redirect, retries nothing, and understands no vendor. `Connections` belongs to one loop and keeps what is
connected alive between calls; `Transport` belongs to one provider's configuration and asks over them. The idea: the
library bounds neither a whole call nor what comes out of packed bytes, so deadlines and sizes are kept here, on the raw
bytes as they come. aiohttp is imported at the first call: that takes 0.3 s, and most commands ask no model.
"""

import asyncio
import email.utils
import functools
import io
import math
import re
import ssl
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statek.ledger.compiled import Timeouts
from statek.llm.errors import Code, ProviderError, code_of_status, excerpt
from statek.llm.wire import bad_answer, bad_request, hostname
from statek.settings import certificate_places

if TYPE_CHECKING:
    import aiohttp

MAX_ANSWER = 2_000_000  # bytes of an answer's body, unpacked
MAX_COMPLAINT = 64_000  # bytes read of a body that explains an error
MAX_HEADER = 64_000  # bytes of one line of an answer's head
KEEP_ALIVE = 55.0  # seconds a connection waits for the job's next turn; common gateways close at 60
WRITTEN_AT_ONCE = 1 << 20  # bytes of a body; the library warns of more
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "statek"}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # of a header
_FRAMING = frozenset({"content-length", "transfer-encoding", "expect"})


@dataclass(frozen=True)
class Received:
    """An answer as bytes, unpacked. `whole` is False when reading stopped at the size limit."""

    status: int
    body: bytes
    whole: bool
    retry_after: str | None


@dataclass(frozen=True)
class _Way:
    """How a server is reached."""

    proxy: str | None
    tls: ssl.SSLContext | bool


class Connections:
    """What is connected to providers; a connection is used again until it was idle for `KEEP_ALIVE` seconds."""

    def __init__(self) -> None:
        """Nothing is opened until the first call."""
        self._session: aiohttp.ClientSession | None = None
        self._ways: dict[str, _Way] = {}  # by host

    def session(self) -> "aiohttp.ClientSession":
        """The client of the running loop: it retries no POST, keeps no cookie and looks at no environment."""
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),  # who asks bounds how many
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                max_line_size=MAX_HEADER,
                max_field_size=MAX_HEADER,
            )
        return self._session

    def way(self, url: str) -> _Way:
        """How to reach the server of `url`. Raises ProviderError `bad-request` when its surroundings are wrong."""
        if url[:5].lower() == "http:":  # proxies are for the way out, not for a model on this machine
            return _Way(None, tls=True)
        host = hostname(url)
        if host not in self._ways:
            self._ways[host] = _Way(_proxy_for(host), self._trusted)
        return self._ways[host]

    @functools.cached_property
    def _trusted(self) -> ssl.SSLContext:
        """Made once: reading the certificates takes 20 to 30 ms."""
        file, folder = certificate_places()
        if file is None and folder is None:
            import certifi

            file = certifi.where()
        try:
            return ssl.create_default_context(cafile=file, capath=None if file else folder)
        except OSError as error:
            raise bad_request(f"the certificates in {file or folder} cannot be read ({error.strerror})") from error

    async def close(self) -> None:
        """Close all of them. A later call opens new ones."""
        session, self._session = self._session, None
        self._ways.clear()
        if session is not None:
            await session.close()


class Transport:
    """POSTs to one provider. Errors name the provider, never a url or a header: both may hold secrets."""

    def __init__(self, name: str, timeout: Timeouts, connections: Connections) -> None:
        """`name` is the provider's, for messages."""
        self.name = name
        self._timeout = timeout
        self._connections = connections

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Send `body` and read the answer, whatever its status.

        Raises:
            ProviderError: `timeout`, `connection`, or `bad-request` for a url or header that HTTP does not allow.
        """
        check_headers(headers)
        if not url.lower().startswith(("http://", "https://")):
            raise bad_request(f"provider {self.name!r}: base_url does not start with http:// or https://")
        session, way = self._connections.session(), self._connections.way(url)  # before time counts: both may be slow
        await asyncio.sleep(0)  # of connections that were closed while the loop was busy, ...
        await asyncio.sleep(0)  # ... it hears in the first of two turns
        bound = _Bound(self._timeout)
        try:
            async with bound.timer:
                return await self._exchange(session, way, bound, url, {**_HEADERS, **headers}, body)
        except TimeoutError as error:
            raise self._late(bound) from error

    async def _exchange(
        self,
        session: "aiohttp.ClientSession",
        way: _Way,
        bound: "_Bound",
        url: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Received:
        import aiohttp

        try:
            response = await session.post(
                url,
                data=body if len(body) <= WRITTEN_AT_ONCE else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
                timeout=self._connecting,
                proxy=way.proxy,
                ssl=way.tls,
            )
            try:
                limit = MAX_ANSWER if 200 <= response.status < 300 else MAX_COMPLAINT
                content, whole = await _read(response, limit, bound)
            finally:
                response.close()  # one that was read to its end has given its connection back already
        except TimeoutError:
            raise
        except aiohttp.InvalidURL:
            raise self._error("bad-request", "base_url is not a valid address") from None  # its text is the address
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError) as error:
            raise self._error("connection", excerpt(_words(error))) from None  # most of their texts hold the address
        except ValueError as error:
            raise self._error("bad-request", f"the request is not valid HTTP: {type(error).__name__}") from error
        return Received(response.status, content, whole, response.headers.get("retry-after"))

    @functools.cached_property
    def _connecting(self) -> "aiohttp.ClientTimeout":
        import aiohttp

        return aiohttp.ClientTimeout(total=None, connect=self._timeout.connect_us / 1e6, ceil_threshold=math.inf)

    def _late(self, bound: "_Bound") -> ProviderError:
        if not bound.timer.expired():
            return self._error("timeout", f"no connection within {self._timeout.connect_us / 1e6:g} s")
        what, limit_us = bound.exceeded
        return self._error("timeout", f"{what} did not come within {limit_us / 1e6:g} s")

    def _error(self, code: Code, message: str) -> ProviderError:
        return ProviderError(f"provider {self.name!r}: {message}", code=code)


class _Bound:
    """One timer for a whole call: it ends at the limit of the stage, or at that of the whole when that comes first."""

    def __init__(self, timeout: Timeouts) -> None:
        """The whole begins, and its first stage: up to the head of the answer."""
        self._now = asyncio.get_running_loop().time
        self._timeout, self._end = timeout, self._now() + timeout.total_us / 1e6
        self._stage, self._stage_us = "the start of the answer", timeout.connect_us + timeout.first_byte_us
        self.timer = asyncio.timeout_at(self._stage_end)

    @property
    def _stage_end(self) -> float:
        return min(self._end, self._now() + self._stage_us / 1e6)

    def wait_for_more(self) -> None:
        """Something came; the next part may take as long as parts may."""
        self._stage, self._stage_us = "the next part of the answer", self._timeout.idle_us
        self.timer.reschedule(self._stage_end)

    @property
    def exceeded(self) -> tuple[str, int]:
        """What did not come in time, and in how many microseconds."""
        is_whole = self.timer.when() == self._end
        return ("the whole answer", self._timeout.total_us) if is_whole else (self._stage, self._stage_us)


def _proxy_for(host: str) -> str | None:
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        raise bad_request("the proxy that the environment names for https starts with neither http:// nor https://")
    return proxy


def _words(error: Exception) -> str:
    """What is wrong with the connection, without the address that the library puts into most of its messages."""
    import aiohttp

    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"no connection: {error.certificate_error}"
        case aiohttp.ClientConnectorError():
            return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before an answer came"
        case aiohttp.ClientPayloadError():
            return "the connection ended, or brought garbage, in the middle of the answer"
        case aiohttp.ClientHttpProxyError():
            return f"no connection: the proxy answered HTTP {error.status} {error.message}"
        case aiohttp.ClientResponseError():
            return f"what the connection brought is not HTTP: {error.message}"
        case _:
            cause = error.__cause__ or error
            return f"the connection failed: {getattr(cause, 'strerror', None) or type(cause).__name__}"


async def _read(response: "aiohttp.ClientResponse", limit: int, bound: _Bound) -> tuple[bytes, bool]:
    if limit == MAX_ANSWER and (response.content_length or 0) > limit:
        return b"", False
    unpack = _Unpacker(response.headers.get("content-encoding", "identity").strip().lower())
    parts: list[bytes] = []
    size = 0
    while True:
        if not response.content.is_eof():  # all of it has often come with the head
            bound.wait_for_more()
        chunk = await response.content.readany()
        if not chunk:
            break
        part = unpack(chunk, limit - size + 1)
        parts.append(part)
        size += len(part)
        if size > limit:
            return b"".join(parts)[:limit], False
    unpack.check_end()
    return b"".join(parts), True


class _Unpacker:
    """Undoes gzip with a bound on what comes out: a megabyte of it may hold a gigabyte."""

    def __init__(self, encoding: str) -> None:
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise bad_answer(f"content encoding {excerpt(encoding)!r}, expected gzip or none")
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in encoding else None

    def __call__(self, chunk: bytes, most: int) -> bytes:
        if self._zlib is None:
            return chunk
        try:
            return self._zlib.decompress(chunk, most)
        except zlib.error as error:
            raise bad_answer(f"not gzip ({error})") from error

    def check_end(self) -> None:
        if self._zlib is not None and not self._zlib.eof:
            raise ProviderError("the compressed answer was cut short", code="connection")


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ProviderError `bad-request` for what HTTP cannot carry, naming the header and not its value."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise bad_request(f"header {excerpt(name)!r} is not one that a configuration can set")
        if not (value.isascii() and value.isprintable()):
            raise bad_request(
                f"header {name!r} holds a line break, a control or a non-ASCII character; check the key for a stray one"
            )


def complaint(name: str, received: Received, now_us: int) -> ProviderError:
    """The error for an answer that is no success; the body's own words are in it, shortened."""
    code = code_of_status(received.status)
    said = excerpt(received.body.decode(errors="replace"))
    what = "a redirect, which is never followed" if code == "bad-answer" else said or "no explanation"
    return ProviderError(
        f"provider {name!r}: HTTP {received.status}: {what}",
        code=code,
        status=received.status,
        retry_after=parse_retry_after(received.retry_after, now_us),
    )


def parse_retry_after(text: str | None, now_us: int) -> float | None:
    """Seconds from a Retry-After header, a number or a date; never negative; None when it says nothing usable."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now_us / 1e6
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, min(seconds, 1e9))
