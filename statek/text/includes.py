"""How far the includes of a template reach. Pure: names and edges only, no template is read here.

A chain of partials in which each includes the next one twice doubles the prompt at every link, so depth and number are
bounded before anything is rendered. Called by `template` before it renders and by the compiler for its problems.
"""

from collections.abc import Iterable, Mapping, Sequence

MAX_DEPTH = 20  # partials within each other
MAX_INCLUDES = 1000  # in one prompt, each counted as often as it is written out


def find_excess(first: Iterable[str], edges: Mapping[str, Sequence[str]]) -> str | None:
    """Why these includes are too deep or too many, in words; None when they are not.

    Args:
        first: names that the template itself includes, as often as it does.
        edges: name of a partial -> names that it includes. Names that are missing, and circles, are left out.
    """
    sizes = _Sizes(edges)
    height, count = sizes.of(first, ())
    if height > MAX_DEPTH:
        return f"partials include each other more than {MAX_DEPTH} deep"
    if count > MAX_INCLUDES:
        return f"{count} includes, each counted as often as it is written out; at most {MAX_INCLUDES} are allowed"
    return None


class _Sizes:
    """Height and number of includes below each partial, computed once."""

    def __init__(self, edges: Mapping[str, Sequence[str]]) -> None:
        self.edges = edges
        self.known: dict[str, tuple[int, int]] = {}

    def of(self, names: Iterable[str], chain: tuple[str, ...]) -> tuple[int, int]:
        """Height and number of these includes, reached through `chain`."""
        height = count = 0
        for name in names:
            if name in chain or name not in self.edges:
                continue
            if len(chain) >= MAX_DEPTH:
                return MAX_DEPTH + 1, count
            if name not in self.known:
                self.known[name] = self.of(self.edges[name], (*chain, name))
            below, more = self.known[name]
            height, count = max(height, below + 1), count + more + 1
        return height, count
