"""Options that verbs share. Each is a decorator for a click command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from statek.cli.screen import Screen
from statek.spec.formats import DURATION, NAME, duration_us

Words = Callable[..., Any]  # the function behind a click command
Decorator = Callable[[Words], Words]

PATHS = click.Path(exists=True, path_type=Path)


def output(*formats: str) -> Decorator:
    """`-o FORMAT`; kept in the Screen, where the error boundary finds it too."""

    def keep(context: click.Context, _: click.Parameter, value: str) -> None:
        screen = context.find_object(Screen)
        assert screen is not None
        screen.output = value

    return click.option(
        "-o", "--output", type=click.Choice(formats or ("text", "json")), default="text", is_eager=True,
        expose_value=False, callback=keep, help="Form of the result; `text` by default.",
    )  # fmt: skip


def _environment(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not NAME.fits(value):
        raise click.BadParameter(f"{value!r} is not {NAME.title}")
    return value


def env() -> Decorator:
    """`--env NAME`."""
    return click.option(
        "--env", metavar="NAME", callback=_environment, help="Environment; by default the project's `default_env`."
    )


def project() -> Decorator:
    """`--project DIR` for verbs that take no PATH."""
    return click.option(
        "--project", type=PATHS, default=Path(), metavar="DIR", help="A folder of the project; by default this one."
    )


class Duration(click.ParamType[float]):
    """`30s`, `1h30m`: seconds as a float."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds of a duration."""
        if isinstance(value, float):
            return value
        if not DURATION.fits(str(value)):
            self.fail(f"{value!r} is not a duration such as '30s'", param, ctx)
        return duration_us(str(value)) / 1_000_000
