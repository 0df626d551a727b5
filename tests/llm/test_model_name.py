"""The grammar of model strings."""

import pytest

from statek.llm.model_name import (
    ModelName,
    ensure_model_name,
    format_model_for_provider,
    parse_model_name,
    request_params,
    select_model_provider,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("gpt-5", (None, None, "gpt-5", None)),
        ("openai/gpt-5-mini", (None, "openai", "gpt-5-mini", None)),
        ("openrouter/openai/gpt-5-mini", ("openrouter", "openai", "gpt-5-mini", None)),
        (" openrouter / openai / gpt-5 ", ("openrouter", "openai", "gpt-5", None)),
        ("openai//gpt-5", ("openai", None, "gpt-5", None)),
        ("together//meta-llama/Llama-3", ("together", None, "meta-llama/Llama-3", None)),
        ("openrouter/openai/gpt-5/rl=50", ("openrouter", "openai", "gpt-5", {"rl": "50"})),
        ("openai/gpt-5?rl=50&x=1", (None, "openai", "gpt-5", {"rl": "50", "x": "1"})),
        ("vendor/model:free", (None, "vendor", "model:free", None)),
        ("a=b", (None, None, "a=b", None)),
    ],
)
def test_parse(text, parts):
    """Each documented form is read as documented."""
    assert parse_model_name(text) == ModelName(*parts)


@pytest.mark.parametrize("text", [None, "", "  ", "openai/gpt-5/rl=50&", "openai/gpt-5?", "openai/gpt-5?rl"])
def test_parse_refuses(text):
    """No text and malformed parameters are errors."""
    with pytest.raises(ValueError, match="expected"):
        parse_model_name(text)


def test_documented_name_of_the_family():
    """The family has its documented name too."""
    assert parse_model_name("openai/gpt-5").model_family == "openai"


@pytest.mark.parametrize(
    ("value", "provider"),
    [("OpenRouter/openai/gpt-5", "OpenRouter"), ("openai/gpt-5", "dflt"), ("gpt-5", "dflt"), (None, "dflt")],
)
def test_select_provider(value, provider):
    """The provider in the string wins, in its letter case; else the default."""
    assert select_model_provider(value, default_provider="dflt") == provider


@pytest.mark.parametrize(
    ("value", "provider", "sent"),
    [
        ("openrouter/openai/gpt-5", "OPENROUTER", "openai/gpt-5"),
        ("together/meta-llama/Llama-3", "together", "meta-llama/Llama-3"),
        ("openai/openai/gpt-5", "openai", "gpt-5"),
        ("claudeai//claude-haiku", "claudeai", "claude-haiku"),
        ("proxy/openai/gpt-5", "proxy", "openai/gpt-5"),
        ("gpt-5", "openrouter", "gpt-5"),
    ],
)
def test_format(value, provider, sent):
    """A service of many makers gets the family, one of its own models does not."""
    assert format_model_for_provider(value, provider) == sent


def test_format_without_a_model():
    """A string that names no model cannot be sent."""
    with pytest.raises(ValueError, match="names no model"):
        format_model_for_provider("openai/", "openai")


def test_ensure_fills_the_family_in():
    """A given family stands in for a missing one only."""
    assert ensure_model_name("gpt-5", model_family="openai").family == "openai"
    assert ensure_model_name("a/gpt-5", model_family="openai").family == "a"


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("m", {}),
        ("p/f/m/rl=50", {"reasoning": 50}),
        ("m?reasoning_level=0&rl=0", {"reasoning": 0}),
        ("m?rl=100&temperature=0.5&seed=7", {"reasoning": 100, "temperature": 0.5, "seed": 7}),
        ("m?other=x", {"other": "x"}),
    ],
)
def test_parameters_of_a_request(text, params):
    """A level of reasoning has the request's name, and numbers are numbers."""
    assert request_params(parse_model_name(text)) == params


@pytest.mark.parametrize("query", ["rl=101", "rl=-1", "rl=07", "rl=", "rl=low", "rl=1&reasoning_level=2", "seed=x"])
def test_parameters_that_are_none(query):
    """A level from 0 to 100, said once, and numbers where numbers are wanted."""
    with pytest.raises(ValueError, match="expected"):
        request_params(parse_model_name(f"m?{query}"))
