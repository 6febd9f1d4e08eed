"""Whole tiny networks of any shape: the core says what the definition says, however it is asked."""

from collections.abc import Callable
from ctypes import c_int64
from dataclasses import dataclass
from itertools import accumulate

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from bise.model.cache import ByteCache, make_cache
from bise.model.config import (
    ExpertsConfig,
    GroupedAttentionConfig,
    LatentAttentionConfig,
    ModelConfig,
    QueryScaleConfig,
    RopeConfig,
    YarnConfig,
)
from bise.model.experts import Routing
from bise.model.network import Network
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromNetwork, Parts
from bise.model.paged import Span
from bise.model.quant import encode_fp8, encode_nvfp4, fp8_scale
from bise.model.sight import PackedRows
from bise.model.stored import Quant
from bise.ops.cpu.library import ISAS, core, library
from bise.ops.cpu.look import Pages
from bise.ops.cpu.matrix import Gated, Mixture, unpack
from bise.ops.cpu.network import Caches
from bise.ops.cpu.network_weights import GroupedWeights, LatentWeights

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)

BEST = core().bise_best_isa()
FP32 = ISAS.index("avx2")
KINDS = ["bf16", "fp8", "nvfp4", "int8", "int4"]
CACHES = ["fp32", "bf16", "int8", "fp8"]


class Coded(FromNetwork):
    """A network in memory, as if it had been released in codes."""

    def __init__(self, network: Network, quant: Quant):
        super().__init__(network)
        self.quant = quant

    def codes(self, parts: Parts) -> tuple[Tensor, list[float]]:
        found = [self.part(*one) for one in parts]
        scales = [fp8_scale(one.abs().max()) for one in found]
        codes = [encode_fp8(*one) for one in zip(found, scales, strict=True)]
        return torch.cat([one.view(torch.uint8) for one in codes]), [float(one) for one in scales]

    def packed(self, parts: Parts) -> tuple[Tensor, Tensor, list[float]]:
        found = [encode_nvfp4(self.part(*one)) for one in parts]
        groups = torch.cat([one.scales.view(torch.uint8) for one in found])
        return (
            torch.cat([one.codes for one in found]),
            groups,
            [1 / float(one.divisor) for one in found],
        )


@dataclass(frozen=True)
class Case:
    """A network, and texts read by it in steps."""

    config: ModelConfig
    kind: str
    cache: str
    isa: int
    page_tokens: int
    steps: list[list[int]]
    """How many tokens of each text a step reads."""

    seed: int

    @property
    def is_close(self) -> bool:
        return can_be_close(self.kind, self.cache, self.isa)


def can_be_close(kind: str, cache: str, isa: int) -> bool:
    """Whether only the order of sums can differ."""
    return kind in ("bf16", "fp8") and cache == "fp32" and isa <= FP32


@st.composite
def configs(draw: st.DrawFn, unit: int, least: int) -> ModelConfig:
    """Any network. `unit`: what widths of experts are multiples of; `least`: numbers under a norm,
    for a norm of one or two of them makes much of little."""
    heads = draw(st.integers(1, 5))
    widths, half = st.integers(1, 40), st.integers(1, 12)
    if draw(st.booleans()):
        names = {"q_latent": least, "kv_latent": least, "nope": 1, "value": 1}
        sizes = {name: max(size, draw(widths | st.just(32))) for name, size in names.items()}
        attention = LatentAttentionConfig(rope=2 * draw(half), **sizes)
    else:
        kv_heads = draw(st.sampled_from([n for n in range(1, heads + 1) if heads % n == 0]))
        attention = GroupedAttentionConfig(num_kv_heads=kv_heads, head_dim=2 * draw(half))
    experts = None
    if draw(st.booleans()):
        num = draw(st.integers(1, 9))
        experts = ExpertsConfig(
            num=num,
            topk=draw(st.integers(1, num)),
            hidden_dim=unit * draw(st.integers(1, 48 // unit)),
            num_shared=draw(st.integers(0, 2)),
        )
    return ModelConfig(
        dim=unit * draw(st.integers(-(-8 // unit), 80 // unit)),
        num_layers=draw(st.integers(1, 3)),
        num_heads=heads,
        attention=attention,
        vocab_size=draw(st.integers(2, 90)),
        experts=experts,
        mlp_dim=draw(st.integers(1, 70)),
        rope=RopeConfig(yarn=YarnConfig(factor=8.0, original=16) if draw(st.booleans()) else None),
        query_scale=QueryScaleConfig(beta=0.1, original=8) if draw(st.booleans()) else None,
        max_positions=256,
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind, cache, isa = (draw(st.sampled_from(some)) for some in (KINDS, CACHES, range(BEST + 1)))
    is_close = can_be_close(kind, cache, isa)
    num_texts = draw(st.integers(1, 3))
    counts = st.integers(0, 3) | st.integers(0, 40)
    steps = draw(st.lists(st.lists(counts, min_size=num_texts, max_size=num_texts), max_size=5))
    return Case(
        config=draw(configs(16 if kind == "nvfp4" else 1, 1 if is_close else 12)),
        kind=kind,
        cache=cache,
        isa=isa,
        page_tokens=draw(st.integers(1, 9) | st.sampled_from([16, 32])),
        steps=[*steps, [draw(st.integers(1, 20))] * num_texts],
        seed=draw(st.integers(0, 99)),
    )


def network_of(case: Case) -> Network:
    """Random bf16 numbers, such that every part of the network matters."""
    generator = torch.Generator().manual_seed(case.seed)
    network = Network(case.config)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            spread = 1.0 if name == "embed.weight" else weight.shape[-1] ** -0.5
            noise = 1.0 + 0.1 * noise if weight.ndim == 1 else spread * noise
            weight.copy_(noise.bfloat16().float())
    return network.eval()


def packed_of(case: Case, network: Network) -> PackedNetwork:
    if case.kind in ("fp8", "nvfp4"):
        return PackedNetwork(Coded(network, case.kind))
    return PackedNetwork(FromNetwork(network), case.kind)


@torch.no_grad()
def definition_of(packed: PackedNetwork, network: Network) -> Network:
    """The same weights as the core really keeps them."""
    network.head.weight.copy_(unpack(packed.head))
    for block, layer in zip(network.blocks, packed.core._owned[0], strict=True):
        attention, kept = block.attention, layer.attention
        attention.out.weight.copy_(unpack(layer.out))
        names = {LatentWeights: ("q_down", "kv_down", "q_up"), GroupedWeights: ("q", "k", "v")}
        for name in names[type(kept)]:
            getattr(attention, name).weight.copy_(unpack(getattr(kept, name)))
        if isinstance(layer.mlp, Gated):
            put_feed_forward(block.mlp, layer.mlp)
            continue
        assert isinstance(layer.mlp, Mixture)
        for expert, one in enumerate(layer.mlp.experts):
            block.mlp.gate_up[expert].copy_(unpack(one.gate_up))
            block.mlp.down[expert].copy_(unpack(one.down))
        if layer.mlp.shared is not None:
            put_feed_forward(block.mlp.shared, layer.mlp.shared)
    return network


def put_feed_forward(to: nn.Module, kept: Gated) -> None:
    for name, half in zip(("gate", "up"), unpack(kept.gate_up).chunk(2), strict=True):
        getattr(to, name).weight.copy_(half)
    to.down.weight.copy_(unpack(kept.down))


def texts_of(case: Case) -> list[list[int]]:
    generator = torch.Generator().manual_seed(case.seed + 1)
    lengths = [sum(counts) for counts in zip(*case.steps, strict=True)]
    size = case.config.vocab_size
    return [torch.randint(size, (length,), generator=generator).tolist() for length in lengths]


@torch.no_grad()
def expected_of(network: Network, ids: list[int], margin: float) -> tuple[Tensor, int]:
    """Logits [seq, vocab], and how many rows come before a choice of experts that is too close."""
    routing = Routing()
    hidden = network(
        torch.tensor(ids), torch.arange(len(ids)), PackedRows(1, len(ids)), routing=routing
    )
    num_sure = len(ids)
    experts = network.config.experts
    for logits in routing.logits if experts and experts.topk < experts.num else []:
        ordered = logits.sort(dim=-1, descending=True).values
        gaps = ordered[:, experts.topk - 1] - ordered[:, experts.topk]
        close = (gaps < margin * logits.abs().max()).nonzero()
        num_sure = min([num_sure, *close[:1, 0].tolist()])
    return network.logits(hidden).float(), num_sure


class Desk:
    """Pages for some texts, and what was said about them."""

    def __init__(self, case: Case, packed: PackedNetwork, texts: list[list[int]]):
        self.packed, self.texts = packed, texts
        needed = [-(-len(text) // case.page_tokens) for text in texts]
        order = torch.randperm(sum(needed), generator=torch.Generator().manual_seed(case.seed))
        self.pages = [part.tolist() for part in order.split(needed)]
        dtype = torch.bfloat16 if case.cache == "bf16" else torch.float32
        kind = case.cache if case.cache in ("int8", "fp8") else "plain"
        room = (case.config, max(1, sum(needed)), case.page_tokens)
        cache = make_cache(*room, kind=kind, dtype=dtype)
        if isinstance(cache, ByteCache):
            stored = cache.entries.view(torch.int8 if kind == "int8" else torch.float8_e4m3fn)
            layers = zip(stored, cache.scales, strict=True)
            self.caches = Caches([Pages(one, cache.halves[0], scales) for one, scales in layers])
        else:
            self.caches = Caches([Pages(one, one.shape[-1]) for one in cache.entries])

    def read(self, steps: list[list[int]], *, every: int = 1, is_exact: bool = False):
        """Logits of each text's rows, [rows, vocab] each, and which rows those are: each `every`-th
        of a step."""
        starts = [0] * len(self.texts)
        found, rows = [[] for _ in self.texts], [[] for _ in self.texts]
        for counts in steps:
            zipped = list(zip(self.texts, starts, counts, self.pages, strict=True))
            spans = [Span(start, count, pages) for _, start, count, pages in zipped]
            ids = [one for text, start, count, _ in zipped for one in text[start : start + count]]
            wanted = list(range(0, len(ids), every))
            run = self.packed.core.run(ids, spans, self.caches, wanted, is_exact=is_exact)
            ends = list(accumulate(counts))
            for row, logits in zip(wanted, run.logits, strict=True):
                text = next(number for number, end in enumerate(ends) if row < end)
                found[text].append(logits)
                rows[text].append(starts[text] + row - (ends[text] - counts[text]))
            starts = [start + count for start, count in zip(starts, counts, strict=True)]
        return found, rows


def check_case(case: Case, every: int) -> None:
    network = network_of(case)
    core().bise_use_isa(c_int64(case.isa))
    try:
        packed, texts = packed_of(case, network), texts_of(case)
        found, rows = Desk(case, packed, texts).read(case.steps, every=every)
        exact, _ = Desk(case, packed, texts).read(case.steps, is_exact=True)
        singly = [[int(n == t) for n in range(len(texts))] for t, x in enumerate(texts) for _ in x]
        again, _ = Desk(case, packed, texts).read(singly, is_exact=True)
    finally:
        core().bise_use_isa(c_int64(BEST))
    definition = definition_of(packed, network)
    for text, said, where, one, other in zip(texts, found, rows, exact, again, strict=True):
        if not text:
            continue
        assert torch.equal(torch.stack(one), torch.stack(other)), "exact bits depend on company"
        expected, num_sure = expected_of(definition, text, 1e-3 if case.is_close else 0.2)
        for logits, places in ((said, where), (one, range(len(one)))):
            assert all(torch.isfinite(row).all() for row in logits)
            sure = [(row, at) for row, at in zip(logits, places, strict=True) if at < num_sure]
            if sure:
                rows_said = torch.stack([row for row, _ in sure])
                wanted = expected[[at for _, at in sure]]
                assert far(rows_said, wanted) < (1e-4 if case.is_close else LOOSE)


LOOSE = 0.25
"""Where inputs of products or entries of the cache are rounded; a wrong index is far beyond."""


def far(found: Tensor, expected: Tensor) -> float:
    """Relative to numbers of size one, which logits have, where they happen to be smaller."""
    return float((found - expected).norm() / max(expected.norm(), expected.numel() ** 0.5))


def fuzz(max_examples: int) -> Callable:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=max_examples, deadline=None, suppress_health_check=slow)


@fuzz(40)
@given(cases(), st.integers(1, 4))
def test_any_small_network_says_what_its_definition_says(case, every):
    check_case(case, every)


@pytest.mark.full
@fuzz(3000)
@given(cases(), st.integers(1, 4))
def test_thousands_of_small_networks_say_what_their_definitions_say(case, every):
    check_case(case, every)
