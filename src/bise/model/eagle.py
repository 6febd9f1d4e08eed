"""A draft head: a small network that guesses what the large one is about to say.

It is given what the target made of each token (the vector its head takes) and the token that came
next, and makes a vector of the same kind for that next one. So its guesses can be fed back to it.
Embedding and head are the target's, lent by whoever calls. Ref: EAGLE, arXiv:2401.15077.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bise.model.cache import PagedCache
from bise.model.config import ModelConfig
from bise.model.layers import Linear, RMSNorm
from bise.model.network import Block
from bise.model.paged import PagedSight, Span
from bise.model.rotation import Rotation
from bise.model.sight import Sight


@dataclass(frozen=True, kw_only=True, slots=True)
class EagleConfig(ModelConfig):
    """The shape of a head: that of a network with dense layers and no eye."""

    def __post_init__(self) -> None:
        ModelConfig.__post_init__(self)
        assert self.experts is None, "the layers of a draft head are dense"
        assert self.vision is None, "a draft head sees pictures through its target"


def eagle_config(
    target: ModelConfig, *, num_layers: int = 2, mlp_dim: int | None = None
) -> EagleConfig:
    """The head published for Small 4, or one of the same make for another target.

    mlp_dim: None is what the target's files say, or three times its width if they say nothing
    """
    return EagleConfig(
        dim=target.dim,
        num_layers=num_layers,
        num_heads=target.num_heads,
        attention=target.attention,
        vocab_size=target.vocab_size,
        mlp_dim=mlp_dim or target.mlp_dim or 3 * target.dim,
        rope=target.rope,
        query_scale=target.query_scale,
        norm_eps=target.norm_eps,
        max_positions=target.max_positions,
        image_token=target.image_token,
        image_break_token=target.image_break_token,
        image_end_token=target.image_end_token,
    )


class EagleHead(nn.Module):
    """Two vectors a token in, one out. Checked against: vLLM's EagleMistralLarge3, by reading."""

    def __init__(self, config: EagleConfig):
        super().__init__()
        self.config = config
        self.join = Linear(2 * config.dim, config.dim)
        self.rotation = Rotation(config)
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.norm = RMSNorm(config.dim, config.norm_eps)

    def forward(self, following: Tensor, hidden: Tensor, positions: Tensor, sight: Sight) -> Tensor:
        """One pass over some tokens, given what followed each of them.

        following  [tokens, dim]    embedding of the token at `positions + 1`, by the target's table
        hidden     [tokens, dim]    the target's output at `positions`, or ours where we guess on
        positions  [tokens] int64   of `hidden`: the ids move by one, the positions do not
        returns    [tokens, dim]    for the target's `logits`: what stands at `positions + 2`
        """
        mixed = self.join(torch.cat((following.to(hidden.dtype), hidden), dim=-1))
        turn = self.rotation(positions)
        for block in self.blocks:
            mixed = block(mixed, turn, sight)
        return self.norm(mixed)


class Lender(Protocol):
    """A target, as far as its head needs it: a `Network`, or what computes the same."""

    def embed(self, ids: Tensor) -> Tensor: ...

    def splice(self, ids: Tensor, hidden: Tensor, image_vectors: Tensor) -> Tensor: ...

    def logits(self, hidden: Tensor) -> Tensor: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What the target has computed of one conversation since the head last looked."""

    hidden: Tensor
    """[count, dim], the target's output at positions `start`, `start + 1`, …"""

    ids: Sequence[int]
    """[count], the token after each of them: known text, and at its end the one just chosen."""

    start: int
    """Position of the first; the head has been told of all earlier ones."""

    pages: Sequence[int]
    """Of the head's own cache, with room for `start + count + num_tokens - 1` tokens."""

    num_tokens: int
    """How many tokens to guess; 0 in the middle of a prompt."""

    image_vectors: Tensor | None = None
    """[image tokens among `ids`, dim]"""

    def __post_init__(self) -> None:
        assert len(self.ids) == len(self.hidden) > 0, "one following token for each vector"

    def then(self, said: Tensor, guess: int) -> "News":
        """What to go on with, if the guess were true: the head's own vector, as if the target's."""
        return replace(
            self,
            hidden=said[None],
            ids=[guess],
            start=self.start + len(self.ids),
            num_tokens=self.num_tokens - 1,
            image_vectors=None,
        )


@torch.inference_mode()
def draft(
    head: EagleHead,
    network: Lender,
    cache: PagedCache,
    news: Sequence[News],
    *,
    multiple: int = 1,
) -> list[list[int]]:
    """Hear the news of some conversations, then guess the likeliest tokens that follow in each.

    network   the target, for its embedding and its head
    cache     a `make_cache(head.config, …)` in the type of `hidden`; the head's, not the target's
    multiple  passes of more tokens than this are padded to a multiple, so that shapes repeat
    returns   `num_tokens` ids for each of `news`, of which the first comes after its last id

    What guessing leaves in the cache is written over by the next news, which begin where these
    end, whatever the target thought of the guesses. Nothing has to be taken back.
    """
    guesses: list[list[int]] = [[] for _ in news]
    telling = dict(enumerate(news))
    while telling:
        said = _hear(head, network, cache, list(telling.values()), multiple)
        wanted = [(i, v) for i, v in zip(telling, said, strict=True) if telling[i].num_tokens > 0]
        if not wanted:
            break
        chosen = network.logits(torch.stack([vector for _, vector in wanted])).argmax(-1).tolist()
        for (i, _), guess in zip(wanted, chosen, strict=True):
            guesses[i].append(guess)
        telling = {
            i: telling[i].then(vector, guess)
            for (i, vector), guess in zip(wanted, chosen, strict=True)
            if telling[i].num_tokens > 1
        }
    return guesses


def _hear(
    head: EagleHead, network: Lender, cache: PagedCache, news: Sequence[News], multiple: int
) -> list[Tensor]:
    """One pass over all news; for each the vector [dim] at its last token."""
    spans = [Span(one.start, len(one.ids), one.pages) for one in news]
    is_long = sum(span.count for span in spans) > multiple
    sight = PagedSight(cache, spans, multiple=multiple if is_long else 1)
    ordered = [news[i] for i in sight.order]
    hidden = torch.cat([one.hidden for one in ordered])
    ids = [i for one in ordered for i in one.ids] + [0] * sight.num_padding
    following = _embed(network, torch.tensor(ids, device=hidden.device), ordered)
    said = head(following, F.pad(hidden, (0, 0, 0, sight.num_padding)), sight.positions(), sight)
    ends = accumulate(len(one.ids) for one in ordered)
    last = {i: said[end - 1] for i, end in zip(sight.order, ends, strict=True)}
    return [last[i] for i in range(len(news))]


def _embed(network: Lender, ids: Tensor, news: Sequence[News]) -> Tensor:
    """What the target itself would start from: [tokens, dim], pictures where their tokens stand."""
    vectors = [one.image_vectors for one in news if one.image_vectors is not None]
    embedded = network.embed(ids)
    return network.splice(ids, embedded, torch.cat(vectors)) if vectors else embedded
