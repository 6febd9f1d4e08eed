"""Puts pictures where a conversation only has their addresses, if the operator allows that."""

import asyncio
import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

from bise.errors import BadImage
from bise.serve.fetch import Fetcher
from bise.serve.limits import need_at_most

IMAGE_TYPES = ("image_url", "input_image")
SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class PictureFetching:
    """Fetches in threads of its own, so that slow addresses keep nobody else waiting."""

    fetcher: Fetcher = field(default_factory=Fetcher)
    max_images: int = 16
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(8, "bise-fetch"), repr=False
    )

    async def put_in(self, messages: Sequence[Any]) -> list[Any]:
        """Messages as a client sent them, with data instead of addresses."""
        urls = list(dict.fromkeys(url for message in messages for url in urls_in(message)))
        if not urls:
            return list(messages)
        need_at_most("images", len(urls), self.max_images)
        loop = asyncio.get_running_loop()
        fetch = self.fetcher.fetch
        coming = [loop.run_in_executor(self.pool, fetch, url) for url in urls]
        try:
            async with asyncio.timeout(self.fetcher.limit_s + 1):  # looking a name up has no limit
                found = await asyncio.gather(*coming)
        except TimeoutError:
            raise BadImage(f"the images did not come within {self.fetcher.limit_s:g} s") from None
        data = {url: as_data_url(one) for url, one in zip(urls, found, strict=True)}
        return [with_data(message, data) for message in messages]


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
