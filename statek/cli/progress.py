"""What `statek work` shows while it runs: a live line on a terminal, a plain line every few seconds, or JSON lines.

Each of the three takes the events of the worker and is a context manager; none decides anything. The one idea: an
answer that comes from a script is never shown as if a model had given it.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from rich.live import Live
from rich.text import Text

from statek.cli.job_text import COLUMNS, NUMBERS, cost, job_cells, one_row_of
from statek.cli.screen import Screen, plain

Event = Mapping[str, Any]
SCRIPTED = "answers come from a script, no model is called"
_EVERY_SECONDS = 3.0
_MOST_FAILURES = 10


class Progress(Protocol):
    """Takes events until it is closed."""

    def __call__(self, event: Event) -> None:
        """Show one event of kind `progress`, `notice` or `end`."""
        ...


def progress_for(screen: Screen) -> AbstractContextManager[Progress]:
    """The way of showing that fits the output."""
    screen.runs_long = True
    if screen.json:
        return JsonLines(screen)
    return LiveLine(screen) if screen.err.is_terminal else PlainLines(screen)


class JsonLines(AbstractContextManager["JsonLines"]):
    """Each event is a JSON document on a line of its own."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __call__(self, event: Event) -> None:
        """Write it."""
        data = {name: value for name, value in event.items() if name != "kind"}
        self._screen.document(str(event["kind"]).capitalize(), data)

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class PlainLines(AbstractContextManager["PlainLines"]):
    """A line on stderr every few seconds, when something has changed."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last: tuple[float, str] = (-_EVERY_SECONDS, "")

    def __call__(self, event: Event) -> None:
        """Write it, unless the last line is a moment ago."""
        if _shown_at_once(self._screen, event):
            return
        line, now = counts(event), float(event["elapsedSeconds"])
        if now - self._last[0] >= _EVERY_SECONDS and line != self._last[1]:
            self._last = (now, line)
            self._screen.note(f"{line}, {speed(event)}")

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class LiveLine:
    """Two lines that stay in their place at the bottom of a terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live = Live(console=screen.err, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __call__(self, event: Event) -> None:
        """Redraw."""
        if event["kind"] == "end":
            self._live.stop()
        if not _shown_at_once(self._screen, event):
            self._live.update(_live_text(event), refresh=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def counts(event: Event) -> str:
    """`120 done, 40 waiting, 8 running, 2 failed`."""
    return ", ".join(f"{event[name]:,} {name}" for name in ("done", "waiting", "running", "failed"))


def speed(event: Event) -> str:
    """`14.2 jobs/s, 12 s, 3,400 tokens, $0.0120`, or that nobody was paid."""
    tokens = event["inputTokens"] + event["outputTokens"]
    parts = [f"{event['jobsPerSecond']:.1f} jobs/s", duration(event["elapsedSeconds"])]
    if tokens:
        parts += [f"{tokens:,} tokens", SCRIPTED if event["scripted"] else cost(event["costUsd"], scripted=False)]
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """`0.8 s`, `42 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60:02} s"


def _shown_at_once(screen: Screen, event: Event) -> bool:
    kinds: dict[str, Callable[[Screen, Event], None]] = {"notice": _show_notice, "end": _show_end}
    show = kinds.get(event["kind"])
    if show is not None:
        show(screen, event)
    return bool(event["kind"] != "progress")


def _live_text(event: Event) -> Text:
    shown = Text()
    styles = {"done": "green", "waiting": "", "running": "cyan", "failed": "red"}
    for name, style in styles.items():
        shown.append(f"{event[name]:,} {name}  ", style if event[name] else "dim")
    return shown.append(f"of {event['total']:,}\n{plain(speed(event))}")


def _show_notice(screen: Screen, event: Event) -> None:
    screen.note(str(event["text"]), "yellow")


def _show_end(screen: Screen, event: Event) -> None:
    """The table at the end: outcomes, failures, where to look next."""
    rows = [(name, f"{count:,}") for name, count in event["outcomes"].items()]
    screen.table(["OUTCOME", "JOBS"], rows, right=["JOBS"])
    screen.line(speed(event))
    failures = event["failures"]
    if failures:
        screen.line()
        screen.table(COLUMNS, [job_cells(row) for row in failures[:_MOST_FAILURES]], right=NUMBERS)
        if len(failures) > _MOST_FAILURES:
            screen.line(f"... and {len(failures) - _MOST_FAILURES:,} more")
    first = one_row_of(failures)
    screen.note(f"look next: statek ps --all, statek show {first or 'JOB'}")
