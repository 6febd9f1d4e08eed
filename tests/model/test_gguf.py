"""GGUF files say what our networks are, in llama.cpp's words."""

import math
import struct

import pytest
import torch
from model_shapes import SHAPES, dense, latent

from bise.errors import UserError
from bise.model.gguf import metadata, network_bytes, write_network
from bise.model.gguf_blocks import BLOCK, decode, encode, size_bytes
from bise.model.gguf_file import TensorInfo, read_gguf, write_gguf
from bise.model.packed_source import FromNetwork, FromRandom
from bise.model.presets import nano, small4
from bise.model.rotation import softmax_scale

WIDE = {
    "small4": latent(dims=(32, 32, 32), dim=64, experts=latent().experts),
    "small3": dense(dim=64, mlp_dim=96),
}


def test_what_is_written_is_read_again(tmp_path):
    values = {"a.weight": torch.randn(3, 5, 32), "b.weight": torch.randn(7)}
    tensors = [TensorInfo(name, tuple(one.shape), "f32") for name, one in values.items()]
    about = {"text": "ä", "count": 7, "ratio": 0.5, "is": True, "names": ["x", "yy"]}
    data = ([encode(one, "f32")] for one in values.values())
    write_gguf(tmp_path / "a.gguf", about, tensors, data)
    found = read_gguf(tmp_path / "a.gguf")
    assert found.metadata == about
    for name, wanted in values.items():
        assert torch.equal(found.tensor(name), wanted)


def test_the_header_is_what_the_specification_says(tmp_path):
    write_gguf(
        tmp_path / "a.gguf",
        {"k": 3},
        [TensorInfo("t", (2, 4), "f32")],
        [[torch.zeros(32, dtype=torch.uint8)]],
    )
    data = (tmp_path / "a.gguf").read_bytes()
    assert data[:24] == b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    assert data[24:41] == struct.pack("<Q", 1) + b"k" + struct.pack("<II", 4, 3)
    assert data[41:82] == struct.pack("<Q", 1) + b"t" + struct.pack("<IQQIQ", 2, 4, 2, 0, 0)
    assert len(data) == 96 + 32  # numbers begin at a multiple of 32


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"something else entirely")
    with pytest.raises(UserError, match="no GGUF"):
        read_gguf(tmp_path / "a.gguf")


def _half(value: float) -> tuple[bytes, float]:
    packed = struct.pack("<e", value)
    return packed, struct.unpack("<e", packed)[0]


def plain_q8(block: list[float]) -> bytes:
    largest = torch.tensor([abs(value) for value in block]).max()
    scale = float(largest / torch.tensor(127.0))
    inverse = torch.tensor(1.0) / torch.tensor(scale) if scale else torch.tensor(0.0)
    codes = []
    for value in block:
        turned = float(torch.tensor(value) * inverse)
        codes.append(int(math.floor(abs(turned) + 0.5) * math.copysign(1, turned)))
    return _half(scale)[0] + struct.pack("<32b", *codes)


def plain_q4(block: list[float]) -> bytes:
    furthest = max(block, key=abs)
    scale = furthest / -8.0
    inverse = float(torch.tensor(1.0) / torch.tensor(scale)) if scale else 0.0
    codes = [min(15, int(float(torch.tensor(v) * torch.tensor(inverse)) + 8.5)) for v in block]
    pairs = zip(codes[:16], codes[16:], strict=True)
    return _half(scale)[0] + bytes(low | high << 4 for low, high in pairs)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("format", "plain"), [("q8_0", plain_q8), ("q4_0", plain_q4)])
def test_blocks_follow_the_formulas_of_ggml(format, plain, seed):
    values = torch.randn(BLOCK, generator=torch.Generator().manual_seed(seed)) * 0.02
    assert bytes(encode(values[None], format).tolist()) == plain(values.tolist())


@pytest.mark.parametrize("format", ["f32", "f16", "bf16", "q8_0", "q4_0"])
def test_blocks_are_undone_within_their_step(format):
    values = torch.randn(6, 64)
    values[2] = 0.0
    data = encode(values, format)
    assert len(data) == size_bytes(format, values.numel())
    blocks = values.view(-1, BLOCK)
    steps = {"f32": 0.0, "f16": 1e-3, "bf16": 4e-3, "q8_0": 0.6 / 127, "q4_0": 1.01 / 8}
    room = blocks.abs().amax(dim=1, keepdim=True) * steps[format]
    assert ((decode(data, format).view(-1, BLOCK) - blocks).abs() <= room).all()


@pytest.mark.parametrize("name", ["small4-text", "small3-text"])
def test_a_file_holds_the_weights_of_the_network(fill, tmp_path, name):
    network = fill(SHAPES[name])
    source = FromNetwork(network)
    write_network(source, tmp_path / "a.gguf", "f32")
    found = read_gguf(tmp_path / "a.gguf")
    assert torch.equal(found.tensor("token_embd.weight"), network.embed.weight)
    assert torch.equal(found.tensor("output.weight"), network.head.weight)
    block = network.blocks[1]
    assert torch.equal(found.tensor("blk.1.attn_output.weight"), block.attention.out.weight)
    if name == "small3-text":
        assert torch.equal(found.tensor("blk.1.attn_k.weight"), block.attention.k.weight)
        assert torch.equal(found.tensor("blk.1.ffn_down.weight"), block.mlp.down.weight)
        return
    up = block.attention.kv_up.weight.unflatten(0, (4, 48))  # [heads, nope + value, latent]
    assert torch.equal(found.tensor("blk.1.attn_k_b.weight"), up[:, :16].transpose(1, 2))
    assert torch.equal(found.tensor("blk.1.attn_v_b.weight"), up[:, 16:])
    gate, up = block.mlp.gate_up.chunk(2, dim=1)  # [experts, hidden, dim]
    assert torch.equal(found.tensor("blk.1.ffn_gate_exps.weight"), gate)
    assert torch.equal(found.tensor("blk.1.ffn_up_exps.weight"), up)
    assert torch.equal(found.tensor("blk.1.ffn_gate_inp.weight"), block.mlp.router)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("format", ["bf16", "q8_0", "q4_0"])
def test_in_few_bits_norms_router_head_and_embedding_keep_more(tmp_path, name, format):
    config = WIDE[name]
    if name == "small4":
        attention = type(config.attention)(q_latent=32, kv_latent=32, nope=32, rope=32, value=32)
        config = latent(attention=attention)
    told = list[int]()
    source = FromRandom(config)
    write_network(source, tmp_path / "a.gguf", format, told.append)
    found = read_gguf(tmp_path / "a.gguf")
    assert told[-1] == network_bytes(source, format)
    kinds = {tensor: info.format for tensor, (info, _) in found.tensors.items()}
    many = "q8_0" if format == "q4_0" else format
    assert kinds["output.weight"] == kinds["token_embd.weight"] == many
    assert kinds["blk.0.attn_output.weight"] == format
    assert kinds["blk.2.attn_norm.weight"] == kinds["output_norm.weight"] == "f32"
    assert kinds.get("blk.0.ffn_gate_inp.weight", "f32") == "f32"


def test_rows_that_are_no_whole_blocks_are_refused(tmp_path):
    with pytest.raises(UserError, match="no multiple of 32"):
        write_network(FromRandom(latent()), tmp_path / "a.gguf", "q8_0")


@pytest.mark.parametrize("config", [small4(), nano()])
def test_the_softmax_scale_comes_out_right_in_llama_cpp(config):
    """Its arithmetic, from `llama-context.cpp` and `deepseek2.cpp`, with what the file says."""
    about = metadata(config, "bf16")
    log_factor = math.log(about["mistral4.rope.scaling.factor"])
    assert "mistral4.rope.scaling.yarn_log_multiplier" not in about
    attn_factor = (0.1 * log_factor + 1.0) / (1.0 + 0.1 * log_factor)
    attn_factor *= about["mistral4.rope.scaling.attn_factor"]
    mscale = attn_factor * (1.0 + 0.1 * log_factor)
    scale = mscale * mscale / math.sqrt(about["mistral4.attention.key_length_mla"])
    assert math.isclose(scale, softmax_scale(config), rel_tol=1e-6)
    assert math.isclose(attn_factor * (1.0 + 0.1 * log_factor), 1.0)  # of the rotation
