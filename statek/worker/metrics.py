"""The worker's status as metrics in the text format of Prometheus. Pure; served at `/metrics`."""

from collections.abc import Iterator, Mapping
from typing import Any

_STATES = ("done", "waiting", "running", "suspended", "failed")
_TOTALS = (
    ("inputTokens", "statek_input_tokens_total", "Tokens sent to models"),
    ("outputTokens", "statek_output_tokens_total", "Tokens that models answered with"),
    ("costUsd", "statek_cost_usd_total", "US dollars that models have cost"),
)
_USAGE = (
    ("answers", "statek_agent_answers_total", "Answers of models by agent, over all restarts"),
    ("inputTokens", "statek_agent_input_tokens_total", "Tokens sent to models by agent, over all restarts"),
    (
        "outputTokens",
        "statek_agent_output_tokens_total",
        "Tokens of answers by agent, over all restarts",
    ),
    ("costUsd", "statek_agent_cost_usd_total", "US dollars that models have cost by agent, over all restarts"),
)


def as_text(status: Mapping[str, Any]) -> str:
    """One line for each number in what `/status` answers; what it does not say is left out."""
    return "".join(f"{line}\n" for line in _lines(status))


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    yield from _head("statek_jobs", "gauge", "Jobs by state")
    for state in _STATES:
        if state in status:
            yield f'statek_jobs{{state="{state}"}} {status[state]}'
    queued = status.get("queued")
    if isinstance(queued, Mapping):
        yield from _head("statek_queued", "gauge", "Items that wait in a queue")
        for queue, count in sorted(queued.items()):
            yield f'statek_queued{{queue="{_escaped(queue)}"}} {count}'
    for field, name, text in _TOTALS:
        if field in status:
            yield from _head(name, "counter", text)
            yield f"{name} {status[field]}"
    yield from _usage(status.get("usage"))
    yield from _head("statek_release_info", "gauge", "The release that new work uses")
    labels = f'release="{_escaped(status.get("release") or "")}",env="{_escaped(status.get("env") or "")}"'
    yield f"statek_release_info{{{labels}}} 1"
    reload = status.get("reload")
    if isinstance(reload, Mapping):
        yield from _head("statek_config_last_reload_successful", "gauge", "Whether the files on disk are applied")
        yield f"statek_config_last_reload_successful {int(reload['ok'])}"


def _usage(sums: Any) -> Iterator[str]:
    """By agent, since the ledger was made."""
    if not isinstance(sums, list):
        return
    for field, name, text in _USAGE:
        yield from _head(name, "counter", text)
        for found in sums:
            yield f'{name}{{agent="{_escaped(found["name"])}"}} {found[field]}'


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}."
    yield f"# TYPE {name} {kind}"


def _escaped(label: str) -> str:
    return str(label).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
