"""The chat format against the recorded encodings and against mistral-common."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_oracle import Oracle, encode_request
from random_talks import Talk

from bise.errors import BadRequest, WrongType
from bise.text import (
    ChatFormat,
    ImagePart,
    Message,
    Tekken,
    ThinkPart,
    Tool,
    ToolCall,
    save_tekken,
)

BATCH = 40


def test_recorded_prompts_come_out_id_for_id(chat: ChatFormat, goldens: dict[str, Any]):
    for golden in goldens["prompts"]:
        prompt = encode_request(chat, golden["request"])
        assert prompt.ids == golden["tokens"], golden["name"]
        assert [list(image.pixels.shape) for image in prompt.images] == golden["image_shapes"]
        assert chat.tekken.decode(prompt.ids, show_control=True) == golden["text"]


@pytest.mark.parity
@pytest.mark.parametrize("first", range(0, 400, BATCH))
def test_random_conversations_equal_mistral_common(chat: ChatFormat, oracle: Oracle, first: int):
    for seed in range(first, first + BATCH):
        request = Talk(seed).request()
        expected, prompt = oracle.encode(request), encode_request(chat, request)
        assert prompt.ids == expected.tokens, seed
        assert len(prompt.written) == len(prompt.ids)
        for image, pixels in zip(prompt.images, expected.images, strict=True):
            np.testing.assert_allclose(image.pixels, pixels, atol=2.5e-5)  # of 0..255: 0.002


@pytest.mark.parity
def test_finished_conversations_equal_mistral_common(chat: ChatFormat, official_path: Path):
    oracle = Oracle(official_path, finished=True)
    for seed in range(1000, 1060):
        request = Talk(seed, finished=True).request()
        prompt = encode_request(chat, request, finished=True)
        assert prompt.ids == oracle.encode(request).tokens, seed
        assert prompt.written[-1] and prompt.ids[-1] == chat.special.eos


def test_exactly_what_the_model_writes_is_marked(chat: ChatFormat):
    call = ToolCall("c", "f", '{"a":1}')
    prompt = chat.encode(
        [
            Message.of("system", "Be brief."),
            Message.of("user", "Hi"),
            Message.of("assistant", ThinkPart("Hm."), "Yes.", tool_calls=(call,)),
            Message.of("tool", "ok", tool_call_id="c"),
            Message.of("assistant", "Done."),
        ],
        tools=[Tool("f")],
        effort="high",
        finished=True,
    )
    pairs = zip(prompt.ids, prompt.written, strict=True)
    ours = chat.tekken.decode([token for token, is_ours in pairs if is_ours], show_control=True)
    assert ours == '[THINK]Hm.[/THINK]Yes.[TOOL_CALLS]f[ARGS]{"a": 1}</s>Done.</s>'


def test_a_prompt_says_whether_thinking_goes_on(chat: ChatFormat):
    user = Message.of("user", "Hi")
    for closed in (True, False):
        prefix = Message.of("assistant", ThinkPart("Hm", closed=closed), prefix=True)
        assert chat.encode([user, prefix]).in_thinking is not closed
    assert not chat.encode([user]).in_thinking


@settings(max_examples=100, deadline=None)
@given(text=st.text(), name=st.sampled_from(["[INST]", "</s>", "[IMG]", "[THINK]", ""]))
def test_no_text_becomes_a_control_token(official: Tekken, text: str, name: str):
    ids = official.encode(text + name + text)
    assert all(token >= official.num_special for token in ids)
    assert official.decode(ids) == text + name + text


def test_an_effort_left_out_is_the_default_of_the_file(tmp_path: Path):
    save_tekken(path := tmp_path / "tekken.json", [], default_effort="high")
    chat = ChatFormat(Tekken.from_file(path))
    user = [Message.of("user", "Hi")]
    assert chat.encode(user).ids == chat.encode(user, effort="high").ids
    assert chat.encode(user).ids != chat.encode(user, effort="none").ids


def test_an_effort_the_model_does_not_know_is_refused(chat: ChatFormat):
    with pytest.raises(WrongType, match="`reasoning_effort` is `low`"):
        chat.encode([Message.of("user", "Hi")], effort="low")


def test_a_model_without_eyes_refuses_pictures(tmp_path: Path):
    save_tekken(path := tmp_path / "tekken.json", [])
    chat = ChatFormat(Tekken.from_file(path))
    with pytest.raises(BadRequest, match="reads no images"):
        chat.encode([Message.of("user", ImagePart(b""))])


def test_arguments_beyond_measure_are_refused(chat: ChatFormat):
    for arguments in ("9" * 5000, "[" * 100_000):
        calls = (ToolCall("c", "f", arguments),)
        messages = [Message.of("user", "Hi"), Message.of("assistant", tool_calls=calls)]
        with pytest.raises(BadRequest, match="too large"):
            chat.encode(messages, finished=True)
