"""Did you mean: the known name that is closest to one that is not known."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name of `known` closest to `word`, or None when none is close."""
    names = sorted(set(known))
    folded = {name.casefold(): name for name in reversed(names)}
    if word.casefold() in folded:
        return folded[word.casefold()]
    found = difflib.get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], *, also: str = "known") -> str:
    """The end of a message: the nearest name, else what is known; starts with `; ` or is empty."""
    names = sorted(set(known))
    found = nearest(word, names)
    if found is not None:
        return f"; did you mean '{found}'?"
    if not names:
        return f"; {also}: none"
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"; {also}: {listed}"
