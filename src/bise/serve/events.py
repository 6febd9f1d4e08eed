"""Server-sent events that keep the line warm, and notice when nobody listens any more."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEP_ALIVE = b": keep-alive\n\n"
SILENCE_S = 10.0
"""After so many seconds without an event a comment is sent, which clients ignore."""

CLIENT_CLOSED = 499
"""What others write into their logs for a client that went away; nobody receives it."""

Value = TypeVar("Value")


class EventStream(Response):
    """Sends events as they come. The status line waits for the first, so early faults keep theirs.

    A client that hangs up closes the generator, and with it whatever it was waiting for.
    """

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        last_words: Callable[[Exception], bytes],
        headers: Mapping[str, str],
        *,
        keep_alive: bytes = KEEP_ALIVE,
        silence_s: float = SILENCE_S,
    ):
        """last_words: what to send when the events break off with an error."""
        super().__init__(
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **headers},
            media_type="text/event-stream; charset=utf-8",
        )
        del self.headers["content-length"]
        self.events = events
        self.last_words = last_words
        self.keep_alive = keep_alive
        self.silence_s = silence_s
        self.has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        gone = asyncio.ensure_future(hang_up(receive))
        coming = asyncio.ensure_future(anext(self.events))
        try:
            while not gone.done():
                await asyncio.wait(
                    {coming, gone}, timeout=self.silence_s, return_when=asyncio.FIRST_COMPLETED
                )
                if gone.done():
                    break
                if not coming.done():
                    await self._send(send, self.keep_alive)
                    continue
                try:
                    event = coming.result()
                except StopAsyncIteration:
                    await self._send(send, b"", is_last=True)
                    break
                except Exception as error:
                    if not self.has_begun:
                        raise
                    await self._send(send, self.last_words(error), is_last=True)
                    break
                await self._send(send, event)
                coming = asyncio.ensure_future(anext(self.events))
        finally:
            await finish(gone, coming)
            await self.events.aclose()

    async def _send(self, send: Send, data: bytes, *, is_last: bool = False) -> None:
        if not self.has_begun:
            self.has_begun = True
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
        await send({"type": "http.response.body", "body": data, "more_body": not is_last})


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, Value]) -> Value | None:
    """The result of `work`, or None if the client hangs up first, and then `work` is cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(hang_up(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        await finish(gone, task)


async def hang_up(receive: Receive) -> None:
    """Wait until the client has gone. The body must have been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def finish(*futures: "asyncio.Future[Any]") -> None:
    """Cancel what still runs and let it clean up."""
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
