"""The doors `POST /v1/messages` and `.../count_tokens`: Anthropic's way to have a conversation."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.blocks import block_events, named_event
from bise.serve.events import CLIENT_CLOSED, EventStream
from bise.serve.json_body import read_object
from bise.serve.messages_body import CountBody, MessagesBody, to_chat
from bise.serve.messages_reply import PING, MessagesForm
from bise.serve.metrics import Metrics
from bise.serve.replies import last_words, whole
from bise.serve.served import Served
from bise.serve.shapes import shaped
from bise.serve.turn import begin, take


async def messages(request: Request, served: Served, metrics: Metrics) -> Response:
    """Reply to a conversation as Anthropic's API does."""
    body = shaped(MessagesBody, await read_object(request, served.limits))
    chat, ignored = await asyncio.to_thread(to_chat, body)
    question = await take(request, chat, served, metrics, ignored)
    (talk,) = begin(question, chat, request, served, metrics)
    form = MessagesForm(model=served.name, seal=served.seal)
    if body.stream:
        return EventStream(
            block_events(form, talk),
            last_words(request, named_event),
            question.headers,
            keep_alive=named_event(PING),
        )
    gathered = await whole(request, [talk])
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    return JSONResponse(form.whole(talk, gathered[0]), headers=question.headers)


async def count_tokens(request: Request, served: Served, metrics: Metrics) -> Response:
    """Count the tokens of a conversation without a reply."""
    body = shaped(CountBody, await read_object(request, served.limits))
    chat, ignored = await asyncio.to_thread(to_chat, body)
    question = await take(request, chat, served, metrics, ignored)
    answer = {"input_tokens": len(question.prompt.ids)}
    return JSONResponse(answer, headers=question.headers)
