"""What a campaign counts: kills by kind, places, damages, recoveries, what operators did, and everything wrong."""

from collections import Counter
from dataclasses import dataclass, field

RECOVERIES = {
    "by pre-image": "the state before was put back",
    "from a copy": "a copy that ends at record",
    "from the ledger alone": "is rebuilt from the ledger",
    "with the same file": "starting it again",
}
"""Words by which a recovery is known."""


@dataclass
class Figures:
    """What happened and what was found; `wrong` has to be empty."""

    kills: Counter[str] = field(default_factory=Counter)
    damaged: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def are_good(self) -> bool:
        """Whether nothing went wrong."""
        return not self.wrong

    def add(self, other: "Figures") -> None:
        """Count those of another run too."""
        for name in ("kills", "damaged", "recovered", "done", "found"):
            getattr(self, name).update(getattr(other, name))
        self.differing += other.differing
        self.wrong += other.wrong

    def heard(self, said: str) -> None:
        """Count the recoveries that a worker or command told of."""
        for name, words in RECOVERIES.items():
            self.recovered[name] += said.count(words)

    def __str__(self) -> str:
        damaged = sum(count for name, count in self.damaged.items() if not name.startswith("copies"))
        rows = {
            "kills": f"{self.kills.total()} ({listed(self.kills)})",
            "damaged files": f"{damaged} ({listed(self.damaged)})",
            "recovered": listed(self.recovered), "operations": listed(self.done), "at the end": listed(self.found),
            "replays that differed": str(self.differing),
            "WRONG": "\n".join([str(len(self.wrong)), *self.wrong[:60]]),
        }  # fmt: skip
        return "\n".join(f"{name:22}{value}" for name, value in rows.items())


def listed(counted: Counter[str]) -> str:
    """`2 apples, 1 pear`."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()) if count) or "none"
