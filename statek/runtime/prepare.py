"""Trying a release before it becomes the head: import its tools, parse its prompts, look for the keys it needs.

Runs in the worker, or in a process of its own when none runs. Changes nothing, calls no model, resolves no secret's
value further than to see that it is there.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from statek.exceptions import StatekError
from statek.ledger import compiled
from statek.ledger.releases import Release
from statek.llm.model_name import parse_model_name
from statek.llm.undeclared import credentials_for, known_provider
from statek.runtime import offer
from statek.settings import StatekSettings, fill_references
from statek.text import template


def prepare(release: Release, settings: StatekSettings) -> list[dict[str, Any]]:
    """Problems as `{"code", "message", "object", "hint"}`; an empty list accepts the release."""
    objects = {key: compiled.decode(entry.kind, entry.text) for key, entry in release.objects.items()}
    agents = {value.name: value for value in objects.values() if isinstance(value, compiled.Agent)}
    problems: list[dict[str, Any]] = []
    for key, value in objects.items():
        if isinstance(value, compiled.Agent):
            problems += _try_agent(key, value, release.objects[key].revision, agents)
    problems += _unusable_providers(objects, settings)
    return problems


def _try_agent(
    key: str, agent: compiled.Agent, revision: str, others: Mapping[str, compiled.Agent]
) -> list[dict[str, Any]]:
    try:
        offer.from_spec(agent, revision, others).formal_tools()
    except StatekError as error:
        return [_problem("STK502", str(error), key, error.hint)]
    try:
        for name in agent.model:
            parse_model_name(name)
    except ValueError as error:
        return [_problem("STK105", str(error), key, "")]
    parsed = template.parse(agent.prompt)
    return [_problem(problem.code, problem.message, key, "") for problem in parsed.problems]


def _unusable_providers(objects: Mapping[str, Any], settings: StatekSettings) -> list[dict[str, Any]]:
    """Only providers that a model chain of an agent reaches need their keys."""
    problems = []
    for name in sorted(reachable_providers(objects, settings.default_llm_api_provider)):
        provider = objects.get(f"Provider/{name}")
        try:
            if provider is None:
                provider = known_provider(name, credentials_for(name, settings.llm_api_settings))
        except StatekError as error:
            problems.append(_problem("STK801", str(error), f"Provider/{name}", error.hint))
            continue
        if provider.driver == "scripted":
            continue
        for text in filter(None, (provider.api_key, provider.base_url, *provider.headers.values())):
            try:
                fill_references(text, settings.secret)
            except StatekError as error:
                problems.append(_problem("STK801", f"provider {name!r}: {error}", f"Provider/{name}", error.hint))
    return problems


def reachable_providers(objects: Mapping[str, Any], default: str) -> set[str]:
    """Names of the providers that the agents' models and their fallbacks use; `default` serves strings without one."""
    found: set[str] = set()
    waiting = [name for value in objects.values() if isinstance(value, compiled.Agent) for name in value.model]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        model = objects.get(f"Model/{name}")
        if name in seen:
            continue
        seen.add(name)
        if isinstance(model, compiled.Model):
            found.add(model.provider)
            waiting += model.fallback
        else:
            with suppress(ValueError):  # said of its agent
                found.add(parse_model_name(name).provider or default)
    return found


def _problem(code: str, message: str, key: str, hint: str) -> dict[str, Any]:
    return {"code": code, "message": message, "object": key, "hint": hint}
