"""Hostile files are refused at a place, or read right: soon, in little memory, and without opening what is no file."""

import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from statek.compiler.project import check_project
from statek.spec.problems import Problem
from statek.spec.reading.listing import MAX_BYTES

ROOT = Path(__file__).parents[2]
SECONDS = 10.0  # of CPU; a second is meant, on a machine that does nothing else
MEGABYTES = 100
AGENT = "---\ndescription: One agent.\nmodel: openai/gpt-5-mini\n{more}---\nHello.\n"
QUEUE = "apiVersion: statek/v1\nkind: Queue\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def agent(more: str) -> bytes:
    """An agent with more lines of front matter."""
    return AGENT.format(more=more).encode(errors="surrogatepass")


def bomb() -> str:
    """Nine lists of nine aliases each."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines) + "\n"


BYTES: dict[str, tuple[bytes, str]] = {  # what stands in an agent's file, and the code that it gets
    "alias-bomb": (agent(bomb()), "STK008"),
    "recursive-alias": (agent("x-a: &a [*a]\n"), "STK008"),
    "many-anchors": (agent("".join(f"x-{n}: &a{n} 1\n" for n in range(20_000))), "STK008"),
    "merge-key": (agent("labels: {<<: {a: b}}\n"), "STK008"),
    "deep-lists": (agent("x-a: " + "[" * 3000 + "]" * 3000 + "\n"), "STK009"),
    "deep-mappings": (agent("x-a: " + "{a: " * 3000 + "1" + "}" * 3000 + "\n"), "STK009"),
    "deep-blocks": (agent("x-a:\n" + "".join(" " * n + "a:\n" for n in range(1, 900))), "STK009"),
    "deep-open": (agent("x-a: " + "[" * 100_000 + "\n"), "STK009"),
    "many-values": (agent("x-a: [" + "1, " * 100_000 + "1]\n"), "STK009"),
    "many-keys": (agent("".join(f"x-{n}: 1\n" for n in range(50_000))), "STK009"),
    "large-file": (agent("x-a: " + "y" * MAX_BYTES + "\n"), "STK009"),
    "long-scalar": (agent("locale: " + "y" * 900_000 + "\n"), "STK106"),
    "long-number": (agent("limits: {turns: " + "9" * 100_000 + "}\n"), "STK106"),
    "long-fraction": (agent("params: {temperature: 0." + "3" * 100_000 + "}\n"), "STK106"),
    "huge-exponent": (agent("limits: {turns: 1e999}\n"), "STK106"),
    "sexagesimal": (agent("limits: {turns: " + "1:" * 50_000 + "1}\n"), "STK103"),
    "long-line": (b"x" * 900_000, "STK003"),
    "python-tag": (agent("x-a: !!python/object/apply:os.mkdir [hostile-was-here]\n"), "STK007"),
    "custom-tag": (agent("x-a: !thing {a: 1}\n"), "STK007"),
    "binary-tag": (agent("x-a: !!binary aGVsbG8=\n"), "STK007"),
    "directive": (agent("").replace(b"---\n", b"---\n%YAML 1.1\n---\n", 1), "STK001"),
    "latin-1": (agent("x-a: caf").replace(b"caf", b"caf\xe9\n"), "STK010"),
    "utf-16": (AGENT.format(more="").encode("utf-16"), "STK010"),
    "utf-16-without-bom": (AGENT.format(more="").encode("utf-16-le"), "STK010"),
    "nul": (agent("x-a: a\0b\n"), "STK010"),
    "lone-surrogate": (agent("x-a: \ud800\n"), "STK010"),
    "overlong-utf-8": (agent("x-a: ").replace(b"x-a: ", b"x-a: \xc0\xaf\n"), "STK010"),
    "escape-codes": (agent("x-a: \x1b[2J\n"), "STK010"),
    "carriage-returns": (AGENT.format(more="").replace("\n", "\r").encode(), "STK010"),
    "bidi": (agent('x-a: "\u202etxt"\n'), "STK010"),
    "duplicate-top": (agent("model: openai/gpt-5\n"), "STK004"),
    "duplicate-nested": (agent("labels: {a: x, b: y, a: z}\n"), "STK004"),
    "duplicate-quoted": (agent('labels: {a: x, "a": z}\n'), "STK004"),
    "country": (agent("labels: {country: no, on: off}\nprotect: no\n"), "STK103"),
    "octal": (agent("limits: {turns: 0o10}\n"), "STK103"),
    "leading-zero": (agent("limits: {turns: 010}\n"), "STK103"),
    "hexadecimal": (agent("limits: {turns: 0x10}\n"), "STK103"),
    "underscores": (agent("limits: {turns: 1_000}\n"), "STK103"),
    "infinite": (agent("limits: {cost_usd: .inf}\n"), "STK103"),
    "date": (agent("limits: {turns: 2026-01-01}\n"), "STK103"),
    "key-of-list": (agent("? [a, b]\n: c\n"), "STK013"),
    "power": (agent("").replace(b"Hello", b"{{ 9**99999999 }}"), "STK307"),
    "include-above": (agent("").replace(b"Hello", b'{% include "../../etc/passwd" %}'), "STK204"),
    "include-absolute": (agent("").replace(b"Hello", b'{% include "/etc/passwd" %}'), "STK204"),
    "include-coded": (agent("").replace(b"Hello", b'{% include "%2e%2e%2fpasswd" %}'), "STK303"),
    "many-braces": (agent("").replace(b"Hello", b"{{" * 100_000), "STK302"),
    "deep-expression": (agent("").replace(b"Hello", b"{{ " + b"(" * 5000 + b"1" + b")" * 5000 + b" }}"), "STK307"),
    "deep-ifs": (agent("").replace(b"Hello", b"{% if inputs %}" * 5000 + b"{% endif %}" * 5000), "STK307"),
}  # fmt: skip


def project(root: Path) -> Path:
    """A small good project."""
    for name, text in {
        "pyproject.toml": '[tool.statek]\nproject = "hostile"\n',
        "agents/good.md": AGENT.format(more=""),
        "queues/good.yaml": QUEUE.format(name="good", spec="{max_depth: 5}"),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def validated(root: Path) -> tuple[list[dict[str, Any]], float, float]:
    """What a whole process finds in a project, the seconds of CPU it takes and its memory at most, in MB."""
    code = (
        "import json, resource, sys; from statek.cli.main import main; code = main(sys.argv[1:]);"
        "used = resource.getrusage(resource.RUSAGE_SELF);"
        "print('\\n' + json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code]))"
    )
    command = [sys.executable, "-c", code, "validate", "-o", "json", str(root)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    limit = (120, 120)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env=env, cwd=root,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
    )  # fmt: skip
    printed, _, last = done.stdout.rstrip().rpartition("\n")
    assert last, done.stderr[-2000:]
    seconds, megabytes, _ = json.loads(last)
    return json.loads(printed)["diagnostics"], seconds, megabytes


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The memory that a good project takes, in MB."""
    found, _, megabytes = validated(project(tmp_path_factory.mktemp("usual")))
    assert found == []
    return megabytes


def problems_of(root: Path) -> list[tuple[str, str]]:
    """Code and file of every problem."""
    return [(problem.code, problem.file) for problem in check_project(root).problems]


def test_hostile_bytes_are_refused_at_a_place(tmp_path: Path, usual: float) -> None:
    """All of them in one project: each file gets its code, soon and in little memory; nothing in them runs."""
    project(tmp_path)
    for name, (raw, _) in BYTES.items():
        (tmp_path / "agents" / f"{name}.md").write_bytes(raw)
    found, seconds, megabytes = validated(tmp_path)
    codes: dict[str, set[str]] = {}
    for one in found:
        assert one["range"]["start"]["line"] >= 1
        codes.setdefault(Path(one["file"]).stem, set()).add(one["code"])
    assert {name: code for name, (_, code) in BYTES.items() if code not in codes.get(name, ())} == {}
    assert set(codes) == set(BYTES)
    assert seconds < SECONDS * 4
    assert megabytes - usual < MEGABYTES
    assert not (tmp_path / "hostile-was-here").exists()


@pytest.mark.parametrize("name", sorted(BYTES))
def test_a_hostile_file_costs_little(tmp_path: Path, name: str) -> None:
    """Each by itself is refused soon, and the good objects beside it are still known."""
    project(tmp_path)
    (tmp_path / "agents" / f"{name}.md").write_bytes(BYTES[name][0])
    began = time.process_time()
    found = check_project(tmp_path)
    assert time.process_time() - began < SECONDS
    assert {problem.file for problem in found.problems} == {f"agents/{name}.md"}
    assert found.declared["Queue"] == 1


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """Pipes, sockets, devices and folders are refused by what they are."""
    project(tmp_path)
    os.mkfifo(tmp_path / "agents" / "pipe.md")
    (tmp_path / "agents" / "folder.md").mkdir()
    here = Path.cwd()
    os.chdir(tmp_path / "agents")  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.yaml")
    finally:
        os.chdir(here)
    wanted = {("STK009", f"agents/{name}") for name in ("pipe.md", "folder.md", "socket.yaml")}
    if os.geteuid() == 0:
        try:
            os.mknod(tmp_path / "agents" / "device.md", 0o020600, os.makedev(1, 5))  # zeros without end
        except OSError:
            pass  # not in this container
        else:
            wanted.add(("STK009", "agents/device.md"))
    assert set(problems_of(tmp_path)) == wanted


def test_links_that_leave_their_root_are_refused(tmp_path: Path) -> None:
    """Whatever they lead to: nothing outside of a root is read, and no loop is followed."""
    project(tmp_path)
    agents = tmp_path / "agents"
    (tmp_path / "secret.md").write_text(AGENT.format(more=""))
    targets = (
        "/etc/passwd",
        "../secret.md",
        "../../secret.md",
        "/proc/self/environ",
        "/dev/zero",
        "..",
        "../queues/good.yaml",
    )
    for number, target in enumerate(targets):
        (agents / f"link-{number}.md").symlink_to(target)
    (agents / "loop.md").symlink_to("loop.md")
    (agents / "first.md").symlink_to("second.md")
    (agents / "second.md").symlink_to("first.md")
    (agents / "gone.md").symlink_to("nothing.md")
    (agents / "folder").symlink_to(tmp_path / "queues")
    (agents / "round").symlink_to(".")
    found = problems_of(tmp_path)
    assert len(found) == len({file for _, file in found}) == len(targets) + 6
    assert {code for code, file in found if "link-" in file} == {"STK011"}
    assert {code for code, _ in found} <= {"STK009", "STK011", "STK021"}


def test_roots_that_leave_the_project_are_refused(tmp_path: Path) -> None:
    """By name or by link."""
    root = project(tmp_path / "project")
    for roots in ('["agents", ".."]', '["agents", "/etc"]', '["agents/../../other"]'):
        (tmp_path / "other").mkdir(exist_ok=True)
        (root / "pyproject.toml").write_text(f"[tool.statek]\nroots = {roots}\n")
        assert {code for code, _ in _refused(root)} == {"STK011"}, roots


def _refused(root: Path) -> list[tuple[str, str]]:
    from statek.spec.problems import SpecProblems

    try:
        return problems_of(root)
    except SpecProblems as error:
        return [(problem.code, problem.file) for problem in error.problems]


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """It is never taken for one that is not there. For root, who may read everything, a process without that right."""
    project(tmp_path)
    locked = tmp_path / "agents" / "locked.md"
    locked.write_text(AGENT.format(more=""))
    locked.chmod(0)
    (tmp_path / "queues" / "inner").mkdir(mode=0)
    if os.geteuid() != 0:
        assert set(problems_of(tmp_path)) == {("STK021", "agents/locked.md"), ("STK021", "queues/inner")}
        return
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path; from statek.compiler.project import check_project;"
        "check_project(Path(sys.argv[1])); os.setgid(65534); os.setuid(65534);"  # what it imports is root's
        "print(sorted((one.code, one.file) for one in check_project(Path(sys.argv[1])).problems))"
    )
    command = [sys.executable, "-B", "-c", code, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.strip() == "[('STK021', 'agents/locked.md'), ('STK021', 'queues/inner')]", done.stderr


def test_marks_and_line_ends_of_other_systems_are_read_right(tmp_path: Path) -> None:
    """A byte order mark and CRLF change nothing."""
    project(tmp_path)
    before = check_project(tmp_path)
    text = (b"\xef\xbb\xbf" + AGENT.format(more="").encode()).replace(b"\n", b"\r\n")
    (tmp_path / "agents" / "good.md").write_bytes(text)
    after = check_project(tmp_path)
    assert (before.problems, after.problems, before.declared) == ((), (), after.declared)


def test_text_stays_the_text_that_was_written(tmp_path: Path) -> None:
    """What other readers take for booleans, numbers of base 60 or dates is text."""
    project(tmp_path)
    written = {"country": "NO", "answer": "off", "clock": "22:22", "octal": "0o10", "day": "2026-01-01", "dot": "1.1.0"}
    lines = ", ".join(f"{name}: {value}" for name, value in written.items())
    (tmp_path / "agents" / "text.md").write_text(AGENT.format(more=f"labels: {{{lines}}}\n"))
    from statek.compiler.project import compile_project

    (found,) = [one for one in compile_project(tmp_path).objects if one.name == "text"]
    assert dict(found.labels) == written


@pytest.mark.parametrize(
    ("first", "second"), [("Desk", "desk"), ("desk", "DESK"), ("d-e", "D-e")], ids=["capital", "capitals", "one"]
)
def test_names_that_differ_only_in_case_are_refused(tmp_path: Path, first: str, second: str) -> None:
    """With both places: on some disks they are one file."""
    project(tmp_path)
    for name in (first, second):
        (tmp_path / "queues" / f"q-{len(list((tmp_path / 'queues').iterdir()))}.yaml").write_text(
            QUEUE.format(name=name, spec="{max_depth: 5}")
        )
    found = check_project(tmp_path).problems
    assert [problem.code for problem in found] == ["STK202"]
    assert found[0].related[0].file != found[0].file


@pytest.mark.parametrize("name", ["caf\u00e9", "cafe\u0301", "\u0430gent", "a b", "a\u200bb"])
def test_names_that_look_like_others_are_refused(tmp_path: Path, name: str) -> None:
    """Names are of ASCII: what looks alike is alike."""
    project(tmp_path)
    (tmp_path / "agents" / f"{name}.md").write_text(AGENT.format(more=""))
    assert [code for code, _ in problems_of(tmp_path)] == ["STK105"]


def test_ten_thousand_files_are_read(tmp_path: Path, usual: float) -> None:
    """It takes a while, and neither the stack nor memory without bound."""
    project(tmp_path)
    for number in range(10_000):
        folder = tmp_path / "queues" / str(number // 1000)
        folder.mkdir(exist_ok=True)
        (folder / f"q-{number}.yaml").write_text(QUEUE.format(name=f"q-{number}", spec="{max_depth: 0}"))
    found, seconds, megabytes = validated(tmp_path)
    assert {one["code"] for one in found} == {"STK106"}
    assert len(found) == 10_000
    assert seconds < 60
    assert megabytes - usual < 6 * MEGABYTES


@pytest.mark.parametrize("size", [50_000_000, 10_000_000_000], ids=["50 MB", "10 GB"])
def test_a_large_file_is_refused_by_its_size(tmp_path: Path, usual: float, size: int) -> None:
    """Before a byte of it is read."""
    project(tmp_path)
    with (tmp_path / "agents" / "large.md").open("wb") as file:
        file.truncate(size)
    found, seconds, megabytes = validated(tmp_path)
    assert [(one["code"], one["file"]) for one in found] == [("STK009", "agents/large.md")]
    assert seconds < SECONDS
    assert megabytes - usual < MEGABYTES / 4


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Do it again and again on another thread."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            do()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_file_that_grows_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """Either at rest for a moment, or told to keep changing; never half, never without end."""
    project(tmp_path)
    grown = tmp_path / "agents" / "good.md"
    with grown.open("ab", buffering=0) as file, meanwhile(lambda: file.write(b"More.\n")):
        codes = {code for _ in range(5) for code, _ in problems_of(tmp_path)}
    assert codes <= {"STK020", "STK009"}


def test_a_file_that_is_swapped_for_a_link_is_never_followed(tmp_path: Path) -> None:
    """Between the look at it and the reading of it too."""
    project(tmp_path)
    secret = tmp_path / "secret.md"
    secret.write_text(AGENT.format(more="x-secret: &canary 1\n"))
    place, spare = tmp_path / "agents" / "swapped.md", tmp_path / "spare"

    def swap() -> None:
        spare.symlink_to(secret)
        spare.replace(place)
        spare.write_text(AGENT.format(more=""))
        spare.replace(place)

    swap()
    found: list[Problem] = []
    with meanwhile(swap):
        for _ in range(30):
            found.extend(check_project(tmp_path).problems)
    assert {problem.code for problem in found} <= {"STK009", "STK011", "STK020", "STK021"}
