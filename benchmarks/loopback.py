"""An OpenAI-style server in a process of its own, so that its CPU is not ours. It prints its address and serves on.

It answers with one statement that calls a read tool, and exits once the request holds so many answers already.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.rig import LAST, SAID
from tests.loopback_llm import LoopbackLLM


def main() -> None:
    """Serve until the one who started us is gone; the argument is how many turns a job has."""
    turns = int(sys.argv[1])

    def answer(body: dict[str, Any]) -> str:
        said = sum(message["role"] == "assistant" for message in body["messages"])
        return LAST if said >= turns - 1 else SAID

    with LoopbackLLM(answer) as llm:
        threading.Thread(target=_forget, args=(llm,), daemon=True).start()
        print(llm.url, flush=True)
        sys.stdin.read()


def _forget(llm: LoopbackLLM) -> None:
    """Do not keep what was asked: the benchmark asks often."""
    while not llm.wait(1.0):
        llm.requests.clear()
        llm.headers.clear()
        llm.paths.clear()


@contextmanager
def serving(turns: int) -> Iterator[str]:
    """The address of a server that is there as long as the block."""
    command = [sys.executable, "-m", "benchmarks.loopback", str(turns)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


if __name__ == "__main__":
    main()
