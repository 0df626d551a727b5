"""A compiler that goes on from edit to edit gives what one that begins anew gives, whatever was edited.

A project with everything that one object takes from others is edited at random: contents come and go, files are
renamed, words are replaced by names of other things, texts are broken and mended. 300 edits run with the tests, as
many as CASES says when it is set.
"""

import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from statek.compiler.project import Compilation, Compiler, compile_project
from statek.spec.problems import Problem, SpecProblems
from tests.compiler.test_mistakes import GOOD

EDITS = int(os.environ.get("CASES", "300"))
RUNS = 12  # each with a compiler and a project of its own


class LaterClock:
    """An hour later than the disk: every file has been at rest for long, so all that can be believed is."""

    def now_us(self) -> int:
        """Microseconds since 1970."""
        return 1 << 60

    def monotonic(self) -> float:
        """Seconds."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps."""


def agent(head: str, body: str = "Do {{ inputs.topic }}.") -> str:
    """An agent's file."""
    return f"---\ndescription: An agent.\n{head}inputs:\n  topic: {{type: string}}\n---\n{body}\n"


def document(kind: str, name: str, spec: str, labels: str = "") -> str:
    """A document of a .yaml file."""
    return f"apiVersion: statek/v1\nkind: {kind}\nmetadata: {{name: {name}{labels}}}\nspec: {spec}\n---\n".removesuffix(
        "---\n"
    )


def patch(kind: str, name: str, values: str) -> str:
    """One entry of an Overlay's patches."""
    return f"{{target: {{kind: {kind}, name: {name}}}, set: {{{values}}}}}"


PROJECT = {
    **GOOD,
    "pyproject.toml": GOOD["pyproject.toml"]
    + '\n[tool.statek.env.live]\nvars = {REGION = "us"}\nmodels = {fast = "deep"}\n'
    + "\n[tool.statek.lint]\nrules = {STK504 = 'warn'}\n",
    "agents/base.md": agent("abstract: true\nmodel: fast\ntools: [ticketing/lookup]\nlimits: {turns: 5}\n"),
    "agents/child.md": agent("extends: base\ntools: {deny: [ticketing/close]}\n", '{% include "tone" %}{{ tools }}'),
    "agents/grandchild.md": agent("extends: child\nlabels: {team: support}\nsubagents: [reader]\n"),
    "agents/plain.md": agent("warmup: plain\nlabels: {team: lab}\n", '{% include "deep" %} {{ vars.REGION }}'),
    "agents/_deep.md": '{% include "tone" %} for {{ inputs.topic }}\n',
    "agents/defaults.yaml": document("Defaults", "lab", "{match: {labels: {team: lab}}, set: {model: deep}}"),
    "agents/house.yaml": document(
        "Policy", "house",
        "{rules: [{id: cheap, match: {kind: Agent, labels: {team: support}}, require: {limits.turns: true},"
        " severity: warn}, {id: read, match: {kind: Tool, effect: read}, require: {idempotent: true}}]}",
    ),
    "agents/live.yaml": document(
        "Overlay", "live",
        f"{{env: live, vars: {{REGION: asia}}, patches: [{patch('Agent', 'child', 'limits.turns: 9')},"
        f" {patch('Queue', 'by-region', 'paused: true')}]}}",
    ),
    "queues/region.yaml": document("Queue", "by-region", '{agent: plain, deliver_as: topic, rate: "60/m"}'),
    "warmups/plain.py": "print(topic)\n",
    "warmups/spare.py": "import json\nprint(json.dumps(1))\n",
    "api.yaml": "paths:\n  /a:\n    get: {operationId: getOrder}\n    put: {operationId: putOrder}\n",
}  # fmt: skip
ADDED = {
    "agents/second.md": agent("model: fast\ntools: [ticketing/*]\n"),
    "agents/web.yaml": document("ToolSet", "web", "{tools: [{openapi: {spec: api.yaml, include: [getOrder]}}]}"),
    "queues/night.yaml": document("Schedule", "night", '{agent: plain, cron: "0 2 * * *", inputs: {topic: night}}'),
    "tests/plain.eval.yaml": document(
        "Eval", "plain", "{agent: plain, cases: [{name: one, inputs: {topic: a}, expect: {tool_not_called: lookup}}]}"
    ),
    "agents/more.yaml": document("Model", "fast2", "{provider: router, id: a/b}"),
    "agents/all.yaml": document("Defaults", "all", "{set: {limits: {turns: 3}, tools: [ticketing/*]}}"),
    "agents/dev.yaml": document("Overlay", "dev", f"{{env: dev, patches: [{patch('Agent', 'plain', 'model: fast')}]}}"),
    "agents/sub/triage.md": GOOD["agents/triage.md"],
    "agents/_Tone.md": "Long sentences.\n",
    "queues/twins.yaml": document("Queue", "Support", "{max_depth: 1}"),
    "queues/other.yaml": document("Queue", "other", "{agent: child, deliver_as: subject, prefix: p}"),
    "queues/fleet2.yaml": document("Fleet", "two", "{agents: [plain]}"),
    "agents/alias.md": agent("model: fast\naliases: [reader, old]\n"),
    "warmups/deep/triage.py": "print(event)\n",
    "shop/tickets/__init__.py": "lookup = None\n",
    "agents/also.md": agent("model: fast\nwarmup: plain\ntools: {use: [ticketing/*], deny: [ticketing/lookup]}\n"),
    "agents/denying.md": agent("extends: also\n"),
    "warmups/plain.py": "lookup(topik)\nclose([x for x in xs])\nprint(subject, x)\nsubject = 1\n",
}
WORDS = (
    "triage", "reader", "child", "base", "plain", "fast", "deep", "tone", "ticketing", "lookup", "close", "support",
    "lab", "topic", "event", "router", "REGION", "live", "dev", "Agent", "Queue", "getOrder", "abstract", "true", "5",
    "extends", "model", "tools", "warmup", "read", "write", "api.yaml", "*", "Tone", "${var:REGION}", "${secret:K}",
)  # fmt: skip
SETTINGS = (
    PROJECT["pyproject.toml"].replace('"us"', '"uk"'),
    PROJECT["pyproject.toml"].replace("warn", "off"),
    PROJECT["pyproject.toml"].replace('models = {fast = "deep"}', 'reload = {model = "next-turn"}'),
    PROJECT["pyproject.toml"].replace('"warmups", ', ""),
    PROJECT["pyproject.toml"].replace('roots = ["', 'exclude = ["_*"]\nroots = ["'),
    PROJECT["pyproject.toml"].replace('roots = ["agents"', 'python_path = ["src"]\nroots = ["agents"'),
    "[tool.statek]\nproject = 3\n",
)
Edit = Callable[[random.Random, dict[str, str]], None]


def take_away(chance: random.Random, files: dict[str, str]) -> None:
    """A file goes."""
    del files[chance.choice(sorted(files))]


def bring(chance: random.Random, files: dict[str, str]) -> None:
    """A file comes, or gets the contents of another one."""
    path = chance.choice([*ADDED, *sorted(files)])
    files[path] = ADDED.get(path) or files[chance.choice(sorted(files))]


def rename(chance: random.Random, files: dict[str, str]) -> None:
    """A file gets another name beside it."""
    old = chance.choice(sorted(files))
    folder, _, name = old.rpartition("/")
    ending = name[name.find(".") :] if "." in name else ""
    new = f"{folder}/{chance.choice(WORDS).strip('*${}:').replace(':', '-')}{ending}".removeprefix("/")
    files[new] = files.pop(old)


def replace_word(chance: random.Random, files: dict[str, str]) -> None:
    """A name is replaced by another one, at one place."""
    path = chance.choice(sorted(files))
    here = [word for word in WORDS if word in files[path]]
    if here:
        parts = files[path].split(word := chance.choice(here))
        at = chance.randrange(1, len(parts))
        files[path] = word.join(parts[:at]) + chance.choice(WORDS) + word.join(parts[at:])


def break_text(chance: random.Random, files: dict[str, str]) -> None:
    """Something is cut out, or gets in."""
    path = chance.choice(sorted(files))
    text = files[path]
    start = chance.randrange(len(text) + 1)
    more = chance.choice(["", "\n", ": ", "[", "}", "\t", "{{ x }}", "{% include 'tone' %}", "\x00", "\n---\n", "#"])
    files[path] = text[:start] + more + text[start + chance.choice([0, 0, 1, 5]) :]


def add_line(chance: random.Random, files: dict[str, str]) -> None:
    """A line at the end."""
    files[chance.choice(sorted(files))] += "# one more line\n"


def set_up(chance: random.Random, files: dict[str, str]) -> None:
    """Other settings."""
    files["pyproject.toml"] = chance.choice(SETTINGS)


def mend(_chance: random.Random, files: dict[str, str]) -> None:
    """All is as it was."""
    files.clear()
    files.update(PROJECT)


HOW: tuple[Edit, ...] = (
    take_away, bring, rename, replace_word, replace_word, replace_word, break_text, add_line, add_line, set_up,
)  # fmt: skip


def edited(chance: random.Random, count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """What was done last, and the files, after each of many edits; every few of them all is mended."""
    files = dict(PROJECT)
    yield "nothing", files
    for _ in range(count):
        done = [mend] if chance.random() < 0.25 else chance.sample(HOW, chance.choice([1, 1, 1, 2]))
        for edit in done:
            edit(chance, files)
        yield " and ".join(edit.__name__ for edit in done), files


def write(root: Path, before: dict[str, str], after: dict[str, str]) -> None:
    """Make the folder hold these files. A file that has changed gets another length, so that the disk tells it."""
    for path in before.keys() - after.keys():
        (root / path).unlink()
    for path, text in after.items():
        if before.get(path) != text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            new = text if len(text.encode()) != len(before.get(path, "").encode()) else text + "\n"
            (root / path).write_text(new)
            after[path] = new


def result(compile_now: Callable[[], Compilation]) -> Compilation | tuple[Problem, ...]:
    """What is compiled, or what is wrong with the settings."""
    try:
        return compile_now()
    except SpecProblems as error:
        return error.problems


@pytest.mark.parametrize("seed", range(RUNS))
def test_whatever_is_edited_nothing_stale_is_left(tmp_path: Path, seed: int) -> None:
    """Same problems in the same order, same objects, same sources, for either environment."""
    chance = random.Random(seed if "CASES" not in os.environ else None)
    compiler = Compiler(LaterClock() if seed % 2 else None)
    before: dict[str, str] = {}
    for done, files in edited(chance, EDITS // RUNS):
        after = dict(files)
        write(tmp_path, before, after)
        env = chance.choice(["dev", "dev", "live"])
        found = result(partial(compiler.compile, tmp_path, env=env))
        assert found == result(partial(compile_project, tmp_path, env=env)), (done, after)
        before = after
        files.update(after)
