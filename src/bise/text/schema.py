"""Whether a tool's parameters are a JSON Schema, Draft 7.

A model is trained on well-formed schemas, and a server that constrains arguments must understand
them, so a broken one is refused before anything is generated. This is the Draft 7 meta-schema
written as a table: what the value of each keyword has to be.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

MAX_DEPTH = 64
MAX_COMPILED = 1024
"""Characters of a pattern that is tried out. Python takes seconds for a megabyte, and keeps the
last 512 it has compiled: gigabytes, if they are long and a stranger's."""

TYPES = frozenset(("array", "boolean", "integer", "null", "number", "object", "string"))


def is_string(value: object) -> bool:
    return isinstance(value, str)


def is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def is_array(value: object) -> bool:
    return isinstance(value, list)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_positive(value: object) -> bool:
    return is_number(value) and cast(float, value) > 0


def is_count(value: object) -> bool:
    return is_number(value) and cast(float, value) >= 0 and cast(float, value) % 1 == 0


def is_string_set(value: object) -> bool:
    """Distinct strings, possibly none."""
    words = cast(list[object], value)
    return is_array(value) and all(map(is_string, words)) and len(set(words)) == len(words)


def is_type(value: object) -> bool:
    """One of the seven type names, or a list of distinct ones."""
    if isinstance(value, str):
        return value in TYPES
    return is_string_set(value) and bool(value) and TYPES.issuperset(cast(list[str], value))


def is_pattern(value: object) -> bool:
    """A regular expression, as far as Python can tell; of a long one nobody asks."""
    if not isinstance(value, str):
        return False
    try:
        re.compile(value if len(value) <= MAX_COMPILED else "")
    except (re.error, OverflowError, RecursionError):  # `a{9999999999}`, `((((…`
        return False
    return True


CHECKS: dict[str, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(
        ("$id", "$schema", "$ref", "$comment", "title", "description", "format"),
        (is_string, "a string"),
    ),
    **dict.fromkeys(("contentMediaType", "contentEncoding"), (is_string, "a string")),
    **dict.fromkeys(("readOnly", "uniqueItems"), (is_boolean, "true or false")),
    **dict.fromkeys(
        ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"), (is_number, "a number")
    ),
    **dict.fromkeys(
        ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"),
        (is_count, "a whole number from 0"),
    ),
    **dict.fromkeys(("examples", "enum"), (is_array, "a list")),
    "multipleOf": (is_positive, "a number above 0"),
    "pattern": (is_pattern, "a regular expression"),
    "required": (is_string_set, "a list of distinct strings"),
    "type": (is_type, "a JSON type or a list of them"),
}
SCHEMA_KEYS = frozenset(
    ("additionalItems", "contains", "additionalProperties", "propertyNames", "not")
).union(("if", "then", "else"))
SCHEMA_LISTS = frozenset(("allOf", "anyOf", "oneOf"))
SCHEMA_MAPS = frozenset(("definitions", "properties", "patternProperties", "dependencies"))


def schema_fault(schema: object, where: str = "parameters", depth: int = 0) -> str:
    """What is wrong with a schema, as `place` and expectation; empty if nothing is."""
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, Mapping):
        return f"`{where}` is no schema, expected an object"
    if depth > MAX_DEPTH:
        return f"the schema is nested deeper than {MAX_DEPTH} levels"
    for key, value in cast(Mapping[str, object], schema).items():
        fault = keyword_fault(key, value, f"{where}.{key}", depth)
        if fault:
            return fault
    return ""


def keyword_fault(key: str, value: Any, where: str, depth: int) -> str:
    """What is wrong with one keyword of a schema. Unknown keywords may hold anything."""
    if key in CHECKS:
        is_right, expected = CHECKS[key]
        return "" if is_right(value) else f"`{where}` must be {expected}"
    if key in SCHEMA_KEYS or (key == "items" and not is_array(value)):
        return schema_fault(value, where, depth + 1)
    if key in SCHEMA_LISTS or key == "items":
        if not is_array(value) or not value:
            return f"`{where}` must be a list of schemas"
        return first_fault(dict(enumerate(cast(list[Any], value))), where, depth)
    if key in SCHEMA_MAPS:
        if not isinstance(value, Mapping):
            return f"`{where}` must be an object of schemas"
        return map_fault(key, cast(Mapping[str, Any], value), where, depth)
    return ""


def map_fault(key: str, schemas: Mapping[str, Any], where: str, depth: int) -> str:
    """What is wrong with an object of schemas; dependencies may also be lists of names."""
    if key == "patternProperties":
        for pattern in schemas:
            if not is_pattern(pattern):
                return f"`{where}` has a name that is no regular expression"
    if key == "dependencies":
        schemas = {name: value for name, value in schemas.items() if not is_string_set(value)}
    return first_fault(schemas, where, depth)


def first_fault(schemas: Mapping[Any, Any], where: str, depth: int) -> str:
    """The first fault among several schemas."""
    faults = (schema_fault(value, f"{where}.{name}", depth + 1) for name, value in schemas.items())
    return next((fault for fault in faults if fault), "")
