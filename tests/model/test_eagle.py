"""The draft head against a plain one written from its description; in pieces; on pictures."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from model_shapes import EAGLE_TARGET, SHAPES, dense, fill_head, official
from torch import Tensor

from bise.model import (
    EagleHead,
    News,
    draft,
)
from bise.model.cache import PagedCache, make_cache
from bise.model.config import ModelConfig
from bise.model.network import Network
from bise.model.paged import PagedSight, Span
from bise.model.sight import PackedRows

CLOSE = {"rtol": 1e-4, "atol": 2e-5}
PAGE_TOKENS = 4


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
    network, head, ids = fill(EAGLE_TARGET), fill_head(), text(0, 51)
    hidden, positions = target_hidden(network, ids[:-1]), torch.arange(start, start + 50)
    found = head(network.embed(ids[1:]), hidden, positions, PackedRows(1, 50, form=form))
    expected = plain_head(
        official(head), network.embed.weight, ids[1:], hidden, positions, head.config
    )
    torch.testing.assert_close(found, expected, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("target", [EAGLE_TARGET, dense()], ids=["latent", "grouped"])
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
    network, head, ids = fill(EAGLE_TARGET), fill_head(), text(2, 31)
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
    network, head = fill(EAGLE_TARGET), fill_head()
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
    network, head, ids = fill(EAGLE_TARGET), fill_head(), text(20, 40)
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
    network, head, ids = fill(EAGLE_TARGET), fill_head(), text(21, 7)
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


def test_a_head_that_knows_the_script_guesses_every_token(scripted, knowing_head):
    script = {20 + i: 21 + i for i in range(10)}
    network = scripted(script)
    head = knowing_head(network)
    ids = torch.tensor([5, 9, 20])
    one = News(
        hidden=target_hidden(network, ids), ids=[9, 20, 21], start=0, pages=[0, 1, 2], num_tokens=7
    )
    cache = cache_of(head, 3)
    assert draft(head, network, cache, [one]) == [[22, 23, 24, 25, 26, 27, 28]]
