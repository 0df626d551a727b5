"""`statek schema`: the JSON Schemas of the files, as editors take them. Reads no file."""

from typing import Any

import click

from statek.base.nearest import did_you_mean
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.screen import Screen
from statek.spec.schema.kinds import SCHEMAS, file_name, schema_text


@click.command(name="schema")
@click.argument("kind", required=False)
@options.output()
@click.pass_obj
def command(screen: Screen, kind: str | None) -> int:
    """Print the JSON Schema of KIND, or list the kinds.

    An editor with YAML support checks a file whose first line is
    `# yaml-language-server: $schema=PATH` while it is written.
    """
    return run(screen, kind)


def run(screen: Screen, kind: str | None) -> int:
    """Print. Raises UsageError for a kind that is unknown."""
    if kind is not None:
        _show_one(screen, _known(kind))
    elif screen.json:
        screen.document("Schemas", {"schemas": [_row(name) for name in SCHEMAS]})
    else:
        rows = [(row["name"], row["file"], row["description"]) for row in map(_row, SCHEMAS)]
        screen.table(["KIND", "FILE", "DESCRIPTION"], rows)
    return Exit.OK


def _show_one(screen: Screen, kind: str) -> None:
    if screen.json:
        screen.document("Schema", {**_row(kind), "schema": SCHEMAS[kind]})
    else:
        click.echo(schema_text(kind), nl=False)


def _row(kind: str) -> dict[str, Any]:
    return {"name": kind, "file": file_name(kind), "description": SCHEMAS[kind]["description"]}


def _known(kind: str) -> str:
    for name in SCHEMAS:
        if name.casefold() == kind.casefold():
            return name
    raise click.UsageError(f"unknown kind '{kind}'{did_you_mean(kind, SCHEMAS)}")
