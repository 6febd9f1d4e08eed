"""Choosing the next token for a whole batch at once.

Each request draws one uniform number a token from its own generator, so what it gets does not
depend on what shares the batch. Order: bias, penalties, mask, temperature, then the cuts.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from bise.engine.requests import Request, Sampling, TokenLogprobs

NEVER = float("-inf")

BLOCK = 256
"""Chances summed together before one of them is looked for."""

Column = Callable[[Sequence[float]], Tensor]
"""One number a request as a column [batch, 1]."""


@dataclass(slots=True)
class Draws:
    """What sampling remembers of one request."""

    request: Request
    rng: Random
    num_generated: int = 0
    counts: Counter[int] = field(default_factory=Counter[int])
    """How often each token was said; empty where no penalty asks for it."""

    prompt_set: frozenset[int] = frozenset()
    prompt_tokens: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    """The same as a tensor; empty where no penalty asks for them."""

    barred: Tensor | None = None
    """Ids the next token may not be by the request's grammar: [vocab] bool"""

    needs_counts: bool = False
    needs_shape: bool = False
    """Whether the options of the request change the logits."""

    @classmethod
    def of(cls, request: Request) -> "Draws":
        one = request.sampling
        needs_prompt = one.repetition_penalty != 1.0
        needs_counts = bool(needs_prompt or one.presence_penalty or one.frequency_penalty)
        prompt = frozenset(request.prompt_ids) if needs_prompt else frozenset[int]()
        tokens = torch.tensor(sorted(prompt), dtype=torch.int64)
        return cls(
            request,
            Random(one.seed),
            prompt_set=prompt,
            prompt_tokens=tokens,
            needs_counts=needs_counts,
            needs_shape=bool(
                needs_counts or one.logit_bias or one.min_tokens or request.barred_ids
            ),
        )

    @property
    def is_shaped(self) -> bool:
        """Whether anything changes the logits before the temperature does."""
        return self.needs_shape or self.barred is not None

    def add(self, token: int) -> None:
        self.num_generated += 1
        if self.needs_counts:
            self.counts[token] += 1


class Pick(Protocol):
    """How ids are picked from logits that are final but for temperature and cuts."""

    def __call__(
        self,
        logits: Tensor,
        samplings: Sequence[Sampling],
        points: Sequence[float],
        never: int | None = None,
    ) -> list[int]:
        """logits [batch, vocab] fp32; points in [0, 1): where in the running sum each one lies;
        never: an id that nobody may say, whose logits are written over"""
        ...


@torch.inference_mode()  # the logits were made in it
def pick(
    logits: Tensor,
    samplings: Sequence[Sampling],
    points: Sequence[float],
    never: int | None = None,
) -> list[int]:
    """The plain definition of `Pick`."""
    if never is not None:
        logits[:, never] = NEVER
    warm = [i for i, one in enumerate(samplings) if not one.is_greedy]
    if not warm:
        return integers(logits.argmax(-1))
    is_all = len(warm) == len(samplings)
    chances = probabilities(logits if is_all else logits[warm], [samplings[i] for i in warm])
    places = torch.tensor([points[i] for i in warm], dtype=torch.float64, device=chances.device)
    drawn = dict(zip(warm, integers(draw(chances, places)), strict=True))
    if is_all:
        return list(drawn.values())
    likeliest = integers(logits.argmax(-1))
    return [drawn.get(i, token) for i, token in enumerate(likeliest)]


def sample(
    logits: Tensor, draws: Sequence[Draws], never: int | None = None, pick: Pick = pick
) -> list[int]:
    """The next token of every request. logits [batch, vocab] fp32; changed in place.

    never: an id that nobody may say; pick: who does it
    """
    if any(one.is_shaped for one in draws):
        _shape(logits, draws, never)
    samplings = [one.request.sampling for one in draws]
    points = [0.0 if one.request.sampling.is_greedy else one.rng.random() for one in draws]
    return pick(logits, samplings, points, never)


@torch.inference_mode()  # the logits were made in it
def _shape(logits: Tensor, draws: Sequence[Draws], never: int | None) -> None:
    for row, one in enumerate(draws):
        if one.is_shaped:
            if never is not None:
                logits[row, never] = NEVER
            shape_logits(logits[row], one)


def draw(chances: Tensor, points: Tensor) -> Tensor:
    """The place at which the running sum of each row exceeds its point's share of the whole.

    chances [batch, vocab] fp32, points [batch] fp64 in [0, 1) -> [batch] int64; 0 where no place
    has a chance

    Sums of blocks first, then the one block the point lies in: a sum over everything in fp64 would
    take longer than all that comes before.
    """
    blocks = F.pad(chances, (0, -chances.shape[1] % BLOCK)).unflatten(-1, (-1, BLOCK))
    sums = blocks.sum(-1).double().cumsum(-1)
    target = points[:, None] * sums[:, -1:]
    last_block = (sums == sums[:, -1:]).int().argmax(-1, keepdim=True)
    block = torch.minimum(torch.searchsorted(sums, target, right=True), last_block)
    before = F.pad(sums, (1, 0)).gather(1, block)
    inside = blocks[torch.arange(len(blocks), device=block.device), block[:, 0]].double()
    found = torch.searchsorted(inside.cumsum(-1), target - before, right=True)
    last = inside.shape[1] - 1 - (inside > 0).flip(-1).int().argmax(-1, keepdim=True)
    place = block * BLOCK + torch.minimum(found, last)
    return torch.where(sums[:, -1:] > 0, place, 0)[:, 0]


def shape_logits(row: Tensor, draws: Draws) -> None:
    """Bias, penalties and masks of one request, in place. row [vocab]"""
    request, sampling = draws.request, draws.request.sampling
    if sampling.logit_bias:
        biased = torch.tensor(list(sampling.logit_bias), device=row.device)
        row[biased] += torch.tensor(list(sampling.logit_bias.values()), device=row.device)
    if sampling.repetition_penalty != 1.0:
        new = [token for token in draws.counts if token not in draws.prompt_set]
        for seen in (draws.prompt_tokens, torch.tensor(new, dtype=torch.int64, device=row.device)):
            old, factor = row[seen], sampling.repetition_penalty
            row[seen] = torch.where(old > 0, old / factor, old * factor)
    if draws.counts and (sampling.presence_penalty or sampling.frequency_penalty):
        said = torch.tensor(list(draws.counts), device=row.device)
        times = torch.tensor(list(draws.counts.values()), dtype=row.dtype, device=row.device)
        row[said] -= sampling.presence_penalty + sampling.frequency_penalty * times
    if draws.barred is not None:
        row.masked_fill_(draws.barred.to(row.device), NEVER)
    is_early = draws.num_generated < sampling.min_tokens
    if unwanted := request.barred_ids | (request.stop_ids if is_early else frozenset()):
        ends = [token for token in unwanted if token < len(row)]
        kept = row[ends]
        row[ends] = NEVER
        if draws.barred is not None and bool(row.max() == NEVER):
            row[ends] = kept  # by its grammar the reply is complete


def probabilities(logits: Tensor, samplings: Sequence[Sampling]) -> Tensor:
    """After temperature and cuts; rows need not sum to one. [batch, vocab] -> like it"""

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=logits.dtype, device=logits.device)[:, None]

    is_plain = all(s.temperature == 1.0 for s in samplings)
    scaled = logits if is_plain else logits / column([s.temperature for s in samplings])
    chances = scaled.softmax(-1)
    if any(s.min_p > 0 for s in samplings):
        floor = chances.max(-1, keepdim=True).values * column([s.min_p for s in samplings])
        chances = chances.masked_fill(chances < floor, 0.0)
    if any(s.top_k > 0 or s.top_p < 1.0 for s in samplings):
        chances = _cut(chances, samplings, column)
    return chances


def _cut(chances: Tensor, samplings: Sequence[Sampling], column: Column) -> Tensor:
    """Drop what lies beyond `top_k`, or beyond `top_p` of what is left."""
    ordered, ids = chances.sort(dim=-1, descending=True, stable=True)
    rank = torch.arange(chances.shape[1], device=chances.device)
    most = chances.shape[1]
    limits = column([min(s.top_k, most) if s.top_k > 0 else most for s in samplings])
    ordered = ordered.masked_fill(rank >= limits, 0.0)
    total = ordered.sum(-1, keepdim=True)
    before = ordered.cumsum(-1) - ordered  # what the likelier ones already have
    is_beyond = before >= column([s.top_p for s in samplings]) * total
    ordered = ordered.masked_fill(is_beyond & (rank > 0), 0.0)  # the likeliest always stays
    return torch.zeros_like(chances).scatter_(-1, ids, ordered)


def logprobs_of(logits: Tensor, token: int, num_top: int) -> TokenLogprobs:
    """How the unchanged logits rate the chosen token. logits [vocab] fp32"""
    return rated(logits[None], [token], num_top)[0]


def rated(logits: Tensor, tokens: Sequence[int], num_top: int) -> list[TokenLogprobs]:
    """How likely each token was by its row of the unchanged logits [tokens, vocab] fp32."""
    logprobs = logits.log_softmax(-1)
    own = logprobs.gather(1, torch.tensor(tokens, device=logits.device)[:, None])
    top = logprobs.topk(num_top)
    values, ids = rows_of(torch.cat([own, top.values], dim=1)), rows_of(top.indices)
    return [
        TokenLogprobs(one, tuple(zip(row, rest, strict=True)))
        for row, (one, *rest) in zip(ids, values, strict=True)
    ]


def integers(values: Tensor) -> list[int]:
    """The numbers of a tensor [n]."""
    return values.tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def rows_of(values: Tensor) -> list[list[Any]]:
    """The numbers of a tensor [n, m], row by row."""
    return values.tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
