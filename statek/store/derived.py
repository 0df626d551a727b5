"""Stored classes that applications derive from: a derived class without `@db0.memo` of its own is refused.

dbzero ends the process when an object of one is made, before any constructor runs.
"""

from typing import Any, Self


class Derived:
    """Base of such a class. dbzero makes objects of decorated classes by itself, so `__new__` is met by others only."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse. Raises TypeError."""
        stored = next(kind.__name__ for kind in cls.__mro__[1:] if kind.__module__.startswith("statek."))
        raise TypeError(
            f"{cls.__module__}.{cls.__qualname__} derives from {stored}, which is stored: put @db0.memo above"
        )
