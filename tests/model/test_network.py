import pytest
import torch
from model_shapes import SHAPES, latent

from bise.errors import UserError
from bise.model.cache import CacheKind, PagedCache, make_cache
from bise.model.network import Network
from bise.model.paged import PagedSight, Span
from bise.model.sight import PackedRows

CLOSE = {"rtol": 1e-4, "atol": 2e-5}
LATENT = ["small4", "small4-text"]


def text(seed: int, length: int) -> torch.Tensor:
    return torch.randint(14, 128, (length,), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def logits(network: Network, ids: torch.Tensor, sight: PackedRows, positions=None) -> torch.Tensor:
    positions = torch.arange(len(ids)) if positions is None else positions
    return network.logits(network(ids, positions, sight))


PAGE_TOKENS = 4


def cache_of(network: Network, num_pages: int, kind: CacheKind = "plain") -> PagedCache:
    return make_cache(network.config, num_pages, PAGE_TOKENS, kind=kind, dtype=torch.float32)


def paged(network: Network, cache: PagedCache, spans: list[Span], texts: list[torch.Tensor]):
    """Logits of the new tokens of each span, in the order of the spans."""
    sight = PagedSight(cache, spans)
    parts = [texts[i][spans[i].start : spans[i].start + spans[i].count] for i in sight.order]
    rows = network.logits(network(torch.cat(parts), sight.positions(), sight))
    split = rows.split([len(part) for part in parts])
    return [split[sight.order.index(i)] for i in range(len(spans))]


@pytest.mark.parametrize("name", LATENT)
def test_expanded_equals_absorbed(name, fill):
    network, ids = fill(SHAPES[name]), text(0, 50)
    expanded = logits(network, ids, PackedRows(1, 50, form="expanded"))
    absorbed = logits(network, ids, PackedRows(1, 50, form="absorbed"))
    torch.testing.assert_close(expanded, absorbed, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("chunks", [[40], [1, 39], [17, 3, 20], [1] * 40, [9, 31]])
def test_reading_in_chunks_equals_one_pass(config, chunks, fill):
    network, ids = fill(config), text(2, 40)
    cache, pages = cache_of(network, 12), [11, 3, 5, 0, 7, 2, 9, 1, 4, 10]
    rows, start = [], 0
    for chunk in chunks:
        rows += paged(network, cache, [Span(start, chunk, pages)], [ids])
        start += chunk
    torch.testing.assert_close(torch.cat(rows), network.read(ids), **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize(("kind", "bound"), [("int8", 0.02), ("fp8", 0.1)])
def test_a_cache_of_bytes_reads_nearly_the_same(config, kind, bound, fill):
    network, ids = fill(config), text(2, 40)
    cache, pages, rows = cache_of(network, 12, kind), list(range(12)), []
    for start, count in ((0, 20), (20, 19), (39, 1)):
        rows += paged(network, cache, [Span(start, count, pages)], [ids])
    found, exact = torch.cat(rows), network.read(ids)
    error = (found - exact).norm() / exact.norm()
    assert 0 < error < bound
    plain = cache_of(network, 12)
    assert cache.size_bytes < 0.5 * plain.size_bytes


@torch.no_grad()
def test_many_conversations_in_one_pass_equal_each_alone(config, fill):
    """Long chunks, single tokens and short drafts together, in scattered pages."""
    network = fill(config)
    texts = [text(n, length) for n, length in enumerate((20, 9, 32, 30, 18))]
    cache = cache_of(network, 40)
    pages = [list(range(i, 40, 5)) for i in range(5)]
    known = [19, 8, 0, 27, 15]
    before = [Span(0, n, pages[i]) for i, n in enumerate(known) if n]
    paged(network, cache, before, [texts[i] for i, n in enumerate(known) if n])
    spans = [Span(n, len(texts[i]) - n, pages[i]) for i, n in enumerate(known)]
    together = paged(network, cache, spans, texts)
    for ids, span, found in zip(texts, spans, together, strict=True):
        torch.testing.assert_close(found, network.read(ids)[span.start :], **CLOSE)


def test_samples_packed_into_rows_equal_each_alone(config, fill):
    network = fill(config)
    lengths = [[12, 20, 8], [40]]
    samples = torch.stack(
        [torch.arange(len(row)).repeat_interleave(torch.tensor(row)) for row in lengths]
    )
    texts = [[text(10 * i + j, n) for j, n in enumerate(row)] for i, row in enumerate(lengths)]
    ids = torch.cat([torch.cat(row) for row in texts])
    positions = torch.cat([torch.arange(n) for row in lengths for n in row])
    found = logits(network, ids, PackedRows(2, 40, samples), positions)
    alone = torch.cat([network.read(one) for row in texts for one in row])
    torch.testing.assert_close(found, alone, **CLOSE)


@torch.no_grad()
def test_pictures_together_equal_each_alone(fill):
    network = fill(SHAPES["small4"])
    generator = torch.Generator().manual_seed(0)
    sizes = [(56, 84), (28, 28), (84, 56), (56, 84), (140, 28)]
    images = [torch.randn(3, *size, generator=generator) for size in sizes]
    alone = torch.cat([network.see([image]) for image in images])
    torch.testing.assert_close(network.see(images), alone, **CLOSE)
    assert len(alone) == sum(h * w // 28**2 for h, w in sizes)


@torch.no_grad()
def test_picture_vectors_stand_where_their_tokens_are_and_nowhere_else(fill):
    network = fill(SHAPES["small4"])
    ids = text(0, 20)
    ids[[3, 4, 9]] = network.config.image_token
    plain = network.embed(ids)
    vectors = torch.randn(3, network.config.dim)
    mixed = network.splice(ids, plain, vectors)
    assert torch.equal(mixed[[3, 4, 9]], vectors)
    others = [place for place in range(20) if place not in (3, 4, 9)]
    assert torch.equal(mixed[others], plain[others])


def test_pictures_that_do_not_fit_the_prompt_are_refused(fill):
    network = fill(SHAPES["small4"])
    ids = text(0, 20)
    ids[3] = network.config.image_token
    with pytest.raises(UserError, match="the prompt has 1 image tokens, its pictures 6"):
        network.read(ids, [torch.zeros(3, 56, 84)])
    with pytest.raises(UserError, match="no vision tower"):
        fill(SHAPES["small3-text"]).see([torch.zeros(3, 28, 28)])


def test_a_shape_that_cannot_be_is_refused():
    with pytest.raises(UserError, match="`num_heads` is 0"):
        latent(num_heads=0)
    with pytest.raises(UserError, match="no feed-forward"):
        latent(experts=None)
