"""The page at `/`: files made from `web/`, under a policy that lets nothing else run there."""

import asyncio
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

PAGE = Path(__file__).parent / "page"
"""What `make web` writes."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # pictures a user adds stay in the page
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types svelte-trusted-html dompurify",
    )
)
"""No inline script, no inline style, no other host, and no text becomes markup but by two names:
Svelte's, for the templates of the page itself, and the cleaner's."""

MEDIA_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
"""Told here and not asked of the system: browsers refuse scripts of another type."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

IN_PLACE = "no-cache"
"""Kept, but asked for again each time: the name stays when the content changes."""

WORTH_PACKING = 1024
"""Bytes: smaller files fit a packet anyway."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For files that have a digest of their content in their names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFile:
    """One file of the page, in memory: all of them are smaller than a picture."""

    content: bytes
    media_type: str
    etag: str
    caching: str

    async def answer(self, request: Request) -> Response:
        """The file, smaller to a client that can unpack it, or 304 to one that has it."""
        headers = {**HEADERS, "Cache-Control": self.caching, "Vary": "Accept-Encoding"}
        is_packed = len(self.content) >= WORTH_PACKING and takes_gzip(request)
        etag = f'{self.etag[:-1]}-gz"' if is_packed else self.etag
        headers["ETag"] = etag
        if has_it(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        if not is_packed:
            return Response(self.content, headers=headers, media_type=self.media_type)
        headers["Content-Encoding"] = "gzip"
        packed = await asyncio.to_thread(pack, self.content)
        return Response(packed, headers=headers, media_type=self.media_type)


def takes_gzip(request: Request) -> bool:
    """Whether `Accept-Encoding` names gzip and does not rule it out."""
    for one in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


@cache
def pack(content: bytes) -> bytes:
    """A file of the page in fewer bytes: once, when it is first asked for."""
    return gzip.compress(content, mtime=0)


def has_it(known: str, etag: str) -> bool:
    """Whether `If-None-Match` names this content; a proxy may have made its tags weak."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return "*" in tags or etag in tags


def read_page(folder: Path = PAGE, at: str = "") -> dict[str, PageFile]:
    """The files of a page by their paths on the wire; empty where none was built.

    at: the path of the page, below which its files are; by default the root
    """
    found: dict[str, PageFile] = {}
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = file.relative_to(folder).as_posix()
        content = file.read_bytes()
        found[at or "/" if name == "index.html" else f"{at}/{name}"] = PageFile(
            content=content,
            media_type=MEDIA_TYPES.get(file.suffix, "application/octet-stream"),
            etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            caching=FOR_EVER if name.startswith("assets/") else IN_PLACE,
        )
    return found


def add_page(app: Starlette, folder: Path = PAGE, at: str = "") -> None:
    """Serve a page and what belongs to it; GET and HEAD, and not a word in `/openapi.json`."""
    for path, file in read_page(folder, at).items():
        app.router.add_route(path, file.answer, methods=["GET"], include_in_schema=False)
