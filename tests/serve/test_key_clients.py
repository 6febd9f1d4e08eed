"""Keys as the client libraries send them, and refusals as they understand them."""

import anthropic
import openai
import pytest
from mistralai import client as mistral
from mistralai.client import errors as mistral_errors

from bise.serve import KeyRing, add_key

HELLO = [{"role": "user", "content": "hi"}]


@pytest.fixture
def keyed(start, thinker, tmp_path):
    """A server, a key that is good for one request a minute, and one that is not known."""
    file = tmp_path / "keys.json"
    good = add_key(file, "alice", requests_per_minute=1)
    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        yield server, good, "bise-unknown"


def test_openai(keyed):
    server, good, wrong = keyed
    base = f"http://127.0.0.1:{server.port}/v1"
    with openai.OpenAI(api_key=wrong, base_url=base, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.chat.completions.create(model="tiny", messages=HELLO)
        assert refused.value.code == "invalid_api_key"
    with openai.OpenAI(api_key=good, base_url=base, max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(model="tiny", messages=HELLO)
        assert answer.headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model="tiny", messages=HELLO)
        assert refused.value.code == "rate_limit_exceeded"
        assert int(refused.value.response.headers["retry-after"]) > 0


def test_anthropic(keyed):
    server, good, wrong = keyed
    base, ask = f"http://127.0.0.1:{server.port}", {"model": "tiny", "max_tokens": 99}
    wrong_client = anthropic.Anthropic(api_key=wrong, base_url=base, max_retries=0)
    with wrong_client as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(messages=HELLO, **ask)
    with anthropic.Anthropic(auth_token=good, base_url=base, max_retries=0) as client:
        assert client.messages.create(messages=HELLO, **ask).content[-1].text == "46, yes"
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(messages=HELLO, **ask)


def test_mistralai(keyed):
    server, good, wrong = keyed
    base = f"http://127.0.0.1:{server.port}/mistral"
    for key, status in ((wrong, 401), (good, 200), (good, 429)):
        with mistral.Mistral(api_key=key, server_url=base) as client:
            if status == 200:
                answer = client.chat.complete(model="tiny", messages=HELLO)
                assert answer.choices[0].message.content[-1].text == "46, yes"
                continue
            with pytest.raises(mistral_errors.MistralError) as refused:
                client.chat.complete(model="tiny", messages=HELLO)
            assert refused.value.status_code == status
