"""A small project with a store, a ledger and a fleet, made in a scratch folder as a worker makes them.

Agent `looper` answers each turn with one statement that calls one read tool, and exits at its last turn.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from statek.base.clock import SystemClock
from statek.base.mark import Mark, mark_path
from statek.base.preimage import PreImage
from statek.compiler.project import compile_project
from statek.ledger import inbox, releases
from statek.ledger.file import LedgerFile
from statek.runtime.fleet import Fleet
from statek.sandbox.bounds import WATCHDOG
from statek.store.checkpoint import Checkpoint
from statek.store.session import Store

CODE = "found = look(n=41)"
SAID = f"I look.\n\n```python\n{CODE}\n```"
LAST = "That was all.\n\n```python\nexit(found)\n```"
ROOT = Path(__file__).parent.parent

_AGENT = """\
---
description: Looks, again and again.
model: fast
tools: [bench/*]
limits: {{turns: {most}, tokens: 90M, wall_clock: 1h, tool_calls: {most}}}
---
You look. Your tools:

{{{{ tools }}}}
"""
_REST = """\
apiVersion: statek/v1
kind: ToolSet
metadata: {{name: bench}}
spec:
  tools:
    - {{python: "benchmarks.tools:look", effect: read}}
---
apiVersion: statek/v1
kind: Provider
metadata: {{name: fast}}
spec: {provider}
---
apiVersion: statek/v1
kind: Model
metadata: {{name: fast}}
spec: {{provider: fast, id: looper}}
---
apiVersion: statek/v1
kind: Script
metadata: {{name: looper}}
spec:
  rules:
    - when: {{turn: {turns}}}
      reply: {{text: That was all., code: exit(found)}}
    - reply: {{text: I look., code: found = look(n=41)}}
"""


class Rig:
    """An open store and ledger, and the fleet on them."""

    def __init__(self, folder: Path, *, guarded: bool = True) -> None:
        """Open what is in `folder`."""
        self.folder = folder
        self._loop = asyncio.new_event_loop()  # one for all rounds: connections and events belong to it
        self.ledger = LedgerFile.create(folder / "ledger.sqlite")
        self.store = Store.open(folder, self.ledger.store_id)
        file = folder / "statek.db0"
        mark = Mark(mark_path(file))
        preimage = PreImage(file, self.ledger.store_id) if guarded and PreImage.layout_is_known(file) else None
        WATCHDOG.install()
        self.fleet = Fleet(
            store=self.store, ledger=self.ledger, clock=SystemClock(), secret=lambda _name: None, watchdog=WATCHDOG,
            checkpoint=Checkpoint(self.store, mark=mark, preimage=preimage).commit, mark=mark,
        )  # fmt: skip

    def apply(self, project: Path) -> None:
        """Make what `project` says the release in use."""
        objects = {
            f"{o.kind}/{o.name}": releases.StoredObject(
                kind=o.kind, name=o.name, revision=o.revision, text=o.text, file=o.file, line=o.line, owner=""
            )
            for o in compiled(project)
        }
        release = releases.Release(id=releases.release_id("dev", objects), env="dev", objects=objects)
        releases.stage(self.ledger, release)
        releases.move_head(self.ledger, base=None, target=release.id, reason="benchmark", at_us=1)

    def submit(self, agent: str, ids: Sequence[str]) -> None:
        """Start jobs without inputs."""
        inbox.append(self.ledger, [inbox.NewEntry(name, "submit", agent, {"inputs": {}}, 1) for name in ids])

    def work(self) -> None:
        """Until nothing is left to do. Raises RuntimeError when a job failed: the figures would be worth nothing."""
        self._loop.run_until_complete(self.fleet.run(asyncio.Event(), until_idle=True))
        if self.fleet.tally.failed:
            raise RuntimeError(f"jobs of the benchmark failed: {self.fleet.tally.failures[-3:]}")

    def run_jobs(self, agent: str, ids: Sequence[str]) -> None:
        """Submit and work off. Raises RuntimeError when fewer ended than were submitted."""
        before = self.fleet.tally.ended
        self.submit(agent, ids)
        self.work()
        if self.fleet.tally.ended - before != len(ids):
            raise RuntimeError(f"{self.fleet.tally.ended - before} of {len(ids)} jobs ended")

    def close(self) -> None:
        """Close both files and the loop."""
        self._loop.close()
        self.store.close()
        self.ledger.close()


def compiled(project: Path) -> Sequence[Any]:
    """Objects of a project. Raises RuntimeError with its first problem."""
    compilation = compile_project(project)
    if not compilation.ok:
        raise RuntimeError(f"the benchmark's own project does not compile: {compilation.problems[0]}")
    return compilation.objects


def write_project(folder: Path, *, turns: int, provider: str = "{driver: scripted}") -> Path:
    """Files of the small project; jobs exit at turn `turns`."""
    files = {
        "pyproject.toml": f'[tool.statek]\nproject = "bench"\npython_path = ["{ROOT}"]\n',
        "agents/looper.md": _AGENT.format(most=turns + 1),
        "agents/rest.yaml": _REST.format(turns=turns, provider=provider),
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def looping(*, turns: int, provider: str = "{driver: scripted}") -> Iterator[Rig]:
    """A rig whose agent `looper` exits at turn `turns`."""
    with scratch() as folder:
        project = write_project(folder / "project", turns=turns, provider=provider)
        rig = Rig(folder)
        try:
            rig.apply(project)
            rig.fleet.recover()
            rig.work()
            yield rig
        finally:
            rig.close()
