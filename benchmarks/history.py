"""Whether a step gets dearer as a job's history grows: the same step at turn 10 and at turn 500 of one job.

Against the floor of writing the request as JSON, which every provider needs and which grows with the history by nature.
"""

import time
from itertools import pairwise
from typing import Any

from benchmarks.measure import Row
from benchmarks.rig import looping
from statek.llm.messages import Message
from statek.llm.wire import dump
from statek.runtime.turn import History
from statek.store.job import find_job

TURNS = 500
SPAN = 15  # turns measured around each place


def measure() -> list[Row]:
    """The step early and late, and the JSON of the late request."""
    with looping(turns=TURNS + 1) as rig:
        stamps: list[float] = []
        answered = rig.fleet.passes.arrivals.answered

        def count(job_id: str, turn: int, answer: Any) -> None:
            stamps.append(time.process_time())
            answered(job_id, turn, answer)

        rig.fleet.passes.arrivals.answered = count  # type: ignore[method-assign]
        rig.run_jobs("looper", ["long"])
        spans = [(later - at) * 1000 for at, later in pairwise(stamps)]
        job = find_job("long")
        messages = History("console").messages(job)
        json = _json_ms(messages)
    early, late = _middle(spans[5 : 5 + SPAN]), _middle(spans[-SPAN:])
    return [
        Row("JSON of the request at turn 500", json, "ms CPU"),
        Row("step at turn 10", early, "ms CPU"),
        Row("step at turn 500", late, "ms CPU", "step at turn 10", late / early, early * 1.5),
    ]


def _json_ms(messages: list[Message]) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        dump({"messages": [message.to_json() for message in messages]})
        best = min(best, time.process_time() - began)
    return best * 1000


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
