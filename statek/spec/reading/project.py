"""Where a project begins and how it is set up: `[tool.statek]` in pyproject.toml. Reads that one file, nothing else.

The command line and the compiler start here. The root is the nearest parent with the table, or with an `agents`
folder; then every setting has its default.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statek.base.nearest import did_you_mean
from statek.spec.formats import MODEL, NAME, POSITIVE_DURATION
from statek.spec.positions import LineTable
from statek.spec.problems import Problem, Range, SpecProblems, make_problem, ordered, span
from statek.spec.reading.lint import Keys, Lint, read_lint
from statek.spec.references import REFERENCE

DEFAULT_ROOTS = ("agents", "warmups", "queues")
RELOAD_VALUES: dict[str, tuple[str, ...]] = {
    "prompt": ("next-job", "on-resume", "next-turn"),
    "model": ("next-job", "on-resume", "next-turn"),
    "tools": ("next-job", "on-resume", "next-turn"),
    "warmup": ("next-job", "restart"),
    "limits": ("next-job", "tighten-now", "now"),
}
RELOAD_LATER: dict[str, tuple[str, ...]] = {  # of these values, those that this build does not run
    name: () if name == "prompt" else tuple(value for value in values if value != "next-job")
    for name, values in RELOAD_VALUES.items()
}
_FIELDS = ("project", "roots", "exclude", "python_path", "default_env", "env", "lint", "watch")
_WATCH = {"enabled": bool, "poll": bool, "prune": bool, "settle": str}
FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class EnvConfig:
    """One environment: its store folder (absolute), variables, defaults of `reload`, and Models it puts for others."""

    name: str
    store: Path = field(hash=False)
    vars: Mapping[str, Any] = field(hash=False)
    reload: Mapping[str, str] = field(hash=False)
    models: Mapping[str, str] = field(default_factory=dict, hash=False)
    later: tuple[Problem, ...] = field(default=(), hash=False)  # what of it is good and not run by this build yet


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """A project's settings. Paths in `python_path` are absolute; `roots` are as written, relative to `root`."""

    root: Path
    project: str
    roots: tuple[str, ...]
    roots_place: Range | None  # where the roots are listed; None: the default ones
    exclude: tuple[str, ...]
    python_path: tuple[Path, ...]
    default_env: str
    envs: Mapping[str, EnvConfig]
    sha256: str | None = None  # of pyproject.toml; None: there is none
    text: str = field(default="", repr=False)  # of pyproject.toml
    later: tuple[Problem, ...] = ()  # what is good and not run by this build yet, but for environments
    lint: Lint = field(default_factory=Lint)

    def env(self, name: str) -> EnvConfig:
        """The environment `name`; one that is not listed has the defaults."""
        return self.envs.get(name) or EnvConfig(name, self.root / ".statek" / name / "store", {}, {})

    def later_in(self, name: str) -> tuple[Problem, ...]:
        """What of the settings is good and not run by this build yet, in the environment `name`."""
        return (*self.later, *self.env(name).later)

    def place(self, *keys: str) -> Range:
        """Where a setting is written in pyproject.toml."""
        return _find(self.text, keys)


def load_project(path: Path) -> ProjectConfig:
    """The project that `path` lies in.

    Raises:
        SpecProblems: there is none, or its settings are wrong.
    """
    start = path.resolve()
    folders = [start, *start.parents] if start.is_dir() else list(start.parents)
    for folder in folders:
        raw = _read_settings(folder / FILE)
        reader = _Reader(folder, raw) if raw is not None else None
        if reader is not None and reader.table is not None:
            return reader.config()
        if (folder / "agents").is_dir():
            return _Reader(folder, raw).config()
    message = (
        f"no project found at {path}: neither a {FILE} with a [tool.statek] table nor an 'agents' folder, "
        "here or in any folder above; 'statek init' writes a small working project"
    )
    raise SpecProblems([make_problem("STK021", message, str(path), span(1, 1))])


def _read_settings(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise SpecProblems([make_problem("STK021", message, FILE, span(1, 1))]) from error


class _Reader:
    """Checks the table field by field and collects what is wrong."""

    def __init__(self, root: Path, raw: bytes | None) -> None:
        self.root, self.raw = root, raw
        self.text = _decode(raw or b"")
        self.problems: list[Problem] = []
        whole = _parse(self.text)
        tool = whole.get("tool", {})
        self.stray = whole.get("statek")  # a table that lacks the `tool.` before its name
        self.table: Any = tool.get("statek") if isinstance(tool, dict) else None

    def config(self) -> ProjectConfig:
        if self.table is not None and not isinstance(self.table, dict):
            self.report("STK103", "[tool.statek] must be a table", ("tool", "statek"))
            self.table = {}
        table: dict[str, Any] = self.table or {}
        self.known(table, _FIELDS, ("tool", "statek"))
        if isinstance(self.stray, dict):
            self.no_tool(self.stray)
        later = self.watch(table)
        config = ProjectConfig(
            root=self.root,
            project=self.name(table, "project", _default_project(self.root)),
            roots=self.texts(table, "roots", DEFAULT_ROOTS),
            roots_place=_find(self.text, ("tool", "statek", "roots")) if "roots" in table else None,
            exclude=self.texts(table, "exclude", ()),
            python_path=tuple((self.root / part).resolve() for part in self.texts(table, "python_path", (".",))),
            default_env=self.name(table, "default_env", "dev"),
            envs=self.envs(table.get("env", {})),
            sha256=None if self.raw is None else hashlib.sha256(self.raw).hexdigest(),
            text=self.text,
            later=later,
            lint=self.lint(table),
        )
        self.plain(table, ("tool", "statek"))
        if self.problems:
            raise SpecProblems(ordered(self.problems))
        return config

    def no_tool(self, stray: Mapping[str, Any]) -> None:
        keys: tuple[str, ...] = ("statek",)
        while self.place(keys).end.column == 2 and stray:  # only its own tables have a line
            name = next(iter(stray))
            keys, stray = (*keys, name), stray[name] if isinstance(stray[name], dict) else {}
        message = f"unknown table [{'.'.join(keys)}]; did you mean [tool.{'.'.join(keys)}]?"
        self.problems.append(make_problem("STK101", message, FILE, self.place(keys)))

    def lint(self, table: Mapping[str, Any]) -> Lint:
        keys = ("tool", "statek", "lint")
        return read_lint(table.get("lint", {}), lambda code, text, path: self.report(code, text, (*keys, *path)))

    def watch(self, table: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Checked as the `watch` of a Fleet, which is what this build reads."""
        if "watch" not in table:
            return ()
        keys, watch = ("tool", "statek", "watch"), self.table_of(table, "watch", ("tool", "statek"))
        self.known(watch, tuple(_WATCH), keys)
        for name, kind in _WATCH.items():
            if not isinstance(watch.get(name, kind()), kind):
                wanted = "a duration such as '300ms'" if kind is str else "true or false"
                self.report("STK103", f"watch.{name} must be {wanted}, found {watch[name]!r}", (*keys, name))
        settle = watch.get("settle", "300ms")
        if isinstance(settle, str) and not POSITIVE_DURATION.fits(settle):
            message = f"watch.settle must be {POSITIVE_DURATION.title} such as '300ms', found {settle!r}"
            self.report("STK105", message, (*keys, "settle"))
        message = f"[{'.'.join(keys)}] is checked, but not supported by this build yet; set 'watch' of a Fleet"
        return (make_problem("STK100", message, FILE, _find(self.text, keys)),)

    def report(self, code: str, message: str, keys: Keys) -> None:
        self.problems.append(make_problem(code, message, FILE, self.place(keys)))

    def place(self, keys: Keys) -> Range:
        return _find(self.text, keys)

    def known(self, table: Mapping[str, Any], fields: tuple[str, ...], keys: tuple[str, ...]) -> None:
        for name in table:
            if name not in fields and not name.startswith("x-"):
                message = f"unknown field '{name}' in [{'.'.join(keys)}]{did_you_mean(name, fields)}"
                self.report("STK101", message, (*keys, name))

    def plain(self, value: Any, keys: Keys) -> None:
        """Settings are texts as they stand; only files under the roots refer to anything."""
        if isinstance(value, dict):
            for name, inner in value.items():
                if not name.startswith("x-"):
                    self.plain(inner, (*keys, name))
        elif isinstance(value, list):
            for item in value:
                self.plain(item, keys)
        elif isinstance(value, str) and (found := REFERENCE.search(value)) is not None:
            message = f"'{found[0]}' would stay as it is: settings are plain text; write the reference where it is used"
            if all(problem.range != self.place(keys) for problem in self.problems):
                self.report("STK803", message, keys)

    def name(self, table: Mapping[str, Any], key: str, default: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and NAME.fits(value):
            return value
        code = "STK105" if isinstance(value, str) else "STK103"
        self.report(code, f"'{key}' must be {NAME.title}, found {value!r}", ("tool", "statek", key))
        return default

    def texts(self, table: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = table.get(key, list(default))
        value = [value] if isinstance(value, str) and key == "python_path" else value
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            message = f"'{key}' must be a list of texts, found {value!r}; write {key} = [\"...\"]"
            self.report("STK103", message, ("tool", "statek", key))
            return default
        if key == "roots" and not value:
            self.report("STK110", "'roots' is empty: no file would be read", ("tool", "statek", key))
        return tuple(value)

    def envs(self, tables: Any) -> dict[str, EnvConfig]:
        if not isinstance(tables, dict):
            self.report(
                "STK103", "[tool.statek.env] must hold one table for each environment", ("tool", "statek", "env")
            )
            return {}
        return {name: self.one_env(name, table) for name, table in tables.items() if not name.startswith("x-")}

    def one_env(self, name: str, table: Any) -> EnvConfig:
        keys = ("tool", "statek", "env", name)
        default = EnvConfig(name, self.root / ".statek" / name / "store", {}, {})
        if not NAME.fits(name):
            self.report("STK105", f"environment name '{name}' must be {NAME.title}", keys)
        if not isinstance(table, dict):
            self.report("STK103", f"[{'.'.join(keys)}] must be a table, found {table!r}", keys)
            return default
        self.known(table, ("store", "vars", "reload", "models"), keys)
        store = table.get("store", f".statek/{name}/store")
        if not isinstance(store, str) or not store:
            self.report("STK103", f"'store' must be the path of a folder, found {store!r}", (*keys, "store"))
            return default
        values, models = self.table_of(table, "vars", keys), self.table_of(table, "models", keys)
        reload = self.reload(self.table_of(table, "reload", keys), keys)
        later = self.later_reload(reload, (*keys, "reload"))
        return EnvConfig(name, self.root / store, values, reload, self.models(models, keys), later)

    def later_reload(self, values: Mapping[str, str], keys: tuple[str, ...]) -> tuple[Problem, ...]:
        found = []
        for aspect, value in values.items():
            if value in RELOAD_LATER[aspect]:
                runs = " or ".join(word for word in RELOAD_VALUES[aspect] if word not in RELOAD_LATER[aspect])
                message = (
                    f"'reload.{aspect}: {value}' is checked, but not supported by this build yet;"
                    f" this build runs {runs} only"
                )
                found.append(make_problem("STK100", message, FILE, _find(self.text, (*keys, aspect))))
        return tuple(found)

    def models(self, table: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
        for name, value in table.items():
            if not isinstance(value, str) or not MODEL.fits(value):
                self.report("STK103", f"models.{name} must be {MODEL.title}, found {value!r}", (*keys, "models", name))
        return {name: str(value) for name, value in table.items()}

    def table_of(self, table: Mapping[str, Any], key: str, keys: tuple[str, ...]) -> dict[str, Any]:
        value = table.get(key, {})
        if isinstance(value, dict) and (key != "vars" or all(_is_plain(item) for item in value.values())):
            return value
        what = "a table of texts, numbers and booleans" if key == "vars" else "a table"
        self.report("STK103", f"'{key}' must be {what}, found {value!r}", (*keys, key))
        return {}

    def reload(self, table: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
        self.known(table, tuple(RELOAD_VALUES), (*keys, "reload"))
        for aspect, allowed in RELOAD_VALUES.items():
            value, place = table.get(aspect, allowed[0]), (*keys, "reload", aspect)
            if value not in allowed:
                message = f"reload.{aspect} must be one of {', '.join(allowed)}; found {value!r}"
                self.report("STK104", message + did_you_mean(str(value), allowed), place)
        return {name: str(value) for name, value in table.items() if name in RELOAD_VALUES}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _default_project(root: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", root.name).strip("-_0123456789")[:60]
    return name or "project"


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = f"{FILE} is not UTF-8: byte {error.object[error.start]:#04x}"
        raise SpecProblems([make_problem("STK010", message, FILE, span(1, 1))]) from error


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+), column (\d+)", str(error))
        end = LineTable.of(text).position(len(text))
        where = span(int(found[1]), int(found[2])) if found else span(end.line, end.column)
        raise SpecProblems([make_problem("STK001", f"{FILE} cannot be read: {error}", FILE, where)]) from error


def _find(text: str, keys: Keys) -> Range:
    """Where the last of `keys` is written: its own line, its table's header, or the first line.

    A number among the keys counts the tables of one `[[name]]`.
    """
    table: Keys = ()
    best, best_length, counts = span(1, 1), 0, dict[Keys, int]()
    for number, line in enumerate(text.split("\n"), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        entry = re.match(r"\s*([A-Za-z0-9_.\"'-]+?)\s*=", line)
        if header:
            table = tuple(part.strip(" \"'") for part in header[1].split("."))
            if line.lstrip().startswith("[["):
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
        path = table if header else (*table, *(part.strip("\"'") for part in entry[1].split("."))) if entry else ()
        shown = header or entry
        if shown and path == keys[: len(path)] and len(path) > best_length:
            best, best_length = span(number, shown.start(1) + 1, len(shown[1])), len(path)
            inner = None if header or path == keys else _inline(line, shown.end(), str(keys[-1]))
            best = best if inner is None else span(number, inner[0] + 1, inner[1] - inner[0])
    return best


def _inline(line: str, start: int, key: str) -> tuple[int, int] | None:
    """Where a key of an inline table stands in its line."""
    found = re.compile(rf"[{{,]\s*[\"']?({re.escape(key)})[\"']?\s*=").search(line, start)
    return found.span(1) if found else None
