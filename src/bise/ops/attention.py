"""Attention, in the forms the network needs, as plain torch.

The two latent forms are the same function: one multiplies the latents up to keys and values before
it looks, the other looks at the latents themselves. Which is cheaper depends on how many queries
share a key: prefill expands, decode absorbs. Ref: arXiv:2405.04434 §2.1.2.
"""

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

ON_CARDS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Not cuDNN: it makes a plan for every new shape, which takes it longer than a step of training,
and numbers of pictures and lengths of prompts are new all the time."""


def latent_expanded(
    query: Tensor, entries: Tensor, up: Tensor, *, nope: int, scale: float, mask: Tensor | None
) -> Tensor:
    """Look at keys and values made from the latents.

    query    [batch, queries, heads, nope + rope]
    entries  [batch, keys, latent + rope]    normed latent, then the rotated key all heads share
    up       [heads, nope + value, latent]
    mask     [batch, 1, queries, keys] bool, or None for causal with queries == keys
    returns  [batch, queries, heads, value]
    """
    heads, _, latent = up.shape
    content, rotated = entries[..., :latent], entries[..., latent:]
    made = F.linear(content, up.flatten(0, 1)).unflatten(-1, (heads, -1))
    shared = rotated[:, :, None, :].expand(-1, -1, heads, -1)
    key = torch.cat((made[..., :nope], shared), dim=-1)
    return attend(query, key, made[..., nope:], scale=scale, mask=mask)


def latent_absorbed(
    query: Tensor, entries: Tensor, up: Tensor, *, nope: int, scale: float, mask: Tensor | None
) -> Tensor:
    """The same as `latent_expanded`, without ever making a key or a value."""
    latent = up.shape[-1]
    content = entries[..., :latent]
    absorbed = torch.einsum("bqhn,hnl->bqhl", query[..., :nope], up[:, :nope])
    wide = torch.cat((absorbed, query[..., nope:]), dim=-1)
    scores = torch.einsum("bqhw,bkw->bhqk", wide, entries).float() * scale  # softmax in fp32
    if mask is None:
        mask = causal_mask(*scores.shape[-2:], device=scores.device)
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1).to(query.dtype)
    seen = torch.einsum("bhqk,bkl->bqhl", weights, content)
    return torch.einsum("bqhl,hvl->bqhv", seen, up[:, nope:])


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    scale: float,
    mask: Tensor | None,
    is_causal: bool = True,
) -> Tensor:
    """Softmax attention; key and value may have fewer heads than query, which then share them.

    Without a mask a query sees the keys up to its own, or all of them if not `is_causal`.

    query [batch, queries, heads, dim], key [batch, keys, kv heads, dim],
    value [batch, keys, kv heads, value] -> [batch, queries, heads, value]
    """
    with sdpa_kernel(ON_CARDS) if query.is_cuda else nullcontext():
        seen = F.scaled_dot_product_attention(
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            attn_mask=mask,
            is_causal=mask is None and is_causal,
            scale=scale,
            enable_gqa=query.shape[2] != key.shape[2],
        )
    return seen.transpose(1, 2)


def causal_mask(num_queries: int, num_keys: int, *, device: torch.device | str = "cpu") -> Tensor:
    """[queries, keys] bool; the last query sees every key."""
    allowed = torch.ones(num_queries, num_keys, dtype=torch.bool, device=device)
    return allowed.tril(num_keys - num_queries)
