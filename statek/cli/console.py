"""Rich's console as the command line uses it. Loaded by `screen` when it is needed."""

from typing import TextIO

from rich.console import Console


class _PipeConsole(Console):
    """A console that leaves a reader who stopped reading to the error boundary; rich would end the process with 1."""

    def on_broken_pipe(self) -> None:
        """Called by rich while it handles the BrokenPipeError."""
        raise BrokenPipeError


def console_on(stream: TextIO, width: int | None) -> Console:
    """A console on a stream; a `width` of None is that of the terminal."""
    return _PipeConsole(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)
