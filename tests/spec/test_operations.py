"""Names of operations in OpenAPI files."""

import json

import pytest

from statek.spec.checking.operations import MAX_YAML, Unreadable, operations_of

TEXT = b"""openapi: 3.1.0
info: &info {title: x, version: 1}
paths:
  /orders/{id}:
    parameters: [{name: id, in: path, operationId: no}]
    get:
      operationId: getOrder
      responses:
        200: {description: ok, x: *info}
        default: {description: no}
    post: {tags: [a, b], operationId: "put-order"}
  /hooks:
    ? [odd, key]
    : {get: {operationId: no}}
    put: {callbacks: {get: {operationId: no}}}
components: {get: {operationId: no}}
---
paths: {/z: {get: {operationId: no}}}
"""


def test_operations_are_found_below_paths_only():
    """Numbers as keys, anchors and aliases are theirs to use."""
    assert operations_of(TEXT, is_json=False) == {"getOrder", "put-order"}


def test_json_is_read_too():
    """With a byte order mark as well."""
    data = {"paths": {"/a": {"get": {"operationId": "one"}, "x-note": "y", "parameters": []}, "/b": 1}}
    assert operations_of(b"\xef\xbb\xbf" + json.dumps(data).encode(), is_json=True) == {"one"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "STK102"),
        (b"hello", "STK102"),
        (b"openapi: 3.1.0", "STK102"),
        (b"- paths", "STK102"),
        (b"a: [", "STK001"),
        (b"caf\xe9: 1", "STK010"),
        (b"a: " + b"[" * 1000, "STK009"),
        (b"a: " + b"{a: " * 1000, "STK009"),
        (b" " * (MAX_YAML + 1), "STK009"),
    ],
)
def test_what_is_no_openapi_file_is_told(raw, code):
    """With the code for it."""
    with pytest.raises(Unreadable) as caught:
        operations_of(raw, is_json=False)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"{", "STK001"), (b"[1]", "STK102"), (b"[" * 200_000, "STK009"), (b'{"a": ' + b"1" * 10_000 + b"}", "STK001")],
)
def test_broken_json_is_told(raw, code):
    """However it is broken."""
    with pytest.raises(Unreadable) as caught:
        operations_of(raw, is_json=True)
    assert caught.value.code == code
