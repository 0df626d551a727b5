"""A planted key is shown nowhere, whichever way it got into a job."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statek.base.log_files import LineFormatter
from statek.base.redaction import SECRETS, Redactor, redact
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.ledger.releases import Release, StoredObject
from statek.settings import LLM_API_Settings, StatekSettings, fill_references
from statek.testing import LocalFleet, answer, declare_agent, open_fleet
from statek.worker import api
from statek.worker.answers import Answers
from statek.worker.metrics import as_text
from statek.worker.redaction import learn_declared

KEY = "p1anted-Key-0123456789"


def leak(text: str) -> str:
    """Fail with what it was given.

    Args:
        text: any.
    """
    raise RuntimeError(f"401 from the intranet, sent token={KEY} and {text}")


@pytest.fixture
def known() -> None:
    """The process has resolved the key."""
    assert fill_references("${secret:INTRANET}", {"INTRANET": KEY}.get) == KEY


@pytest.fixture
def fleet(tmp_path: Path, known: None) -> Iterator[LocalFleet]:
    """A clerk whose prompt, console, tool and error hold the key."""
    clerk = declare_agent("clerk", prompt=f"Use {KEY} for the intranet.", tools=[leak])
    rules = [answer(f"print('key', '{KEY}')\nk = '{KEY}'", turn=1), answer("leak('x')", turn=2)]
    with open_fleet(tmp_path, agents=[clerk], answers=[*rules, answer(error=f"bad key {KEY}")]) as found:
        found.submit("clerk")
        found.run()
        yield found


def rendered(data: Any) -> str:
    """As the control socket says it."""
    return api.Json(data).body.decode()


def test_no_answer_about_a_job_shows_it(fleet: LocalFleet) -> None:
    """Prompt, console, names, tool error and failure say ***; the store keeps what was said."""
    answers = Answers(fleet.store, fleet.ledger, fleet.fleet)
    shown = [answers.job("clerk/1", values=True), answers.follow("clerk/1", ""), answers.status()]
    shown += [answers.log("clerk/1"), answers.jobs(agent=None, status=None, everything=True, limit=9)]
    assert KEY in json.dumps(shown)
    assert KEY[:8] not in "".join(map(rendered, shown))
    assert "key ***" in rendered(shown[1])
    assert "Use *** for the intranet." in rendered(shown[0])


def test_neither_metrics_nor_logs_show_it(known: None) -> None:
    """A label or a message with the key is blotted out."""
    record = logging.LogRecord("statek", logging.ERROR, "f", 1, "asked with %s", (KEY,), None)
    assert KEY not in LineFormatter().format(record)
    assert KEY not in SECRETS.text(as_text({"queued": {KEY: 1}, "release": "r"}))


def test_keys_of_settings_are_known_at_once() -> None:
    """Those of providers, and variables whose names say what they are; other variables are ordinary words."""
    StatekSettings(llm_api_settings={"OTHER": LLM_API_Settings(api_url="http://x", api_key="0ther-provider-key")})
    assert SECRETS.text("0ther-provider-key") == "***"


def test_a_variable_is_a_secret_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """DB_PASSWORD is hidden, the name of a region is not."""
    monkeypatch.setenv("DB_PASSWORD", "c0rrect-horse")
    monkeypatch.setenv("REGION_NAME", "north-west-3")
    assert fill_references("${env:DB_PASSWORD} ${env:REGION_NAME}", StatekSettings().secret)
    assert SECRETS.text("c0rrect-horse north-west-3") == "*** north-west-3"


def test_a_secret_that_only_a_release_names_is_hidden(ledger: LedgerFile) -> None:
    """A process that has resolved nothing yet knows what the releases refer to."""
    text = json.dumps({"headers": {"X": "${secret:ELSEWHERE}"}})
    entry = StoredObject("Provider", "p", "p@1", text, "f", 1, "agents/p.yaml")
    objects = {"Provider/p": entry}
    releases.stage(ledger, Release(releases.release_id("dev", objects), "dev", objects))
    learn_declared(ledger, {"ELSEWHERE": "e1sewhere-value"}.get)
    assert SECRETS.text("e1sewhere-value") == "***"


@pytest.mark.parametrize(
    "text",
    [
        f"x{KEY}y", KEY[:12], "cDFhbnRlZC1LZXktMDEyMzQ1Njc4OQ==", f"https://h/?k={KEY}&b=1", f'{{"k": "{KEY}"}}',
        f"{KEY}\n{KEY}",
    ],
)  # fmt: skip
def test_forms_of_a_known_secret(text: str) -> None:
    """Whole, in part, in base64, in a URL, in JSON, twice."""
    redactor = Redactor()
    redactor.learn(KEY)
    found = redactor.text(text)
    assert "***" in found
    assert KEY[:8] not in found


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef0123456789", "sk-or-v1-abcdefghijklmnop", "ghp_abcdefghijklmnopqrstuvwxyz",
        "AKIAABCDEFGHIJKLMNOP", "xoxb-123456789012-abc", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abc.c2lnbmF0dXJl",
    ],
)  # fmt: skip
def test_usual_keys_are_hidden_although_nobody_told(text: str) -> None:
    """By their form."""
    assert "***" in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    ["a bearer of news", "Basic understanding required", "task-2026-quarterly-report", "sk-learn", "job desk-1/2", ""],
)
def test_ordinary_words_stay(text: str) -> None:
    """What only looks a little like a key is shown."""
    assert Redactor().text(text) == text


def test_an_address_is_hidden_whole_and_not_its_beginning() -> None:
    """postgres:// is an ordinary word."""
    redactor = Redactor()
    redactor.learn("postgres://user:pw@host/db")
    assert redactor.text("postgres://other/db and postgres://user:pw@host/db") == "postgres://other/db and ***"


def test_short_values_are_no_secrets() -> None:
    """Hiding them would blot out ordinary words."""
    redactor = Redactor()
    redactor.learn("abc")
    redactor.learn(None)
    assert redactor.text("abc") == redact("abc", ["abc"]) == "abc"


def test_data_is_gone_through_whole_and_stays_as_it_was() -> None:
    """Values and names of fields, at any depth; the original is not changed."""
    redactor = Redactor()
    redactor.learn(KEY)
    data = {"a": [{KEY: (KEY, 1, None, True)}]}
    assert redactor.data(data) == {"a": [{"***": ["***", 1, None, True]}]}
    assert KEY in data["a"][0]
