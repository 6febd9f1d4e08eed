"""Words of JSON Schema that hold only in part: where they hold, answers follow them."""

import json

import jsonschema
import pytest

SCHEMAS = {
    "steps": {"type": "integer", "multipleOf": 7, "minimum": 10, "maximum": 99},
    "fractions": {"type": "number", "multipleOf": 0.25, "minimum": 0, "maximum": 9},
    "counted": {"type": "object", "minProperties": 1, "maxProperties": 3,
                "patternProperties": {"^[ab]{1,2}$": {"enum": [1, 2]}},
                "additionalProperties": False},
    "pattern": {"type": "object", "propertyNames": {"pattern": "^[xy]{1,3}$"},
                "additionalProperties": {"type": "boolean"}},
    "listed": {"type": "object", "propertyNames": {"enum": ["red", "blue"]},
               "additionalProperties": {"enum": [1, 2]}},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_steps_counts_and_names_are_enforced(random_server, name):
    schema, num_ended = SCHEMAS[name], 0
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    for seed in range(6):
        reply = random_server.chat(response_format=form, temperature=2, max_tokens=300, seed=seed)
        assert "x-ignored-params" not in reply.headers
        choice = reply.json()["choices"][0]
        if choice["finish_reason"] == "stop":
            jsonschema.validate(json.loads(choice["message"]["content"]), schema)
            num_ended += 1
    assert num_ended > 0
