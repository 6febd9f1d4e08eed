"""Server-sent events that keep the line warm, and notice when nobody listens any more."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEP_ALIVE = b": keep-alive\n\n"
SILENCE_S = 10.0
"""After so many seconds without an event a comment is sent, which clients ignore."""

TURN = 8
"""Events after which a stream lets others have their turn."""

CLIENT_CLOSED = 499
"""What others write into their logs for a client that went away; nobody receives it."""

Value = TypeVar("Value")

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON without blanks; one encoder for all events, since making it takes as long as using it."""


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
        self._last_s = 0.0
        self._speaking = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self._last_s = time.monotonic()
        gone = asyncio.ensure_future(hang_up(receive))
        telling = asyncio.ensure_future(self._tell(send))  # one task for all events: they are many
        try:
            while not (telling.done() or gone.done()):
                left_s = self._last_s + self.silence_s - time.monotonic()
                if left_s <= 0 and not self._speaking.locked():  # nor does its reader lag
                    await self._send(send, self.keep_alive)
                    continue
                await asyncio.wait(
                    {telling, gone},
                    timeout=left_s if left_s > 0 else self.silence_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if gone.done() or not telling.done():
                return
            error = telling.exception()
            if isinstance(error, Exception) and self.has_begun:
                await self._send(send, self.last_words(error), is_last=True)
            elif error is not None:
                raise error
        finally:
            await finish(gone, telling)
            await self.events.aclose()

    async def _tell(self, send: Send) -> None:
        """Send all events, as they come."""
        count = 0
        async for event in self.events:
            await self._send(send, event)
            count += 1
            if count % TURN == 0:  # neither of these waits while there is more to send
                await asyncio.sleep(0)
        await self._send(send, b"", is_last=True)

    async def _send(self, send: Send, data: bytes, *, is_last: bool = False) -> None:
        async with self._speaking:
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
            self._last_s = time.monotonic()


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
