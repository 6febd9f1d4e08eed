"""The server around a talker: which paths there are, and what happens when something fails."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bise.engine import EngineFailed
from bise.errors import UserError
from bise.serve.chat_body import ChatBody
from bise.serve.chat_door import chat_completions
from bise.serve.envelope import Envelope
from bise.serve.events import CLIENT_CLOSED
from bise.serve.faults import HttpFault, UnknownModel, answer_to
from bise.serve.metrics import Metrics
from bise.serve.served import Served


def create_app(served: Served, *, allowed_origins: Sequence[str] = ()) -> FastAPI:
    """Build the server. Tests build it around a tiny model; the engine is closed by its owner."""
    app = FastAPI(title=f"Bise: {served.name}", docs_url=None, redoc_url=None)
    metrics = Metrics(served)
    app.add_middleware(
        Envelope, model=served.name, metrics=metrics, allowed_origins=allowed_origins
    )
    app.add_exception_handler(HTTPException, partial(on_http_error, metrics))
    app.add_exception_handler(ClientDisconnect, on_hang_up)
    app.add_exception_handler(UserError, partial(on_error, metrics))
    app.add_exception_handler(EngineFailed, partial(on_error, metrics))

    @app.post("/v1/chat/completions", openapi_extra=body_schema())
    async def chat(request: Request) -> Response:
        """Reply to a conversation, whole or as a stream of events."""
        return await chat_completions(request, served, metrics)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """The models served here."""
        return {"object": "list", "data": [served.card()]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        """One model, by any of its names."""
        if name not in served.names:
            raise UnknownModel(f"the model `{name[:100]}` is not served here")
        return served.card()

    @app.get("/health")
    async def health() -> Response:
        """200 when able to generate, 503 otherwise; no body."""
        return Response(status_code=200 if served.talker.engine.is_well() else 503)

    @app.get("/metrics")
    @app.get("/v1/metrics")
    async def numbers() -> Response:
        """What happens here, in numbers, as Prometheus reads them."""
        return await metrics.page()

    return app


def body_schema() -> dict[str, Any]:
    """The body of a chat request, for `/openapi.json`."""
    schema = ChatBody.model_json_schema()
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


async def on_error(metrics: Metrics, request: Request, error: Exception) -> Response:
    """Errors with a meaning: the user's, and steps of the engine that failed and are logged."""
    return metrics.refuse(answer_to(error)).response(request.state.request_id)


async def on_http_error(metrics: Metrics, request: Request, error: Exception) -> Response:
    """Unknown paths and methods, in the same words as everything else."""
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this path", 405: "this path takes another method"}
    fault = HttpFault(error.status_code, words.get(error.status_code, str(error.detail)))
    answer = answer_to(fault)
    answer.headers.update(error.headers or {})
    return metrics.refuse(answer).response(request.state.request_id)


async def on_hang_up(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """A client that left while sending."""
    return Response(status_code=CLIENT_CLOSED)
