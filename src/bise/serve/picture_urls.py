"""Puts pictures where a conversation only has their addresses, if the operator allows that."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from bise.errors import BadImage
from bise.serve.events import finish
from bise.serve.fetch import Fetcher
from bise.serve.limits import need_at_most

IMAGE_TYPES = ("image_url", "input_image")
SCHEMES = ("http://", "https://")


NUM_THREADS = 8
EACH = 2
"""Of a request: whoever has many slow addresses waits for them alone."""


@dataclass(frozen=True, slots=True)
class PictureFetching:
    """Fetches in threads of its own, so that slow addresses keep nobody else waiting."""

    fetcher: Fetcher = field(default_factory=Fetcher)
    max_images: int = 16
    limit_s: float = 30.0
    """For all pictures of a request, waiting for a thread included."""

    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(NUM_THREADS, "bise-fetch"), repr=False
    )
    free: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(NUM_THREADS), repr=False
    )
    """Places in the pool: no work waits inside it, from where nobody takes it back."""

    async def put_in(self, messages: Sequence[Any], take: Callable[[int], None]) -> list[Any]:
        """Messages as a client sent them, with data instead of addresses.

        take: is told the bytes of every picture that has come; refuses what there is no room for
        """
        urls = list(dict.fromkeys(url for message in messages for url in urls_in(message)))
        if not urls:
            return list(messages)
        need_at_most("images", len(urls), self.max_images)
        data: dict[str, str] = {}
        turns = asyncio.Semaphore(EACH)

        async def put(url: str) -> None:
            async with turns:
                found = await self.fetched(url)
            take(len(found))
            data[url] = found

        coming = [asyncio.ensure_future(put(url)) for url in urls]
        try:
            async with asyncio.timeout(self.limit_s):
                await asyncio.gather(*coming)
        except TimeoutError:
            raise BadImage(f"the images did not come within {self.limit_s:g} s") from None
        finally:
            await finish(*coming)
        return [with_data(message, data) for message in messages]

    async def fetched(self, url: str) -> str:
        """One picture as data, when a thread is free."""
        loop = asyncio.get_running_loop()
        await self.free.acquire()
        work = self.pool.submit(lambda: as_data_url(self.fetcher.fetch(url)))
        work.add_done_callback(lambda _: release_in(loop, self.free))
        limit_s = self.fetcher.limit_s
        try:
            async with asyncio.timeout(limit_s + 1):  # looking a name up has no limit
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise BadImage(f"an image did not come within {limit_s:g} s") from None


def release_in(loop: asyncio.AbstractEventLoop, free: asyncio.Semaphore) -> None:
    """Give a place back from a thread; whose loop has ended needs no places."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(free.release)


def parts_of(message: object) -> list[Any]:
    content = cast(dict[str, Any], message).get("content") if isinstance(message, dict) else None
    return cast(list[Any], content) if isinstance(content, list) else []


def urls_in(message: object) -> list[str]:
    """Addresses of pictures in one message."""
    found = [url_of(part) for part in parts_of(message)]
    return [url for url in found if url is not None]


def url_of(part: object) -> str | None:
    """The address in one part, if there is one to be fetched."""
    if not isinstance(part, dict):
        return None
    fields = cast(dict[str, Any], part)
    url = fields.get("image_url") if fields.get("type") in IMAGE_TYPES else None
    if isinstance(url, dict):
        url = cast(dict[str, Any], url).get("url")
    return url if isinstance(url, str) and url[:8].lower().startswith(SCHEMES) else None


def with_data(message: Any, data: dict[str, str]) -> Any:
    """One message, with data where it had addresses."""
    if not urls_in(message):
        return message

    def put(part: Any) -> Any:
        url = url_of(part)
        if url is None:
            return part
        given = part["image_url"]
        held = {**given, "url": data[url]} if isinstance(given, dict) else data[url]
        return {**part, "image_url": held}

    return {**message, "content": [put(part) for part in parts_of(message)]}


def as_data_url(data: bytes) -> str:
    return f"data:;base64,{base64.b64encode(data).decode()}"
