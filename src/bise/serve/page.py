"""The page at `/`: files made from `web/`, under a policy that lets nothing else run there."""

import hashlib
from dataclasses import dataclass
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
        """The file, or 304 to a client that has it."""
        headers = {**HEADERS, "ETag": self.etag, "Cache-Control": self.caching}
        if has_it(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.media_type)


def has_it(known: str, etag: str) -> bool:
    """Whether `If-None-Match` names this content; a proxy may have made its tags weak."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return "*" in tags or etag in tags


def read_page(folder: Path = PAGE) -> dict[str, PageFile]:
    """The files of a page by their paths on the wire; empty where none was built."""
    found: dict[str, PageFile] = {}
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = file.relative_to(folder).as_posix()
        content = file.read_bytes()
        found["/" if name == "index.html" else f"/{name}"] = PageFile(
            content=content,
            media_type=MEDIA_TYPES.get(file.suffix, "application/octet-stream"),
            etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            caching=FOR_EVER if name.startswith("assets/") else IN_PLACE,
        )
    return found


def add_page(app: Starlette, folder: Path = PAGE) -> None:
    """Serve the page and what belongs to it; GET and HEAD, and not a word in `/openapi.json`."""
    for path, file in read_page(folder).items():
        app.router.add_route(path, file.answer, methods=["GET"], include_in_schema=False)
