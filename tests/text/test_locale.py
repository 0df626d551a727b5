"""Locales: texts that name a language and a country, and the words for a model."""

import pickle
from collections.abc import Callable

import pytest

from statek.locale import (
    StatekCountryCode,
    StatekLangCode,
    StatekLocale,
    get_language_hint,
    get_language_rule,
    resolve_locale,
)
from statek.text.locale import hint_of, rule_of


@pytest.mark.parametrize("text", ["PL-PL", "pl-pl", "pl_PL", " PL-pl "])
def test_language_and_country(text: str) -> None:
    """A locale is named in any case and knows its parts; it is a text itself."""
    locale = resolve_locale(text)
    assert (locale, locale.lang_code, locale.country_code) == ("PL-PL", StatekLangCode.PL, StatekCountryCode.PL)
    assert (resolve_locale(text) is locale, resolve_locale(locale)) == (True, locale)
    assert StatekLocale(StatekLangCode.PL, StatekCountryCode.PL) == locale
    assert pickle.loads(pickle.dumps(locale)) == locale


def test_a_language_alone() -> None:
    """The country may be left out."""
    assert (resolve_locale("en"), resolve_locale("en").country_code) == ("EN", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [("english", "no language 'english'"), ("EN-XX", "no country 'XX'"), ("", "no language ''"), ("EN-", None)],
)
def test_unknown(text: str, said: str | None) -> None:
    """What names no locale is refused with what was expected."""
    if said is None:
        assert resolve_locale(text) == "EN"
        return
    with pytest.raises(ValueError, match=f"{said}.*expected LANG-COUNTRY, such as EN-US"):
        resolve_locale(text)


def test_words_for_the_model() -> None:
    """Each language has a rule and a hint; what is unknown has none."""
    assert "exclusively in Polish" in str(get_language_rule(StatekLangCode.PL))
    assert "Polish" in str(get_language_hint("pl"))
    assert all(get_language_rule(code) and get_language_hint(code) for code in StatekLangCode)
    assert (get_language_rule("xx"), get_language_hint("xx")) == (None, None)


@pytest.mark.parametrize(("of", "key"), [(rule_of, "AUTO_LANG_RULE"), (hint_of, "AUTO_LANG_HINT")])
def test_what_a_definition_says(of: Callable[..., str | None], key: str) -> None:
    """Without a known locale nothing is told, nor where the metadata says FALSE."""
    assert "Polish" in str(of("PL-PL", {key: "yes"}))
    assert (of(None, {}), of("xx-YY", {}), of("PL-PL", {key: "False"})) == (None, None, None)
