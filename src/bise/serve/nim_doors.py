"""What those who run servers ask: is it alive, is it ready, which version, model and license."""

import asyncio
import hashlib
from contextlib import aclosing
from importlib.metadata import files, version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from bise.engine import Request as EngineRequest
from bise.serve.profiles import profiles_of
from bise.serve.served import Served

LICENSE = "LICENSE"
LICENSE_NAME = "Apache License 2.0"
LICENSE_URL = "https://www.apache.org/licenses/LICENSE-2.0.txt"
WARM_UP_S = 5.0
"""How long one question about readiness may wait for the first token."""


class Warmth:
    """Whether the engine has shown that it computes: one token, the first time somebody asks."""

    def __init__(self, served: Served):
        self.served = served
        self._trial: asyncio.Task[None] | None = None

    async def is_ready(self) -> bool:
        """Whether a token was computed, and the engine is well."""
        if not self.served.talker.engine.is_well():
            self._trial = None  # the next child has to show it again
            return False
        trial = self._trial  # another question may put a new one in its place meanwhile
        if trial is None or (trial.done() and trial.exception() is not None):
            self._trial = trial = asyncio.ensure_future(self._try())
        done, _ = await asyncio.wait({trial}, timeout=WARM_UP_S)
        has_computed = bool(done) and trial.exception() is None
        return has_computed and self.served.talker.engine.is_well()

    async def _try(self) -> None:
        talker = self.served.talker
        request = EngineRequest(prompt_ids=[talker.chat.special.bos], max_tokens=1)
        async with aclosing(talker.engine.generate(request).__aiter__()) as steps:
            async for _ in steps:
                pass


def add_nim_doors(app: FastAPI, served: Served) -> None:
    """Add the paths NVIDIA's NIM containers have."""
    warmth = Warmth(served)

    @app.get("/v1/health/live")
    async def live() -> dict[str, Any]:
        """Whether the process answers at all."""
        return health_json("Service is live.")

    @app.get("/v1/health/ready")
    async def ready() -> Response:
        """Whether it has generated a token and can again."""
        if await warmth.is_ready():
            return JSONResponse(health_json("Service is ready."))
        headers = {"Retry-After": "1"}
        return JSONResponse(health_json("Service is not ready: no engine."), 503, headers)

    @app.get("/v1/metadata")
    async def metadata() -> dict[str, Any]:
        """The model and the licenses."""
        return {
            "version": version("bise"),
            "modelInfo": [{"shortName": served.name, "modelUrl": ""}],
            "selectedModelProfileId": profile_of(served),
            "assetInfo": [],
            "licenseInfo": license_json(),
            "repository_override": "",
        }

    @app.get("/v1/version")
    async def versions() -> dict[str, str]:
        """The release, and the version of this API."""
        return {"release": version("bise"), "api": "1"}

    @app.get("/version")
    async def short_version() -> dict[str, str]:
        """The release, as vLLM tells it."""
        return {"version": version("bise")}

    @app.get("/v1/manifest")
    async def manifest() -> dict[str, Any]:
        """In which forms the model can be run here, and in which it is."""
        chosen, rows = profile_of(served), list[dict[str, Any]]()
        for profile in profiles_of(served.talker.config):
            is_chosen = profile.id == chosen
            row = profile.json() | {"selected": is_chosen}
            rows.append(row | ({"weights": served.fingerprint, "fits": True} if is_chosen else {}))
        return {"object": "list", "data": rows}

    @app.get("/v1/license")
    async def license_page() -> dict[str, Any]:
        """The license, whole."""
        return license_json()


def health_json(message: str) -> dict[str, Any]:
    return {"object": "health-response", "message": message}


def profile_of(served: Served) -> str:
    """A name for how the model is run."""
    return f"cpu-{served.dtype}"


def license_json() -> dict[str, Any]:
    text = license_text()
    return {
        "name": LICENSE_NAME,
        "path": LICENSE,
        "sha": hashlib.sha256(text.encode()).hexdigest(),
        "size": len(text.encode()),
        "url": LICENSE_URL,
        "type": "Apache-2.0",
        "content": text,
    }


def license_text() -> str:
    """The license as it was installed, or as it lies beside the sources."""
    installed = [Path(str(one.locate())) for one in files("bise") or () if one.name == LICENSE]
    beside = Path(__file__).parents[3] / LICENSE
    found = next((path for path in [*installed, beside] if path.is_file()), None)
    return found.read_text() if found is not None else ""
