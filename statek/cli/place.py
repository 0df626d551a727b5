"""Where a command works: the project, its environment, and the ledger of that environment's store."""

from dataclasses import dataclass
from pathlib import Path

from statek.exceptions import LedgerError, NotApplied, StoreError
from statek.ledger import file as ledger_file
from statek.ledger import releases
from statek.ledger.file import LedgerFile
from statek.spec.reading.project import load_project
from statek.worker.places import store_file
from statek.worker.restore import require_whole_restore


@dataclass(frozen=True)
class Place:
    """A project in one environment. `store` is the folder that holds store, ledger and the worker's lock."""

    root: Path
    env: str
    store: Path
    python_path: tuple[Path, ...]

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.store / ledger_file.NAME

    def open_ledger(self) -> LedgerFile:
        """The ledger. Raises NotApplied when there is none yet, LedgerError when it cannot be used or was lost."""
        self._require_pair()
        if not self.ledger.exists():
            raise self.nothing_applied()
        return LedgerFile.open(self.ledger)

    def ledger_if_there(self) -> LedgerFile | None:
        """The ledger, or None before the first apply. Raises LedgerError when it cannot be used or was lost."""
        self._require_pair()
        return LedgerFile.open(self.ledger) if self.ledger.exists() else None

    def make_ledger(self) -> LedgerFile:
        """The ledger, made if there is neither ledger nor store yet. Raises LedgerError, StoreError."""
        self._require_pair()
        try:
            return LedgerFile.create(self.ledger)
        except OSError as error:
            raise StoreError(
                f"the store's folder {self.store} cannot be made: {error.strerror}",
                hint="make it writable, or name another one as `store` in [tool.statek.env.NAME]",
            ) from error

    def _require_pair(self) -> None:
        require_whole_restore(self.store)
        if not self.ledger.exists() and store_file(self.store).exists():
            raise LedgerError(
                f"the store {self.store} is there, but not its ledger {self.ledger}",
                hint="put both back from the same backup; without the ledger nobody knows what was promised",
            )

    def head_release(self, ledger: LedgerFile) -> releases.Release:
        """The applied release. Raises NotApplied when there is none."""
        head = releases.head(ledger)
        if head is None:
            raise self.nothing_applied()
        return releases.read_release(ledger, head.release)

    def nothing_applied(self) -> NotApplied:
        """The error for a command that needs an applied release."""
        return NotApplied(
            f"nothing is applied yet in environment '{self.env}' of {self.root}",
            hint=f"run `statek apply {self.root} --env {self.env}` first",
        )


def locate(path: Path, env: str | None) -> Place:
    """The project that `path` lies in, in `env` or its default one. Raises SpecProblems when there is none."""
    config = load_project(path)
    chosen = config.env(env or config.default_env)
    return Place(config.root, chosen.name, chosen.store, config.python_path)
