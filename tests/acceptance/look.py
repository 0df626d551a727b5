"""What the objects of an application say, read-only and as JSON: `look.py STORE records`. Run when no worker runs."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dbzero as db0

sys.path.insert(0, str(Path.cwd()))  # the project's own modules


def records() -> Any:
    """The desk's records and bulletins, each list as it is stored: what stands in it twice is shown twice."""
    from quakes.records import Desk

    desk = db0.fetch(Desk)
    kept = [
        [record.id, record.status, record.grade, record.mag, record.bulletin.text if record.bulletin else None]
        for record in desk.records
    ]
    return {"records": kept, "bulletins": [[item.event_id, item.text] for item in desk.bulletins]}


def tally() -> Any:
    """What the small fleet has counted."""
    from fleet import Tally

    found = db0.fetch(Tally)
    return {"numbers": list(found.numbers), "doubted": list(found.doubted)}


LOOKS: dict[str, Callable[[], Any]] = {"records": records, "tally": tally}

if __name__ == "__main__":
    db0.init(sys.argv[1], prefix="statek", read_write=False)
    try:
        print(json.dumps(LOOKS[sys.argv[2]]()))
    finally:
        db0.close()
