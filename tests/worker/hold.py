"""Takes the lock of a store, says so, and holds it until stdin ends. `hold.py STORE ROLE`; exit code 9 when refused.

For whom it may wait it waits as long as the test needs.
"""

import sys
from pathlib import Path

from statek.exceptions import StoreError
from statek.worker import lock

if __name__ == "__main__":
    lock.TURN_SECONDS = 120.0
    try:
        with lock.take(Path(sys.argv[1]), "reader" if sys.argv[2] == "reader" else "worker"):
            print("held", flush=True)
            sys.stdin.read()
    except StoreError as error:
        print(f"refused: {error}", flush=True)
        sys.exit(9)
