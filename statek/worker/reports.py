"""What a child tells its supervisor: JSON lines on a pipe of their own, not on stdout, where tools may print.

Both ends are here. The one idea: the child never waits for a slow reader. Progress that does not fit into the pipe is
dropped, the next one says more; everything else is waited for, but not for ever.
"""

import json
import os
import select
from typing import Any

from statek.base.redaction import SECRETS

Report = dict[str, Any]  # "kind": progress, notice, end or failed, and what belongs to it

_WAIT_SECONDS = 5.0
_CHUNK = 1 << 16


class Reporter:
    """The child's end. Raises BrokenPipeError when the supervisor is gone."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._rest = b""  # of a line that only half fitted

    def offer(self, report: Report) -> None:
        """Send if there is room now, else drop it."""
        self._push()
        if not self._rest:
            self._rest = _line(report)
            whole = len(self._rest)
            self._push()
            if len(self._rest) == whole:
                self._rest = b""

    def tell(self, report: Report) -> None:
        """Send, waiting up to 5 s for room. Raises TimeoutError when nobody reads."""
        self._rest += _line(report)
        while self._rest:
            if not select.select([], [self._descriptor], [], _WAIT_SECONDS)[1]:
                raise TimeoutError("the supervisor does not read the child's reports")
            self._push()

    def _push(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._descriptor, self._rest) :]
        except BlockingIOError:
            return


class Reports:
    """The supervisor's end."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._begun = b""

    def wait(self, seconds: float) -> list[Report]:
        """The reports that have come, waiting for the first up to `seconds`. A line cut by a death is left out."""
        if select.select([self._descriptor], [], [], seconds)[0]:
            self._read()
        *lines, self._begun = self._begun.split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._descriptor)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._descriptor, _CHUNK):
                self._begun += chunk
        except BlockingIOError:
            return


def _line(report: Report) -> bytes:
    return json.dumps(SECRETS.data(report), separators=(",", ":")).encode() + b"\n"
