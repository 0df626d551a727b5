"""What a job holds in place of a durable object. Data, nothing else.

The code of a job never has an object of the store in its hands: it has a reference, whose class (in the runtime)
records every read and write. References are what `keep` writes by position; what is stored beside the bytes is `raw`.
"""

from typing import Any

from statek.exceptions import StoreError
from statek.sandbox import kinds


class Reference:
    """A durable object as the code of one job holds it; while the job has it, the same object gives the same one.

    Attributes:
        raw: the object itself.
        origin: where it entered the job, from which its number is made.
        known_number: that number, once it was asked for.
    """

    __slots__ = ("__weakref__", "known_number", "origin", "raw")

    def __init_subclass__(cls) -> None:
        """Tell the guards, so that they need not ask what it is."""
        kinds.STAND_INS.add(cls)

    def __init__(self, raw: Any, origin: tuple[Any, ...] = (), known_number: int | None = None) -> None:
        """Stand for `raw`."""
        self.raw = raw
        self.origin = origin
        self.known_number = known_number

    @property
    def stored(self) -> Any:
        """What is stored in its place: the object, or the text of its address."""
        return self.raw

    def __reduce_ex__(self, _protocol: Any) -> Any:
        """Refuse to be copied or pickled past `keep`."""
        raise TypeError(f"a stored {self.__class__.__name__} cannot be copied; copy the values that are needed")


class Elsewhere(Reference):
    """An object of another prefix that cannot be had now; it says so when it is used."""

    __slots__ = ("_error", "address")

    def __init__(self, address: str, error: StoreError) -> None:
        """Stand for what `address` names; `error` says why it is not there."""
        self.address, self._error = address, error
        self.origin, self.known_number = ("elsewhere", address), None

    @property
    def raw(self) -> Any:
        """Nothing: raises StoreError."""
        raise self.error()

    @property
    def stored(self) -> str:
        """Its address."""
        return self.address

    def error(self) -> StoreError:
        """Give the error of using it."""
        return StoreError(str(self._error), hint=self._error.hint)

    def __llm_repr__(self) -> str:
        """What a console shows of it."""
        return repr(self)

    def __repr__(self) -> str:
        return f"<{self._error}>"
