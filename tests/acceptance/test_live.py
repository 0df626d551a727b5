"""The same fleet with a model behind HTTP: `--env live`, its own store, the provider's key from the environment."""

import json
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import put_events
from tests.acceptance.projects import REPO, Project, as_lines, events
from tests.acceptance.providers import KEY, point_at
from tests.loopback_llm import LoopbackLLM, completion

pytestmark = pytest.mark.timeout(300)
EVENTS = 20


def answer_as_rehearsed(request: dict[str, Any]) -> dict[str, Any]:
    """What the rehearsal has the model say, for a request that came over HTTP."""
    script = next(yaml.safe_load_all((REPO / "agents/rehearsal.yaml").read_text()))
    rules = {(rule["when"]["agent"], rule["when"]["turn"]): rule["reply"] for rule in script["spec"]["rules"]}
    said = json.dumps(request["messages"])
    agent = "analyst" if "You write the assessment" in said else "triage"
    turn = 2 if "a bulletin is due" in said.replace(json.dumps(rules["triage", 1]["code"])[1:-1], "") else 1
    reply = rules[agent, turn if agent == "triage" else 1]
    return completion(f"{reply['text']}\n\n```python\n{reply['code']}```")


def test_twenty_events_over_http_give_what_the_rehearsal_gives(desk: Project) -> None:
    """Every event has its record and every large one its bulletin, in the store of `live`, asked for with the key."""
    desk.write("events.jsonl", as_lines(events(EVENTS)))
    with LoopbackLLM(answer_as_rehearsed) as llm:
        point_at(desk, llm)
        desk.do("apply", ".", "--env", "live", "--yes")
        desk.do("submit", "--queue", "quakes", "--from", "events.jsonl", "--key", "id", "--env", "live")
        ended = desk.do("work", "--until-idle", "--no-watch", "--env", "live")
        assert {header["authorization"] for header in llm.headers} == {f"Bearer {KEY}"}, ended.told
    found = desk.look("records", env="live")
    assert {record[0] for record in found["records"]} == {event["id"] for event in events(EVENTS)}
    assert len(found["bulletins"]) == EVENTS // 6
    assert not desk.store.exists()


def test_costs_are_counted_and_the_key_is_written_nowhere(desk: Project) -> None:
    """The model's price makes a cost in `ps`; the key is in no file of the project."""
    desk.write("events.jsonl", as_lines(events(6)))
    with LoopbackLLM(answer_as_rehearsed) as llm:
        point_at(desk, llm)
        desk.do("apply", ".", "--env", "live", "--yes")
        desk.do("submit", "--queue", "quakes", "--from", "events.jsonl", "--key", "id", "--env", "live")
        desk.do("work", "--until-idle", "--no-watch", "--env", "live")
    jobs = desk.do("ps", "--all", "--env", "live", "-o", "json").json["jobs"]
    assert all(job["usage"]["costUsd"] > 0 for job in jobs)
    kept = [path for path in desk.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert kept == []


def test_without_the_key_nothing_is_applied(desk: Project) -> None:
    """`apply --env live` without the key ends with 10, names the key, and moves nothing."""
    ran = desk.run("apply", ".", "--env", "live", "--yes")
    assert (ran.code, "OPENROUTER_API_KEY" in ran.err) == (10, True), ran.told
    assert desk.do("history", "--env", "live", "-o", "json").json["releases"] == []


def test_without_the_key_the_default_environment_works(applied: Project) -> None:
    """The rehearsal needs no key and no network."""
    put_events(applied, 6)
    assert "answers come from a script" in applied.do("work", "--until-idle", "--no-watch").out
