"""Aliases: earlier names of objects, which nothing else may have. Pure; called by `links`."""

from collections.abc import Iterator

from statek.spec.positions import first_line
from statek.spec.problems import Problem, Related, make_problem
from statek.spec.reading.nodes import Node
from statek.spec.types import Path, Spec, SpecSet, pointer


def check_aliases(specs: SpecSet) -> Iterator[Problem]:
    """Aliases that are the name of a declared object, or the alias of another one."""
    first: dict[tuple[str, str], tuple[Spec, Path]] = {}
    named = [spec for spec in specs.specs.values() if _has_aliases(spec) and _aliases(spec).data]
    live_names = {kind: {name.casefold(): name for name in specs.names(kind)} for kind in {spec.kind for spec in named}}
    for spec in sorted(named, key=lambda found: (found.document.file, found.document.line, found.id)):
        names = live_names[spec.kind]
        for index, alias in enumerate(_aliases(spec).data):
            path: Path = (*_at(spec), index)
            key = (spec.kind, alias.casefold())
            other, there = first.setdefault(key, (spec, path))
            if alias.casefold() in names:
                live = names[alias.casefold()]
                what = "its own name" if live == spec.name else f"{spec.kind} '{live}', which is declared"
                message = f"alias '{alias}' is {what}: an alias is an earlier name; remove it, or rename the object"
                yield _problem(spec, "STK208", message, path, _declared(specs.get(spec.kind, live), spec))
            elif (other, there) != (spec, path):
                place = _related(other, there, "first given here")
                message = f"alias '{alias}' is also one of {other.id}, at {place.file}:{place.range.start.line}"
                yield _problem(spec, "STK202", message, path, (place,))


def _has_aliases(spec: Spec) -> bool:
    node = spec.document.node
    assert node is not None
    head = node if spec.document.form == "markdown" else node.members["metadata"]
    return "aliases" in head.members


def _at(spec: Spec) -> Path:
    return ("aliases",) if spec.document.form == "markdown" else ("metadata", "aliases")


def _aliases(spec: Spec) -> Node:
    node = spec.document.node
    assert node is not None
    found = node.at(_at(spec))
    return found if isinstance(found.data, list) else Node((), found.span)


def _related(spec: Spec, path: Path, message: str) -> Related:
    assert spec.document.node is not None
    return Related(spec.document.file, first_line(spec.document.node.at(path).span), message)


def _declared(live: Spec | None, spec: Spec) -> tuple[Related, ...]:
    if live is None or live is spec:
        return ()
    path: Path = () if live.document.form == "markdown" else ("metadata", "name")
    return (_related(live, path, "declared here"),)


def _problem(spec: Spec, code: str, message: str, path: Path, related: tuple[Related, ...]) -> Problem:
    place = _related(spec, path, "")
    return make_problem(code, message, place.file, place.range, object=spec.id, pointer=pointer(path), related=related)
