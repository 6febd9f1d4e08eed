"""The doors `POST /v1/responses` and `.../input_tokens`: OpenAI's newer API, without a memory."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.blocks import block_events, named_event
from bise.serve.events import CLIENT_CLOSED, EventStream
from bise.serve.json_body import read_object
from bise.serve.metrics import Metrics
from bise.serve.replies import last_words, whole
from bise.serve.responses_body import read_responses, translate
from bise.serve.responses_reply import ResponsesForm
from bise.serve.served import Served
from bise.serve.turn import begin, take


async def responses(request: Request, served: Served, metrics: Metrics) -> Response:
    """Reply to a conversation as OpenAI's Responses API does; nothing is kept."""
    body = read_responses(await read_object(request, served.limits))
    chat, told = await asyncio.to_thread(translate, body, served.seal)
    drops_oldest = body.truncation == "auto"
    question = await take(request, chat, served, metrics, told.ignored, drops_oldest=drops_oldest)
    (talk,) = begin(question, chat, request, served, metrics)
    form = ResponsesForm(body=body, model=served.name, seal=served.seal, namespaces=told.namespaces)
    if body.stream:

        def failure(error: dict[str, Any]) -> bytes:
            return b"".join(map(named_event, form.failure(error)))

        return EventStream(block_events(form, talk), last_words(request, failure), question.headers)
    gathered = await whole(request, [talk])
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    return JSONResponse(form.whole(talk, gathered[0]), headers=question.headers)


async def input_tokens(request: Request, served: Served, metrics: Metrics) -> Response:
    """Count the tokens of a conversation without a reply."""
    body = read_responses(await read_object(request, served.limits))
    chat, told = await asyncio.to_thread(translate, body, served.seal)
    question = await take(request, chat, served, metrics, told.ignored)
    answer = {"object": "response.input_tokens", "input_tokens": len(question.prompt.ids)}
    return JSONResponse(answer, headers=question.headers)
