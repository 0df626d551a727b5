"""A supervisor in a process of its own, with a stand-in child. `supervise.py ROOT STORE MODE`."""

import sys
from pathlib import Path

from statek.worker.supervisor import WorkOptions, run_worker

CHILDREN = Path(__file__).with_name("children.py")

if __name__ == "__main__":
    root, store, mode = sys.argv[1:]
    options = WorkOptions(Path(root), "dev", Path(store), until_idle=False, watch=False, max_concurrency=None)
    print("started", flush=True)
    sys.exit(run_worker(options, lambda _report: None, child=(sys.executable, str(CHILDREN), mode)))
