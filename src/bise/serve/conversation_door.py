"""The door `POST /v1/conversations`: Mistral's newer API, one answer at a time and nothing kept."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.blocks import block_events, named_event
from bise.serve.conversation_body import read_conversation, to_chat
from bise.serve.conversation_reply import ConversationForm
from bise.serve.events import CLIENT_CLOSED, EventStream
from bise.serve.json_body import read_object
from bise.serve.metrics import Metrics
from bise.serve.replies import last_words, whole
from bise.serve.served import Served
from bise.serve.turn import begin, take


async def conversations(request: Request, served: Served, metrics: Metrics) -> Response:
    """Reply to a conversation as Mistral's Conversations API does; nothing is kept."""
    body = read_conversation(await read_object(request, served.limits))
    chat, ignored = await asyncio.to_thread(to_chat, body)
    question = await take(request, chat, served, metrics, ignored)
    (talk,) = begin(question, chat, request, served, metrics)
    form = ConversationForm(model=served.name)
    if body.stream:

        def failure(error: dict[str, Any]) -> bytes:
            return named_event(form.failure(error))

        return EventStream(block_events(form, talk), last_words(request, failure), question.headers)
    gathered = await whole(request, [talk])
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    return JSONResponse(form.whole(talk, gathered[0]), headers=question.headers)
