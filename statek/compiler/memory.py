"""What one run of the compiler leaves for the next, so that an edit costs what it touches, not what the project has.

Nothing here knows what an edit is. Each phase is asked for everything, as ever, and what it was asked for before it
has at hand:

1. A file that the disk says is the same is not read again, and is the very same object (`spec.reading.known_files`).
2. The documents of the same file, and what is wrong within the same document, are the same objects (`base.kept`).
3. What is found about a spec among others holds as long as the answers to its questions do (`spec.noting`); so do
   what an agent inherits, and the object that it becomes.

So a run gives what a run without a memory gives, and what is left of it for all objects is looking each of them up.
Problems are put in order anew each time.
"""

from typing import TYPE_CHECKING

from statek.base.clock import Clock
from statek.base.kept import Kept
from statek.compiler.openapi import Operations
from statek.compiler.tools import Module
from statek.spec.reading.known_files import KnownFiles
from statek.spec.reading.project import EnvConfig
from statek.spec.reading.snapshot import Snapshots
from statek.spec.types import SpecSet

if TYPE_CHECKING:
    from statek.spec.noting import NotingSpecs


class Memory:
    """Of one project; one thread at a time. With `lasts=False` it is for one run only, and spares itself the notes."""

    def __init__(self, clock: Clock | None = None, *, lasts: bool = True) -> None:
        """Nothing was compiled yet."""
        self.snapshots = Snapshots(clock)
        self.kept = Kept()
        self.modules: KnownFiles[Module] = KnownFiles(clock)
        self.apis: KnownFiles[Operations] = KnownFiles(clock)
        self._lasts = lasts
        self._sets: dict[str, NotingSpecs] = {}
        self._env: EnvConfig | None = None

    def begin(self) -> None:
        """A run begins; the snapshot is taken."""
        for part in (self.kept, self.modules, self.apis):
            part.begin()

    def of_stage(self, stage: str, specs: SpecSet) -> SpecSet:
        """The same set, which knows what was found about the one of the last run that came to this stage."""
        if not self._lasts:
            return specs
        from statek.spec.noting import NotingSpecs  # a single run does without it

        plain = specs.plain if isinstance(specs, NotingSpecs) else specs
        found = self._sets[stage] = NotingSpecs(plain, self._sets.get(stage))
        return found

    def the_same(self, env: EnvConfig) -> EnvConfig:
        """The equal one of the run before: thousands of results are found by it, and by identity that is quick."""
        if env != self._env:
            self._env = env
        return self._env
