"""Asking a model over HTTP: answers, faults, and what is paid for them."""

import time

import httpx
import pytest
from scripted_model import ScriptedModel, say, use

from bise.errors import UserError
from bise.prove import endpoint as room
from bise.prove.budget import Budget, Price, Spent
from bise.prove.conversation import Conversation
from bise.prove.endpoint import Endpoint, ModelFailed, key_from_environment, tokens_at_most

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(room, "RETRY_S", (0.01,))


def asked(model: ScriptedModel, budget: Budget | None = None, **how):
    endpoint = Endpoint(url=model.url, model=model.model)
    try:
        return endpoint.ask(HELLO, budget or Budget(), prompt_tokens=200, **how)
    finally:
        endpoint.close()


def test_words_and_tools_and_what_they_cost():
    chunks = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "hi"}]
    mistral = say("")
    mistral["choices"][0]["message"]["content"] = chunks
    with ScriptedModel([say("hi"), use("check", path="x"), mistral]) as model:
        budget = Budget(price=Price(prompt=1.0, cached=0.5, output=2.0))
        first = asked(model, budget, tools=[{"type": "function"}], temperature=0.5)
        second, third = asked(model, budget), asked(model, budget)
    assert (first.text, first.calls, third.text) == ("hi", (), "hi")
    assert second.calls[0].name == "check" and second.calls[0].arguments == '{"path": "x"}'
    assert second.as_message()["tool_calls"][0]["function"]["name"] == "check"
    assert budget.used.calls == 3 and budget.used.tokens == 360
    assert budget.used.dollars == pytest.approx(3 * (50 + 25 + 40) / 1e6)
    body = model.asked[0]
    assert body["reasoning_effort"] == "high" and body["temperature"] == 0.5
    assert "tools" not in model.asked[1]


def test_busy_servers_are_asked_again_and_paid_once():
    with ScriptedModel([(503, "busy"), (429, "slower"), say("now")]) as model:
        budget = Budget(tokens=500)
        assert asked(model, budget, max_tokens=100).text == "now"
    assert budget.used.calls == 1 and budget.used.tokens == 120


def test_nobody_waits_longer_than_the_dollars_for_the_machine_last():
    def slow(_: object) -> dict[str, object]:
        time.sleep(4.0)
        return say("too late")

    with ScriptedModel([slow]) as model:
        budget = Budget(dollars=1.2, price=Price(hour=3600.0))  # a dollar a second
        with pytest.raises(ModelFailed, match="broke off"):
            asked(model, budget)
        assert 0.5 < budget.used.dollars <= 1.2
        with pytest.raises(Spent, match="dollars"):
            asked(model, budget)
    assert len(model.asked) == 1


def test_waiting_for_a_busy_server_is_not_its_work(monkeypatch):
    monkeypatch.setattr(room, "RETRY_S", (1.5,))
    with ScriptedModel([(503, "busy"), say("now")]) as model:
        budget = Budget(dollars=9.0, price=Price(hour=3600.0))
        asked(model, budget)
    assert budget.used.seconds < 1.0 and budget.used.dollars < 1.0


def test_refusals_cost_nothing_and_say_why():
    with ScriptedModel([(401, "wrong key")]) as model:
        budget = Budget(tokens=500)
        with pytest.raises(ModelFailed, match="401: wrong key"):
            asked(model, budget, max_tokens=100)
    assert budget.used.tokens == 0
    assert len(model.asked) == 1


def test_a_server_that_knows_no_effort_is_asked_without():
    with ScriptedModel([(400, "unknown field `reasoning_effort`"), say("hi")]) as model:
        assert asked(model).text == "hi"
    assert "reasoning_effort" not in model.asked[1]


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"message": 3}]}])
def test_nonsense_is_one_clear_line(answer):
    with ScriptedModel([answer]) as model, pytest.raises(ModelFailed, match="cannot be read"):
        asked(model)


def test_nobody_there():
    endpoint = Endpoint(url="http://127.0.0.1:9", model="x")
    with pytest.raises(ModelFailed, match="does not answer"):
        endpoint.ask(HELLO, Budget(), prompt_tokens=10)
    with pytest.raises(ModelFailed, match="names no models"):
        endpoint.first_model()
    with pytest.raises(UserError, match="no address"):
        Endpoint(url="ftp://x", model="x")


def test_what_does_not_fit_is_not_asked():
    with ScriptedModel([say("hi")]) as model:
        with pytest.raises(Spent):
            asked(model, Budget(tokens=150))
        assert asked(model, Budget(tokens=250)).text == "hi"
    assert len(model.asked) == 1 and model.asked[0]["max_tokens"] == 50


def test_a_conversation_knows_what_the_server_counted():
    with ScriptedModel([say("x" * 50, prompt=900, output=30)]) as model:
        endpoint = Endpoint(url=model.url, model=model.model)
        talk = Conversation([{"role": "user", "content": "é" * 500}])
        assert talk.num_tokens >= 1000
        talk.ask(endpoint, Budget())
        assert talk.num_tokens == 930
        talk.say("user", "more")
        assert 930 < talk.num_tokens <= 930 + tokens_at_most(talk.messages[-1:])
        assert endpoint.first_model() == "scripted"
        endpoint.close()


def test_a_vendors_key_goes_to_that_vendor_only(monkeypatch):
    monkeypatch.delenv("BISE_PROVE_KEY", raising=False)
    monkeypatch.setenv("MISTRAL_API_KEY", "secret")
    assert key_from_environment("https://api.mistral.ai/v1") == "secret"
    assert key_from_environment("https://mistral.ai.example.org/v1") == ""
    assert key_from_environment("http://127.0.0.1:8000") == ""
    monkeypatch.setenv("BISE_PROVE_KEY", "own")
    assert key_from_environment("http://127.0.0.1:8000") == "own"
    assert "secret" not in repr(Endpoint(url="http://x", model="m", key="secret"))


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -9000, "completion_tokens": 5}])
def test_what_a_server_does_not_count_counts_at_its_most(usage):
    answer = {**say("hi"), "usage": usage}
    with ScriptedModel([answer]) as model:
        budget = Budget(tokens=500, price=Price(output=1.0))
        assert not asked(model, budget, max_tokens=100).is_counted
        assert budget.used.tokens == 300 and budget.used.dollars == pytest.approx(100 / 1e6)
        with pytest.raises(Spent):
            asked(model, budget, max_tokens=100)
            asked(model, budget, max_tokens=100)
    assert budget.used.tokens <= 500


def test_half_of_a_surrogate_pair_ends_nothing():
    broken = use("che\ud800ck")
    with ScriptedModel([say("x \ud800 y"), broken, say("well")]) as model:
        endpoint = Endpoint(url=model.url, model=model.model)
        talk = Conversation(list(HELLO))
        assert talk.ask(endpoint, Budget()).text == "x ? y"
        assert talk.ask(endpoint, Budget()).calls[0].name == "che?ck"
        assert talk.ask(endpoint, Budget()).text == "well"
        endpoint.close()


def test_arguments_may_come_as_an_object():
    answer = use("check")
    answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = {"line": 3}
    with ScriptedModel([answer]) as model:
        assert asked(model).calls[0].arguments == '{"line": 3}'


@pytest.mark.parametrize("said", ["-5", "nan", "soon"])
def test_a_wait_that_is_none_is_not_kept(said):
    answer = httpx.Response(503, headers={"retry-after": said})
    assert room._retry_after(answer, 2.0) == 2.0


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "http://127.0.0.1:x", "http://x\x00"])
def test_what_is_no_address_is_one_clear_line(url):
    with pytest.raises(UserError, match="is no address of a model"):
        Endpoint(url=url, model="x", key=key_from_environment(url))


@pytest.mark.parametrize("key", ["ké", "secret\nX: y"])
def test_a_key_that_is_none_is_told_and_not_shown(key):
    with pytest.raises(UserError, match="characters that no key has") as caught:
        Endpoint(url="http://127.0.0.1:9", model="x", key=key)
    assert "secret" not in str(caught.value)
