"""What a tool prints goes to the job that called it, not to the worker's output.

While a call is under way `sys.stdout` is an object that asks a context variable whose call it serves; text of nobody's
goes to the real output. So jobs, threads and tasks that print at the same time never get each other's lines, and no
builtin is replaced. Not here: what becomes of the text; the runtime records it with the call's result.
"""

import sys
from contextvars import ContextVar
from typing import Any

from statek.text.llm_repr import llm_repr


class Page:
    """What one call has printed so far."""

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        """Add text."""
        self._parts.append(text)

    @property
    def text(self) -> str:
        """All of it as one console entry, bounded; empty when nothing was printed."""
        return llm_repr("".join(self._parts).removesuffix("\n"))


_page: ContextVar[Page | None] = ContextVar("statek_printed", default=None)


class _Routed:
    """Stands for `sys.stdout`: text of a call to its page, everything else to the real one."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def write(self, text: str) -> int:
        page = _page.get()
        if page is not None:
            page.write(text)
        elif self.real is not None:
            self.real.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


_open = [0]  # calls under way


class printed:  # noqa: N801 - a context manager, used as a function
    """Collect what is printed inside, also by tasks and threads begun inside with a copy of the context."""

    def __enter__(self) -> Page:
        page = Page()
        self._token = _page.set(page)
        _open[0] += 1
        if not isinstance(sys.stdout, _Routed):
            sys.stdout = _Routed(sys.stdout)  # it has all that print and applications use
        return page

    def __exit__(self, *_error: object) -> None:
        _page.reset(self._token)
        _open[0] -= 1
        if not _open[0] and isinstance(sys.stdout, _Routed):
            sys.stdout = sys.stdout.real
