"""Documented path of locales."""

from statek.text.locale import (
    StatekCountryCode,
    StatekLangCode,
    StatekLocale,
    get_language_hint,
    get_language_rule,
    resolve_locale,
)

__all__ = [
    "StatekCountryCode",
    "StatekLangCode",
    "StatekLocale",
    "get_language_hint",
    "get_language_rule",
    "resolve_locale",
]
