"""A provider that asks no model: answers come from the rules of a Script. Offline demos, tests and evals use it.

Its answers are marked `scripted` and cost nothing, so that nobody takes them for a model's. The first rule that fits
wins; when none does that is an error, never an invented answer. Time passes on the given clock only.
"""

import re
from collections.abc import Mapping, Sequence

from statek.base.clock import Clock
from statek.ledger.compiled import Rule, Script
from statek.llm.errors import CODES, Code, ProviderError
from statek.llm.messages import Answer, Call, Json, Request, Usage
from statek.llm.pricing import estimate_tokens
from statek.llm.wire import dump

CODE_TOOL = "python_cli"


class ScriptedProvider:
    """Answers by rule; the request's model names the Script."""

    def __init__(self, name: str, scripts: Mapping[str, Script], clock: Clock) -> None:
        """Scripts by name."""
        self._name = name
        self._scripts = scripts
        self._clock = clock

    async def ask(self, request: Request) -> Answer:
        """The answer of the first rule that fits, after its latency.

        Raises:
            ProviderError: `no-rule` when no rule fits or the Script does not exist; what a rule's `error` says.
        """
        began = self._clock.monotonic()
        rule = choose(self._script(request), request)
        if rule.latency_us:
            await self._clock.sleep(rule.latency_us / 1e6)
        if rule.error is not None:
            raise scripted_error(rule.error, self._name)
        text, calls = what_it_says(rule, request)
        sent = sum(message.size + 1 for message in request.messages) + len(b'{"messages":[}')
        received = len(dump({"text": text, "calls": [call.to_json() for call in calls]}))
        return Answer(
            text=text,
            calls=calls,
            usage=usage_of(rule, sent, received),
            model=request.model,
            provider=self._name,
            scripted=True,
            reasoning=None,
            bytes_sent=sent,
            bytes_received=received,
            seconds=self._clock.monotonic() - began,
        )

    def _script(self, request: Request) -> Script:
        if request.model not in self._scripts:
            known = ", ".join(sorted(self._scripts)) or "none"
            raise ProviderError(
                f"provider {self._name!r}: no Script {request.model!r} (there are: {known}); the Model's id names it",
                code="no-rule",
            )
        return self._scripts[request.model]


def choose(script: Script, request: Request) -> Rule:
    """The first rule whose conditions all hold. Raises ProviderError `no-rule` naming agent, job and turn."""
    newest = newest_text(request)
    for rule in script.rules:
        if rule.agent not in (None, request.agent) or rule.turn not in (None, request.turn):
            continue
        if rule.last is None or re.search(rule.last, newest):
            return rule
    raise ProviderError(
        f"script {script.name!r} has no rule for agent {request.agent!r}, job {request.job}, turn {request.turn}",
        code="no-rule",
        hint=f"add a rule to Script {script.name!r}; the newest text was: {newest[-200:]!r}",
    )


def newest_text(request: Request) -> str:
    """What the model saw last from the user, the console or a tool; '' at the very start."""
    return next((m.text or "" for m in reversed(request.messages) if m.role in ("user", "tool")), "")


def what_it_says(rule: Rule, request: Request) -> tuple[str | None, tuple[Call, ...]]:
    """Text and calls: `code` in a fence after the text, or as a call where code is called for by a tool."""
    calls = [_call(call, f"scripted-{request.turn}-{n}") for n, call in enumerate(rule.tool_calls, 1)]
    if rule.code is None:
        return rule.text, tuple(calls)
    parameter = code_parameter(request.tools)
    if parameter is not None:
        run = Call(f"scripted-{request.turn}-{len(calls) + 1}", CODE_TOOL, {parameter: rule.code})
        return rule.text, (*calls, run)
    fenced = f"```python\n{rule.code.rstrip()}\n```"
    return (f"{rule.text.rstrip()}\n\n{fenced}" if rule.text else fenced), tuple(calls)


def code_parameter(tools: Sequence[Mapping[str, Json]]) -> str | None:
    """Name of the parameter of `python_cli` that takes the code, None when that tool is not offered."""
    spec = next((tool for tool in tools if tool.get("name") == CODE_TOOL), None)
    if spec is None:
        return None
    return next(iter((spec.get("parameters") or {}).get("properties") or {}), "code")


def usage_of(rule: Rule, sent: int, received: int) -> Usage:
    """Tokens as the rule gives them, else by size. A scripted answer costs nothing."""
    return Usage(
        input_tokens=rule.usage.get("input_tokens", estimate_tokens(sent)),
        output_tokens=rule.usage.get("output_tokens", estimate_tokens(received)),
        cached_tokens=rule.usage.get("cached_tokens", 0),
        cost_usd=0.0,
    )


def scripted_error(text: str, provider: str) -> ProviderError:
    """The failure a rule asks for: a code of ProviderError by its name, any other text as a `server` error."""
    code: Code = next((code for code in CODES if code == text), "server")
    return ProviderError(f"provider {provider!r}: scripted error: {text}", code=code)


def _call(call: Mapping[str, Json], call_id: str) -> Call:
    return Call(call.get("id", call_id), call["name"], call.get("arguments") or {})
