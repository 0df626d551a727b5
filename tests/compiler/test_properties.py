"""Whatever is in the files: the checker answers with problems, the same ones each time, each within its file.

A few hundred generated cases run with the tests; `make cases` runs as many as CASES says, 10,000 without it.
"""

import json
import os
import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from statek.compiler.project import Compilation, check_project, compile_project
from statek.spec.problems import Problem, Range, SpecProblems, to_json
from statek.spec.schema.kinds import SCHEMAS
from tests.compiler.test_mistakes import AGENT, GOOD, QUEUES, WARMUP

CASES = int(os.environ.get("CASES", "300"))  # of all tests together
ODD = [
    "\t", "\x00", "\x07", "\ufeff", "\u202e", "\u2028", "\x85", "\r", "\r\n", "é", "\U0001f600", "'", '"', "\u201c",
    "{", "}", "]", "{{", "}}", "{%", "%}", ": ", "- ", "#", "&a ", "*a", "!!x ", "<<: ", "---\n", "...\n", "|\n", ">\n",
    "? ", "yes", "1e999", "${secret:", "${var:X}", "0x1F", "x" * 5000, "[" * 60, "{a: " * 60, "  ", "\n",
]  # fmt: skip
FILES = sorted(GOOD)


def found_in(files: Mapping[str, str | bytes], *, backwards: bool = False) -> tuple[list[Problem], dict[str, bytes]]:
    """Every problem of a project of these files, which are written in this order or from its end; and the bytes."""
    raw = {
        name: text if isinstance(text, bytes) else text.encode(errors="surrogatepass") for name, text in files.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in reversed(list(raw)) if backwards else raw:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw[name])
        try:
            found: Compilation = check_project(Path(folder))
        except SpecProblems as error:
            return list(error.problems), raw
        if found.runs:
            assert compile_project(Path(folder)).objects
        for problems in (found.problems, found.later):
            assert list(problems) == sorted(problems, key=lambda problem: problem.sort_key)
        # Where a module was looked for is told by its whole path.
        told = [replace(one, message=one.message.replace(folder, "")) for one in (*found.problems, *found.later)]
        return told, raw


def check_places(problems: list[Problem], raw: Mapping[str, bytes]) -> None:
    """Every place lies in its file, and no two problems are one."""
    lines = {name: text.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n") for name, text in raw.items()}
    for problem in problems:
        assert problem.message.strip()
        places = [(problem.file, problem.range), *((other.file, other.range) for other in problem.related)]
        for file, where in [*places, *((problem.file, fix.range) for fix in problem.fixes)]:
            assert inside(where, lines.get(file, [""])), (problem, file)
    keys = [
        (problem.file, problem.range, problem.code, problem.message) for problem in problems if problem.file in lines
    ]
    assert len(keys) == len(set(keys)), problems


def inside(where: Range, lines: list[str]) -> bool:
    """Whether a place lies in a text of these lines; its last character may be one behind the end."""
    start, end = where
    if not (1 <= start.line <= len(lines) and start <= end and end.line <= len(lines) + 1):
        return False
    return 1 <= start.column <= len(lines[start.line - 1]) + 1


def checked(files: Mapping[str, str | bytes]) -> list[Problem]:
    """The problems of a project; whatever holds of any project is asserted."""
    problems, raw = found_in(files)
    check_places(problems, raw)
    return problems


def cases(share: float = 1.0) -> Callable[[Any], Any]:
    """So many of all cases."""
    return settings(max_examples=max(1, int(CASES * share / 4.2)))


@cases(0.5)
@given(st.sampled_from(FILES), st.binary(max_size=200))
def test_bytes(file: str, raw: bytes) -> None:
    """Any bytes in any file."""
    checked({**GOOD, file: raw})


@cases(0.5)
@given(st.sampled_from(FILES), st.text(max_size=200))
@example(AGENT, "---\n---\n---\n").via("an empty front matter")
def test_text(file: str, text: str) -> None:
    """Any text in any file."""
    checked({**GOOD, file: text})


@cases()
@given(st.lists(st.tuples(st.sampled_from(FILES), st.integers(0, 7), st.integers(0), st.sampled_from(ODD)), max_size=4))
def test_mutations(changes: list[tuple[str, int, int, str]]) -> None:
    """A good project with a few lines or characters deleted, doubled, swapped, put in, or cut off behind."""
    files = dict(GOOD)
    for file, how, where, text in changes:
        files[file] = mutated(files[file], how, where, text)
    checked(files)


def mutated(text: str, how: int, where: int, odd: str) -> str:
    """One change of a text."""
    lines = text.split("\n")
    row, at = where % len(lines), where % (len(text) + 1)
    if how == 0:
        return "\n".join([*lines[:row], *lines[row + 1 :]])
    if how == 1:
        return "\n".join([*lines[: row + 1], *lines[row:]])
    if how == 2:
        other = where // 7 % len(lines)
        lines[row], lines[other] = lines[other], lines[row]
        return "\n".join(lines)
    if how == 3:
        return text[:at]
    if how == 4:
        return text[:at] + text[at + 1 :]
    if how == 5:
        return text[:at] + odd + text[at + len(odd) :]
    if how == 6:
        return "\n".join([*lines[:row], "  " + lines[row], *lines[row + 1 :]])
    return text[:at] + odd + text[at:]


def trees() -> st.SearchStrategy[Any]:
    """Values that are often near to good ones."""
    words = st.sampled_from([*sorted(names_of(SCHEMAS)), "a", "triage", "ticketing/*", "10s", "5%", "60k", "${var:X}"])
    scalars = st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | words | st.text(max_size=4)
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=12
    )


def names_of(shape: Any) -> set[str]:
    """All names of fields in the schemas."""
    if isinstance(shape, list):
        return {name for inner in shape for name in names_of(inner)}
    if not isinstance(shape, dict):
        return set()
    known = set(shape["properties"]) if isinstance(shape.get("properties"), dict) else set()
    return known | {name for inner in shape.values() for name in names_of(inner)}


@cases()
@given(st.sampled_from(sorted(SCHEMAS)), trees(), st.booleans())
def test_trees(kind: str, tree: Any, bare: bool) -> None:
    """Any tree as the fields of any kind, written as JSON, which is YAML."""
    files = dict(GOOD)
    if kind == "Agent":
        data = {"description": "Any.", "model": "fast", **tree} if isinstance(tree, dict) and not bare else tree
        files["agents/any.md"] = f"---\n{json.dumps(data)}\n---\nHello.\n"
    else:
        whole = tree if bare else {"apiVersion": "statek/v1", "kind": kind, "metadata": {"name": "any"}, "spec": tree}
        files["tests/any.eval.yaml" if kind == "Eval" else "queues/any.yaml"] = json.dumps(whole)
    checked(files)


@cases()
@given(st.randoms(use_true_random=False))
def test_near_good_documents(source: random.Random) -> None:
    """The examples of the schemas put together at random: nearly right, in many ways."""
    files = dict(GOOD)
    for kind in source.sample(sorted(SCHEMAS), 3):
        spec = sample(SCHEMAS[kind], source, 0)
        place = {"Agent": "agents/any.md", "Eval": "tests/any.eval.yaml"}.get(kind, f"queues/any-{kind.lower()}.yaml")
        files[place] = (
            f"---\n{json.dumps(spec)}\n---\nHello {{{{ inputs }}}}.\n" if kind == "Agent" else json.dumps(spec)
        )
    checked(files)


def sample(shape: Mapping[str, Any], source: random.Random, depth: int) -> Any:
    """A value of about this shape."""
    if source.random() < 0.03:
        return source.choice([None, True, 0, "x", [], {}])
    for branch in shape.get("allOf", ()):
        if source.random() < 0.5:
            return sample(branch["then"], source, depth)
    if "properties" in shape:
        needed = set(shape.get("required", ()))
        inner = shape["properties"].items()
        return {
            name: sample(field, source, depth + 1) for name, field in inner if name in needed or source.random() < 0.5
        }
    if "enum" in shape:
        return source.choice(shape["enum"])
    if "items" in shape and depth < 8:
        return [sample(shape["items"], source, depth + 1) for _ in range(source.randint(0, 2))]
    return source.choice(shape["examples"]) if shape.get("examples") else {"type": "string"}


@cases(0.2)
@given(st.lists(st.tuples(st.sampled_from(FILES), st.integers(0, 7), st.integers(0), st.sampled_from(ODD)), max_size=3))
@example([(QUEUES, 5, 40, "{{"), (WARMUP, 3, 9, "")]).via("two files at once")
def test_the_same_files_give_the_same_bytes(changes: list[tuple[str, int, int, str]]) -> None:
    """Whatever the order in which they were written."""
    files = dict(GOOD)
    for file, how, where, text in changes:
        files[file] = mutated(files[file], how, where, text)
    first, second = (found_in(files, backwards=backwards)[0] for backwards in (False, True))
    assert json.dumps([to_json(one) for one in first]) == json.dumps([to_json(one) for one in second])
