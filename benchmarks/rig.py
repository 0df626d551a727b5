"""A small project with a store, a ledger and a fleet, made in a scratch folder as a worker makes them.

Agent `looper` answers each turn with one statement that calls one read tool, and exits at its last turn.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from statek.base.clock import SystemClock
from statek.base.mark import Mark, mark_path
from statek.base.preimage import PreImage
from statek.compiler.project import compile_project
from statek.ledger import inbox, releases
from statek.ledger.file import LedgerFile
from statek.llm.messages import Answer, Request
from statek.runtime.fleet import Fleet
from statek.runtime.turn import Ask
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
    - {{python: "benchmarks.tools:never", effect: write}}
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
    - when: {{agent: sleeper}}
      reply: {{text: I wait., code: print(never())}}
    - when: {{agent: parent, turn: 1}}
      reply: {{code: "handlers = [child() for _ in range(100)]; exit(sum(h.result for h in handlers))"}}
    - when: {{agent: child}}
      reply: {{code: exit(1)}}
    - when: {{agent: asker}}
      reply: {{code: exit(1)}}
      latency: {latency}
    - when: {{turn: {turns}}}
      reply: {{text: That was all., code: exit(found)}}
      latency: {latency}
    - reply: {{text: I look., code: found = look(n=41)}}
      latency: {latency}
"""
_OTHERS = {
    "sleeper": "tools: [bench/*]",
    "parent": "subagents: [child]\nlimits: {subjobs: 200}",
    "child": "",
    "asker": "",
}


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

    def limit(self, at_once: int) -> None:
        """Let no more jobs be active than that."""
        self.fleet.max_concurrency = at_once

    def run_for(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Work for so long, or until `until`; what is under way then is left."""
        end = time.monotonic() + seconds

        async def wait() -> None:
            while time.monotonic() < end and not (until is not None and until()):  # noqa: ASYNC110 - any test
                await asyncio.sleep(0.005)

        self.run_beside(wait())

    def run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Work as long as `work` takes."""

        async def both() -> None:
            stop = asyncio.Event()
            running = asyncio.create_task(self.fleet.run(stop))
            await work
            stop.set()
            await running

        self._loop.run_until_complete(both())

    def on_request(self, tell: Callable[[Request], object]) -> None:
        """Call `tell` with each request on its way to the model."""
        ask = self.fleet.asker.ask

        async def told(asked: Ask, default_provider: str | None = None) -> Answer:
            tell(asked.request)
            return await ask(asked, default_provider)

        self.fleet.asker.ask = told  # type: ignore[method-assign]

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


def compiled_release(folder: Path) -> None:
    """A store and ledger in `folder` that use what `folder`/project says."""
    rig = Rig(folder)
    rig.apply(folder / "project")
    rig.fleet.recover()
    rig.work()
    rig.close()


def compiled(project: Path) -> Sequence[Any]:
    """Objects of a project. Raises RuntimeError with its first problem."""
    compilation = compile_project(project)
    if not compilation.ok:
        raise RuntimeError(f"the benchmark's own project does not compile: {compilation.problems[0]}")
    return compilation.objects


def write_project(folder: Path, *, turns: int, provider: str = "{driver: scripted}", latency: str = "0ms") -> Path:
    """Files of the small project; jobs exit at turn `turns`, and the scripted model takes `latency` for a turn."""
    files = {
        "pyproject.toml": f'[tool.statek]\nproject = "bench"\npython_path = ["{ROOT}"]\n',
        "agents/looper.md": _AGENT.format(most=turns + 1),
        "agents/rest.yaml": _REST.format(turns=turns, provider=provider, latency=latency),
    }
    for name, has in _OTHERS.items():
        files[f"agents/{name}.md"] = f"---\ndescription: One of many.\nmodel: fast\n{has}\n---\nYou are one of many.\n"
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
