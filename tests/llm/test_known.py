"""Built-in provider names."""

from types import SimpleNamespace

import pytest

from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.llm.known import KNOWN, needs_no_document
from statek.llm.undeclared import credentials_for, known_provider


def api(url="", key=""):
    """Credentials as the settings have them."""
    return SimpleNamespace(api_url=url, api_key=key)


@pytest.mark.parametrize(
    ("name", "driver", "base_url"),
    [
        ("openrouter", "openai", "https://openrouter.ai/api/v1"),
        ("OpenAI", "openai", "https://api.openai.com/v1"),
        ("claudeai", "anthropic", "https://api.anthropic.com/v1"),
        ("anthropic", "anthropic", "https://api.anthropic.com/v1"),
        ("google", "gemini", "https://generativelanguage.googleapis.com/v1beta"),
        ("together-ai", "openai", "https://api.together.xyz/v1"),
    ],
)
def test_defaults(name, driver, base_url):
    """A built-in name has a driver, an address, and a key under its own variable."""
    provider = known_provider(name, None)
    variable = name.upper().replace("-", "_")
    assert (provider.driver, provider.base_url, provider.api_key) == (
        driver,
        base_url,
        f"${{secret:{variable}_API_KEY}}",
    )


@pytest.mark.parametrize(
    ("name", "needs_none"), [("anthropic", True), ("Anthropic", True), ("bedrock", False), ("nobody", False)]
)
def test_a_provider_with_one_address_needs_no_document(name, needs_none):
    """Those whose every account has its own address, and unknown ones, need a Provider document."""
    assert needs_no_document(name) is needs_none


def test_given_credentials_win():
    """Address and key of the settings are used."""
    provider = known_provider("openrouter", api("http://127.0.0.1:1/v1", "abc"))
    assert (provider.base_url, provider.api_key) == ("http://127.0.0.1:1/v1", "abc")


@pytest.mark.parametrize("name", ["openrouter", "OpenRouter", "OPENROUTER"])
def test_credentials_in_any_letter_case(name):
    """A model string's provider finds the credentials that the environment spells in capitals."""
    mine = api("u", "k")
    assert credentials_for(name, {"OPENAI": api(), "OPENROUTER": mine}) is mine


def test_key_does_not_show():
    """A configuration's repr shows no key."""
    assert "abcdefgh" not in repr(
        [known_provider(name, api("https://x.test", "abcdefgh")) for name in ("openai", "vertexai")]
    )


def test_a_local_service_needs_no_key():
    """Services on this machine work without a key."""
    assert known_provider("ollama", None).api_key is None


def test_an_unknown_name_with_an_address_is_openai_style():
    """Any name with an address in the settings is taken for an OpenAI-style endpoint."""
    assert known_provider("acme", api("https://llm.acme.test", "k")).driver == "openai"


@pytest.mark.parametrize("name", ["acme", "azure_openai"])
def test_no_address(name):
    """A name without an address is an error that says which variable to set."""
    with pytest.raises(StatekError) as caught:
        known_provider(name, None)
    assert f"{name.upper()}_API_URL" in caught.value.hint


def test_every_documented_name_is_there():
    """All documented names and aliases are known."""
    assert len(KNOWN) == 61 + 8 + 1  # OpenAI-style ones, others, and gemini


def test_it_is_a_whole_configuration():
    """A known provider survives being written down."""
    provider = known_provider("openai", None)
    assert compiled.decode("Provider", compiled.encode(provider)) == provider
