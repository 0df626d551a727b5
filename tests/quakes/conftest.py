"""A desk in a store of its own, the week of events, and what the desk says of them in plain values."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbzero as db0
import pytest

from quakes import tools
from quakes.records import Desk

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]


@contextmanager
def open_store(folder: Path) -> Iterator[None]:
    """A fresh store in `folder`, closed whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    db0.init(str(folder), prefix="statek", autocommit=False)
    try:
        yield
    finally:
        db0.close()


def file_event(event: Json) -> None:
    """What triage does with one event, in one transaction."""
    with db0.atomic():
        if tools.classify(event["type"]) == "blast":
            tools.drop_event(event, "made by people")
        else:
            severity = tools.grade(event["mag"], event["depth_km"], event["felt"], event["mmi"], event["alert"])
            tools.file_record(event, severity["grade"])


def relations_of_all() -> dict[str, tuple[str, str]]:
    """Event id -> (role, id of the main shock), of every filed event."""
    desk = Desk()
    return {r.id: (desk.role(r), desk.main_of(r).id) for r in desk.records if r.status == "filed"}


@pytest.fixture(scope="session")
def week() -> list[Json]:
    """The 1,707 events, oldest first."""
    return [json.loads(line) for line in (ROOT / "quakes/data/week.jsonl").read_text().splitlines()]


@pytest.fixture
def desk_store(tmp_path: Path) -> Iterator[Path]:
    """An open, empty store; the value is its folder."""
    with open_store(tmp_path / "store"):
        yield tmp_path / "store"


@pytest.fixture
def make_event() -> Callable[..., Json]:
    """Builds an event of the feed; every field may be given."""

    def make(name: str = "us1", **fields: Any) -> Json:
        event = {
            "id": name, "time": "2018-02-06T12:00:00.000Z", "mag": 3.0, "mag_type": "ml", "place": "somewhere",
            "lon": 121.65, "lat": 24.17, "depth_km": 10, "felt": None, "mmi": None, "alert": None, "tsunami": 0,
            "status": "reviewed", "type": "earthquake", "net": "us",
        }  # fmt: skip
        return {**event, **fields}

    return make


@dataclass(frozen=True)
class Filed:
    """What is on file, in plain values: grade or status -> count, event id -> (role, main shock)."""

    grades: Counter[str]
    relations: dict[str, tuple[str, str]]


@pytest.fixture(scope="session")
def filed_week(week: list[Json], file_all: Callable[..., Any]) -> Filed:
    """The week, filed newest first: the opposite of how it happened."""
    return file_all(week[::-1], lambda: Filed(Counter(r.grade or r.status for r in Desk().records), relations_of_all()))


@pytest.fixture(scope="session")
def file_all(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Iterable[Json], Callable[[], Any]], Any]:
    """Files events in the order given, in a store of its own, and returns what `look()` says at the end."""

    def run(events: Iterable[Json], look: Callable[[], Any]) -> Any:
        with open_store(tmp_path_factory.mktemp("desk")):
            for number, event in enumerate(events):
                file_event(event)
                if number % 50 == 49:
                    db0.commit()
            return look()

    return run
