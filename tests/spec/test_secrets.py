"""Secrets that are written out in tool sets and providers."""

import pytest

from statek.spec.checking.secrets import check_secrets
from tests.spec.declared import declared, document

HTTP = "{tools: [{name: send, http: {url: 'https://x.test/', input: {text: {type: string}}, %s}}]}"
URL = "{tools: [{mcp: {url: '%s'}}]}"
COMMAND = "{tools: [{mcp: {command: [search-mcp, %s]}}]}"
DESCRIBED = "{tools: [{python: 'shop:find', description: '%s'}]}"


def blamed(kind: str, spec: str):
    """What is told of one object: the text at each place."""
    text = document(kind, spec)
    line = text.split("\n")[3]
    problems = list(check_secrets(declared({"agents/x.yaml": text}).of(kind)[0]))
    assert {problem.code for problem in problems} <= {"STK802"}
    return [line[problem.range.start.column - 1 : problem.range.end.column - 1] for problem in problems]


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        ("Provider", "{api_key: abc}", ["abc"]),
        ("Provider", "{base_url: 'https://ada:abc@x.test/v1'}", ["'https://ada:abc@x.test/v1'"]),
        ("Provider", "{headers: {Authorization: Bearer abc, Cookie: x=1}}", ["Bearer abc", "x=1"]),
        ("ToolSet", HTTP % "headers: {X-Api-Key: abc}", ["abc"]),
        ("ToolSet", HTTP % "body: {user: ada, login: {password: abc}}", ["abc"]),
        ("ToolSet", URL % "https://x.test/?a=b&access_token=abc", ["'https://x.test/?a=b&access_token=abc'"]),
        ("ToolSet", COMMAND % "--api-key=abc", ["--api-key=abc"]),
        ("ToolSet", COMMAND % "--token, abc, --level, high", ["abc"]),
        ("ToolSet", COMMAND % "AKIA0123456789ABCDEF", ["AKIA0123456789ABCDEF"]),
        ("ToolSet", DESCRIBED % "as sk-ant-abcdefghij0123456789", ["'as sk-ant-abcdefghij0123456789'"]),
        ("ToolSet", DESCRIBED % "-----BEGIN RSA PRIVATE KEY-----", ["'-----BEGIN RSA PRIVATE KEY-----'"]),
    ],
)
def test_a_secret_is_found_by_its_place_or_its_looks(kind, spec, found):
    """Once for each text."""
    assert blamed(kind, spec) == found


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Provider", "{api_key: '${secret:KEY}', headers: {Authorization: 'Bearer ${secret:KEY}', X-Team: tokens}}"),
        ("Provider", "{base_url: 'https://x.test:8080/v1'}"),
        ("ToolSet", HTTP % "headers: {Authorization: 'Bearer {text}', Accept: text/plain}"),
        ("ToolSet", HTTP % "body: {max_tokens: '100', token_type: bearer, password: '{text}', secret: ''}"),
        ("ToolSet", URL % "https://x.test/?token=${secret:KEY}&page=2"),
        ("ToolSet", COMMAND % "--token, --verbose, --token-limit=4, '--key=${secret:KEY}'"),
        ("ToolSet", DESCRIBED % "Cleans with sk-learn-pipelines-of-many-kinds, or task-force-x."),
    ],
)
def test_a_reference_a_placeholder_or_an_ordinary_word_is_none(kind, spec):
    """Nothing right is refused."""
    assert blamed(kind, spec) == []


def test_a_message_does_not_print_the_secret():
    """What is told may be logged and shown."""
    (problem,) = check_secrets(declared({"a/x.yaml": document("Provider", "{api_key: hunter2}")}).of("Provider")[0])
    assert "hunter2" not in problem.message
