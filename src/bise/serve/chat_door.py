"""The door `POST /v1/chat/completions`: JSON in, a reply or a stream of its pieces out."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.chat_ask import replies_of, to_ask
from bise.serve.chat_body import ChatBody, StreamOptions, read_body
from bise.serve.chat_reply import DONE, ChatForm, event
from bise.serve.events import CLIENT_CLOSED, EventStream, finish, unless_gone
from bise.serve.faults import answer_to, is_bug
from bise.serve.json_body import read_object
from bise.serve.limits import check_limits
from bise.serve.metrics import Metrics
from bise.serve.served import Served
from bise.serve.talk import PreparedAsk, Talk
from bise.text import Delta

log = logging.getLogger(__name__)


async def chat_completions(request: Request, served: Served, metrics: Metrics) -> Response:
    """Answer one chat request."""
    arrived_s = time.monotonic()
    fields = await read_object(request, served.limits)
    body = read_body(fields)
    served.need(body.model)
    # Pictures and long texts take a while to encode; others are served meanwhile.
    prepared = await asyncio.to_thread(prepare, body, served)
    request_id: str = request.state.request_id
    talks = [
        served.talker.begin(
            prepared,
            number=number,
            request_id=f"{request_id}/{number}",
            watch=metrics.watch(arrived_s),
        )
        for number in range(replies_of(body, served.limits))
    ]
    options = body.stream_options or StreamOptions()
    form = ChatForm(
        model=served.name,
        fingerprint=served.fingerprint,
        tekken=served.talker.chat.tekken,
        shows_reasoning=hides_nothing(body),
        has_logprobs=bool(body.logprobs),
        streams_calls=bool(options.stream_tool_calls),
    )
    headers = {"X-Reasoning-Effort": prepared.ask.effort}
    if body.ignored:
        headers["X-Ignored-Params"] = ",".join(map(header_safe, body.ignored))
    if body.has_stream:
        events = stream_events(form, talks, has_usage=bool(options.include_usage))
        return EventStream(events, last_words(request_id), headers)
    gathered = await unless_gone(request.receive, gather(talks))
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    return JSONResponse(form.whole(talks, gathered), headers=headers)


def prepare(body: ChatBody, served: Served) -> PreparedAsk:
    """Everything that is checked and encoded before the engine hears of it."""
    ask = to_ask(body, served.talker.chat.tekken, served.limits)
    check_limits(ask, served.limits, served.max_positions)
    return served.talker.prepare(ask)


def hides_nothing(body: ChatBody) -> bool:
    """Whether thinking is shown."""
    is_excluded = body.reasoning is not None and body.reasoning.exclude is True
    return body.include_reasoning is not False and not is_excluded


async def gather(talks: Sequence[Talk]) -> list[list[Delta]]:
    """All pieces of all replies, when they are done."""
    gathered: list[list[Delta]] = [[] for _ in talks]
    async with aclosing(together(talks)) as rounds:
        async for index, deltas in rounds:
            gathered[index] += deltas
    return gathered


async def stream_events(
    form: ChatForm, talks: Sequence[Talk], *, has_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The events of a stream: each reply begins, goes on and ends; then usage, then the end."""
    has_begun: set[int] = set()
    async with aclosing(together(talks)) as rounds:
        async for index, deltas in rounds:
            talk = talks[index]
            chunks: list[dict[str, Any] | None] = []
            if index not in has_begun:
                has_begun.add(index)
                chunks.append(form.first_chunk(index))
            chunks.append(form.step_chunk(index, talk, deltas))
            if talk.finish_reason is not None:
                chunks.append(form.last_chunk(index, talk))
            shown = b"".join(event(chunk) for chunk in chunks if chunk is not None)
            if shown:
                yield shown
    if has_usage:
        yield event(form.usage_chunk(talks))
    yield DONE


async def together(talks: Sequence[Talk]) -> AsyncGenerator[tuple[int, list[Delta]], None]:
    """Several replies at once, piece by piece with their number; leaving ends them all."""
    arrived: asyncio.Queue[tuple[int, list[Delta] | BaseException | None]] = asyncio.Queue()

    async def pump(index: int, talk: Talk) -> None:
        try:
            async with aclosing(talk.__aiter__()) as rounds:
                async for deltas in rounds:
                    arrived.put_nowait((index, deltas))
        except Exception as error:  # is raised again by whoever reads
            arrived.put_nowait((index, error))
        else:
            arrived.put_nowait((index, None))

    pumps = [asyncio.ensure_future(pump(index, talk)) for index, talk in enumerate(talks)]
    num_left = len(pumps)
    try:
        while num_left:
            index, got = await arrived.get()
            if isinstance(got, BaseException):
                raise got
            if got is None:
                num_left -= 1
            else:
                yield index, got
    finally:
        await finish(*pumps)


def last_words(request_id: str):
    """What a stream says that breaks off: the error, and that this is the end."""

    def say(error: Exception) -> bytes:
        if is_bug(error):
            log.error("a stream broke off", exc_info=error)
        return event(answer_to(error).body(request_id)) + DONE

    return say


def header_safe(name: str) -> str:
    """A field's name as a header can carry it."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name)
