"""How a provider is reached: connections that are kept, TLS, proxies."""

import asyncio
import re
import shutil
import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import pytest

from statek.llm.errors import ProviderError
from statek.llm.messages import Message
from tests.loopback_llm import LoopbackLLM, Raw, completion

CERTIFICATE = Path(__file__).parent / "localhost.pem"  # signed by itself, with its key
LONG = "X-Long: " + "x" * 20_000
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


@pytest.fixture
def guarded():
    """A provider behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with LoopbackLLM(lambda body: "hi") as llm:
        llm._server.socket = context.wrap_socket(llm._server.socket, server_side=True, do_handshake_on_connect=False)
        llm.url = llm.url.replace("http:", "https:")
        yield llm


async def test_an_unknown_certificate_is_refused(make, request_for, guarded):
    """Who cannot prove who it is, is told nothing."""
    with pytest.raises(ProviderError, match="certificate") as caught:
        await make(base_url=guarded.url).ask(request_for())
    assert (caught.value.code, guarded.requests) == ("connection", [])


async def test_a_certificate_of_ones_own(make, request_for, guarded, monkeypatch):
    """SSL_CERT_FILE names whom to trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert (await make(base_url=guarded.url).ask(request_for())).text == "hi"


async def test_a_folder_of_certificates(make, request_for, guarded, monkeypatch, tmp_path):
    """SSL_CERT_DIR names a folder of them, by their hashes; one that holds no such one trusts nobody."""
    shutil.copy(CERTIFICATE, tmp_path / "no-hash.pem")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with pytest.raises(ProviderError, match="certificate"):
        await make(base_url=guarded.url).ask(request_for())


async def test_certificates_that_are_not_there(make, request_for, monkeypatch):
    """A wrong SSL_CERT_FILE is said, not passed over."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ProviderError, match=r"/nowhere/ca\.pem") as caught:
        await make(base_url="https://127.0.0.1:9").ask(request_for())
    assert caught.value.code == "bad-request"


async def test_https_goes_through_the_proxy(make, request_for, guarded, monkeypatch):
    """HTTPS_PROXY is asked for a tunnel, and sees no key; NO_PROXY names whom it is not for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        heard: list[bytes] = []
        threading.Thread(target=_refuse, args=(proxy, heard), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with pytest.raises(ProviderError, match="proxy answered HTTP 403") as caught:
            await make(base_url=guarded.url).ask(request_for())
    assert (caught.value.code, heard[0][:18], b"sk-canary" in heard[0]) == ("connection", b"CONNECT 127.0.0.1:", False)


async def test_a_host_that_needs_no_proxy(make, request_for, guarded, monkeypatch):
    """NO_PROXY names it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert (await make(base_url=guarded.url).ask(request_for())).text == "hi"


async def test_a_model_on_this_machine_needs_no_proxy(make, request_for, monkeypatch):
    """Plain http goes straight there."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with LoopbackLLM(["hi"]) as llm:
        assert (await make(base_url=llm.url).ask(request_for())).text == "hi"


async def test_a_proxy_of_another_kind(make, request_for, monkeypatch):
    """Only http proxies are understood."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(ProviderError, match="proxy") as caught:
        await make(base_url="https://127.0.0.1:9").ask(request_for())
    assert caught.value.code == "bad-request"


async def test_a_connection_closed_meanwhile_is_not_used(make, request_for):
    """A server that closed while the loop was busy is connected to anew, and each request is sent once."""
    body = str(completion("hi")).replace("'", '"').encode()
    with LoopbackLLM(lambda _: Raw([CLOSING % (len(body), body)])) as llm:
        provider = make(base_url=llm.url)
        for _ in range(5):
            assert (await provider.ask(request_for())).text == "hi"
            while llm.is_connected():  # the loop is to see nothing of the end
                time.sleep(0.01)  # noqa: ASYNC251
    assert len(llm.requests) == 5


async def test_a_request_is_never_sent_twice(make, request_for):
    """A server that closes a kept connection instead of answering has perhaps done the work: that is an error."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []
        threading.Thread(target=_answer_once, args=(server, heard), daemon=True).start()
        provider = make(base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        assert (await provider.ask(request_for())).text == "hi"
        with pytest.raises(ProviderError, match="closed before an answer") as caught:
            await provider.ask(request_for())
    assert (caught.value.retryable, len(heard)) == (True, 2)


async def test_a_request_of_megabytes(make, request_for):
    """It is sent whole and without a warning."""
    with LoopbackLLM(["hi"]) as llm, warnings.catch_warnings(action="error"):
        await make(base_url=llm.url).ask(request_for(Message("user", "x" * 3_000_000)))
    assert len(llm.requests[0]["messages"][0]["content"]) == 3_000_000


async def test_long_headers_are_read(make, request_for):
    """A gateway may set a header of some kilobytes."""
    body = str(completion("hi")).replace("'", '"').encode()
    head = f"HTTP/1.1 200 OK\r\n{LONG}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with LoopbackLLM([Raw([head + body])]) as llm:
        assert (await make(base_url=llm.url).ask(request_for())).text == "hi"


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Expect", "a b", "a:b", "", "a\r\nb"])
async def test_headers_that_frame_a_request(make, request_for, name):
    """A configured header cannot change where a request ends."""
    with LoopbackLLM() as llm, pytest.raises(ProviderError, match="header") as caught:
        await make(base_url=llm.url, headers={name: "1"}).ask(request_for())
    assert (caught.value.code, llm.requests) == ("bad-request", [])


async def test_an_address_is_in_no_error(make, request_for):
    """It may hold a secret."""
    for url in ("http://127.0.0.1:9/sk-canary", "http://127.0.0.1:x/sk-canary", "http://[/sk-canary"):
        with pytest.raises(ProviderError) as caught:
            await make(base_url=url, api_key=None).ask(request_for())
        assert "sk-canary" not in f"{caught.value} {caught.value.__cause__!r}"


async def test_a_cancelled_call_lets_go_of_its_connection(make, request_for):
    """The server sees the end at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = asyncio.create_task(make(base_url=f"http://127.0.0.1:{server.getsockname()[1]}").ask(request_for()))
        connection, _ = await asyncio.to_thread(server.accept)
        with connection:
            await asyncio.to_thread(_read, connection)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            connection.settimeout(100)
            assert await asyncio.to_thread(connection.recv, 1) == b""


def _read(connection: socket.socket) -> bytes:
    """One request."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1 << 16)
    head, _, rest = head.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length is not None and len(rest) < int(length[1]):
        rest += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + rest


def _refuse(server: socket.socket, heard: list[bytes]) -> None:
    connection, _ = server.accept()
    with connection:
        heard.append(_read(connection))
        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")


def _answer_once(server: socket.socket, heard: list[bytes]) -> None:
    body = str(completion("hi")).replace("'", '"').encode()
    connection, _ = server.accept()
    with connection:
        heard.append(_read(connection))
        connection.sendall(CLOSING % (len(body), body))
        heard.append(_read(connection))
