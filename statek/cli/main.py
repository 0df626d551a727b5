"""The table of verbs and the error boundary. `main` is what the shell calls.

A verb's module is imported when the verb is called, not before: `statek validate` must not pay for the store, the
network or the settings. The boundary is the one place of the command line that catches everything: a user's mistake
is one message and a documented exit code, a bug is one line that names the file with its traceback.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from statek.base.nearest import did_you_mean
from statek.cli.codes import Exit
from statek.cli.screen import Screen
from statek.exceptions import BugError, StatekError

VERBS: dict[str, tuple[str, str]] = {
    "init": ("statek.cli.commands.init", "Write a small working project."),
    "new": ("statek.cli.commands.new", "Add an agent, tool, queue or warmup to a project."),
    "convert": ("statek.cli.commands.convert", "Write prompt files of the older header style as agents."),
    "validate": ("statek.cli.commands.validate", "Check the files: no network, no user code, no store."),
    "schema": ("statek.cli.commands.schema", "Print the JSON Schema of a kind of object."),
    "explain": ("statek.cli.commands.explain", "Explain a diagnostic code, a kind or a field."),
    "render": ("statek.cli.commands.render", "Show the exact prompt and tools that a job would get."),
    "fmt": ("statek.cli.commands.fmt", "Bring the files into their one form; comments and spelling stay."),
    "plan": ("statek.cli.commands.plan", "Show what apply would do."),
    "apply": ("statek.cli.commands.apply", "Make what the files declare the release that new work uses."),
    "work": ("statek.cli.commands.work", "Run a worker."),
    "submit": ("statek.cli.commands.submit", "Start a job, or put items on a queue."),
    "push": ("statek.cli.commands.push", "Send a message to a job."),
    "queue": ("statek.cli.commands.queue", "Look at queues, put failed items back, drop items."),
    "ps": ("statek.cli.commands.ps", "List jobs."),
    "show": ("statek.cli.commands.show", "Show one job whole."),
    "logs": ("statek.cli.commands.logs", "Show what one job said and did."),
    "usage": ("statek.cli.commands.usage", "What models were used for, and what it cost."),
    "cancel": ("statek.cli.commands.cancel", "End a job."),
    "status": ("statek.cli.commands.status", "Are the files good, applied, and running?"),
    "backup": ("statek.cli.commands.backup", "Copy store and ledger to one place, beside a worker or without."),
    "restore": ("statek.cli.commands.restore", "Go back to a backup."),
    "gc": ("statek.cli.commands.gc", "Forget old finished jobs."),
    "compact": ("statek.cli.commands.compact", "Write the store anew, smaller. No worker may run."),
    "why": ("statek.cli.commands.why", "Show which file gives a field its value."),
    "history": ("statek.cli.commands.history", "List the releases that were applied."),
}


class Verbs(click.Group):
    """A group whose commands are rows of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and give its command."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(VERBS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one gets the nearest name."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"no such command '{args[0]}'{did_you_mean(args[0], VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing any verb."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in VERBS.items()])


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # nobody else needs it, and it is large

        try:
            click.echo(f"statek {version('statek')}")
        except PackageNotFoundError:
            click.echo("statek, run from its source tree")
        context.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="The version.")
def statek() -> None:
    """Run LLM agents declared in files as durable jobs.

    Begin with `statek init DIR`, `statek apply DIR`, `statek submit`, `statek work`.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code, never raises."""
    screen = Screen()
    try:
        code = _run(arguments, screen)
        sys.stdout.flush()
    except OSError as error:
        if error.filename is None:  # our own output cannot be written; nor can what is still to be flushed at the end
            screen.output = "text"
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
            return Exit.OK
        return _show(screen, error)
    return code


def _show(screen: Screen, error: Exception) -> int:
    """Tell what went wrong. Returns the exit code."""
    from statek.cli.errors import show_bug, show_error, show_failure  # it knows every ring; most commands go well

    if isinstance(error, OSError):
        return show_failure(screen, error)
    if isinstance(error, StatekError) and not isinstance(error, BugError):
        return show_error(screen, error)
    return show_bug(screen, error)


def _run(arguments: Sequence[str] | None, screen: Screen) -> int:
    try:
        code = statek.main(args=arguments, prog_name="statek", standalone_mode=False, obj=screen)
    except click.UsageError as error:
        error.show()
        return Exit.USAGE
    except click.ClickException as error:
        error.show()
        return Exit.WRONG
    except (click.Abort, KeyboardInterrupt):
        screen.note("interrupted")
        return Exit.INTERRUPTED
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary of the command line
        return _show(screen, error)
    return int(code or 0)
