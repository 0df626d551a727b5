"""Commands of the kit without their start-up: each is a process of its own, forked where the imports have been done.

`run_module("statek", ["ps"], ...)` is what `python -m statek ps` is after Python has started and imported: own
arguments, folder, environment and streams, nothing shared with the command before, a real end with a real exit code.
Importing takes longer than most commands work. What the start has to do well is tested with `python -m statek`: every
verb in `tests/acceptance/test_bad_input.py`, every worker of the acceptance tests, what `statek init` prints, the
example of the README. All forks have the same hash seed; what it may change is tested elsewhere.

Run as a program this file is the process that is forked.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

REPO = Path(__file__).parents[1]
STARTED = ("statek.cli", "statek.worker", "statek.control")  # imported with all that is in them, and what they import
LONGEST = 120.0  # seconds until the imports are done, on the busiest machine
_NUMBER = struct.Struct("q")
_STREAMS = (("stdin", "r", -1), ("stdout", "w", -1), ("stderr", "w", 1))  # name, mode, buffering


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def run_module(
    name: str, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: str = "", seconds: float = LONGEST
) -> Done:
    """What `python -m NAME WORDS` does in `cwd`. Raises subprocess.TimeoutExpired after `seconds`, and kills it."""
    request = {"module": name, "words": list(words), "cwd": str(cwd), "env": dict(env)}
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as typed:
        asked.write(json.dumps(request).encode())
        typed.write(stdin.encode())
        asked.seek(0)
        typed.seek(0)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = _Start.now().fork((asked, typed, out, err), words, seconds)
            return Done(code, _said(out), _said(err))


def end() -> None:
    """End the process that is forked, if there is one."""
    if _Start.running is not None:
        _Start.running.end()


def _said(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class _Start:
    """The process that is forked, seen from the tests. It ends when this process does."""

    running: "_Start | None" = None

    @classmethod
    def now(cls) -> "_Start":
        """The one of this process."""
        if cls.running is None:
            cls.running = cls()
        return cls.running

    def __init__(self) -> None:
        self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = {**os.environ, "PYTHONPATH": str(REPO)}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__)), str(theirs.fileno())], pass_fds=[theirs.fileno()], env=env,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._number(LONGEST)

    def fork(self, files: Sequence[IO[bytes]], words: Sequence[str], seconds: float) -> int:
        """Fork, let it run, and give its exit code as subprocess does."""
        child = 0
        try:
            socket.send_fds(self.link, [b"run"], [file.fileno() for file in files])
            child = self._number(LONGEST)
            return self._number(seconds)
        except TimeoutError as error:
            self._give_up(child)
            raise subprocess.TimeoutExpired(["statek", *words], seconds) from error
        except BaseException:  # a test that is ended in the middle leaves no half answer to the next one
            self._give_up(child)
            raise

    def end(self) -> None:
        """It ends by itself when nobody can ask any more."""
        _Start.running = None
        self.link.close()
        self.process.wait(LONGEST)

    def _number(self, seconds: float) -> int:
        self.link.settimeout(seconds)
        told = self.link.recv(_NUMBER.size)
        assert told, "the process that starts commands has ended; its messages are above"
        number: int = _NUMBER.unpack(told)[0]
        return number

    def _give_up(self, child: int) -> None:
        self.process.kill()  # first: as long as it does not wait for the child, nobody else can have its number
        if child:
            os.kill(child, signal.SIGKILL)
        self.end()


def _serve(link: socket.socket) -> list[int] | None:
    """Fork for each request. Returns in the fork, with the files of its request; in the first process at the end."""
    link.send(_NUMBER.pack(0))
    while True:
        asked, files, _, _ = socket.recv_fds(link, 16, 4)
        if not asked:
            return None
        child = os.fork()
        if not child:
            return files
        for file in files:
            os.close(file)
        link.send(_NUMBER.pack(child))
        _, status = os.waitpid(child, 0)
        link.send(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _become(files: Sequence[int]) -> None:
    """Take folder, environment and streams of the request in file 0, and do what it asks for."""
    with os.fdopen(files[0], "rb") as asked:
        request: dict[str, Any] = json.load(asked)
    for number, file in enumerate(files[1:]):
        os.dup2(file, number)
        os.close(file)
        _open_anew(number)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.path[0] = request["cwd"]
    sys.argv = [request["module"], *request["words"]]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def _open_anew(number: int) -> None:
    """What Python does with stdin, stdout and stderr when it starts."""
    name, mode, buffering = _STREAMS[number]
    first = getattr(sys, name)
    stream = open(number, mode, buffering, encoding=first.encoding, errors=first.errors, closefd=False)  # noqa: SIM115
    setattr(sys, name, stream)
    setattr(sys, f"__{name}__", stream)


def _import_all() -> None:
    for name in STARTED:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    assert len(os.listdir("/proc/self/task")) == 1, "a fork would lose a thread that an import has started"  # noqa: PTH208
    gc.collect()
    gc.freeze()


def _main() -> None:
    link = socket.socket(fileno=int(sys.argv[1]))
    _import_all()
    files = _serve(link)
    link.close()
    if files is not None:
        _become(files)


if __name__ == "__main__":
    _main()
