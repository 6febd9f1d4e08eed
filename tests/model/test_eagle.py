"""The draft head against a plain one written from its description; in pieces; in files."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from model_shapes import SHAPES, dense, latent
from safetensors.torch import load_file, save_file
from torch import Tensor

from bise.errors import NotFound, UserError
from bise.model import (
    EagleHead,
    News,
    draft,
    eagle_config,
    load_eagle,
    load_network,
    open_eagle,
    save_checkpoint,
    save_eagle,
    write_random_eagle,
)
from bise.model.cache import PagedCache, make_cache
from bise.model.config import ModelConfig
from bise.model.names import weights
from bise.model.network import Network
from bise.model.paged import PagedSight, Span
from bise.model.presets import small4 as small4_at_full_size
from bise.model.quant import decode_fp8
from bise.model.sight import PackedRows
from bise.model.stored import stored

CLOSE = {"rtol": 1e-4, "atol": 2e-5}
PAGE_TOKENS = 4
TARGET = SHAPES["small4-text"]
"""Its nope + rope differs from its value; YaRN and query growth begin at position 16."""


def fill_head(target: ModelConfig = TARGET, seed: int = 5) -> EagleHead:
    """Weights large enough for every part to matter."""
    head = EagleHead(eagle_config(target, mlp_dim=96))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in head.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1.0 + 0.1 * noise if weight.ndim == 1 else 0.2 * noise)
    return head.eval()


def official(head: EagleHead) -> dict[str, Tensor]:
    """The head's tensors by their official names."""
    table = {weight.name: weight.parts[0] for weight in weights(head.config)}
    return {table[name]: tensor.detach() for name, tensor in head.named_parameters()}


def text(seed: int, length: int) -> Tensor:
    return torch.randint(14, 128, (length,), generator=torch.Generator().manual_seed(seed))


# The description, line by line; of our own code it uses nothing but the numbers of the config.


def plain_rms(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def plain_frequencies(config: ModelConfig) -> Tensor:
    yarn, dim, base = config.rope.yarn, config.attention.rope, config.rope.theta
    assert yarn is not None

    def corr(r: float) -> float:
        return dim * math.log(yarn.original / (2 * math.pi * r)) / (2 * math.log(base))

    low = max(math.floor(corr(yarn.beta_fast)), 0)
    high = min(math.ceil(corr(yarn.beta_slow)), dim - 1)
    made = []
    for i in range(dim // 2):
        ramp = min(max((i - low) / (high - low if high > low else 0.001), 0.0), 1.0)
        f = base ** (-2 * i / dim)
        made.append(f * (1 - ramp) + f / yarn.factor * ramp)
    return torch.tensor(made)


def plain_rope(x: Tensor, angles: Tensor) -> Tensor:
    """x [..., dim], angles [..., dim / 2]; interleaved pairs"""
    y = torch.empty_like(x)
    y[..., 0::2] = x[..., 0::2] * angles.cos() - x[..., 1::2] * angles.sin()
    y[..., 1::2] = x[..., 0::2] * angles.sin() + x[..., 1::2] * angles.cos()
    return y


def plain_attention(
    w: dict[str, Tensor], at: str, x: Tensor, pos: Tensor, c: ModelConfig
) -> Tensor:
    shape, eps, count = c.attention, c.norm_eps, len(x)
    cq = plain_rms(x @ w[f"{at}wq_a.weight"].T, w[f"{at}q_a_norm.weight"], eps)
    q = (cq @ w[f"{at}wq_b.weight"].T).view(count, c.num_heads, shape.nope + shape.rope)
    ckv = x @ w[f"{at}wkv_a_with_mqa.weight"].T
    latent_part = plain_rms(ckv[:, : shape.kv_latent], w[f"{at}kv_a_norm.weight"], eps)
    angles = pos[:, None].float() * plain_frequencies(c)
    qn, qr = q[..., : shape.nope], plain_rope(q[..., shape.nope :], angles[:, None])
    kr = plain_rope(ckv[:, shape.kv_latent :], angles)
    growth = 1 + c.query_scale.beta * torch.log(1 + torch.floor(pos / c.query_scale.original))
    qn, qr = qn * growth[:, None, None], qr * growth[:, None, None]
    kv = (latent_part @ w[f"{at}wkv_b.weight"].T).view(count, c.num_heads, -1)
    kn, v = kv[..., : shape.nope], kv[..., shape.nope :]
    out = torch.zeros(count, c.num_heads, shape.value)
    for h in range(c.num_heads):
        for i in range(count):
            dots = kn[: i + 1, h] @ qn[i, h] + kr[: i + 1] @ qr[i, h]
            weight = (dots * (shape.nope + shape.rope) ** -0.5).softmax(0)
            out[i, h] = weight @ v[: i + 1, h]
    return out.view(count, -1) @ w[f"{at}wo.weight"].T


def plain_head(
    w: dict[str, Tensor],
    embedding: Tensor,
    next_ids: Tensor,
    h: Tensor,
    pos: Tensor,
    c: ModelConfig,
) -> Tensor:
    """u_i for every i, from official tensors."""
    u = torch.cat((embedding[next_ids], h), dim=-1) @ w["eagle_linear.weight"].T
    for layer in range(c.num_layers):
        at = f"layers.{layer}."
        normed = plain_rms(u, w[f"{at}attention_norm.weight"], c.norm_eps)
        u = u + plain_attention(w, f"{at}attention.", normed, pos, c)
        x = plain_rms(u, w[f"{at}ffn_norm.weight"], c.norm_eps)
        gate, up = x @ w[f"{at}feed_forward.w1.weight"].T, x @ w[f"{at}feed_forward.w3.weight"].T
        u = u + (gate * gate.sigmoid() * up) @ w[f"{at}feed_forward.w2.weight"].T
    return plain_rms(u, w["norm.weight"], c.norm_eps)


def plain_draft(head: EagleHead, network: Network, ids: Tensor, h: Tensor, count: int) -> list[int]:
    """Everything computed again for each guess. h [n, dim] of ids[:n]; ids [n + 1]"""
    w, next_ids = official(head), ids[1:]
    for _ in range(count):
        u = plain_head(
            w, network.embed.weight, next_ids, h, torch.arange(len(h)), head.config
        )  # earlier rows come out as before: they see nothing new
        guess = (u[-1] @ network.head.weight.T).argmax()
        next_ids, h = torch.cat((next_ids, guess[None])), torch.cat((h, u[-1:]))
    return next_ids[len(next_ids) - count :].tolist()


@torch.no_grad()
def target_hidden(network: Network, ids: Tensor) -> Tensor:
    return network(ids, torch.arange(len(ids)), PackedRows(1, len(ids)))


def cache_of(head: EagleHead, num_pages: int) -> PagedCache:
    return make_cache(head.config, num_pages, PAGE_TOKENS, dtype=torch.float32)


@torch.no_grad()
@pytest.mark.parametrize("start", [0, 5000])
@pytest.mark.parametrize("form", ["expanded", "absorbed"])
def test_the_head_computes_what_its_description_says(start, form, fill):
    network, head, ids = fill(TARGET), fill_head(), text(0, 51)
    hidden, positions = target_hidden(network, ids[:-1]), torch.arange(start, start + 50)
    found = head(network.embed(ids[1:]), hidden, positions, PackedRows(1, 50, form=form))
    expected = plain_head(
        official(head), network.embed.weight, ids[1:], hidden, positions, head.config
    )
    torch.testing.assert_close(found, expected, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("target", [TARGET, dense()], ids=["latent", "grouped"])
@pytest.mark.parametrize("chunks", [[40], [1] * 40, [17, 3, 20], [9, 1, 30]])
def test_telling_it_in_pieces_equals_one_pass(target, chunks, fill):
    network, head, ids = fill(target), fill_head(target), text(1, 41)
    hidden, following = target_hidden(network, ids[:-1]), network.embed(ids[1:])
    whole = head(following, hidden, torch.arange(40), PackedRows(1, 40))
    cache, pages, rows, start = cache_of(head, 12), [11, 3, 5, 0, 7, 2, 9, 1, 4, 10], [], 0
    for count in chunks:
        sight = PagedSight(cache, [Span(start, count, pages)])
        here = slice(start, start + count)
        rows.append(head(following[here], hidden[here], sight.positions(), sight))
        start += count
    torch.testing.assert_close(torch.cat(rows), whole, **CLOSE)


def test_training_it_on_packed_rows_reaches_every_weight(fill):
    network, head, ids = fill(TARGET), fill_head(), text(2, 31)
    samples = torch.tensor([[0] * 12 + [1] * 18])
    positions = torch.cat((torch.arange(12), torch.arange(18)))
    hidden = target_hidden(network, ids[:-1])
    said = head(network.embed(ids[1:]).detach(), hidden, positions, PackedRows(1, 30, samples))
    F.cross_entropy(network.logits(said), text(3, 30)).backward()
    assert all(bool(weight.grad.abs().sum() > 0) for weight in head.parameters())
    alone = head(network.embed(ids[13:]), hidden[12:], torch.arange(18), PackedRows(1, 18))
    torch.testing.assert_close(said[12:], alone, **CLOSE)


@pytest.mark.parametrize("multiple", [1, 32])
def test_guesses_for_many_conversations_equal_the_plain_ones_for_each(multiple, fill):
    """Long prompts, single tokens and no guesses wanted, in scattered pages."""
    network, head = fill(TARGET), fill_head()
    texts = [text(10 + n, length) for n, length in enumerate((22, 6, 40, 30, 18))]
    hiddens = [target_hidden(network, ids[:-1]) for ids in texts]
    known, counts = [0, 0, 33, 28, 14], [3, 5, 1, 4, 0]
    cache, pages = cache_of(head, 60), [list(range(i, 60, 5)) for i in range(5)]

    def news(i: int, start: int, end: int, num_tokens: int) -> News:
        return News(
            hidden=hiddens[i][start:end],
            ids=texts[i][start + 1 : end + 1].tolist(),
            start=start,
            pages=pages[i],
            num_tokens=num_tokens,
        )

    prompts = [news(i, 0, n, 0) for i, n in enumerate(known) if n]
    assert draft(head, network, cache, prompts, multiple=multiple) == [[], [], []]
    rest = [news(i, n, len(texts[i]) - 1, counts[i]) for i, n in enumerate(known)]
    found = draft(head, network, cache, rest, multiple=multiple)
    for i, guesses in enumerate(found):
        assert guesses == plain_draft(head, network, texts[i], hiddens[i], counts[i])
    assert draft(head, network, cache, []) == []


def test_the_leavings_of_wrong_guesses_change_nothing(fill):
    """However far it guessed, what it guesses next depends on the text alone."""
    network, head, ids = fill(TARGET), fill_head(), text(20, 40)
    hidden = target_hidden(network, ids[:-1])
    cache, pages, start = cache_of(head, 12), list(range(12)), 0
    for count, num_tokens in ((20, 6), (1, 5), (2, 3), (4, 4), (9, 2), (3, 5)):
        end = start + count
        one = News(
            hidden=hidden[start:end],
            ids=ids[start + 1 : end + 1].tolist(),
            start=start,
            pages=pages,
            num_tokens=num_tokens,
        )
        found = draft(head, network, cache, [one])[0]
        assert found == plain_draft(head, network, ids[: end + 1], hidden[:end], num_tokens)
        start = end


def test_guesses_that_need_a_page_more_find_it(fill):
    """Room for `start + count + num_tokens - 1` tokens is enough, and all of it is used."""
    network, head, ids = fill(TARGET), fill_head(), text(21, 7)
    hidden, cache = target_hidden(network, ids[:-1]), cache_of(head, 4)
    one = News(hidden=hidden, ids=ids[1:].tolist(), start=0, pages=[3, 1], num_tokens=3)
    assert draft(head, network, cache, [one])[0] == plain_draft(head, network, ids, hidden, 3)
    assert bool((cache.entries[:, [3, 1]].abs().sum(-1) > 0).all())
    assert bool((cache.entries[:, [0, 2]] == 0).all())


@torch.no_grad()
def test_pictures_are_seen_as_the_target_sees_them(fill):
    target = SHAPES["small4"]
    network, head, ids = fill(target), fill_head(target), text(4, 16)
    ids[[5, 6, 9]] = target.image_token
    vectors = torch.randn(3, target.dim, generator=torch.Generator().manual_seed(0))
    hidden = target_hidden(network, ids[:-1])
    following = network.embed(ids[1:])
    following[[4, 5, 8]] = vectors
    said = head(following, hidden, torch.arange(15), PackedRows(1, 15))
    one = News(
        hidden=hidden,
        ids=ids[1:].tolist(),
        start=0,
        pages=[0, 1, 2, 3],
        num_tokens=1,
        image_vectors=vectors,
    )
    found = draft(head, network, cache_of(head, 4), [one])
    assert found == [[int(network.logits(said[-1:]).argmax())]]
    without = draft(head, network, cache_of(head, 4), [replace(one, image_vectors=None)])
    plain = head(network.embed(ids[1:]), hidden, torch.arange(15), PackedRows(1, 15))
    assert without == [[int(network.logits(plain[-1:]).argmax())]]


def test_a_head_that_knows_the_script_guesses_every_token(scripted):
    """It passes on what it is told came next, which is all such a target looks at."""
    script = {20 + i: 21 + i for i in range(10)}
    network = scripted(script)
    head = EagleHead(eagle_config(network.config))
    width = network.config.dim
    with torch.no_grad():
        for name, weight in head.named_parameters():
            weight.fill_(1.0 if name.endswith("norm.weight") else 0.0)
        head.join.weight[:, :width] = torch.eye(width)
    ids = torch.tensor([5, 9, 20])
    one = News(
        hidden=target_hidden(network, ids), ids=[9, 20, 21], start=0, pages=[0, 1, 2], num_tokens=7
    )
    cache = cache_of(head, 3)
    assert draft(head, network, cache, [one]) == [[22, 23, 24, 25, 26, 27, 28]]


# Files


def test_at_full_size_it_has_as_many_weights_as_published():
    with torch.device("meta"):
        head = EagleHead(eagle_config(small4_at_full_size()))
    assert sum(weight.numel() for weight in head.parameters()) == 391_666_176


def test_its_table_is_the_published_listing(reference):
    listing = reference("weights.json")["eagle_repo"]
    published = {one["native"]: tuple(one["shape"]) for one in listing["tensors"]}
    table = {w.parts[0]: w.part_shape for w in weights(eagle_config(small4_at_full_size()))}
    assert published.items() <= table.items()
    assert table["layers.1.feed_forward.w1.weight"] == (12_288, 4096)
    assert table["layers.1.feed_forward.w2.weight"] == (4096, 12_288)
    layers = {"attention_norm", "ffn_norm", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3"}
    names = "wq_a q_a_norm wq_b wkv_a_with_mqa kv_a_norm wkv_b wo"
    layers |= {f"attention.{name}" for name in names.split()}
    expected = {f"layers.{n}.{name}.weight" for n in (0, 1) for name in layers}
    assert set(table) == expected | set(published)


def params(folder: Path, **changes) -> None:
    """Change fields of a folder's config; None takes one out."""
    path = folder / "params.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))


@pytest.mark.parametrize("target", [TARGET, SHAPES["small4"], dense()])
def test_a_saved_head_loads_bit_by_bit(target, tmp_path):
    head = fill_head(target)
    save_eagle(tmp_path, head, dtype=torch.float32)
    loaded = load_eagle(tmp_path, target, torch.float32)
    assert loaded.config == head.config and not loaded.training
    for name, weight in head.named_parameters():
        assert torch.equal(loaded.get_parameter(name), weight)
    x, positions = torch.randn(2, 20, target.dim), torch.arange(20)
    sight = PackedRows(1, 20)
    assert torch.equal(head(*x, positions, sight), loaded(*x, positions, sight))


def test_a_head_is_saved_as_bf16_by_default(tmp_path):
    head = fill_head()
    save_eagle(tmp_path, head)
    loaded = load_eagle(tmp_path, TARGET)
    for name, weight in head.named_parameters():
        assert loaded.get_parameter(name).dtype == torch.bfloat16
        assert torch.equal(loaded.get_parameter(name), weight.bfloat16())


def test_fp8_is_code_times_scale_in_the_official_tensors(tmp_path):
    head = fill_head()
    save_eagle(tmp_path, head, quant="fp8")
    tensors = load_file(tmp_path / "consolidated.safetensors")
    loaded = load_eagle(tmp_path, TARGET, torch.float32)
    for name, part in ((w.name, w.parts[0]) for w in weights(head.config)):
        found, codes = loaded.get_parameter(name), tensors.pop(part)
        if codes.dtype == torch.float8_e4m3fn:
            base = part.removesuffix("weight")
            scale = tensors.pop(f"{base}qscale_weight")
            assert scale.shape == tensors.pop(f"{base}qscale_act").shape == ()
            assert torch.equal(found, decode_fp8(codes, scale))
            torch.testing.assert_close(found, head.get_parameter(name), rtol=0.07, atol=0.01)
        else:
            assert part.endswith("norm.weight")
            assert torch.equal(found, codes.float())
    assert not tensors


def test_fp8_works_with_scales_of_other_types_and_without_those_of_activations(tmp_path):
    write_random_eagle(TARGET, tmp_path, quant="fp8")
    before = load_eagle(tmp_path, TARGET).join.weight

    def change(tensors: dict[str, Tensor]) -> None:
        tensors["eagle_linear.qscale_weight"] = tensors["eagle_linear.qscale_weight"].float()[None]
        del tensors["eagle_linear.qscale_act"], tensors["layers.1.attention.wo.qscale_act"]

    edit(tmp_path, change)
    assert torch.equal(load_eagle(tmp_path, TARGET).join.weight, before)


def test_random_heads_follow_their_seed(tmp_path):
    heads = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_random_eagle(TARGET, tmp_path / name, seed=seed, num_layers=1)
        heads.append(load_eagle(tmp_path / name, TARGET))
    assert torch.equal(heads[0].join.weight, heads[1].join.weight)
    assert not torch.equal(heads[0].join.weight, heads[2].join.weight)
    assert len(heads[0].blocks) == 1


def test_what_the_config_leaves_out_is_as_in_the_target(tmp_path):
    head = fill_head()
    save_eagle(tmp_path, head, dtype=torch.float32)
    for absent in ("yarn", "llama_4_scaling"):
        params(tmp_path, **{absent: None})
    assert load_eagle(tmp_path, TARGET).config == head.config
    values = json.loads((tmp_path / "params.json").read_text())
    (tmp_path / "params.json").write_text(json.dumps(values | {"yarn": None, "moe": None}))
    assert load_eagle(tmp_path, TARGET).config == head.config


def test_what_the_config_says_differs_from_the_target(tmp_path):
    save_eagle(tmp_path, fill_head())
    scale = {"original_max_position_embeddings": 32, "beta": 0.3}
    params(tmp_path, llama_4_scaling=scale, max_position_embeddings=64, norm_eps=1e-5)
    config = load_eagle(tmp_path, TARGET).config
    assert (config.query_scale.beta, config.query_scale.original) == (0.3, 32)
    assert (config.max_positions, config.norm_eps) == (64, 1e-5)
    assert config.rope == TARGET.rope


PUBLISHED = {
    "dim": 4096, "n_layers": 2, "head_dim": 128, "hidden_dim": 12288, "n_heads": 32,
    "n_kv_heads": 32, "rope_theta": 10000.0, "norm_eps": 1e-06, "vocab_size": 131072,
    "q_lora_rank": 1024, "kv_lora_rank": 256, "qk_nope_head_dim": 64, "qk_rope_head_dim": 64,
    "v_head_dim": 128, "max_position_embeddings": 1048576, "moe": None,
    "quantization": {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"},
}  # fmt: skip
"""The head's `params.json`, as far as it is known: sizes follow from the number of bytes."""


def test_a_full_size_folder_opens(tmp_path):
    """A file with a real header and holes where the numbers were."""
    config = eagle_config(small4_at_full_size())
    types = {"codes": ("F8_E4M3", 1), "plain": ("BF16", 2)}
    header, end = {}, 0
    for one in stored(weights(config), "native", "fp8", ""):
        dtype, size = types.get(one.role, ("BF16", 2))
        start, end = end, end + size * math.prod(one.shape)
        header[one.name] = {"dtype": dtype, "shape": one.shape, "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    with (tmp_path / "consolidated.safetensors").open("wb") as out:
        out.write(len(raw).to_bytes(8, "little") + raw)
        out.truncate(8 + len(raw) + end)
    (tmp_path / "params.json").write_text(json.dumps(PUBLISHED))
    checkpoint = open_eagle(tmp_path, small4_at_full_size())
    assert checkpoint.config == config
    assert checkpoint.num_tensors == 60
    assert 391.66e6 < checkpoint.size_bytes < 391.75e6


def refused(folder: Path, target: ModelConfig = TARGET) -> str:
    with pytest.raises(UserError) as caught:
        load_eagle(folder, target)
    assert "\n" not in caught.value.message
    return caught.value.message


def edit(folder: Path, change) -> None:
    """Rewrite the weights of a folder after `change` had a go at them."""
    path = folder / "consolidated.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_random_eagle(TARGET, tmp_path / "head", quant="fp8")


def test_missing_surplus_and_misshapen_tensors_are_named(folder):
    whole = load_file(folder / "consolidated.safetensors")
    edit(folder, lambda tensors: tensors.pop("eagle_linear.qscale_weight"))
    assert "lacks tensor `eagle_linear.qscale_weight`" in refused(folder)
    save_file(whole | {"output.weight": torch.zeros(1)}, folder / "consolidated.safetensors")
    assert "unknown tensor `output.weight`" in refused(folder)
    save_file(whole | {"norm.weight": torch.zeros(65)}, folder / "consolidated.safetensors")
    assert "`norm.weight`" in refused(folder) and "[65], expected [64]" in refused(folder)
    wide = {"eagle_linear.weight": whole["eagle_linear.weight"].float()}
    save_file(whole | wide, folder / "consolidated.safetensors")
    assert "is F32, expected `F8_E4M3`" in refused(folder)


@pytest.mark.parametrize("name", ["eagle_linear.weight", "norm.weight", "layers.1.ffn_norm.weight"])
def test_a_number_that_is_not_finite_is_found(name, folder):
    def change(tensors):
        wide = tensors[name].float()
        wide.view(-1)[-1] = float("nan")
        tensors[name] = wide.to(tensors[name].dtype)

    edit(folder, change)
    open_eagle(folder, TARGET)  # headers say nothing of it
    assert f"tensor `{name}`" in refused(folder) and "not finite" in refused(folder)


def test_a_scale_that_cannot_be_is_refused(folder):
    edit(folder, lambda t: t.update({"eagle_linear.qscale_weight": torch.tensor(0.0)}))
    assert "scale of `eagle_linear.weight` is 0.0" in refused(folder)


def test_a_file_that_was_cut_is_damaged(folder):
    path = folder / "consolidated.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert "`consolidated.safetensors` is damaged" in refused(folder)


def test_folders_and_configs_that_are_no_head_are_refused(folder, tmp_path, fill):
    assert "a `dim` of 64, its target one of 48" in refused(folder, dense())
    assert "a `vocab_size` of 128, its target one of 99" in refused(folder, latent(vocab_size=99))
    params(folder, first_layers=3)
    assert "`first_layers` in `params.json` is an unknown field" in refused(folder)
    with pytest.raises(UserError, match="of a draft head has a block `moe`"):
        load_eagle(write_model(tmp_path / "model", fill), TARGET)
    with pytest.raises(UserError, match=r"lacks tensor `tok_embeddings.weight`"):
        load_network(write_random_eagle(TARGET, tmp_path / "other"))
    with pytest.raises(NotFound, match="there is no folder"):
        load_eagle(tmp_path / "nowhere", TARGET)
    with pytest.raises(UserError, match="no weights in the `native` layout, which draft heads"):
        load_eagle(write_model(tmp_path / "hf", fill, layout="hf"), TARGET)


def write_model(folder: Path, fill, **options) -> Path:
    return save_checkpoint(folder, fill(TARGET), TARGET, **options)


def test_nvfp4_is_not_for_heads(tmp_path):
    with pytest.raises(UserError, match="NVFP4 is for experts"):
        save_eagle(tmp_path, fill_head(), quant="nvfp4")
    assert not list(tmp_path.iterdir())
