"""Trying a release before it becomes the head: import its tools, parse its prompts, look for the keys it needs.

Runs in the worker, or in a process of its own when none runs. Changes nothing, calls no model, resolves no secret's
value further than to see that it is there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.ledger.releases import Release
from statek.llm.known import needs_no_document
from statek.llm.undeclared import known_provider
from statek.runtime import offer
from statek.settings import fill_references
from statek.text import template


def prepare(release: Release, *, secret: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Problems as `{"code", "message", "object", "hint"}`; an empty list accepts the release."""
    objects = {key: compiled.decode(entry.kind, entry.text) for key, entry in release.objects.items()}
    agents = {value.name: value for value in objects.values() if isinstance(value, compiled.Agent)}
    problems: list[dict[str, Any]] = []
    for key, value in objects.items():
        if isinstance(value, compiled.Agent):
            problems += _try_agent(key, value, release.objects[key].revision, agents)
    problems += _missing_secrets(objects, secret)
    return problems


def _try_agent(
    key: str, agent: compiled.Agent, revision: str, others: Mapping[str, compiled.Agent]
) -> list[dict[str, Any]]:
    try:
        offer.from_spec(agent, revision, others).formal_tools()
    except StatekError as error:
        return [_problem("STK502", str(error), key, error.hint)]
    parsed = template.parse(agent.prompt)
    return [_problem(problem.code, problem.message, key, "") for problem in parsed.problems]


def _missing_secrets(objects: Mapping[str, Any], secret: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Only providers that a model chain of an agent reaches need their keys."""
    problems = []
    for name in sorted(reachable_providers(objects)):
        provider = objects.get(f"Provider/{name}")
        if provider is None and needs_no_document(name):
            provider = known_provider(name, None)
        if provider is None or provider.driver == "scripted":
            continue
        for text in filter(None, (provider.api_key, provider.base_url, *provider.headers.values())):
            try:
                fill_references(text, secret)
            except StatekError as error:
                problems.append(_problem("STK801", f"provider {name!r}: {error}", f"Provider/{name}", error.hint))
    return problems


def reachable_providers(objects: Mapping[str, Any]) -> set[str]:
    """Names of the Providers that the agents' models and their fallbacks use."""
    found: set[str] = set()
    waiting = [name for value in objects.values() if isinstance(value, compiled.Agent) for name in value.model]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        model = objects.get(f"Model/{name}")
        if name in seen or not isinstance(model, compiled.Model):
            continue
        seen.add(name)
        found.add(model.provider)
        waiting += model.fallback
    return found


def _problem(code: str, message: str, key: str, hint: str) -> dict[str, Any]:
    return {"code": code, "message": message, "object": key, "hint": hint}
