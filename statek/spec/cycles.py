"""Circles in named references. Pure; without recursion, so that long chains do no harm."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K")


def find_cycles(edges: Mapping[str, Sequence[tuple[K, str]]]) -> Iterator[tuple[str, K, str]]:
    """The references that close a circle.

    Args:
        edges: name -> its references, each with a key of the caller and the name it leads to.

    Yields:
        The name that refers, the key of the reference, and the circle in words (`a -> b -> a`).
    """
    done: set[str] = set()
    for start in sorted(edges):
        chain: list[str] = []
        waiting = [(start, iter(edges[start]))] if start not in done else []
        chain.extend(name for name, _ in waiting)
        while waiting:
            name, references = waiting[-1]
            step = next(references, None)
            if step is None:
                waiting.pop()
                done.add(chain.pop())
                continue
            key, target = step
            if target in chain:
                yield name, key, " -> ".join((*chain[chain.index(target) :], target))
            elif target not in done:
                waiting.append((target, iter(edges.get(target, ()))))
                chain.append(target)
