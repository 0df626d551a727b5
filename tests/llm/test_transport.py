"""What the network can do to a call, over real loopback HTTP."""

import asyncio
import dataclasses
import gzip
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from statek.ledger.compiled import Timeouts
from statek.llm.errors import ProviderError
from statek.llm.transport import MAX_ANSWER, _Unpacker, parse_retry_after
from tests.loopback_llm import Canned, LoopbackLLM, Raw, completion

NOW = 1_700_000_000_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOUNDS = Timeouts(connect_us=2_000_000, first_byte_us=3_000_000, idle_us=2_000_000, total_us=60_000_000)
SILENCE = 100.0  # real seconds: until the server of the test is stopped


class LoopTime:
    """The time of a running loop, which goes on only when a thread of the server says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = self.began = loop.time()
        self.is_over = threading.Event()
        self._loop = loop

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self.now - self.began

    def goes_on(self, seconds: float) -> None:
        """Let time pass once the loop has dealt with all that was sent so far."""
        before = self.now
        with suppress(RuntimeError):  # the loop is closed: the test is over
            self._loop.call_soon_threadsafe(self._go_on, seconds, 100)
        while self.now == before and not self.is_over.wait(0.001):
            pass

    def _go_on(self, seconds: float, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._go_on, seconds, turns - 1)
        else:
            self.now += seconds


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopTime]:
    """Time that stands still, so that no bound is reached because the machine is busy."""
    loop = asyncio.get_running_loop()
    stands = LoopTime(loop)
    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: stands.now)
        yield stands
        stands.is_over.set()


async def fail(make, request_for, reply, **changes) -> ProviderError:
    """The error that a call ends with when the server answers so."""
    with LoopbackLLM([reply]) as llm, pytest.raises(ProviderError) as caught:
        await make(base_url=llm.url, **changes).ask(request_for())
    return caught.value


async def test_total_deadline_ends_a_dripping_answer(make, request_for, time):
    """An answer that drips a byte at a time ends at the total deadline, within a tenth of it."""

    def drip() -> Iterator[bytes]:
        yield HEAD + b"Content-Length: 1000\r\n\r\n"
        while True:
            yield b"x"
            time.goes_on(1)

    error = await fail(make, request_for, Raw(drip()), timeout=BOUNDS)
    assert (error.code, "whole answer" in str(error)) == ("timeout", True)
    assert 60 <= time.passed < 66


async def test_total_deadline_ends_dripping_headers(make, request_for, time):
    """Headers that drip count against the deadline too."""

    def drip() -> Iterator[bytes]:
        yield HEAD
        while True:
            yield b"X-a: b\r\n"
            time.goes_on(1)

    patient = dataclasses.replace(BOUNDS, first_byte_us=100_000_000)
    error = await fail(make, request_for, Raw(drip()), timeout=patient)
    assert (error.code, "whole answer" in str(error)) == ("timeout", True)


async def test_first_byte_timeout(make, request_for, time):
    """A server that accepts and stays silent is left after the first-byte bound, not the total one."""

    def stay_silent() -> Iterator[float]:
        time.goes_on(6)
        yield SILENCE

    error = await fail(make, request_for, Raw(stay_silent()), timeout=BOUNDS)
    assert (error.code, "start of the answer" in str(error)) == ("timeout", True)


async def test_idle_timeout(make, request_for, time):
    """An answer that stops half-way is left after the idle bound."""

    def stop_half_way() -> Iterator[bytes | float]:
        yield HEAD + b"Content-Length: 9\r\n\r\n{"
        time.goes_on(3)
        yield SILENCE

    error = await fail(make, request_for, Raw(stop_half_way()), timeout=BOUNDS)
    assert (error.code, "next part" in str(error)) == ("timeout", True)


async def test_a_slow_but_steady_answer_is_waited_for(make, request_for, time):
    """The idle bound starts anew with every part that arrives."""
    body = json.dumps(completion("hi")).encode()

    def part_by_part() -> Iterator[bytes]:
        yield HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
        for n in range(0, len(body), 8):
            yield body[n : n + 8]
            time.goes_on(1)

    with LoopbackLLM([Raw(part_by_part())]) as llm:
        answer = await make(base_url=llm.url, timeout=BOUNDS).ask(request_for())
    assert answer.text == "hi"
    assert time.passed > 10


async def test_truncated_body(make, request_for):
    """A body shorter than announced is a broken connection, which a new try may cure."""
    error = await fail(make, request_for, Raw([HEAD + b'Content-Length: 1000\r\n\r\n{"choices": ']))
    assert (error.code, error.retryable) == ("connection", True)


async def test_no_server(make, request_for):
    """Nobody listening is a connection error."""
    with LoopbackLLM() as llm:
        url = llm.url
    with pytest.raises(ProviderError) as caught:
        await make(base_url=url).ask(request_for())
    assert caught.value.code == "connection"


@pytest.mark.parametrize(
    "body",
    [
        "<html><h1>Bad gateway</h1></html>",
        "",
        '{"choices": NaN}',
        '{"choices": 1e999}',
        '{"choices": [], "choices": []}',
        "[" * 200_000,
        "[" * 200 + "]" * 200,
        '{"choices": "\\ud800"}',
        b"\xff\xfe{}",
        '{"choices": ' + "9" * 5000 + "}",
        "null",
        '{"choices": []}',
        '{"choices": [null]}',
        '{"choices": [{"message": {"content": 7}}]}',
        '{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}}',
        '{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1e400}}',
        '{"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens": 9007199254740994}}',
        '{"choices": [{"message": {"content": "x"}}], "usage": {"cost": -100}}',
        '{"choices": [{"message": {"content": "x"}}], "usage": {"cost": 1e10}}',
        '{"choices": [{"message": {"tool_calls": [{"function": {}}]}}]}',
    ],
    ids=str,
)
async def test_bad_bodies(make, request_for, body):
    """What is no strict JSON of the expected shape is a bad answer, never a crash."""
    error = await fail(make, request_for, Canned(body=body))
    assert (error.code, error.retryable, len(str(error)) < 1000) == ("bad-answer", False, True)


async def test_gzip_answer(make, request_for):
    """A compressed answer is read."""
    packed = gzip.compress(json.dumps(completion("hi")).encode())
    with LoopbackLLM([Canned(body=packed, headers={"Content-Encoding": "gzip"})]) as llm:
        answer = await make(base_url=llm.url).ask(request_for())
    assert answer.text == "hi"


async def test_gzip_bomb(make, request_for):
    """A small body that unpacks beyond the cap is refused."""
    bomb = gzip.compress(b" " * 50_000_000)
    error = await fail(make, request_for, Canned(body=bomb, headers={"Content-Encoding": "gzip"}))
    assert (error.code, f"{MAX_ANSWER:,}" in str(error)) == ("bad-answer", True)


def test_unpacking_is_bounded():
    """A bomb is never unpacked in memory beyond what was asked for."""
    assert len(_Unpacker("gzip")(gzip.compress(b" " * 50_000_000), 100)) == 100


CUT = gzip.compress(json.dumps(completion("hi")).encode())[:-4]


@pytest.mark.parametrize(("packed", "code"), [(b"no gzip", "bad-answer"), (CUT, "connection")], ids=["garbage", "cut"])
async def test_broken_gzip(make, request_for, packed, code):
    """Broken compression is an error, even where the text came through whole."""
    error = await fail(make, request_for, Canned(body=packed, headers={"Content-Encoding": "gzip"}))
    assert error.code == code


async def test_unknown_encoding(make, request_for):
    """A compression that was not asked for is refused."""
    assert (await fail(make, request_for, Canned(headers={"Content-Encoding": "br"}))).code == "bad-answer"


async def test_announced_huge_answer(make, request_for):
    """An answer announced as too large is refused before it is read."""
    error = await fail(make, request_for, Raw([HEAD + b"Content-Length: 99999999\r\n\r\n", SILENCE]))
    assert error.code == "bad-answer"


async def test_endless_answer(make, request_for):
    """An endless chunked answer is refused at the cap."""

    def endless() -> Iterator[bytes]:
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b" " * 65536 + b"\r\n"

    assert (await fail(make, request_for, Raw(endless()))).code == "bad-answer"


async def test_huge_header(make, request_for):
    """A huge header is refused."""
    error = await fail(make, request_for, Raw([HEAD + b"X-Big: " + b"x" * 1_000_000 + b"\r\n\r\n"]))
    assert error.code == "connection"


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "file:///etc/passwd", "/elsewhere"])
async def test_redirect_is_not_followed(make, request_for, target):
    """A redirect is an error, and nothing is sent to its target."""
    with (
        LoopbackLLM([Canned(307, headers={"Location": target}), "never"]) as llm,
        pytest.raises(ProviderError, match="redirect") as caught,
    ):
        await make(base_url=llm.url).ask(request_for())
    assert (caught.value.code, len(llm.requests)) == ("bad-answer", 1)


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "bad-request", False), (401, "auth", False), (403, "auth", False), (404, "bad-request", False),
        (408, "timeout", True), (429, "rate", True), (500, "server", True), (503, "server", True),
        (529, "server", True),
    ],
)  # fmt: skip
async def test_statuses(make, request_for, status, code, retryable):
    """A status tells the kind of error and whether to try again, and the provider's words are kept."""
    error = await fail(make, request_for, Canned(status, {"error": {"message": "because"}}))
    assert (error.code, error.status, error.retryable, "because" in str(error)) == (code, status, retryable, True)


async def test_huge_complaint_keeps_its_status(make, request_for):
    """A refusal with an endless explanation is still that refusal."""
    error = await fail(make, request_for, Canned(503, "x" * 3_000_000))
    assert (error.code, len(str(error)) < 500) == ("server", True)


async def test_retry_after_is_passed_on(make, request_for):
    """The seconds a provider asks for reach the caller."""
    assert (await fail(make, request_for, Canned(429, headers={"Retry-After": "7"}))).retry_after == 7


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None), ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("1e9", 1e9), ("1e400", 1e9), ("nan", None),
        ("soon", None), ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0), ("Tue, 14 Nov 2000 22:13:50 GMT", 0.0),
    ],
)  # fmt: skip
def test_parse_retry_after(text, seconds):
    """Seconds or a date are understood, the past is now, nonsense is nothing."""
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "localhost:80"])
async def test_only_http(make, request_for, url):
    """A base url that is not http is refused before anything is opened."""
    with pytest.raises(ProviderError) as caught:
        await make(base_url=url).ask(request_for())
    assert caught.value.code == "bad-request"


async def test_connections_are_kept(make, request_for):
    """Calls one after the other use one connection."""
    ports = set()
    with LoopbackLLM(lambda body: "hi") as llm:
        provider = make(base_url=llm.url)
        for _ in range(3):
            await provider.ask(request_for())
            ports |= {request.getpeername()[1] for request in llm._server._open}
    assert len(ports) == 1


async def test_calls_run_side_by_side(make, request_for):
    """Forty calls are under way together: none is answered before all were heard."""
    all_heard = threading.Barrier(40)

    def answer(_: object) -> str:
        all_heard.wait(100)
        return "hi"

    with LoopbackLLM(answer) as llm:
        provider = make(base_url=llm.url)
        answers = await asyncio.gather(*(provider.ask(request_for()) for _ in range(40)))
    assert {answer.text for answer in answers} == {"hi"}


async def test_cancelling_leaves_the_provider_usable(make, request_for):
    """A call that is cancelled half-way does not spoil the next one."""
    heard = threading.Event()

    def late() -> Iterator[float]:
        heard.set()
        yield SILENCE

    with LoopbackLLM([Raw(late()), "hi"]) as llm:
        provider = make(base_url=llm.url)
        asked = asyncio.create_task(provider.ask(request_for()))
        assert await asyncio.to_thread(heard.wait, 100)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await provider.ask(request_for())).text == "hi"
