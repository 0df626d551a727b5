"""Telling a live worker to look at its inbox: one small request on its control socket, and nothing else.

Everything that enters a store from another process ends with this call, so it loads no HTTP client and waits for no
more than the first line of the answer. A poke that is not heard costs a quarter of a second: the worker looks itself.
"""

import socket
from pathlib import Path

from statek.worker.lock import held_by

SECONDS = 1.0
_REQUEST = b"POST /poke HTTP/1.1\r\nHost: worker\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def poke(store: Path) -> bool:
    """Tell the live worker of a store, if there is one, to look at its inbox. Returns whether it heard."""
    holder = held_by(store)
    if holder is None or holder.role != "worker" or holder.socket is None:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(SECONDS)
        try:
            line.connect(str(holder.socket))
            line.sendall(_REQUEST)
            return line.recv(64).startswith(b"HTTP/1.1 200")
        except TimeoutError:
            return True  # it is in the middle of a pass; it has the poke and will read it next
        except OSError:  # nobody listens, or the child is being started again
            return False
