"""Whatever the published description allows, or forbids, is answered; nothing makes a door fail."""

import warnings

import jsonschema
import pytest
from hypothesis import HealthCheck, given, seed, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode

from bise.serve import Key, KeyRing, digest_of


def described(server):
    return server.client.get("/openapi.json").json()


def judge(response, errors, path):
    """No failure of ours, and an error that is one as described."""
    where = f"{response.request.method} {response.request.url} {response.request.body!r}"[:2000]
    assert response.status_code < 500 or response.status_code in (503, 504), where
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/json"], where
    name = "MessagesError" if path.startswith("/v1/messages") else "Error"
    body = response.json()
    jsonschema.validate(body, errors[name])
    assert name == "MessagesError" or body["raw_status_code"] == response.status_code, where
    assert "Traceback" not in response.text and "/src/" not in response.text, where


def fuzz(server, num_examples, number, headers=None):
    """So many requests to each path as described, and as many that are not."""
    document = described(server)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{server.port}")
    errors, num_paths = document["components"]["schemas"], 0
    for found in schema.get_all_operations():
        operation, num_paths = found.ok(), num_paths + 1
        num = num_examples if operation.method.upper() == "POST" else 3
        knock(operation, GenerationMode.POSITIVE, num, number, errors, headers)
        if "requestBody" in document["paths"][operation.path][operation.method]:
            knock(operation, GenerationMode.NEGATIVE, num, number, errors, headers)
    assert num_paths >= 25


def knock(operation, mode, num_examples, number, errors, headers):
    """So many requests to one path."""

    @seed(number)
    @settings(
        max_examples=num_examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        judge(case.call(headers=headers, timeout=20), errors, operation.path)

    ask()


def test_the_description_holds_together(thinking_server):
    """Every reference leads somewhere, and every schema is one."""
    document = described(thinking_server)

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            value = list(value.values())
        for one in value if isinstance(value, list) else ():
            yield from references(one)

    schemas = document["components"]["schemas"]
    for name in references(document):
        assert name.removeprefix("#/components/schemas/") in schemas, name
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(set(ids)) == len(ids)
    assert "securitySchemes" not in document["components"]


def test_a_server_with_keys_says_how_to_bring_one(start, thinker):
    ring = KeyRing(fixed=[Key(name="a", digest=digest_of("secret"))])
    with start(thinker, parts={"ring": ring}) as server:
        server.client.headers["x-api-key"] = "secret"
        document = described(server)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "x-api-key"}
    assert document["paths"]["/v1/models"]["get"]["security"]
    assert "security" not in document["paths"]["/health"]["get"]


@pytest.mark.slow
def test_what_is_made_up_from_the_description_is_answered(thinking_server):
    fuzz(thinking_server, num_examples=5, number=0)
    assert thinking_server.chat().status_code == 200


@pytest.mark.full
@pytest.mark.parametrize("number", range(1, 5))
def test_so_is_much_more_of_it(thinking_server, number):
    fuzz(thinking_server, num_examples=250, number=number)
    assert thinking_server.chat().status_code == 200
