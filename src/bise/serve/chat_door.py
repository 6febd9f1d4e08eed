"""The door `POST /v1/chat/completions`: JSON in, a reply or a stream of its pieces out."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bise.serve.chat_body import ChatBody, read_body
from bise.serve.chat_mistral import MistralForm
from bise.serve.chat_reply import DONE, ChatForm, event
from bise.serve.dialect import Dialect, speaks_mistral
from bise.serve.events import CLIENT_CLOSED, EventStream
from bise.serve.json_body import read_object
from bise.serve.metrics import Metrics
from bise.serve.replies import answer, last_words, together, whole
from bise.serve.reply_names import owner_of
from bise.serve.served import Served
from bise.serve.shapes import StreamOptions
from bise.serve.talk import Talk
from bise.serve.turn import begin, take

FORMS: dict[Dialect, type[ChatForm]] = {"mistral": MistralForm}
"""How a dialect writes its answers; the others write as OpenAI does."""


async def chat_completions(request: Request, served: Served, metrics: Metrics) -> Response:
    """Answer one chat request."""
    state = request.state
    fields = await read_object(request, served.limits)
    if state.dialect is None:
        state.dialect = "mistral" if speaks_mistral(fields) else served.manners.default_dialect
    body = read_body(fields)
    question = await take(request, body, served, metrics)
    talks = begin(question, body, request, served, metrics)
    form = form_of(body, served, state.dialect)
    known = served.reply_names.known(
        owner_of(request.headers), (form.id, state.request_id), [talk.name for talk in talks]
    )
    if body.has_stream:
        events = stream_events(form, talks, known)
        return EventStream(events, last_words(request, event, DONE), question.headers)
    async with known:
        gathered = await whole(request, talks)
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    return await answer(
        lambda: form.whole(talks, gathered), question.headers, is_long=form.has_prompt_logprobs
    )


def form_of(body: ChatBody, served: Served, dialect: Dialect) -> ChatForm:
    """How the answer is written."""
    options = body.stream_options or StreamOptions()
    return FORMS.get(dialect, ChatForm)(
        model=served.name,
        fingerprint=served.fingerprint,
        tekken=served.talker.chat.tekken,
        shows_reasoning=body.shows_reasoning,
        thinking_fields=served.manners.thinking_fields,
        has_logprobs=bool(body.logprobs),
        has_prompt_logprobs=body.rates_prompt,
        streams_calls=bool(options.stream_tool_calls),
        has_usage=bool(options.include_usage),
        counts_on=bool(options.continuous_usage_stats),
    )


async def stream_events(
    form: ChatForm, talks: Sequence[Talk], known: AbstractAsyncContextManager[None]
) -> AsyncGenerator[bytes, None]:
    """The events of a stream: each reply begins, goes on and ends; then usage, then the end.

    known: keeps the names of the replies while they are written
    """
    has_begun: set[int] = set()
    async with known, aclosing(together(talks)) as rounds:
        async for index, deltas in rounds:
            talk = talks[index]
            chunks: list[dict[str, Any]] = []
            if index not in has_begun:
                has_begun.add(index)
                chunks += form.first_chunks(index, talk)
            chunks += form.step_chunks(index, talk, deltas)
            if talk.finish_reason is not None:
                chunks += form.last_chunks(index, talks)
            shown = b"".join(event(chunk) for chunk in chunks)
            if shown:
                yield shown
    yield b"".join(event(chunk) for chunk in form.end_chunks(talks)) + DONE
