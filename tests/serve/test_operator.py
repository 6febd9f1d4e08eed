"""What whoever runs a server may change: limits by name, thinking's names, how much to think."""

from dataclasses import replace
from pathlib import Path

import pytest

from bise.commands.serve import limits_of
from bise.errors import UserError
from bise.serve import Limits, with_sizes, within
from bise.serve.chat_ask import to_ask
from bise.serve.chat_body import read_body
from bise.serve.limits import names_of_limits
from bise.settings import ServeSettings

DOCS = Path(__file__).parents[2] / "docs" / "serve.md"


def test_every_limit_can_have_another_size():
    for name, kind in names_of_limits().items():
        changed = with_sizes(Limits(), [f"{name}=3"])
        sizes = [getattr(changed, name, 0), changed.image.size_bytes, changed.image.num_pixels]
        assert kind(3) in sizes and changed != Limits()
    several = limits_of(ServeSettings(limit=("images=2", " tools = 1_000 ", "body_s=0.5")))
    assert (several.images, several.tools, several.body_s) == (2, 1000, 0.5)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("image=3", "`limit` names `image`, which is none"),
        ("body_bytes=3", "`limit` names `body_bytes`"),
        ("images", "`images=`, expected a whole number"),
        ("images=-1", "expected a whole number from 0"),
        ("images=1.5", "expected a whole number"),
        ("body_s=nan", "expected seconds from 0"),
        ("body_s=inf", "expected seconds"),
    ],
)
def test_what_is_no_limit_is_told(said, words):
    with pytest.raises(UserError, match=words):
        with_sizes(Limits(), [said])


def test_the_page_names_them_all():
    page = DOCS.read_text()
    for name in names_of_limits():
        assert f"`{name}`" in page, name


def test_they_hold_in_a_server(start, thinker):
    limits = with_sizes(Limits(), ["messages=2", "image_pixels=100", "waiting_tokens=1", "stops=1"])
    with start(thinker) as server:
        served = within(server.served, limits)
    assert served.backlog.limit == 1 and served.talker.chat.limits == limits.image
    with start(thinker, limits) as server:
        two = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        body = {"messages": [*two, two[0]]}
        reply = server.post("/v1/chat/completions", **body)
        assert reply.status_code == 400 and "at most 2" in reply.json()["message"]
        assert server.chat(stop=["a", "b"]).status_code == 400
        assert server.chat(stop=["a"]).status_code == 200


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_can_have_one_name_only(start, thinker, name):
    with start(thinker, thinking_field=name) as server:
        message = server.chat().json()["choices"][0]["message"]
        assert message == {"role": "assistant", "content": "46, yes", name: "so 12"}
        events = server.chat(stream=True).text
        other = ({"reasoning_content", "reasoning"} - {name}).pop()
        assert f'"{name}":' in events and f'"{other}":' not in events


def test_how_much_to_think_where_nobody_says(start, thinker):
    with start(thinker) as server:
        assert server.chat().headers["x-reasoning-effort"] == "none"
        server.served.talker.think_by_default("medium")
        assert server.chat().headers["x-reasoning-effort"] == "high"
        assert server.chat(reasoning_effort="none").headers["x-reasoning-effort"] == "none"
        body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
        assert server.post("/v1/messages", **body).headers["x-reasoning-effort"] == "high"
        with pytest.raises(UserError, match="`extreme`"):
            server.served.talker.think_by_default("extreme")


@pytest.mark.parametrize(
    ("fields", "budget"),
    [
        ({"reasoning_effort": "low"}, 1024),
        ({"reasoning": {"effort": "medium"}}, 8192),
        ({"reasoning_effort": "high"}, None),
        ({"reasoning_effort": "low", "thinking_token_budget": 5}, 5),
        ({"reasoning_effort": 0}, None),
        ({}, None),
    ],
)
def test_middle_words_for_effort_may_limit_the_thinking(tekken, fields, budget):
    body = read_body({"messages": [], **fields})
    for is_on in (True, False):
        ask = to_ask(body, [], tekken, Limits(), has_effort_budgets=is_on)
        expected = budget if is_on or budget == 5 else None
        assert ask.thinking_budget == expected


def test_an_effort_budget_ends_the_thinking(start, say, scripted, folder_of, tekken, network):
    special, (one, six) = tekken.special, tekken.encode("16")
    script = say(special.think, "12345", then=one) | {special.end_think: six, six: special.eos}
    config = replace(network.config, max_positions=1 << 18)
    with start(folder_of(scripted(script, config), "brooder"), has_effort_budgets=True) as server:
        usage = server.chat(reasoning_effort="low").json()["usage"]
    assert 1024 <= usage["completion_tokens_details"]["reasoning_tokens"] <= 1024 + 2
