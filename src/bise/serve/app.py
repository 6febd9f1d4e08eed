"""The server around a talker: which paths there are, and what happens when something fails."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
from bise.serve.completion_body import CompletionBody
from bise.serve.completion_door import completions
from bise.serve.conversation_body import ConversationBody
from bise.serve.conversation_door import conversations
from bise.serve.envelope import Envelope
from bise.serve.events import CLIENT_CLOSED
from bise.serve.faults import RETRY_AFTER_S, HttpFault, UnknownModel, WrongModel, answer_to
from bise.serve.messages_body import CountBody, MessagesBody
from bise.serve.messages_door import count_tokens, messages
from bise.serve.metrics import Metrics
from bise.serve.nim_doors import add_nim_doors
from bise.serve.openapi import describe
from bise.serve.page import add_page
from bise.serve.reply_names import owner_of
from bise.serve.responses_body import ResponsesBody
from bise.serve.responses_door import input_tokens, responses
from bise.serve.served import Served
from bise.serve.shapes import Shape
from bise.serve.stop_door import stop_thinking
from bise.serve.token_doors import DetokenizeBody, TokenizeBody, detokenize, render, tokenize
from bise.serve.verify_door import VerifyBody, verify

Door = Callable[[Request, Served, Metrics], Awaitable[Response]]

Guest = Callable[[FastAPI, Served], Mapping[str, type[Shape]]]
"""A room above this one that adds paths of its own: gives the shape of what is posted to each."""

DOORS: dict[str, tuple[Door, type[Shape]]] = {
    "/v1/chat/completions": (chat_completions, ChatBody),
    "/v1/completions": (completions, CompletionBody),
    "/v1/messages": (messages, MessagesBody),
    "/v1/messages/count_tokens": (count_tokens, CountBody),
    "/v1/responses": (responses, ResponsesBody),
    "/v1/responses/input_tokens": (input_tokens, ResponsesBody),
    "/v1/conversations": (conversations, ConversationBody),
    "/tokenize": (tokenize, TokenizeBody),
    "/detokenize": (detokenize, DetokenizeBody),
    "/render": (render, ChatBody),
}
"""What can be posted where, and the shape of its body."""


def create_app(
    served: Served, *, allowed_origins: Sequence[str] = (), guests: Sequence[Guest] = ()
) -> FastAPI:
    """Build the server. Tests build it around a tiny model; the engine is closed by its owner."""
    app = FastAPI(title=f"Bise: {served.name}", docs_url=None, redoc_url=None)
    metrics = app.state.metrics = Metrics(served)
    app.add_middleware(Envelope, served=served, metrics=metrics, allowed_origins=allowed_origins)
    app.add_exception_handler(HTTPException, partial(on_http_error, metrics))
    app.add_exception_handler(ClientDisconnect, on_hang_up)
    app.add_exception_handler(UserError, partial(on_error, metrics))
    app.add_exception_handler(EngineFailed, partial(on_error, metrics))

    for path, (door, _) in DOORS.items():
        add_door(app, path, door, served, metrics)
    bodies = {path: body for path, (_, body) in DOORS.items()}
    if served.judging is not None:
        add_door(app, "/v1/verify", verify, served, metrics)
        bodies["/v1/verify"] = VerifyBody
    for guest in guests:
        bodies.update(guest(app, served))
    describe(app, bodies, has_keys=not served.ring.is_open)

    @app.post("/v1/chat/completions/{name}/stop_thinking", status_code=202)
    async def stop(name: str, request: Request) -> Response:
        """Let a running answer, named by its id or its request's, stop thinking."""
        return await stop_thinking(name, owner_of(request.headers), served)

    @app.post("/v1/embeddings")
    @app.post("/v1/fim/completions")
    async def other_models() -> Response:
        """What other models do."""
        raise WrongModel(
            f"the model `{served.name}` neither embeds nor fills in the middle: it is a chat's"
        )

    add_nim_doors(app, served)
    add_model_doors(app, served)
    add_page(app)

    @app.get("/health")
    async def health() -> Response:
        """200 when able to generate, 503 otherwise; no body."""
        if served.talker.engine.is_well():
            return Response()
        return Response(status_code=503, headers={"Retry-After": RETRY_AFTER_S})

    @app.get("/metrics")
    @app.get("/v1/metrics")
    async def numbers() -> Response:
        """What happens here, in numbers, as Prometheus reads them."""
        return await metrics.page()

    return app


def add_model_doors(app: FastAPI, served: Served) -> None:
    """Tell which models there are: one, under several names."""

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


def add_door(app: FastAPI, path: str, door: Door, served: Served, metrics: Metrics) -> None:
    """Open a door that takes a body."""

    async def answer(request: Request) -> Response:
        return await door(request, served, metrics)

    name = path.removeprefix("/v1").strip("/").replace("/", "_")
    about = (inspect.getdoc(door) or "").splitlines()[0]
    app.add_api_route(path, answer, methods=["POST"], name=name, summary=about)


async def on_error(metrics: Metrics, request: Request, error: Exception) -> Response:
    """Errors with a meaning: the user's, and steps of the engine that failed and are logged."""
    state = request.state
    answer = metrics.refuse(answer_to(error, state.dialect), state.visit)
    return answer.response(state.request_id)


async def on_http_error(metrics: Metrics, request: Request, error: Exception) -> Response:
    """Unknown paths and methods, in the same words as everything else."""
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this path", 405: "this path takes another method"}
    fault = HttpFault(error.status_code, words.get(error.status_code, str(error.detail)))
    state = request.state
    answer = answer_to(fault, state.dialect)
    answer.headers.update(error.headers or {})
    return metrics.refuse(answer, state.visit).response(state.request_id)


async def on_hang_up(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """A client that left while sending."""
    return Response(status_code=CLIENT_CLOSED)
