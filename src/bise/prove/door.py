"""The doors of the prover: `/v1/prove` begins a search, `/prove` is the page that shows it.

A run belongs to the tenant whose key began it: for everybody else it is not there.
"""

import asyncio
import io
import re
import tempfile
import zipfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.errors import BadRequest, NotFound
from bise.prove.certificate import write_certificate
from bise.prove.endpoint import Endpoint
from bise.prove.hosted import Bench, HostedRoom
from bise.prove.run import Run, Wanted
from bise.prove.runs import Room, Runs
from bise.prove.shelf import Shelf
from bise.prove.workspace import Workspace
from bise.serve.events import EventStream, compact
from bise.serve.faults import HttpFault
from bise.serve.json_body import read_object
from bise.serve.keys import presented_by
from bise.serve.page import add_page
from bise.serve.replies import last_words
from bise.serve.served import Served
from bise.serve.shapes import Shape, shaped

PAGE = Path(__file__).parent / "page"

MAX_SOURCE_BYTES = 128 << 10
"""Of a file to be proved; what is compared and shown of it is looked at again and again."""

MAX_GAPS = 200
MINUTES, MAX_MINUTES = 5.0, 60.0
TOKENS, MAX_TOKENS = 200_000, 10_000_000
ATTEMPTS, MAX_ATTEMPTS = 8, 32
NAME = re.compile(r"[\w.@ ()+-]{1,100}")
LOOK_S = 0.3
"""How often a stream looks for something new."""

Opened = Callable[[Run], AbstractContextManager[Room]]


class ProveBody(Shape):
    """A Lean file with `sorry`, and how much may be spent on it."""

    source: str
    name: str | None = None
    """What the file is called, for people."""

    minutes: float | None = None
    tokens: int | None = None
    """Of a model, read and written together."""

    attempts: int | None = None
    """Of a model at the whole file, before it works step by step."""

    model: str | None = None
    """The model served here, to be asked as well; without, automation only."""


class Proving:
    """The prover as a guest of a server; close it when the server has ended."""

    def __init__(self, bench: Bench, opened: Opened | None = None, shelf: Shelf | None = None):
        """opened: what a run works with, other than the Lean that is installed; shelf: where runs
        are kept, else they end with the server"""
        self.bench = bench
        self.runs = Runs(opened or (lambda run: HostedRoom(run, bench)), shelf)

    def add_to(self, app: FastAPI, served: Served) -> Mapping[str, type[Shape]]:
        """Add the page and its doors; gives the shape of what is posted."""

        @app.post("/v1/prove", status_code=201)
        async def begin_proving(request: Request) -> Response:
            """Begin a search for the proofs a Lean file lacks."""
            return await self.begin(request, served)

        @app.get("/v1/prove")
        async def list_proving(request: Request) -> Response:
            """The searches of whoever asks, the newest first."""
            return JSONResponse({"object": "list", "data": self.listed(request, served)})

        @app.get("/v1/prove/{name}")
        async def look_at_proving(name: str, request: Request) -> Response:
            """What a search is doing, or what it came to."""
            return JSONResponse(self.runs.seen(self.find(request, name)))

        @app.get("/v1/prove/{name}/events")
        async def watch_proving(name: str, request: Request) -> Response:
            """The same as it happens, as server-sent events."""
            return self.watch(request, self.find(request, name), served)

        @app.post("/v1/prove/{name}/resume", status_code=202)
        async def resume_proving(name: str, request: Request) -> Response:
            """Go on with a search that a server was stopped in."""
            run = self.find(request, name)
            self.resume(request, run, served)
            return JSONResponse(self.runs.seen(run), status_code=202)

        @app.delete("/v1/prove/{name}")
        async def stop_proving(name: str, request: Request) -> Response:
            """End a search; forget one that has ended."""
            run = self.find(request, name)
            self.runs.stop(run)
            return JSONResponse(self.runs.seen(run), status_code=202)

        @app.get("/v1/prove/{name}/certificate")
        async def certificate(name: str, request: Request) -> Response:
            """The certificate of what was proved, as a zip of the folder `bise verify` reads."""
            return await self.certificate(self.find(request, name))

        add_page(app, PAGE, "/prove")
        return {"/v1/prove": ProveBody}

    def close(self, patience_s: float = 10.0) -> None:
        """Stop all searches, and wait a little for the one that runs."""
        self.runs.close(patience_s)

    async def begin(self, request: Request, served: Served) -> Response:
        """Put a search in the queue."""
        owner = owner_of(request)
        body = shaped(ProveBody, await read_object(request, served.limits))
        check_limits(body)
        opened_model = None
        if body.model is not None:
            served.need(body.model)
            opened_model = model_of(request, served)
        size = len(body.source.encode())
        if size > MAX_SOURCE_BYTES:
            raise HttpFault(413, f"`source` has {size:,} bytes, at most {MAX_SOURCE_BYTES:,}")
        wanted = Wanted(
            work=await asyncio.to_thread(workspace_of, body.source),
            name=body.name or "Proof.lean",
            minutes=body.minutes or MINUTES,
            tokens=body.tokens or TOKENS,
            attempts=body.attempts or ATTEMPTS,
            model=body.model,
            opened_model=opened_model,
        )
        self.bench.loop = asyncio.get_running_loop()
        run = self.runs.begin(owner, wanted)
        return JSONResponse({"id": run.id, "state": run.state}, status_code=201)

    def listed(self, request: Request, served: Served) -> list[dict[str, Any]]:
        """The runs of whoever asks. Raises `HttpFault` 403 where that could be anybody."""
        owner = owner_of(request)
        if not owner and not served.manners.is_local:
            raise HttpFault(
                403,
                "a server that asks nobody for a key tells strangers of no searches",
                hint="keep the address of yours, or give the server keys",
            )
        return self.runs.listed(owner)

    def resume(self, request: Request, run: Run, served: Served) -> None:
        """Put one that was interrupted in the queue, with the model it had."""
        opened_model = None
        if run.wanted.model is not None:
            served.need(run.wanted.model)
            opened_model = model_of(request, served)
        self.bench.loop = asyncio.get_running_loop()
        self.runs.resume(run, opened_model)

    def find(self, request: Request, name: str) -> Run:
        return self.runs.find(owner_of(request), name)

    def watch(self, request: Request, run: Run, served: Served) -> Response:
        """Everything from the beginning, or from the last event a client has seen."""
        seen = request.headers.get("last-event-id", "0")
        if not re.fullmatch(r"[0-9]{1,9}", seen):
            raise BadRequest("`Last-Event-ID` is no number of an event")

        def is_over() -> bool:
            return served.drain.has_begun

        events = happenings(self.runs, run, int(seen), is_over)
        return EventStream(events, last_words(request, partial(event, "error")), {})

    async def certificate(self, run: Run) -> Response:
        if run.accepted is None:
            raise NotFound("there is no certificate: nothing of this search was accepted")
        content = await asyncio.to_thread(zipped, run)
        headers = {
            "Content-Disposition": 'attachment; filename="certificate.zip"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type="application/zip", headers=headers)


def owner_of(request: Request) -> str:
    """Whose runs a request may see. Raises `HttpFault` 403 for a key without the judge's right."""
    account = request.state.visit.account
    if account is None:
        return ""
    if not account.key.may_verify:
        raise HttpFault(403, "this key has no right to use the judge")
    return account.key.salt


def check_limits(body: ProveBody) -> None:
    """Refuse what is out of range."""
    if body.minutes is not None and not 0.1 <= body.minutes <= MAX_MINUTES:
        raise BadRequest(f"`minutes` is {body.minutes:g}, expected 0.1 to {MAX_MINUTES:g}")
    for name, most in (("tokens", MAX_TOKENS), ("attempts", MAX_ATTEMPTS)):
        value = getattr(body, name)
        if value is not None and not 1 <= value <= most:
            raise BadRequest(f"`{name}` is {value}, expected 1 to {most:,}")
    if body.name is not None and not NAME.fullmatch(body.name):
        raise BadRequest("`name` is no name of a file: 1 to 100 of letters, digits and ` .@()+-_`")


def workspace_of(source: str) -> Workspace:
    """The file with its gaps. Raises `BadRequest` if it has none, or very many."""
    work = Workspace(source)
    num_gaps = len(work.gaps)
    if not num_gaps:
        raise BadRequest(
            "`source` has no `sorry`", hint="write `sorry` where a proof is to be found"
        )
    if num_gaps > MAX_GAPS:
        raise BadRequest(f"`source` has {num_gaps} gaps, at most {MAX_GAPS}")
    return work


def model_of(request: Request, served: Served) -> Callable[[], Endpoint]:
    """The model served here, at the address the request came to, with the key it came with."""
    if request.scope.get("scheme") != "http":
        raise BadRequest(
            "`model` cannot be used on a server with a certificate of its own",
            hint="leave it out for automation only, or use `bise prove --model`",
        )
    host, port = request.scope["server"]
    place = f"[{host}]" if ":" in host else host
    key = next(iter(presented_by(request.headers)), "")
    return lambda: Endpoint(url=f"http://{place}:{port}/v1", model=served.name, key=key)


async def happenings(
    runs: Runs, run: Run, number: int, is_over: Callable[[], bool]
) -> AsyncGenerator[bytes, None]:
    """What is new: events by their numbers, and of all that can be seen what has changed."""
    known = dict[str, Any]()
    while not is_over():
        seen = runs.seen(run)
        for one in run.events_after(number):
            number = one["number"]
            yield event("happened", one, number)
        changed = {name: value for name, value in seen.items() if known.get(name, known) != value}
        if changed:
            known = seen
            yield event("seen", changed)
        if seen["state"] in ("ended", "interrupted"):
            yield event("end", {"id": run.id})
            return
        await asyncio.sleep(LOOK_S)


def event(kind: str, data: Mapping[str, Any], number: int | None = None) -> bytes:
    """One server-sent event; those with a number can be asked for again."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {compact(data)}\n\n".encode("utf-8", "replace")


def zipped(run: Run) -> bytes:
    """The certificate's folder as one file."""
    accepted = run.accepted
    assert accepted is not None, "it was accepted"
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="bise-certificate-") as made:
        folder = Path(made) / "certificate"
        write_certificate(folder, *accepted)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            for one in sorted(folder.iterdir()):
                file.write(one, f"certificate/{one.name}")
    return packed.getvalue()
