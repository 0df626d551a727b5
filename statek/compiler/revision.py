"""The name of a compiled value: `name@` and twelve hex digits of everything that changes its behaviour.

The ledger keeps one text for a revision, so a compiled value holds nothing that may change while its revision stays:
places are those within the object (`Agent/triage`, first line of the prompt is 1), never a file or a line of it. The
release knows the file. For agents the version of the template engine is part of the name too.
"""

from statek.ledger import compiled


def revision_of(kind: str, name: str, text: str) -> str:
    """The revision id of a compiled value, given its canonical `text`."""
    if kind == "Agent":
        from statek.text.template import engine  # it loads the engine, which checking most prompts does not need

        text = f"{text}\n{engine()}"
    return f"{name}@{compiled.digest(text)}"
