"""A project in a folder of its own, and the commands a user types there, each in a process of its own.

Nothing of the kit is imported here: what a test sees is what a user sees, exit codes, stdout, stderr, and the files.
Workers are started with `python -m statek`; other commands without the start-up that is the same for all of them, see
`tests/commands.py`. Used by the acceptance tests and by the crash tests. Every wait has a bound.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.commands import run_module

REPO = Path(__file__).parents[2]
LOOK = Path(__file__).with_name("look.py")
PARTS = ("agents", "warmups", "queues", "quakes", "pyproject.toml")
LONGEST = 120.0  # seconds any command may take
Json = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """The one document on stdout."""
        found: Json = json.loads(self.out)
        return found

    @property
    def told(self) -> str:
        """Everything it said, for the message of a failed assertion."""
        return f"exit {self.code}\n{self.out}\n{self.err}"


@dataclass
class Worker:
    """A `statek work` that runs. `log` is the file that holds its stderr."""

    process: "subprocess.Popen[bytes]"
    out: Path
    log: Path

    @property
    def said(self) -> str:
        """What it has written to stderr so far."""
        return self.log.read_text()

    def reports(self) -> list[Json]:
        """The JSON lines of its stdout so far, when it was started with `-o json`."""
        lines = self.out.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def children(self) -> list[int]:
        """The processes that it has started."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def kill(self, *, child_too: bool = True) -> None:
        """`kill -9` the supervisor, and with it the process that owns the store."""
        children = self.children() if child_too else []
        for pid in (self.process.pid, *children):
            _kill(pid)
        self.process.wait(LONGEST)
        for pid in children:
            until(lambda pid=pid: _is_gone(pid), f"process {pid} is gone")

    def kill_child(self) -> None:
        """`kill -9` only the process that owns the store; the supervisor has to replace it."""
        for pid in self.children():
            _kill(pid)

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONGEST)

    def wait(self, seconds: float = LONGEST) -> int:
        """The exit code when it ends by itself."""
        return self.process.wait(seconds)


@dataclass
class Project:
    """A folder with a project in it."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        """Where the store of the environment `dev` lies."""
        return self.root / ".statek" / "dev" / "store"

    def run(self, *words: str, stdin: str = "", seconds: float = LONGEST) -> Ran:
        """Run `statek WORDS`."""
        return self.module("statek", *words, stdin=stdin, seconds=seconds)

    def module(self, name: str, *words: str, stdin: str = "", seconds: float = LONGEST) -> Ran:
        """Run a module that imports the kit."""
        done = run_module(name, words, cwd=self.root, env=self._environment(), stdin=stdin, seconds=seconds)
        return Ran(done.code, done.out, done.err)

    def start(self, *words: str, stdin: str = "", seconds: float = LONGEST) -> Ran:
        """As `run`, from the very start of Python: `python -m statek WORDS`."""
        return self.call([sys.executable, "-m", "statek", *words], stdin=stdin, seconds=seconds)

    def do(self, *words: str, stdin: str = "") -> Ran:
        """Run `statek WORDS`, which has to end well."""
        ran = self.run(*words, stdin=stdin)
        assert ran.code == 0, f"statek {' '.join(words)}: {ran.told}"
        return ran

    def call(self, command: Sequence[str], *, stdin: str = "", seconds: float = LONGEST) -> Ran:
        """Run any command in the project's folder."""
        done = subprocess.run(
            command, cwd=self.root, env=self._environment(), input=stdin, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def worker(self, *words: str) -> Iterator[Worker]:
        """A running `statek work WORDS`; it is killed at the end if it still runs."""
        number = len(list(self.root.glob(".work-*.err")))
        out, log = self.root / f".work-{number}.out", self.root / f".work-{number}.err"
        with out.open("wb") as first, log.open("wb") as second:
            process = subprocess.Popen(
                [sys.executable, "-m", "statek", "work", *words], cwd=self.root, env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=first, stderr=second,
            )  # fmt: skip
        worker = Worker(process, out, log)
        try:
            yield worker
        finally:
            if process.poll() is None:
                worker.kill()

    @contextmanager
    def serving(self, *words: str) -> Iterator[Worker]:
        """As `worker`, once it answers questions."""
        with self.worker(*words) as worker:
            until(lambda: " done, " in worker.said or worker.process.poll() is not None, "the worker's first line")
            assert worker.process.poll() is None, worker.said
            yield worker

    def look(self, what: str, *, env: str = "dev") -> Any:
        """What the application's own objects say, read without a worker: `records` or `tally` of `look.py`."""
        ran = self.call([sys.executable, str(LOOK), str(self.store.parents[1] / env / "store"), what])
        assert ran.code == 0, ran.told
        return json.loads(ran.out)

    def jobs(self) -> list[Json]:
        """Every job, ended or not."""
        found: list[Json] = self.do("ps", "--all", "--limit", "100000", "-o", "json").json["jobs"]
        return found

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project in one go, as editors do: beside it, then renamed over it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text)
        beside.replace(path)
        return path

    def edit(self, name: str, old: str, new: str) -> str:
        """Replace a text that stands in a file once; returns what the file held before."""
        before = (self.root / name).read_text()
        assert before.count(old) == 1, f"{old!r} stands {before.count(old)} times in {name}"
        self.write(name, before.replace(old, new))
        return before

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        return {**kept, "PYTHONPATH": str(REPO), "COLUMNS": "200", **self.environ}


def make_desk(folder: Path) -> Project:
    """A copy of the quake desk in `folder`."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source = REPO / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return Project(folder, {"STATEK_STEP_SECONDS": "60"})  # a machine that stands still for a while costs no job


def make_project(folder: Path, files: Mapping[str, str]) -> Project:
    """A project of these files in `folder`."""
    project = Project(folder)
    for name, text in files.items():
        project.write(name, text)
    return project


def events(count: int) -> list[Json]:
    """`count` events of the week: blasts and unclear ones, ones that get a bulletin, and ordinary ones, mixed."""
    week = [json.loads(line) for line in (REPO / "quakes/data/week.jsonl").read_text().splitlines()]
    large = [event for event in week if event["mag"] >= 5][: count // 6]
    other = [event for event in week if event["type"] != "earthquake"][: count // 6]
    usual = [event for event in week if event["mag"] < 5 and event["type"] == "earthquake"]
    chosen = [*large, *other, *usual[: count - len(large) - len(other)]]
    return sorted(chosen, key=lambda event: str(event["id"])[::-1])


def as_lines(found: Sequence[Any]) -> str:
    """JSON lines."""
    return "".join(json.dumps(item) + "\n" for item in found)


def until(look: Callable[[], Found], what: str, seconds: float = LONGEST) -> Found:
    """Wait for `look` to give something true, and give it."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _is_gone(pid: int) -> bool:
    """Whether a killed process has let go of its files: it is no more, or only its exit code is."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return True
