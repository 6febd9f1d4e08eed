"""Several replies at once: gathered whole, or passed on piece by piece as they are written."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.events import finish, unless_gone
from bise.serve.faults import answer_to, is_bug
from bise.serve.talk import Talk
from bise.text import Delta

log = logging.getLogger(__name__)


async def whole(request: Request, talks: Sequence[Talk]) -> list[list[Delta]] | None:
    """All pieces of all replies, when they are done; None if the client leaves before."""
    return await unless_gone(request.receive, gather(talks))


async def gather(talks: Sequence[Talk]) -> list[list[Delta]]:
    """All pieces of all replies, when they are done."""
    gathered: list[list[Delta]] = [[] for _ in talks]
    async with aclosing(together(talks)) as rounds:
        async for index, deltas in rounds:
            gathered[index] += deltas
    return gathered


async def together(talks: Sequence[Talk]) -> AsyncGenerator[tuple[int, list[Delta]], None]:
    """Several replies at once, piece by piece with their number; leaving ends them all.

    No reply is read further while its last piece is looked at, so that what a `Talk` says of itself
    (its usage, its end) belongs to that piece.
    """
    if len(talks) == 1:  # the usual case, without a task for each piece
        async with aclosing(talks[0].__aiter__()) as rounds:
            async for deltas in rounds:
                yield 0, deltas
        return
    readers = [talk.__aiter__() for talk in talks]
    coming: dict[int, asyncio.Future[list[Delta]]] = {}
    come: asyncio.Queue[int] = asyncio.Queue()

    def read_on(index: int) -> None:
        coming[index] = asyncio.ensure_future(anext(readers[index]))
        coming[index].add_done_callback(lambda _: come.put_nowait(index))

    try:
        for index in range(len(readers)):
            read_on(index)
        while coming:  # no piece looks at those who wait: there may be a thousand
            index = await come.get()
            try:
                deltas = coming.pop(index).result()
            except StopAsyncIteration:
                continue
            yield index, deltas
            read_on(index)
    finally:
        await finish(*coming.values())
        for reader in readers:
            await reader.aclose()


async def answer(
    whole: Callable[[], dict[str, Any]], headers: Mapping[str, str], *, is_long: bool
) -> Response:
    """A whole answer. One that takes long to write is written in a thread."""

    def write() -> Response:
        return JSONResponse(whole(), headers=headers)

    return await asyncio.to_thread(write) if is_long else write()


def last_words(
    request: Request, event: Callable[[dict[str, Any]], bytes], end: bytes = b""
) -> Callable[[Exception], bytes]:
    """What a stream says that breaks off: the error, and that this is the end."""
    state = request.state

    def say(error: Exception) -> bytes:
        if is_bug(error):
            log.error("a stream broke off", exc_info=error)
        answer = answer_to(error, state.dialect)
        state.visit.error = answer.kind.openai_code
        return event(answer.body(state.request_id)) + end

    return say
