"""One bounded HTTP POST: the only module of this ring that knows httpx.

It follows no redirect, retries nothing, and understands no vendor. `Transport` belongs to one provider
configuration and keeps its connections alive between calls; `provider` calls it. The idea: httpx bounds each read
but not the whole, and unpacks without limit, so deadlines and sizes are kept here, on the raw bytes as they come. And
its pool looks at every connection whenever one changes, so each connection here is a pool of its own.
"""

import asyncio
import email.utils
import functools
import math
import ssl
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from statek.ledger.compiled import Timeouts
from statek.llm.errors import Code, ProviderError, code_of_status, excerpt
from statek.llm.wire import bad_answer, bad_request

MAX_ANSWER = 2_000_000  # bytes of an answer's body, unpacked
MAX_COMPLAINT = 64_000  # bytes read of a body that explains an error
KEEP_ALIVE = 55.0  # seconds a connection waits for the job's next turn; common gateways close at 60
MAX_IDLE = 100  # connections kept for later calls
ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "statek"}


@dataclass(frozen=True)
class Received:
    """An answer as bytes, unpacked. `whole` is False when reading stopped at the size limit."""

    status: int
    body: bytes
    whole: bool
    retry_after: str | None


class Transport:
    """POSTs to one provider. Errors name the provider, never a url or a header: both may hold secrets."""

    def __init__(self, name: str, timeout: Timeouts) -> None:
        """Nothing is opened until the first call; `name` is the provider's, for messages."""
        self.name = name
        self._timeout = timeout
        self._idle: list[tuple[str, httpx.AsyncHTTPTransport]] = []  # origin, connection; the last used at the end

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Send `body` and read the answer, whatever its status.

        Raises:
            ProviderError: `timeout`, `connection`, or `bad-request` for a url or header that HTTP does not allow.
        """
        check_headers(headers)
        stage = _Stage()
        whole = asyncio.timeout(self._timeout.total_us / 1e6)
        try:
            async with whole:
                return await self._exchange(url, headers, body, stage)
        except TimeoutError as error:
            limit = self._timeout.total_us if whole.expired() else stage.limit_us
            what = "the whole answer" if whole.expired() else stage.waiting_for
            raise self._error("timeout", f"{what} did not come within {limit / 1e6:g} s") from error
        except httpx.ConnectTimeout as error:
            raise self._error("timeout", f"no connection within {self._timeout.connect_us / 1e6:g} s") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise self._error("bad-request", f"the request is not valid HTTP: {type(error).__name__}") from error
        except httpx.TransportError as error:
            raise self._error("connection", f"{type(error).__name__}: {excerpt(str(error))}") from error

    async def close(self) -> None:
        """Close the connections. Calling again opens new ones."""
        idle, self._idle = self._idle, []
        for _, connection in idle:
            await connection.aclose()

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, stage: "_Stage") -> Received:
        stage.enter("the start of the answer", self._timeout.connect_us + self._timeout.first_byte_us)
        bounds = {"timeout": {"connect": self._timeout.connect_us / 1e6}}
        request = httpx.Request("POST", url, headers={**_HEADERS, **headers}, content=body, extensions=bounds)
        origin, connection = self._connection(request.url)
        try:
            async with asyncio.timeout(stage.limit_us / 1e6):
                response = await connection.handle_async_request(request)
            try:
                stage.enter("the next part of the answer", self._timeout.idle_us)
                limit = MAX_ANSWER if response.is_success else MAX_COMPLAINT
                content, whole = await _read(response, limit, self._timeout.idle_us / 1e6)
            finally:
                await response.aclose()
        except BaseException:
            await connection.aclose()
            raise
        if len(self._idle) < MAX_IDLE:
            self._idle.append((origin, connection))
        else:
            await connection.aclose()
        return Received(response.status_code, content, whole, response.headers.get("retry-after"))

    def _connection(self, url: httpx.URL) -> tuple[str, httpx.AsyncHTTPTransport]:
        if url.scheme not in ("http", "https"):
            raise bad_request(f"provider {self.name!r}: base_url does not start with http:// or https://")
        origin = f"{url.scheme}://{url.host}:{url.port}"
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place][0] == origin:
                return self._idle.pop(place)
        if url.scheme == "http":  # proxies of the environment are for the way out, not for a model on this machine
            return origin, httpx.AsyncHTTPTransport(verify=_plain_context(), limits=ONE)
        return origin, httpx.AsyncHTTPTransport(verify=_trusting_context(), limits=ONE, proxy=_proxy_for(url.host))

    def _error(self, code: Code, message: str) -> ProviderError:
        return ProviderError(f"provider {self.name!r}: {message}", code=code)


class _Stage:
    """What a call waits for, for the message of a timeout."""

    waiting_for = "the connection"
    limit_us = 0

    def enter(self, waiting_for: str, limit_us: int) -> None:
        self.waiting_for, self.limit_us = waiting_for, limit_us


@functools.cache
def _trusting_context() -> ssl.SSLContext:
    # Reading the certificates takes 20 to 30 ms; a context for plain http has none and takes 0.3.
    return httpx.create_ssl_context()


@functools.cache
def _plain_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy_for(host: str) -> str | None:
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("https") or proxies.get("all")


async def _read(response: httpx.Response, limit: int, idle: float) -> tuple[bytes, bool]:
    if int(response.headers.get("content-length", "0")) > limit and response.is_success:
        return b"", False
    unpack = _Unpacker(response.headers.get("content-encoding", "identity").strip().lower())
    parts: list[bytes] = []
    size = 0
    now = asyncio.get_running_loop().time
    async with asyncio.timeout(idle) as bound:
        async for chunk in response.stream:  # type: ignore[union-attr]  # an asynchronous one, as asked for
            part = unpack(chunk, limit - size + 1)
            parts.append(part)
            size += len(part)
            if size > limit:
                return b"".join(parts)[:limit], False
            bound.reschedule(now() + idle)
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
    """Raise ProviderError `bad-request` for a value HTTP cannot carry, naming the header and not its value."""
    for name, value in headers.items():
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
