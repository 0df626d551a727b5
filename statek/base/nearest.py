"""Did you mean: the known name that is closest to one that is not known. One rule for every message of the kit."""

from collections.abc import Iterable

_LONGEST = 200  # characters of a word that are compared


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name of `known` closest to `word`, or None when none is close."""
    names = sorted(set(known))
    folded = {name.casefold(): name for name in reversed(names)}
    if word.casefold() in folded:
        return folded[word.casefold()]
    import difflib  # only mistakes need it

    found = difflib.get_close_matches(word[:_LONGEST].casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest name; empty when none is close."""
    found = nearest(word, known)
    return f"did you mean '{found}'?" if found is not None else ""


def did_you_mean(word: str, known: Iterable[str], *, also: str = "known") -> str:
    """The end of a message: the nearest name, else what is known; starts with `; `."""
    names = sorted(set(known))
    close = suggestion(word, names)
    if close:
        return f"; {close}"
    if not names:
        return f"; {also}: none"
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"; {also}: {listed}"
