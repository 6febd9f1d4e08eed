"""Draft 7 by table against the meta-schema itself."""

import time
from random import Random
from typing import Any

import pytest

from bise.errors import BadRequest
from bise.text.enforce import enforced
from bise.text.schema import CHECKS, SCHEMA_KEYS, SCHEMA_LISTS, SCHEMA_MAPS, schema_fault

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, "", "string", "(", "object"),
    *([], ["a"], ["a", "a"], [1], ["string", "null"], ["string", "string"], [{}], [{"type": 1}]),
    *({}, {"type": "string"}, {"type": "text"}, {"a": {}}, {"a": {"minimum": "1"}}, {"(": {}}),
    *({"a": ["b"]}, {"a": []}, {"a": ["b", "b"]}, {"a": 1}, {"a": True}),
]
KEYWORDS = sorted(
    {*CHECKS, *SCHEMA_KEYS, *SCHEMA_LISTS, *SCHEMA_MAPS, "items", "const", "default", "x"}
)


def is_draft7(schema: Any) -> bool:
    """What the meta-schema says."""
    jsonschema = pytest.importorskip("jsonschema")
    try:
        jsonschema.Draft7Validator.check_schema(schema)
    except jsonschema.exceptions.SchemaError:
        return False
    return True


@pytest.mark.parity
@pytest.mark.parametrize("keyword", KEYWORDS)
def test_every_keyword_is_judged_as_the_meta_schema_does(keyword: str):
    for value in VALUES:
        schema = {keyword: value}
        assert (schema_fault(schema) == "") == is_draft7(schema), schema


@pytest.mark.parity
def test_random_schemas_are_judged_as_the_meta_schema_does():
    rng = Random(0)

    def schema(depth: int) -> Any:
        if depth == 0 or rng.random() < 0.1:
            return rng.choice(VALUES)
        inner = rng.choice(
            [
                lambda: schema(depth - 1),
                lambda: [schema(depth - 1) for _ in range(rng.randint(0, 2))],
                lambda: {name: schema(depth - 1) for name in ("a", "b")},
            ]
        )
        return {rng.choice(KEYWORDS): inner() for _ in range(rng.randint(1, 3))}

    seen = set()
    for _ in range(1500):
        candidate = {"properties": {"a": schema(3)}}
        is_right = schema_fault(candidate) == ""
        assert is_right == is_draft7(candidate), candidate
        seen.add(is_right)
    assert seen == {True, False}


def test_a_fault_says_where_it_is():
    schema = {"type": "object", "properties": {"city": {"anyOf": [{}, {"minLength": -1}]}}}
    assert schema_fault(schema) == (
        "`parameters.properties.city.anyOf.1.minLength` must be a whole number from 0"
    )


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 1000])
def test_a_pattern_python_breaks_off_at_is_refused(pattern: str):
    assert "must be a regular expression" in schema_fault({"pattern": pattern})


def test_a_long_pattern_is_not_tried_out():
    """Which takes seconds; `re` would then keep megabytes of it."""
    began_s = time.thread_time()
    for number in range(3):
        long = f"{number}" + "[ab]" * 250_000
        assert schema_fault({"pattern": long, "patternProperties": {long: {}}}) == ""
        with pytest.raises(BadRequest, match=r"has 1,000,001 characters"):
            enforced({"pattern": long}, "s")
    assert time.thread_time() - began_s < 0.5


def test_nesting_without_end_is_refused():
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"not": schema}
    assert "nested deeper" in schema_fault(schema)
