"""Telling the loops of this process that its own code has put something into the store: a message, an event, a job.

Whoever writes tells; a running fleet listens, looks at once, and so never has to look often. What is told may be told
from any thread, and twice. Nothing is lost when nobody listens: what was written stands in the store. Other processes
are not reached by this; they poke a worker's socket.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[], None]] = []


@contextmanager
def listening(listener: Callable[[], None]) -> Iterator[None]:
    """Call `listener` inside whenever something is told; from the thread that tells it, so it must not wait."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell() -> None:
    """Something was put into the store."""
    for listener in tuple(_listeners):  # another thread may end listening meanwhile
        listener()
