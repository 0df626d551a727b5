"""Languages and countries of jobs: what `EN-US` means, and what a model is told because of it.

Texts only; a job's definition keeps the locale as such a text. The rule stands behind its system prompt, the hint
behind each message of its user. The country says nothing to a model; it is there for the application.
"""

import functools
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from statek.base.nearest import suggestion

LANGUAGES = {
    "AR": "Arabic", "BG": "Bulgarian", "CS": "Czech", "DA": "Danish", "DE": "German", "EL": "Greek", "EN": "English",
    "ES": "Spanish", "ET": "Estonian", "FI": "Finnish", "FR": "French", "HE": "Hebrew", "HI": "Hindi",
    "HR": "Croatian", "HU": "Hungarian", "IT": "Italian", "JA": "Japanese", "KO": "Korean", "LT": "Lithuanian",
    "LV": "Latvian", "NL": "Dutch", "NO": "Norwegian", "PL": "Polish", "PT": "Portuguese", "RO": "Romanian",
    "RU": "Russian", "SK": "Slovak", "SL": "Slovenian", "SR": "Serbian", "SV": "Swedish", "TH": "Thai",
    "TR": "Turkish", "UK": "Ukrainian", "VI": "Vietnamese", "ZH": "Chinese",
}  # fmt: skip
COUNTRIES = (
    "AE AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EE EG ES FI FR GB GR HR HU ID IE IL IN IT JP KR LT LV MX MY NL NO "
    "NZ PH PL PT RO RS RU SA SE SG SI SK TH TR UA US VN ZA"
)
StatekLangCode = StrEnum("StatekLangCode", [(code, code) for code in LANGUAGES])  # type: ignore[misc]
StatekCountryCode = StrEnum("StatekCountryCode", [(code, code) for code in COUNTRIES.split()])  # type: ignore[misc]


class StatekLocale(str):
    """A language and a country as a text such as `EN-US`; the country may be left out."""

    __slots__ = ()

    def __new__(cls, lang_code: Any, country_code: Any = None) -> Self:
        """Raises ValueError for a code that is not known."""
        language = _known(str(lang_code), StatekLangCode, "language")
        country = "" if country_code is None else f"-{_known(str(country_code), StatekCountryCode, 'country')}"
        return super().__new__(cls, f"{language}{country}")

    def __getnewargs__(self) -> tuple[str, str | None]:  # type: ignore[override]
        return str(self.lang_code), None if self.country_code is None else str(self.country_code)

    @property
    def lang_code(self) -> StatekLangCode:
        """The language."""
        return StatekLangCode(self.partition("-")[0])

    @property
    def country_code(self) -> StatekCountryCode | None:
        """The country, or None."""
        country = self.partition("-")[2]
        return StatekCountryCode(country) if country else None


@functools.lru_cache(256)
def resolve_locale(locale: str) -> StatekLocale:
    """The locale that a text such as `EN-US`, `en_us` or `en` names. Raises ValueError for any other."""
    language, _, country = str(locale).strip().replace("_", "-").partition("-")
    try:
        return StatekLocale(language, country or None)
    except ValueError as error:
        raise ValueError(f"locale {locale!r}: {error}; expected LANG-COUNTRY, such as EN-US") from error


def get_language_rule(code: Any) -> str | None:
    """What the system prompt of a job of that language says of it; None for a language that is not known."""
    language = LANGUAGES.get(str(code).upper())
    if language is None:
        return None
    return (
        f"Your responses to the user are exclusively in {language}, whatever language messages, tools and data use. "
        f"Names of tools and parameters, and data, are translated to {language} before the user sees them."
    )


def get_language_hint(code: Any) -> str | None:
    """The same in short, to stand behind a message of the user; None for a language that is not known."""
    language = LANGUAGES.get(str(code).upper())
    return None if language is None else f"Respond in {language}."


def rule_of(locale: str | None, metadata: Mapping[str, Any]) -> str | None:
    """The rule for the locale of a definition; None without one that is known, or where `AUTO_LANG_RULE` is FALSE."""
    return get_language_rule(_language(locale)) if locale and not _is_off(metadata, "AUTO_LANG_RULE") else None


def hint_of(locale: str | None, metadata: Mapping[str, Any]) -> str | None:
    """The hint for the locale of a definition; None without one that is known, or where `AUTO_LANG_HINT` is FALSE."""
    return get_language_hint(_language(locale)) if locale and not _is_off(metadata, "AUTO_LANG_HINT") else None


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0]


def _is_off(metadata: Mapping[str, Any], key: str) -> bool:
    return str(metadata.get(key, "")).upper() == "FALSE"


def _known(code: str, codes: type[StrEnum], what: str) -> str:
    if code.upper() in codes.__members__:
        return code.upper()
    hint = suggestion(code.upper(), list(codes.__members__))
    raise ValueError(f"there is no {what} {code!r}{': ' + hint if hint else ''}")
