"""Takes the lock of a store, says so, and holds it until stdin ends. `hold.py STORE ROLE`; exit code 9 when refused."""

import sys
from pathlib import Path

from statek.exceptions import StoreError
from statek.worker.lock import take

if __name__ == "__main__":
    try:
        with take(Path(sys.argv[1]), "reader" if sys.argv[2] == "reader" else "worker"):
            print("held", flush=True)
            sys.stdin.read()
    except StoreError as error:
        print(f"refused: {error}", flush=True)
        sys.exit(9)
