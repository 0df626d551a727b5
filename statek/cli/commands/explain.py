"""`statek explain`: what a diagnostic code means, or what a field may be. Reads no project."""

import json
from collections.abc import Sequence
from typing import Any

import click

from statek.base.nearest import did_you_mean
from statek.cli import options
from statek.cli.codes import Exit
from statek.cli.screen import Screen
from statek.spec.codes.table import CODES, WHERE, find_code
from statek.spec.problems import RULES
from statek.spec.reading.lint import SETTABLE
from statek.spec.schema.fields import NoField, Part, find_field, kind_names


@click.command(name="explain")
@click.argument("what", metavar="[CODE | KIND | KIND.FIELD]", required=False)
@options.output()
@click.pass_obj
def command(screen: Screen, what: str | None) -> int:
    """Explain a diagnostic (STK301, or its rule unknown-input), a kind (Agent) or a field (Agent.limits.turns).

    Without a word: the list of codes and kinds.
    """
    return run(screen, what)


def run(screen: Screen, what: str | None) -> int:
    """Show the text. Raises UsageError for what there is not, with the nearest name."""
    if what is None:
        _list(screen)
    elif (code := find_code(what)) is not None:
        _code(screen, code)
    else:
        _field(screen, _found(what))
    return Exit.OK


def _found(what: str) -> Part:
    head, *path = what.split(".")
    kinds = {name.casefold(): name for name in kind_names()}
    if head.casefold() not in kinds:
        known = kind_names() if head[:1].isupper() and not head.upper().startswith("STK") else ()
        hint = did_you_mean(what, [*known, *RULES, *RULES.values()], also="for example")
        raise click.UsageError(f"there is no code, rule or kind '{what}'{hint}")
    try:
        return find_field(kinds[head.casefold()], path)
    except NoField as error:
        raise click.UsageError(str(error)) from error


def _list(screen: Screen) -> None:
    if screen.json:
        codes = [{"code": code, "rule": RULES[code], "title": CODES[code].title} for code in sorted(CODES)]
        screen.document("Explanations", {"codes": codes, "kinds": list(kind_names())})
        return
    screen.table(("CODE", "RULE", "WHAT IT SAYS"), [(code, RULES[code], CODES[code].title) for code in sorted(CODES)])
    screen.line()
    screen.line(f"kinds: {', '.join(kind_names())}")
    screen.note("`statek explain CODE`, `statek explain KIND` and `statek explain KIND.field` say more")


def _code(screen: Screen, code: str) -> None:
    text, rule = CODES[code], RULES[code]
    if screen.json:
        found = {
            "code": code, "rule": rule, "title": text.title, "why": text.why, "switchable": code in SETTABLE,
            "wrong": dict(text.wrong), "right": dict(text.right), "unshown": text.unshown or None,
        }  # fmt: skip
        screen.document("CodeExplained", found)
        return
    screen.line(f"{code}, {rule}", "bold")
    screen.line()
    screen.line(text.title)
    screen.line(text.why)
    if text.unshown:
        screen.line()
        screen.line(f"No example: {text.unshown}.")
    else:
        for title, files in ((f"Wrong, {WHERE}:", text.wrong), ("Right:", text.right)):
            screen.line()
            screen.line(title, "bold")
            for name, content in files.items():
                _file(screen, name, content)
    screen.line()
    screen.line(_switch(code, rule))


def _file(screen: Screen, name: str, content: str) -> None:
    screen.line(f"  {name}")
    for line in content.splitlines():
        screen.line(f"  | {line}".rstrip())


def _switch(code: str, rule: str) -> str:
    if code not in SETTABLE:
        return "[tool.statek.lint] cannot change it: the object would have no meaning, or it must never be overlooked."
    return (
        f'To change it, in pyproject.toml: [tool.statek.lint] rules = {{{rule} = "warn"}}, or "off"; '
        "the same in [[tool.statek.lint.paths]] with `files` for some files only."
    )


def _field(screen: Screen, part: Part) -> None:
    if screen.json:
        screen.document("FieldExplained", _field_json(part))
        return
    screen.line(part.path, "bold")
    for line in part.description, _later(part):
        if line:
            screen.line(line)
    screen.line()
    facts = _facts(part)
    width = max(len(title) for title, _ in facts) + 2
    for title, text in facts:
        screen.line(f"{title + ':':<{width}}{text}")
    if part.fields:
        screen.line()
        screen.table(("FIELD", "TYPE", "DEFAULT", "WHAT IT IS"), [_row(part, field) for field in part.fields])


def _facts(part: Part) -> Sequence[tuple[str, str]]:
    facts = [
        ("type", "; or ".join(part.types)),
        ("required", part.required if "." in part.path else ""),
        ("default", _shown(part.default) if part.has_default else ""),
        ("bounds", ", ".join(part.bounds)),
        ("values", ", ".join(map(_shown, part.allowed))),
        ("exactly one of", "; ".join(part.one_of)),
        ("not run yet", ", ".join(map(_shown, part.later_values))),
        ("example", "; ".join(map(_shown, part.examples))),
    ]
    return [(title, text) for title, text in facts if text]


def _later(part: Part) -> str:
    if part.later is None:
        return ""
    hint = f"; {part.later}" if part.later else ""
    return f"It is checked, but not run by this build: `statek apply` refuses it (STK100){hint}."


def _row(parent: Part, field: Part) -> tuple[str, str, str, str]:
    name = field.path.removeprefix(parent.path).lstrip(".")
    default = _shown(field.default) if field.has_default else "(required)" if field.required.startswith("yes") else ""
    later = " (not run yet)" if field.later is not None else ""
    return name, field.brief, default, f"{field.description}{later}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field_json(part: Part) -> dict[str, Any]:
    return {
        "path": part.path, "types": list(part.types), "description": part.description, "required": part.required,
        "default": part.default, "hasDefault": part.has_default, "bounds": list(part.bounds),
        "values": list(part.allowed), "examples": list(part.examples), "runs": part.later is None,
        "laterValues": list(part.later_values), "oneOf": list(part.one_of),
        "fields": [_field_json(field) for field in part.fields],
    }  # fmt: skip
