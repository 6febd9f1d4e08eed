"""The paths of those who run servers."""

import asyncio
import hashlib
import json
from types import SimpleNamespace

import pytest

from bise.cli import main
from bise.model import preset
from bise.serve.nim_doors import Warmth
from bise.serve.profiles import PRECISIONS, profiles_of


def test_it_is_alive_and_ready(thinking_server):
    get = thinking_server.client.get
    alive = get("/v1/health/live").json()
    assert alive == {"object": "health-response", "message": "Service is live."}
    before = thinking_server.served.talker.engine.stats().num_generated_tokens
    for _ in range(2):
        ready = get("/v1/health/ready")
        assert ready.status_code == 200 and ready.json()["message"] == "Service is ready."
    assert thinking_server.served.talker.engine.stats().num_generated_tokens == before + 1


def test_without_an_engine_it_is_alive_and_not_ready(start, thinker):
    with start(thinker) as server:
        server.served.talker.engine.close()
        assert server.client.get("/v1/health/live").status_code == 200
        reply = server.client.get("/v1/health/ready")
        assert reply.status_code == 503 and reply.headers["retry-after"] == "1"
        assert reply.json()["object"] == "health-response"


def test_versions_model_and_license(thinking_server):
    get = thinking_server.client.get
    release = get("/v1/version").json()
    assert set(release) == {"release", "api"}
    assert get("/version").json() == {"version": release["release"]}
    metadata = get("/v1/metadata").json()
    assert metadata["modelInfo"][0]["shortName"] == "tiny"
    license = get("/v1/license").json()
    assert metadata["licenseInfo"] == license and "Apache License" in license["content"]
    assert license["size"] == len(license["content"])
    assert license["sha"] == hashlib.sha256(license["content"].encode()).hexdigest()
    profiles = get("/v1/manifest").json()["data"]
    assert [one["tags"]["precision"] for one in profiles] == [*PRECISIONS]
    sizes = [one["memory_bytes"] for one in profiles]
    assert sizes == sorted(sizes, reverse=True)
    (profile,) = [one for one in profiles if one["selected"]]
    assert profile["id"] == metadata["selectedModelProfileId"] == "cpu-float32"
    assert profile["tags"]["precision"] == "float32" and profile["fits"] is True


def test_what_other_models_do_is_refused(thinking_server):
    for path in ("/v1/embeddings", "/v1/fim/completions", "/mistral/v1/embeddings"):
        reply = thinking_server.post(path, model="tiny", input="x")
        body = reply.json()
        assert reply.status_code == 400 and body["type"] == "invalid_model"
        assert body["param"] is None, "the model's name is no field"


def test_an_engine_that_dies_while_somebody_waits_is_not_ready():
    class Dying:
        """Well for a moment; its token comes after that."""

        is_alive = True

        def is_well(self):
            return self.is_alive

        async def generate(self, request):
            await asyncio.sleep(0.2)
            yield request

    engine = Dying()
    chat = SimpleNamespace(special=SimpleNamespace(bos=1))
    warmth = Warmth(SimpleNamespace(talker=SimpleNamespace(engine=engine, chat=chat)))

    async def ask_twice():
        first = asyncio.ensure_future(warmth.is_ready())
        await asyncio.sleep(0.05)
        engine.is_alive = False
        return [await warmth.is_ready(), await first]

    assert asyncio.run(ask_twice()) == [False, False]


def test_profiles_say_which_forms_of_a_model_fit():
    small4 = profiles_of(preset("small4"), free_bytes=100 * 2**30)
    assert [one.id for one in small4 if one.fits] == ["cpu-int4"]
    assert 60e9 < small4[-1].memory_bytes < 70e9 and small4[1].memory_bytes > 230e9


def test_the_command_lists_them(capsys):
    for words in ([], ["--json"]):
        with pytest.raises(SystemExit) as left:
            main(["list-model-profiles", "nano", *words])
        assert left.value.code == 0
        shown = capsys.readouterr().out
        assert all(f"cpu-{name}" in shown for name in PRECISIONS)
    assert all(one["fits"] for one in json.loads(shown))
