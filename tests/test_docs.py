"""The documents are true: what they name exists, and the README's example runs as it stands."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from statek.cli.codes import Exit
from statek.cli.main import VERBS
from statek.compiler.project import compile_project
from statek.spec.problems import RULES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^`([\w./]+)` [^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 120.0


def plain(text: str) -> str:
    """A document without its fenced blocks."""
    return FENCE.sub("", text)


def command_lines(text: str) -> list[str]:
    """Every `statek ...` in fences and inline code."""
    spans = re.findall(r"`(statek [^`\n]+)`", plain(text))
    lines = [line for language, block in FENCE.findall(text) if language == "" for line in block.splitlines()]
    return spans + [line for line in lines if line.startswith("statek ")]


def verb_of(line: str) -> str:
    """The verb of a command line."""
    return line.split()[1]


def table_after(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below `heading`, without its head."""
    lines = text[text.index(heading) :].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("|---"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The README's project, written out."""
    files = dict(FILE.findall(README))
    assert {"pyproject.toml", "shop.py", "agents/clerk.md", "tickets.jsonl"} <= set(files)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def run(folder: Path, *words: str) -> str:
    """Run Python in `folder` with the kit and the folder on its path; what it prints."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_example_is_valid(example: Path) -> None:
    """The README's project compiles without a word."""
    compilation = compile_project(example)
    assert compilation.problems == ()
    assert {"Agent", "ToolSet", "Queue", "Script", "Warmup"} <= {item.kind for item in compilation.objects}


@pytest.mark.timeout(300)
def test_example_runs(example: Path) -> None:
    """The README's commands answer the ticket, and once only when they are repeated."""
    block = next(block for _, block in FENCE.findall(README) if block.startswith("statek validate"))
    validate, apply, *rest = [line.split()[1:] for line in block.splitlines()]
    for words in (validate, apply, *rest, *rest):
        shown = run(example, "-m", "statek", *words)
    assert "ended: ok" in shown
    assert (example / "sent.jsonl").read_text().count("\n") == 1


@pytest.mark.timeout(300)
def test_example_of_a_test_passes(example: Path) -> None:
    """The README's test of the example's own code passes."""
    block = next(block for _, block in FENCE.findall(README) if "open_fleet" in block)
    (example / "test_shop.py").write_text(block)
    shown = run(example, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py")
    assert "1 passed" in shown


@pytest.mark.parametrize("block", [block for language, block in FENCE.findall(README) if language == "python"])
def test_python_is_python(block: str) -> None:
    """Every Python block of the README compiles."""
    compile(block, "README.md", "exec")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_verbs_exist(document: Path) -> None:
    """Every `statek VERB` that a document names is a verb."""
    named = {verb_of(line) for line in command_lines(document.read_text())}
    assert named <= set(VERBS)


def test_verbs_are_documented() -> None:
    """Every verb has a row in the README's table of commands."""
    shown = [verb_of(row[0].strip("`")) for row in table_after(README, "## Commands")]
    assert sorted(shown) == sorted(VERBS)


def test_options_exist() -> None:
    """Every option that the README gives to a command is one of that command."""
    for line in command_lines(README):
        verb = verb_of(line)
        command = importlib.import_module(VERBS[verb][0]).command
        known = {option for param in command.params if isinstance(param, click.Option) for option in param.opts}
        assert set(re.findall(r" (--?[a-z][\w-]*)", line)) <= known, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    """Every `make TARGET` that a document names is a target."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)\b", document.read_text(), re.MULTILINE)) <= targets


def test_exit_codes() -> None:
    """The README's table of exit codes is that of the command line."""
    assert [int(row[0]) for row in table_after(README, "Exit codes:")] == [int(code) for code in Exit]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_codes_exist(document: Path) -> None:
    """Every diagnostic code that a document names is given out."""
    assert set(re.findall(r"\bSTK\d{3}\b", document.read_text())) <= set(RULES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link leads to a file or folder."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", plain(document.read_text()))
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "document", [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *DECISIONS], ids=lambda p: p.name
)
def test_paths_exist(document: Path) -> None:
    """Every file or module of the project that a document names in code marks is there."""
    text = plain(document.read_text())
    named = re.findall(r"`([a-z_]+/[a-z_/.]+)`", text)
    rings = "|".join(path.parent.name for path in (ROOT / "statek").glob("*/__init__.py"))
    named += [f"{ring}/{module}.py" for ring, module in re.findall(rf"`({rings})\.(?!sqlite)(\w+)`", text)]
    missing = [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "statek"))]
    assert missing == []


def test_rings() -> None:
    """The ring list of the architecture is that of the import contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["id"] == "rings")["layers"]
    shown = [re.split(r"\s{2,}", line)[0] for line in FENCE.findall(ARCHITECTURE)[0][1].splitlines()]
    edge, *rings = [layer for layer in layers if layer != "__main__"]
    assert shown == ["cli | doors", *rings]
    assert edge.startswith("cli | (")


def test_glossary() -> None:
    """The glossary is sorted and has one row for each word, those that may have no synonym among them."""
    words = [row[0] for row in table_after((ROOT / "GLOSSARY.md").read_text(), "# Glossary")]
    assert words == sorted(set(words))
    fixed = re.search(r"each idea has one word: ([a-z, ]+)\.", (ROOT / "CONTRIBUTING.md").read_text())
    assert fixed is not None
    assert set(fixed[1].split(", ")) <= set(words)


def test_changelog() -> None:
    """The changelog begins with Unreleased, and each version has its sections in the agreed order."""
    order = ["Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]
    versions = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    assert versions[0].startswith("[Unreleased]")
    for version in versions:
        sections = re.findall(r"^### (\w+)$", version, re.MULTILINE)
        assert sections == sorted(sections, key=order.index)


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.name)
def test_decision(page: Path) -> None:
    """A decision has its number in its title, says context, decision and consequences, and fits on a page."""
    text = page.read_text()
    assert text.startswith(f"# {int(page.name[:4])}. ")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert (headings[0], headings[-2:]) == ("Context", ["Decision", "Consequences"])
    assert len(text.split()) < 550


def test_decisions_are_numbered() -> None:
    """Numbers of decisions follow each other."""
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
