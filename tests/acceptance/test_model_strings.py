"""Agents that name their model by a string such as `openrouter/openai/gpt-5-mini`, without a document for it."""

from pathlib import Path

import pytest

from statek.cli.codes import Exit
from tests.acceptance.projects import Project
from tests.loopback_llm import LoopbackLLM

AGENT = "---\ndescription: Answers.\nmodel: {model}\n---\nYou answer.\n"


def project(folder: Path, model: str, environ: dict[str, str]) -> Project:
    """A project of one agent."""
    made = Project(folder, environ)
    made.write("pyproject.toml", '[tool.statek]\nproject = "strings"\n')
    made.write("agents/clerk.md", AGENT.format(model=model))
    return made


def test_a_known_service_needs_its_key_alone(tmp_path: Path) -> None:
    """A job asks the service that the string names, at the address and with the key of the environment."""
    with LoopbackLLM(lambda _: "exit('done')") as llm:
        keys = {"OPENROUTER_API_URL": llm.url, "OPENROUTER_API_KEY": "k-1234567890"}
        made = project(tmp_path, "openrouter/openai/gpt-5-mini", keys)
        made.do("apply", ".", "--yes")
        (job,) = made.do("submit", "clerk", "-o", "json").json["ids"]
        made.do("work", "--until-idle", "--no-watch")
    assert made.do("show", job, "-o", "json").json["job"]["exit"] == "done"
    assert [asked["model"] for asked in llm.requests] == ["openai/gpt-5-mini"]


def test_parameters_that_are_none_are_said_to_be(tmp_path: Path) -> None:
    """A string that cannot be read whole is not applied, and says what it should look like."""
    ran = project(tmp_path, "openrouter/openai/gpt-5-mini?loud", {}).run("apply", ".", "--yes")
    assert (ran.code, "expected name=value" in ran.err, "Traceback" in ran.err) == (Exit.NACKED, True, False)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("openrouter/openai/gpt-5-mini", "secret OPENROUTER_API_KEY is not set"),
        ("opnrouter/openai/gpt-5-mini", "unknown provider 'opnrouter'"),
    ],
)
def test_what_cannot_be_asked_is_not_applied(tmp_path: Path, model: str, found: str) -> None:
    """Head does not move to an agent whose provider has no key or is not known."""
    ran = project(tmp_path, model, {}).run("apply", ".", "--yes")
    assert (ran.code, found in ran.err) == (Exit.PROVIDER, True)
