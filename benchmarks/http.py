"""A step that asks a model over HTTP: an OpenAI-style server on loopback, connections kept alive.

Against the floor of a bare aiohttp POST of the same size to the same server. The server is another process; its CPU
does not count, ours does, the HTTP client's included.
"""

import json

from benchmarks import floors
from benchmarks.loopback import serving
from benchmarks.measure import Row, cpu_ms
from benchmarks.rig import SAID, Rig, looping

TURNS = 10
BODY = {"model": "x", "messages": [{"role": "user", "content": "x" * 400}, {"role": "assistant", "content": SAID * 5}]}


def measure() -> list[Row]:
    """The bare call, a step among 20 jobs, a step of one job alone."""
    with serving(TURNS) as url:
        bare = floors.bare_aiohttp(url, json.dumps(BODY).encode(), 200)
        provider = f"{{driver: openai, base_url: {json.dumps(url)}, limits: {{concurrent: 20}}}}"
        with looping(turns=TURNS, provider=provider) as rig:
            many = _steps(rig, "many", jobs=20)
            alone = _steps(rig, "alone", jobs=1)
    return [
        Row("bare aiohttp POST", bare, "ms CPU"),
        Row("HTTP step, 20 jobs side by side", many, "ms CPU", "bare POST", many / bare, 2.0),
        Row("HTTP step, one job alone", alone, "ms CPU", "bare POST", alone / bare),
    ]


def _steps(rig: Rig, name: str, *, jobs: int) -> float:
    began = 0

    def work() -> None:
        nonlocal began
        rig.run_jobs("looper", [f"{name}-{began + n}" for n in range(jobs)])
        began += jobs

    work()
    return cpu_ms(work, jobs * TURNS, rounds=4)
