"""`bise.load` and what a model can be asked from Python."""

import base64
import gc
import json
import re
import threading
import time
import weakref
from dataclasses import replace

import pytest
import torch
from PIL import Image

import bise
from bise.errors import BadRequest, NotFound, UserError, WrongType
from bise.model import preset
from bise.serve import best_dtype

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def thinking(thinker):
    with bise.load(thinker, dtype="float32") as model:
        yield model


@pytest.fixture(scope="module")
def endless(chatterbox):
    with bise.load(chatterbox, dtype="float32") as model:
        yield model


def test_a_reply_has_text_thinking_and_usage(thinking):
    reply = thinking.ask("What is 4+42?", effort="high", seed=1)
    assert (reply.text, reply.thinking, reply.tool_calls) == ("46, yes", "so 12", ())
    assert str(reply) == "46, yes" and reply.finish_reason == "stop"
    usage = reply.usage
    assert usage.prompt_tokens > 4 and usage.image_tokens == 0
    assert 0 < usage.reasoning_tokens < usage.completion_tokens


def test_pieces_make_the_reply(thinking):
    pieces = list(thinking.stream("hi"))
    texts = {
        kind: "".join(p.text for p in pieces if p.kind == kind) for kind in ("thinking", "answer")
    }
    assert texts == {"thinking": "so 12", "answer": "46, yes"}
    assert len(pieces) > 4


def test_leaving_a_stream_stops_the_model(endless):
    for piece in endless.stream("count"):
        assert piece.kind == "answer"
        break
    engine = endless.talker.engine
    for _ in range(1000):
        if engine.stats().num_cancelled == 1:
            break
        threading.Event().wait(0.01)
    assert engine.stats().num_running == 0 and engine.stats().num_cancelled == 1


def test_calls_come_whole(caller):
    with bise.load(caller, dtype="float32") as model:
        (call,) = model.ask("hi", tools=[TOOL]).tool_calls
        assert (call.name, call.arguments) == ("add", "{ }") and len(call.id) == 9
        kinds = [piece.kind for piece in model.stream("hi", tools=[bise.Tool("add")])]
        assert kinds.count("tool_call") == 1
        assert model.ask("hi", max_tokens=4).tool_calls == ()


def test_messages_may_be_json_or_objects(thinking):
    told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    mixed = [bise.Message.of("system", "Be brief."), told[1]]
    first, second = thinking.ask(told), thinking.ask(mixed)
    assert first.usage.prompt_tokens == second.usage.prompt_tokens
    assert second.usage.cached_tokens == 16  # word for word the same beginning
    assert thinking.ask(told).text == "46, yes"


def test_an_image_is_a_path_bytes_a_data_url_or_an_object(thinking, red_square):
    data = red_square.read_bytes()
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    images = [red_square, str(red_square), data, url, Image.open(red_square)]
    usages = [thinking.ask("what is this", images=[image]).usage for image in images]
    assert len({replace(one, cached_tokens=0) for one in usages}) == 1
    assert usages[0].image_tokens == 3
    assert len({one.cached_tokens for one in usages[1:]}) == 1, "the same picture, told apart"
    assert thinking.ask("", images=[red_square]).text == "46, yes"


def test_a_seed_repeats_and_threads_share_the_engine(random_folder):
    with bise.load(random_folder, dtype="float32") as model:
        options = {"temperature": 1.0, "max_tokens": 12}
        alone = [model.ask("hi", seed=seed, **options).text for seed in range(6)]
        found = {}

        def work(seed):
            found[seed] = model.ask("hi", seed=seed, **options).text

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [found[seed] for seed in range(6)] == alone and len(set(alone)) > 1
        assert model.ask("hi", max_tokens=12).text == model.ask("hi", max_tokens=12).text


def test_logits_need_no_tokenizer(network, folder_of, red_square):
    folder = folder_of(network, has_tokenizer=False)
    with bise.load(folder, dtype="float32") as model:
        ids = [1, 3, 300, 4]
        logits = model.logits(ids)
        assert logits.shape == (4, 2048) and logits.dtype == torch.float32
        torch.testing.assert_close(logits, network.read(torch.tensor(ids)))
        seen = model.logits([1, 3, 10, 10, 13, 4], images=[red_square])
        assert seen.shape == (6, 2048)
        torch.testing.assert_close(
            model.logits([1, 3, 10, 10, 13, 4], images=[torch.zeros(3, 28, 56)])[:2], seen[:2]
        )
        with pytest.raises(UserError, match=r"no `tekken.json`"):
            model.ask("hi")
        for wrong in ([], [5000], [-1]):
            with pytest.raises(BadRequest, match="0 to 2047"):
                model.logits(wrong)


def test_bfloat16_is_close_to_float32(random_folder):
    with bise.load(random_folder, dtype="bfloat16") as half, bise.load(random_folder) as full:
        assert half.loaded.network.head.weight.dtype == torch.bfloat16
        difference = (half.logits([1, 3, 300, 4]) - full.logits([1, 3, 300, 4])).abs().mean()
        assert difference < 0.3


def test_what_is_wrong_is_said_in_one_line(thinking, tmp_path, red_square):
    not_image = tmp_path / "a.png"
    not_image.write_text("no image")
    for options, kind, words in [
        ({"question": " "}, BadRequest, "the question is empty"),
        ({"question": []}, BadRequest, "at least one message"),
        ({"question": "x", "effort": "extreme"}, WrongType, "`extreme`"),
        ({"question": "x", "images": [tmp_path / "none.png"]}, BadRequest, "no such file"),
        ({"question": "x", "images": [not_image]}, BadRequest, "cannot be read"),
        ({"question": "x", "images": [5]}, WrongType, "type `int`"),
        ({"question": "x", "images": ["data:text/plain,hi"]}, BadRequest, "base64"),
        ({"question": [{"role": "robot"}]}, WrongType, "`robot`"),
        ({"question": "word " * 600}, BadRequest, "maximum context length is 512 tokens"),
        ({"question": "x", "temperature": 3.0}, BadRequest, "`temperature`"),
        ({"question": "x", "max_tokens": -1}, BadRequest, "`max_tokens`"),
        ({"question": "x", "tools": [{"type": "magic"}]}, BadRequest, "`magic`"),
        ({"question": 5}, WrongType, "the question is of type `int`"),
        ({"question": bise.Message.of("user", "x")}, WrongType, "a list of messages"),
        ({"question": "x", "max_new_tokens": 5}, WrongType, "`max_new_tokens` is no option"),
        ({"question": "x", "max_tokens": "5"}, WrongType, "expected a whole number"),
        ({"question": "x", "temperature": "1"}, WrongType, "expected a number"),
        ({"question": "x", "images": "a.png"}, WrongType, "`images` is of type `str`"),
        ({"question": "x", "images": ["a\0b"]}, BadRequest, "null byte"),
        ({"question": "x", "pattern": 5}, WrongType, "expected a string"),
        ({"question": "x", "choices": "yes"}, WrongType, "expected a list"),
        ({"question": "x", "choices": []}, BadRequest, "not empty"),
    ]:
        with pytest.raises(kind, match=words) as caught:
            thinking.ask(**options)
        assert "\n" not in caught.value.message
    with pytest.raises(BadRequest, match="`token_ids`"):
        thinking.logits([[1, 2], [3, 4]])
    calling = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    with pytest.raises(BadRequest, match="not the user's"):
        thinking.ask(calling, images=[red_square])


def test_wrong_models_are_explained(tmp_path, thinker):
    for name, kind, words in [
        ("nonesuch", NotFound, "no model `nonesuch`"),
        ("micro", UserError, "preset without weights"),
        (tmp_path, NotFound, "has no weights"),
    ]:
        with pytest.raises(kind, match=words):
            bise.load(name)
    with pytest.raises(WrongType, match="`dtype` is `int3`"):
        bise.load(thinker, dtype="int3")


def test_a_foreign_architecture_is_explained(tmp_path, thinker):
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (tmp_path / "model.safetensors").write_bytes(next(thinker.glob("*.safetensors")).read_bytes())
    with pytest.raises(UserError) as caught:
        bise.load(tmp_path)
    assert "\n" not in caught.value.message


def test_weights_may_be_kept_in_fewer_bits(thinker):
    with bise.load(thinker, weights="int8") as model:
        assert model.ask("hi").text == "46, yes"
    for options, why in (
        ({"weights": "int3"}, "`weights` is `int3`"),
        ({"memory_gib": float("inf")}, "`memory_gib` is inf"),
        ({"memory_gib": 1.0}, "memory"),  # nothing is packed there
        ({"max_running": 0}, "`max_running` is 0"),
    ):
        with pytest.raises(UserError, match=why):
            bise.load(thinker, **options)


def test_a_closed_model_says_so(thinker):
    model = bise.load(thinker, dtype="float32")
    model.ask("hi")
    model.close()
    model.close()
    with pytest.raises(UserError, match="closed"):
        model.ask("hi")


def test_a_model_nobody_holds_gives_its_memory_back(thinker):
    model = bise.load(thinker, dtype="float32")
    weights, engine = weakref.ref(model.loaded.computing), weakref.ref(model.talker.engine)
    talk = model.begin("hi", temperature=0)
    del model
    gc.collect()
    assert "".join(delta.text for deltas in talk for delta in deltas).endswith("46, yes")
    del talk
    for _ in range(200):
        gc.collect()
        if weights() is None and engine() is None:
            break
        time.sleep(0.05)
    assert weights() is None and engine() is None


def test_the_default_type_is_what_the_processor_multiplies(tmp_path):
    info, large = tmp_path / "cpuinfo", preset("small4")
    assert best_dtype(large, info) == "float32"
    info.write_text("processor : 0\nflags\t\t: fpu avx512f avx2\n")
    assert best_dtype(large, info) == "float32"
    info.write_text("processor : 0\nflags\t\t: fpu avx512_bf16 avx2\n")
    assert best_dtype(large, info) == "bfloat16"
    assert best_dtype(preset("nano"), info) == "float32"


def test_the_public_names_are_there():
    for name in bise.__all__:
        assert getattr(bise, name) is not None
    with pytest.raises(AttributeError):
        bise.nonesuch  # noqa: B018


def test_an_answer_is_what_it_is_asked_to_be(thinking):
    schema = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"],
              "additionalProperties": False}  # fmt: skip
    assert json.loads(thinking.ask("hi", schema=schema).text)["a"] in (1, 2)
    assert thinking.ask("hi", choices=["yes", "no"]).text in ("yes", "no")
    reply = thinking.ask("hi", pattern=r"[ab]{3}\d", effort="high", seed=1)
    assert re.fullmatch("[ab]{3}[0-9]", reply.text) and reply.thinking == "so 12"
    with pytest.raises(BadRequest, match="`schema` and `choices` each say"):
        thinking.ask("hi", schema=schema, choices=["a"])
    with pytest.raises(BadRequest, match=r"`schema.uniqueItems` cannot be enforced"):
        thinking.ask("hi", schema={"uniqueItems": True})
