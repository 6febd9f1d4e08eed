"""The tokenizer and its file, against mistral-common."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_oracle import Oracle, encode_request
from random_talks import TEXTS, Talk

from bise.errors import BadRequest, NotFound, UserError
from bise.text import ChatFormat, ImageSettings, Tekken, learn_merges, save_tekken
from bise.text.special import CONTROL_TOKENS
from bise.text.tekken_file import SPLIT_PATTERN


@pytest.fixture(scope="module")
def small_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of 128 control ids, 256 bytes and 300 merges learned here."""
    texts = [json.dumps(Talk(seed).request()["messages"])[:5000] for seed in range(20)]
    path = tmp_path_factory.mktemp("small") / "tekken.json"
    save_tekken(path, learn_merges(texts, 300), image=ImageSettings(max_size=168))
    return path


@pytest.fixture(scope="module")
def small(small_path: Path) -> Tekken:
    return Tekken.from_file(small_path)


@pytest.fixture(scope="module")
def small_oracle(small_path: Path) -> Oracle:
    return Oracle(small_path)


def test_the_official_tokenizer_has_its_known_size_and_ids(official: Tekken):
    assert (official.vocab_size, official.num_special) == (131072, 1000)
    assert (official.efforts, official.default_effort) == (("none", "high"), "none")
    assert official.image == ImageSettings(patch_size=14, merge=2, max_size=1540)
    assert official.encode("Hello") == [22177]
    assert official.pattern == SPLIT_PATTERN
    special = official.special
    assert (special.eos, special.image, special.args, special.end_settings) == (2, 10, 32, 37)


def test_the_official_file_and_the_official_parts_are_the_same(
    official: Tekken, official_path: Path
):
    read = Tekken.from_file(official_path)
    assert (read.markers, read.image, read.special) == (
        official.markers,
        official.image,
        official.special,
    )
    assert [read.token_bytes(token) for token in range(read.vocab_size)] == [
        official.token_bytes(token) for token in range(official.vocab_size)
    ]


def test_a_small_file_keeps_the_official_control_ids(small: Tekken, official: Tekken):
    assert (small.vocab_size, small.num_special) == (128 + 256 + 300, 128)
    assert small.special == official.special
    assert small.markers == official.markers[:128]
    assert small.image == ImageSettings(max_size=168)


@pytest.mark.parity
@settings(max_examples=200, deadline=None)
@given(text=st.text() | st.text("ab 1é\n'[]{}\"", max_size=200))
def test_both_tokenizers_equal_mistral_common(
    small: Tekken, official: Tekken, small_oracle: Oracle, oracle: Oracle, text: str
):
    assert small.encode(text) == small_oracle.encode_text(text)
    assert official.encode(text) == oracle.encode_text(text)
    assert small.decode(small.encode(text)) == official.decode(official.encode(text)) == text


@pytest.mark.parity
def test_a_small_file_chats_as_mistral_common_says(small: Tekken, small_oracle: Oracle):
    chat = ChatFormat(small)
    for seed in range(2000, 2040):
        request = Talk(seed).request()
        prompt, expected = encode_request(chat, request), small_oracle.encode(request)
        assert prompt.ids == expected.tokens, seed
        assert [image.pixels.shape for image in prompt.images] == [
            pixels.shape for pixels in expected.images
        ]


@pytest.mark.parity
@pytest.mark.parametrize("text", [*TEXTS, "a" * 100_000, " " * 100_000, "\n" * 50_000, "1" * 9999])
def test_awkward_texts_equal_mistral_common(official: Tekken, oracle: Oracle, text: str):
    assert official.encode(text) == oracle.encode_text(text)


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0"])
def test_a_million_blanks_are_only_blanks(official: Tekken, blank: str):
    text = f"a{blank * 1_200_000}b"
    assert official.decode(official.encode(text)) == text


@pytest.mark.parity
def test_the_control_tokens_are_those_mistral_common_looks_for(oracle: Oracle):
    raw = oracle.tokenizer.instruct_tokenizer.tokenizer
    assert [raw.get_special_token(marker) for _, marker, _ in CONTROL_TOKENS] == [
        number for _, _, number in CONTROL_TOKENS
    ]


def test_decoding_leaves_control_tokens_out_unless_asked(official: Tekken):
    ids = [official.special.bos, *official.encode("Hé"), official.special.eos]
    assert official.decode(ids) == "Hé"
    assert official.decode(ids, show_control=True) == "<s>Hé</s>"
    assert official.token_text(official.special.eos) == "</s>"
    assert official.token_bytes(official.special.eos) == b""
    assert official.decode([1000 + 0xE2]).endswith("\ufffd")


@pytest.mark.parametrize("token", [-1, 131072])
def test_ids_outside_the_vocabulary_are_refused(official: Tekken, token: int):
    with pytest.raises(BadRequest, match=f"no token {token}"):
        official.decode([token])


def test_a_folder_without_a_tokenizer_has_the_official_one(tmp_path: Path, small_path: Path):
    assert Tekken.from_folder(tmp_path).vocab_size == 131072
    shutil.copy(small_path, tmp_path)
    assert Tekken.from_folder(tmp_path).vocab_size == 684
    with pytest.raises(NotFound, match="is no folder"):
        Tekken.from_folder(tmp_path / "missing")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data["config"].update(version="v3"), "version `v3`, expected `v15`"),
        (lambda data: data["config"].pop("version"), "version `None`"),
        (lambda data: data.pop("config"), "no `config`"),
        (lambda data: data.pop("vocab"), "no `vocab`"),
        (lambda data: data.pop("special_tokens"), "no `special_tokens`"),
        (lambda data: data.pop("model_settings_builder"), "no `model_settings_builder`"),
        (lambda data: data.update(config=[]), "not a tekken file"),
        (lambda data: data.update(vocab=[1] * 1000), "not a tekken file"),
        (lambda data: data["vocab"][3].update(token_bytes="?"), "tekken.json"),
        (lambda data: data["vocab"].reverse(), "256 single bytes"),
        (lambda data: data["vocab"].pop(), "promises"),
        (lambda data: data["config"].update(default_vocab_size="x"), "not a tekken file"),
        (lambda data: data["config"].update(pattern="("), "pattern"),
        (lambda data: data["special_tokens"].pop(34), "ranked from 0"),
        (lambda data: data["special_tokens"][34].update(token_str="x"), r"no control token `\[TH"),
        (lambda data: data["special_tokens"][34].update(token_str="<s>"), "the same name"),
        (lambda data: data["image"].update(image_patch_size=0), "patch_size"),
        (lambda data: data["image"].pop("max_image_size"), "max_image_size"),
        (
            lambda data: data["model_settings_builder"].update(json_schema={"type": "json_schema"}),
            "json_schema",
        ),
        (
            lambda data: data["model_settings_builder"]["reasoning_effort"].update(default="low"),
            "default effort `low`",
        ),
    ],
)
def test_a_spoiled_file_is_one_plain_line(
    tmp_path: Path, small_path: Path, change: Any, message: str
):
    data = json.loads(small_path.read_text())
    change(data)
    (path := tmp_path / "tekken.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match=message) as caught:
        Tekken.from_file(path)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"3", b"[" * 100_000])
def test_what_is_no_tokenizer_is_one_plain_line(tmp_path: Path, content: bytes):
    (path := tmp_path / "tekken.json").write_bytes(content)
    with pytest.raises(UserError, match="expected a tekken file"):
        Tekken.from_file(path)


def test_a_missing_file_is_not_found(tmp_path: Path):
    with pytest.raises(NotFound, match="no such file"):
        Tekken.from_file(tmp_path / "tekken.json")
    with pytest.raises(NotFound, match="is a directory"):
        Tekken.from_file(tmp_path)


@pytest.mark.parametrize("merges", [[b"ab", b"ab"], [b"a"], [b""]])
def test_merges_must_be_new_byte_strings(tmp_path: Path, merges: list[bytes]):
    with pytest.raises(UserError, match="distinct"):
        save_tekken(tmp_path / "tekken.json", merges)


def test_a_file_is_saved_only_where_it_would_be_found(tmp_path: Path):
    with pytest.raises(UserError, match="no name for a tokenizer"):
        save_tekken(tmp_path / "tokenizer.json", [])
    with pytest.raises(UserError, match="too few"):
        save_tekken(tmp_path / "tekken.json", [], num_special=20)
