"""The schema library, and what this language changes of it. The only module that imports it.

It is large and good files need none of it: `quick` passes them. So import this module where it is used, inside of a
function. Unknown and missing fields are found one by one, because the library only says that something about the
parent is wrong.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from statek.spec.checking.explain import Failure


def failures(schema: Mapping[str, Any], data: Any) -> list[Failure]:
    """Everything that the library finds by one of our schemas, and what this build does not run yet."""
    return [_failure(error) for error in _STRICT(schema).iter_errors(data)]


def complaint(schema: Mapping[str, Any], value: Any) -> str | None:
    """What is wrong with `value` by a schema that a file declares, in the library's words; None: nothing."""
    error = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    if error is None:
        return None
    shown, message = repr(error.instance), str(error.message)
    value = json.dumps(error.instance, ensure_ascii=False, default=str)
    return value + message[len(shown) :] if message.startswith(shown) else message


def _failure(error: ValidationError) -> Failure:
    schema: Any = error.schema
    path = tuple(error.absolute_path)
    return Failure(path, str(error.validator), schema, error.validator_value, error.instance, error.message)


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(re.search(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(name, path=[name])
        else:
            yield from validator.descend(value, allowed, path=name)


def _required(_validator: Any, names: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError(name) for name in names if name not in instance)


def _names(_validator: Any, shape: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name in instance:
            if re.fullmatch(shape["pattern"], name) is None:
                yield ValidationError(name, path=[name], schema=shape)


def _pattern(_validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and re.fullmatch(pattern, instance) is None:
        yield ValidationError(instance)


def _later(_validator: Any, _hint: Any, _instance: Any, _schema: Any) -> Iterator[ValidationError]:
    yield ValidationError("later")


def _later_values(_validator: Any, values: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str | bool) and instance in values:
        yield ValidationError("later")


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_STRICT: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "additionalProperties": _additional,
        "required": _required,
        "propertyNames": _names,
        "pattern": _pattern,
        "x-later": _later,
        "x-later-values": _later_values,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
