"""The core's attention against its definition in fp64, over pages in every type."""

from ctypes import c_int64
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from bise.model.cache import ByteCache, PagedCache, make_cache
from bise.model.config import GroupedAttentionConfig, LatentAttentionConfig, ModelConfig
from bise.model.paged import Span
from bise.model.presets import nano
from bise.ops.attention import attend, causal_mask, latent_absorbed
from bise.ops.cpu import look, pool
from bise.ops.cpu.library import core, library

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)

ISAS = range(core().bise_best_isa() + 1)
KINDS = ["fp32", "bf16", "int8", "fp8"]
SCALE = 0.17


@pytest.fixture(
    autouse=True,
    scope="module",
    params=ISAS,
    ids=lambda isa: ["portable", "avx2", "avx512", "amx"][isa],
)
def isa(request):
    core().bise_use_isa(c_int64(request.param))
    yield request.param
    core().bise_use_isa(c_int64(ISAS[-1]))


@pytest.fixture
def exactly():
    look.use_exact_attention(True)
    yield
    look.use_exact_attention(False)


def _random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@dataclass
class Past:
    """A cache that several requests have written to, through the core."""

    cache: PagedCache
    pages: look.Pages
    spans: list[Span]

    def table(self) -> look.Table:
        return look.Table(self.spans)

    def entries(self, span: Span) -> torch.Tensor:
        """[keys, width] fp64 of what is really kept"""
        rows = self.cache.read(0, torch.tensor([list(span.pages)], dtype=torch.int64))[0]
        return rows[: span.start + span.count].double()


def _config(attention: LatentAttentionConfig | GroupedAttentionConfig) -> ModelConfig:
    shape = nano()
    return ModelConfig(
        dim=shape.dim,
        num_layers=1,
        num_heads=4,
        attention=attention,
        experts=shape.experts,
        vocab_size=shape.vocab_size,
        max_positions=4096,
    )


def _cache(attention, kind: str, num_pages: int, page_tokens: int) -> tuple[PagedCache, look.Pages]:
    plain = {"fp32": torch.float32, "bf16": torch.bfloat16}
    config = _config(attention)
    if kind in plain:
        cache = make_cache(config, num_pages, page_tokens, dtype=plain[kind])
        cache.entries.fill_(float("nan"))  # what was never written must not matter
        first = cache.entries.shape[-1] // 2
        return cache, look.Pages(cache.entries[0], first)
    cache = make_cache(config, num_pages, page_tokens, kind=kind, dtype=torch.float32)  # type: ignore[arg-type]
    assert isinstance(cache, ByteCache)
    stored = torch.int8 if kind == "int8" else torch.float8_e4m3fn
    cache.scales.fill_(float("nan"))
    return cache, look.Pages(cache.entries[0].view(stored), cache.halves[0], cache.scales[0])


def _past(attention, kind: str, sizes: list[tuple[int, int]], page_tokens: int) -> Past:
    """Requests with (start, count), their pages dealt in turn."""
    needed = [-(-(start + count) // page_tokens) for start, count in sizes]
    cache, pages = _cache(attention, kind, sum(needed) + 1, page_tokens)
    order = torch.randperm(sum(needed) + 1, generator=torch.Generator().manual_seed(1)).tolist()
    spans = []
    for (start, count), number in zip(sizes, needed, strict=True):
        mine, order = order[:number], order[number:]
        spans.append(Span(start, count, mine))
        entries = _random(start + count, cache.entries.shape[-1], seed=start + count)
        look.write_cache(pages, look.Table([Span(0, start + count, mine)]), entries)
    return Past(cache, pages, spans)


def _allowed_error(kind: str, isa: int) -> float:
    """fp32 throughout, or products in bf16."""
    return 2e-5 if kind == "fp32" or isa < 2 else 2e-2


SMALL = LatentAttentionConfig(q_latent=32, kv_latent=256, nope=64, rope=64, value=128)
NANO = LatentAttentionConfig(q_latent=32, kv_latent=64, nope=32, rope=32, value=64)
TINY = LatentAttentionConfig(q_latent=32, kv_latent=16, nope=16, rope=16, value=24)
ODD = LatentAttentionConfig(q_latent=32, kv_latent=17, nope=9, rope=6, value=7)


def _latent(past: Past, attention: LatentAttentionConfig, heads: int):
    tokens = sum(span.count for span in past.spans)
    query = _random(tokens, heads, attention.nope + attention.rope, seed=3)
    up = _random(heads, attention.nope + attention.value, attention.kv_latent, seed=4)
    up = (up * attention.kv_latent**-0.5).bfloat16()
    packed = look.pack_latent_up(up, nope=attention.nope, rope=attention.rope)
    found = look.latent_attention(query, packed, past.pages, past.table(), scale=SCALE)
    return query, up.double(), found


def _latent_twin(past: Past, attention, query, up) -> torch.Tensor:
    found = []
    for span, asked in zip(
        past.spans, query.double().split([s.count for s in past.spans]), strict=True
    ):
        entries = past.entries(span)
        mask = causal_mask(span.count, len(entries))
        found.append(
            latent_absorbed(
                asked[None], entries[None], up, nope=attention.nope, scale=SCALE, mask=mask
            )[0]
        )
    return torch.cat(found).float()


MIXED = [(0, 1), (17, 1), (300, 3), (0, 40), (15, 1), (16, 2), (250, 40), (511, 1), (0, 0)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("attention", "heads"), [(SMALL, 16), (SMALL, 32), (NANO, 4), (TINY, 3), (ODD, 5)]
)
def test_latent_attention_equals_its_definition_for_spans_of_all_kinds(attention, heads, kind, isa):
    past = _past(attention, kind, MIXED if heads < 32 else MIXED[:5], page_tokens=16)
    query, up, found = _latent(past, attention, heads)
    error = _allowed_error(kind, isa)
    assert_close(found, _latent_twin(past, attention, query, up), rtol=error, atol=error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("heads", "kv_heads", "dim"), [(16, 4, 128), (4, 4, 24), (6, 2, 10)])
def test_grouped_attention_equals_its_definition(heads, kv_heads, dim, kind, isa):
    attention = GroupedAttentionConfig(num_kv_heads=kv_heads, head_dim=dim)
    past = _past(attention, kind, MIXED, page_tokens=16)
    tokens = sum(span.count for span in past.spans)
    query = _random(tokens, heads, dim, seed=3)
    found = look.grouped_attention(query, past.pages, past.table(), kv_heads=kv_heads, scale=SCALE)
    expected = []
    for span, asked in zip(
        past.spans, query.double().split([s.count for s in past.spans]), strict=True
    ):
        keys, values = past.entries(span).unflatten(-1, (2, kv_heads, dim)).unbind(1)
        mask = causal_mask(span.count, len(keys))
        expected.append(attend(asked[None], keys[None], values[None], scale=SCALE, mask=mask)[0])
    error = _allowed_error(kind, isa)
    assert_close(found, torch.cat(expected).float(), rtol=error, atol=error)


@pytest.mark.parametrize("page_tokens", [1, 3, 7, 64])
def test_pages_may_have_any_size(page_tokens, isa):
    past = _past(NANO, "bf16", [(130, 1), (0, 20), (6, 3), (64, 1)], page_tokens)
    query, up, found = _latent(past, NANO, 4)
    error = _allowed_error("bf16", isa)
    assert_close(found, _latent_twin(past, NANO, query, up), rtol=error, atol=error)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 70)), max_size=4),
    st.sampled_from(KINDS),
    st.integers(1, 20),
    st.integers(1, 9),
)
def test_any_spans_in_any_pages_equal_the_definition(sizes, kind, page_tokens, heads):
    isa = ISAS[-1]
    past = _past(TINY, kind, sizes, page_tokens)
    query, up, found = _latent(past, TINY, heads)
    error = _allowed_error(kind, isa)
    if sizes:
        assert_close(found, _latent_twin(past, TINY, query, up), rtol=error, atol=error)


def test_tiles_of_bytes_lose_less_than_bf16(isa):
    past = _past(SMALL, "int8", [(700, 1), (255, 3), (31, 1)], page_tokens=16)
    query, up, found = _latent(past, SMALL, 32)
    expected = _latent_twin(past, SMALL, query, up)
    error = float((found - expected).norm() / expected.norm())
    assert error < [2e-6, 2e-6, 7e-3, 4.5e-3][isa]


def _look(
    past: Past,
    spans: list[Span],
    query: torch.Tensor,
    up: torch.Tensor,
    attention: LatentAttentionConfig = NANO,
) -> torch.Tensor:
    packed = look.pack_latent_up(up, nope=attention.nope, rope=attention.rope)
    return look.latent_attention(query, packed, past.pages, look.Table(spans), scale=SCALE)


def _asked(attention: LatentAttentionConfig, tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries of four heads, and the matrix up."""
    query = _random(tokens, 4, attention.nope + attention.rope, seed=1)
    return query, _random(4, attention.nope + attention.value, attention.kv_latent, seed=2)


@pytest.mark.parametrize("attention", [NANO, SMALL])
@pytest.mark.parametrize("kind", ["fp32", "bf16", "int8"])
def test_a_token_has_the_same_bits_alone_in_company_and_on_any_number_of_workers(kind, attention):
    past = _past(attention, kind, [(700, 1), (0, 300), (300, 2), (256, 1), (900, 50)], 16)
    query, up = _asked(attention, 354)
    together = _look(past, past.spans, query, up, attention)
    pool.set_workers(1)
    assert torch.equal(_look(past, past.spans, query, up, attention), together)
    pool.set_workers(0)
    first = 0
    for span in past.spans:
        mine = slice(first, first + span.count)
        assert torch.equal(_look(past, [span], query[mine], up, attention), together[mine])
        first += span.count


@pytest.mark.parametrize(
    ("attention", "kind", "start"),
    [(NANO, "bf16", 500), (NANO, "fp32", 8170), (SMALL, "bf16", 500), (SMALL, "int8", 8170)],
)
@pytest.mark.usefixtures("exactly")
def test_in_exact_mode_a_text_may_be_cut_into_spans_anyhow(attention, kind, start):
    """The later start is where ranges of keys become longer."""
    past = _past(attention, kind, [(start, 45)], 16)
    pages = past.spans[0].pages
    query, up = _asked(attention, 45)
    whole = _look(past, past.spans, query, up, attention)
    for cut in (1, 7):
        found = []
        for first in range(0, 45, cut):
            span = Span(start + first, min(cut, 45 - first), pages)
            found.append(_look(past, [span], query[first : first + cut], up, attention))
        assert torch.equal(torch.cat(found), whole)


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 2**31), st.sampled_from([1e-30, 1e-3, 1.0, 1e4]))
@settings(max_examples=10)
def test_what_is_written_has_the_bits_of_the_definition(kind, seed, size):
    cache, pages = _cache(NANO, kind, 3, 5)
    twin, _ = _cache(NANO, kind, 3, 5)
    entries = _random(8, 96, seed=seed) * size
    entries[3] = 0
    entries[4, :64] = torch.linspace(-1, 1, 64)
    look.write_cache(pages, look.Table([Span(2, 8, [2, 0])]), entries)
    rows = torch.tensor([12, 13, 14, 0, 1, 2, 3, 4])
    twin.write(0, rows, entries.to(twin.dtype))
    for mine, others in zip(cache._parts(), twin._parts(), strict=True):
        assert torch.equal(mine.view(torch.uint8), others.view(torch.uint8))
