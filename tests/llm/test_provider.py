"""Providers as the runtime uses them: one try, several tries, secrets, usage."""

import logging
import random
from dataclasses import replace

import pytest

from statek.ledger.compiled import Backoff, Price, Retry, Script
from statek.llm.errors import ProviderError
from statek.llm.provider import ask_with_retry, make_provider, wait_before
from statek.llm.scripted import ScriptedProvider
from tests.loopback_llm import Canned, LoopbackLLM, completion

KEY = "sk-canary-123456789"
BACKOFF = Backoff(min_us=1_000_000, max_us=8_000_000, factor=2.0)


async def test_an_answer(make, request_for):
    """A whole call: the key goes out, text, counts, sizes and names come back."""
    with LoopbackLLM(["hi"]) as llm:
        answer = await make(base_url=llm.url).ask(request_for(params={"temperature": 0.5}))
    sent = llm.headers[0]
    assert (llm.paths, sent["authorization"]) == (["/v1/chat/completions"], f"Bearer {KEY}")
    assert (llm.requests[0]["temperature"], llm.requests[0]["messages"][1]["content"]) == (0.5, "hello")
    assert (answer.text, answer.provider, answer.model, answer.scripted) == ("hi", "loop", "loopback-1", False)
    assert (answer.usage.input_tokens, answer.usage.cost_usd) == (10, None)
    assert answer.bytes_sent == int(sent["content-length"])


async def test_the_idempotency_key_stands_for_question_and_content(make, request_for):
    """The same question goes out under the same key each time; with other content under another one."""
    with LoopbackLLM(["hi"] * 3) as llm:
        provider = make(base_url=llm.url)
        for degree in (0.5, 0.5, 0.7):
            await provider.ask(request_for(params={"temperature": degree}))
    first, again, other = (sent["idempotency-key"] for sent in llm.headers)
    assert first == again != other
    assert all(key.startswith("k1-") for key in (first, other))


@pytest.mark.parametrize(
    ("driver", "path", "body"),
    [
        ("anthropic", "/v1/messages", {"content": [{"type": "text", "text": "hi"}]}),
        ("gemini", "/v1/models/loopback-1:generateContent", {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}),
    ],
)
async def test_the_other_drivers(make, request_for, driver, path, body):
    """Each driver speaks its own format over the same transport, at the configured address."""
    with LoopbackLLM([body]) as llm:
        answer = await make(base_url=llm.url, driver=driver).ask(request_for())
    assert (answer.text, llm.paths) == ("hi", [path])


async def test_a_driver_that_names_its_model_in_the_address(make, request_for):
    """Another model, as the next of a chain, is asked under another key."""
    body = {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}
    with LoopbackLLM([body, body]) as llm:
        for model in ("first", "second"):
            await make(base_url=llm.url, driver="gemini").ask(replace(request_for(), model=model))
    first, second = (sent["idempotency-key"] for sent in llm.headers)
    assert first != second


async def test_scripted_driver(config_for, clock, connections):
    """The driver `scripted` needs no address and no key."""
    config = config_for(driver="scripted", base_url=None, api_key=None)
    scripts = {"s": Script("s", ())}
    provider = make_provider(config, scripts=scripts, secret={}.get, clock=clock, connections=connections)
    assert isinstance(provider, ScriptedProvider)


async def test_price_makes_the_cost(make, request_for):
    """A price of the model turns counted tokens into USD."""
    with LoopbackLLM(["hi"]) as llm:
        answer = await make(base_url=llm.url, prices={"loopback-1": Price(1.0, 2.0, None)}).ask(request_for())
    assert answer.usage.cost_usd == pytest.approx((10 * 1 + 5 * 2) / 1e6)


async def test_uncounted_tokens_are_estimated(make, request_for):
    """A provider that counts nothing gets the estimate by size."""
    with LoopbackLLM([completion("hi", usage=None)]) as llm:
        answer = await make(base_url=llm.url).ask(request_for())
    assert answer.usage.input_tokens == answer.bytes_sent // 4 > 0


async def test_missing_key(make, request_for):
    """An unset secret is an error that names it, before anything is sent."""
    with LoopbackLLM(["hi"]) as llm, pytest.raises(ProviderError, match="OTHER_KEY") as caught:
        await make(base_url=llm.url, api_key="${secret:OTHER_KEY}").ask(request_for())
    assert (caught.value.code, llm.requests) == ("no-key", [])


async def test_no_key_at_all(make, request_for):
    """A provider without a key gets no Authorization header."""
    with LoopbackLLM(["hi"]) as llm:
        await make(base_url=llm.url, api_key=None).ask(request_for())
    assert "authorization" not in llm.headers[0]


async def test_a_new_key_is_used_at_once(config_for, request_for, clock, connections):
    """Secrets are looked up at each call."""
    secrets = {"LOOP_KEY": "first-key"}
    with LoopbackLLM(lambda body: "hi") as llm:
        config = config_for(base_url=llm.url)
        provider = make_provider(config, scripts={}, secret=secrets.get, clock=clock, connections=connections)
        await provider.ask(request_for())
        secrets["LOOP_KEY"] = "second-key"
        await provider.ask(request_for())
    assert [headers["authorization"] for headers in llm.headers] == ["Bearer first-key", "Bearer second-key"]


async def test_references_in_headers_and_address(make, request_for):
    """Headers and the address may hold secrets too."""
    with LoopbackLLM(["hi"]) as llm:
        await make(base_url=llm.url + "/${secret:LOOP_KEY}", headers={"X-K": "${secret:LOOP_KEY}"}).ask(request_for())
    assert (llm.headers[0]["x-k"], llm.paths) == (KEY, [f"/v1/{KEY}/chat/completions"])


@pytest.mark.parametrize("echo", [f"wrong key {KEY}!", f"wrong key {KEY[:8]}***", "no c2stY2FuYXJ5LTEyMzQ1Njc4OQ=="])
async def test_errors_hold_no_key(make, request_for, caplog, echo):
    """A key that a provider echoes, whole, in part or encoded, is in no error and no log."""
    caplog.set_level(logging.DEBUG)
    with LoopbackLLM([Canned(401, echo)]) as llm, pytest.raises(ProviderError) as caught:
        await make(base_url=llm.url).ask(request_for())
    everything = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert (KEY[:8] in everything, "c2stY2Fu" in everything, "***" in str(caught.value)) == (False, False, True)


async def test_a_key_with_a_line_break_is_not_shown(config_for, request_for, clock, connections):
    """A key that HTTP cannot carry is refused without being repeated."""
    config = config_for(base_url="http://127.0.0.1:9")
    provider = make_provider(config, scripts={}, secret=lambda name: KEY + "\n", clock=clock, connections=connections)
    with pytest.raises(ProviderError, match="Authorization") as caught:
        await provider.ask(request_for())
    assert KEY[:8] not in f"{caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"


async def test_control_characters_of_a_provider_are_not_repeated(make, request_for):
    """What a provider says about an error cannot forge log lines or drive a terminal."""
    with LoopbackLLM([Canned(500, "boom\r\n\x1b[31mok\x00")]) as llm, pytest.raises(ProviderError) as caught:
        await make(base_url=llm.url).ask(request_for())
    assert str(caught.value).isprintable()


class Failing:
    """Raises the given errors in turn, then answers."""

    def __init__(self, *codes, retry_after=None):
        self.left = list(codes)
        self.asked = 0
        self.retry_after = retry_after

    async def ask(self, request):
        self.asked += 1
        if self.left:
            raise ProviderError("down", code=self.left.pop(0), retry_after=self.retry_after)
        return "answer"


async def retried(provider, clock, attempts=3):
    """Ask with the backoff above."""
    return await ask_with_retry(provider, None, Retry(attempts, BACKOFF), clock, random.Random(7))


async def test_retry_until_it_answers(clock):
    """A passing failure is waited out, longer each time."""
    assert await retried(Failing("server", "timeout"), clock) == "answer"
    assert (0.5 <= clock.slept[0] <= 1.0, 1.0 <= clock.slept[1] <= 2.0) == (True, True)


async def test_retry_gives_up(clock):
    """After the last try the last error is raised and says how many tries were made."""
    provider = Failing("server", "server", "rate", "server")
    with pytest.raises(ProviderError, match="3 tries") as caught:
        await retried(provider, clock)
    assert (caught.value.code, caught.value.tries, provider.asked, len(clock.slept)) == ("rate", 3, 3, 2)


async def test_no_retry_of_a_lasting_failure(clock):
    """An error that no new try can cure is raised at once."""
    provider = Failing("auth")
    with pytest.raises(ProviderError, match="1 try"):
        await retried(provider, clock)
    assert (provider.asked, clock.slept) == (1, [])


@pytest.mark.parametrize(("asked", "least", "most"), [(7.0, 7.0, 7.7), (1e9, 60.0, 66.0), (0.0, 0.5, 1.0)])
async def test_retry_after(clock, asked, least, most):
    """The time a provider asks for is waited, a minute at most, with some jitter."""
    await retried(Failing("rate", retry_after=asked), clock)
    assert least <= clock.slept[0] <= most


def test_waits_spread():
    """Jobs that were refused together do not come back together."""
    waits = {wait_before(1, BACKOFF, 30.0, random.Random(seed)) for seed in range(20)}
    assert len(waits) == 20


def test_backoff_is_bounded():
    """However many tries, a wait stays within the backoff's maximum."""
    assert wait_before(5000, BACKOFF, None, random.Random(1)) <= 8.0
