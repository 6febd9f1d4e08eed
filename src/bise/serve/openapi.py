"""`GET /openapi.json`: what can be asked here, in words that tools understand.

FastAPI lists the paths; bodies, errors and keys are ours, since our doors read JSON themselves.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bise.serve.described import FIELDS, SCHEMAS
from bise.serve.envelope import KEYLESS
from bise.serve.shapes import Shape

REF = "#/components/schemas/{model}"

STREAMING = frozenset(
    (
        "/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses",
        "/v1/conversations",
    )
)  # fmt: skip
"""Paths whose answer is a stream of events if the body says so."""

TEXT = {"type": "string"}

NULLABLE = {"type": ["string", "null"]}

ERROR: dict[str, Any] = {
    "title": "Error",
    "description": "Mistral's fields at the top, OpenAI's in `error`; `detail` says where a body "
    "had the wrong shape.",
    "type": "object",
    "required": ["object", "message", "type", "param", "code", "raw_status_code", "request_id",
                 "error"],
    "properties": {
        "object": {"const": "error"},
        "message": TEXT,
        "type": TEXT,
        "param": NULLABLE,
        "code": NULLABLE,
        "raw_status_code": {"type": "integer"},
        "request_id": TEXT,
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": TEXT, "type": TEXT, "param": NULLABLE, "code": TEXT},
        },
        "detail": {"anyOf": [TEXT, {"type": "array", "items": {"type": "object"}}]},
    },
}  # fmt: skip

MESSAGES_ERROR: dict[str, Any] = {
    "title": "MessagesError",
    "description": "An error as Anthropic's API has them.",
    "type": "object",
    "required": ["type", "error", "request_id"],
    "properties": {
        "type": {"const": "error"},
        "request_id": TEXT,
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": TEXT, "message": TEXT},
        },
    },
}

KEYS: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
"""Either way to bring a key."""


def describe(app: FastAPI, bodies: Mapping[str, type[Shape]], *, has_keys: bool) -> None:
    """Have the application describe itself. bodies: the shape of what is posted to a path"""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = description(app, bodies, has_keys=has_keys)
        return app.openapi_schema

    app.openapi = openapi


def description(
    app: FastAPI, bodies: Mapping[str, type[Shape]], *, has_keys: bool
) -> dict[str, Any]:
    """The whole document."""
    made = get_openapi(
        title=app.title, version=app.version, openapi_version=app.openapi_version, routes=app.routes
    )
    schemas: dict[str, Any] = {"Error": ERROR, "MessagesError": MESSAGES_ERROR, **SCHEMAS}
    for body in bodies.values():
        shape = body.model_json_schema(ref_template=REF)
        schemas |= shape.pop("$defs", {}) | {body.__name__: shape}
        shape["properties"] |= FIELDS.get(body.__name__, {})
    for path, methods in made["paths"].items():
        for operation in methods.values():
            tell_operation(operation, path, bodies.get(path), needs_key=has_keys)
    components: dict[str, Any] = {"schemas": schemas}
    if has_keys:
        components["securitySchemes"] = KEYS
    return made | {"components": components}


def tell_operation(
    operation: dict[str, Any], path: str, body: type[Shape] | None, *, needs_key: bool
) -> None:
    """What one method of a path takes and gives."""
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own shape, which is not ours
    error = "MessagesError" if path.startswith("/v1/messages") else "Error"
    responses["default"] = {"description": "What is wrong", "content": json_of(error)}
    if path in ("/v1/metrics", "/metrics"):
        responses["200"]["content"] = {"text/plain": {"schema": TEXT}}
    elif path == "/health":
        responses["200"].pop("content", None)
        responses["503"] = {"description": "Not able to generate"}
    elif path == "/v1/health/ready":
        responses["503"] = {"description": "Not ready", "content": {"application/json": {}}}
    if path in STREAMING:
        responses["200"]["content"]["text/event-stream"] = {"schema": TEXT}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": json_of(body.__name__)}
    if needs_key and path not in KEYLESS:
        operation["security"] = [{name: []} for name in KEYS]


def json_of(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=name)}}}
