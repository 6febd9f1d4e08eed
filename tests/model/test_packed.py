"""A packed network computes what the plain one does, on every instruction set."""

from ctypes import c_int64

import pytest
import torch
from model_shapes import SHAPES

from bise.errors import UserError
from bise.model import load_network, open_checkpoint, save_checkpoint
from bise.model.cache import make_cache
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromCheckpoint, FromNetwork, FromRandom
from bise.model.paged import Span
from bise.model.random_weights import write_random
from bise.ops.cpu.library import ISAS, core
from bise.ops.cpu.look import Pages
from bise.ops.cpu.network import Caches

BEST = core().bise_best_isa()
FP32 = ISAS.index("avx2")
"""Up to this variant, bf16 weights are multiplied with fp32 numbers."""


@pytest.fixture(params=range(BEST + 1), ids=lambda isa: ISAS[isa])
def isa(request):
    core().bise_use_isa(c_int64(request.param))
    yield request.param
    core().bise_use_isa(c_int64(BEST))


def rounded(network):
    """Its weights as bf16 numbers, in fp32."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.bfloat16().float())
    return network


@pytest.fixture(scope="module", params=SHAPES)
def plain(request, fill):
    return rounded(fill(SHAPES[request.param]))


class Reader:
    """Reads texts with a packed network, in pieces of any size."""

    def __init__(self, packed: PackedNetwork):
        self.packed = packed
        cache = make_cache(packed.config, 12, 8, dtype=torch.float32)
        self.caches = Caches([Pages(layer, 0) for layer in cache.entries])

    def read(self, ids: list[int], pieces: list[int], **options) -> torch.Tensor:
        pages, start, found = [3, 11, 0, 7, 5, 2], 0, []
        for count in pieces:
            span = Span(start, count, pages)
            part = ids[start : start + count]
            passed = self.packed.core.run(part, [span], self.caches, range(count), **options)
            found.append(passed.logits)
            start += count
        return torch.cat(found)


def off(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def ids_for(network, count: int = 40) -> list[int]:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(20, network.config.vocab_size, (count,), generator=generator).tolist()


@pytest.mark.parametrize("pieces", [[40], [1] * 40, [17, 1, 22]], ids=["whole", "single", "mixed"])
def test_logits_are_those_of_the_definition(plain, isa, pieces):
    ids = ids_for(plain)
    found = Reader(PackedNetwork(FromNetwork(plain))).read(ids, pieces)
    expected = plain.read(torch.tensor(ids))
    if isa <= FP32:
        assert off(found, expected) < 1e-5
    else:  # products round to bf16, and a close choice of experts may turn
        closest = (found - expected).abs().amax(-1) / expected.abs().amax()
        assert closest.median() < 0.06


@pytest.mark.parametrize("pieces", [[1] * 40, [40], [23, 17]])
def test_exact_passes_give_the_same_bits_however_a_text_is_cut(plain, isa, pieces):
    ids, reader = ids_for(plain), Reader(PackedNetwork(FromNetwork(plain)))
    whole = reader.read(ids, [8, 32], is_exact=True)
    assert torch.equal(reader.read(ids, pieces, is_exact=True), whole), ISAS[isa]


def test_exactness_ends_with_its_pass(fill):
    """A thread that wants other products for itself has them again afterwards."""
    network = rounded(fill(SHAPES["small3-text"]))
    packed = PackedNetwork(FromNetwork(network))
    rows = torch.randn(64, network.config.dim, generator=torch.Generator().manual_seed(0))
    before = packed.logits(rows)
    Reader(packed).read(ids_for(packed), [40], is_exact=True)
    assert torch.equal(packed.logits(rows), before)


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_fewer_bits_cost_what_they_should(fill, isa, kind):
    """Of dense networks: with experts, another choice of them is the larger difference."""
    network = rounded(fill(SHAPES["small3-text"]))
    ids = ids_for(network)
    found = Reader(PackedNetwork(FromNetwork(network), kind)).read(ids, [40])
    expected = network.read(torch.tensor(ids))
    far = (found - expected).square().mean().sqrt() / expected.std()
    assert far < {"int8": 0.06, "int4": 0.6}[kind], ISAS[isa]


@pytest.mark.parametrize("layout", ["native", "hf"])
@pytest.mark.parametrize("quant", ["none", "fp8", "nvfp4"])
def test_checkpoints_are_packed_as_they_are_stored(plain, layout, quant, tmp_path):
    if quant == "nvfp4" and (layout == "hf" or plain.config.experts is None):
        with pytest.raises(UserError):  # it is for experts, and in native files only
            save_checkpoint(tmp_path, plain, plain.config, layout=layout, quant=quant)
        return
    wide = {"dtype": torch.bfloat16}
    folder = save_checkpoint(tmp_path, plain, plain.config, layout=layout, quant=quant, **wide)
    packed = PackedNetwork(FromCheckpoint(open_checkpoint(folder)))
    ids = ids_for(plain)
    core().bise_use_isa(c_int64(min(FP32, BEST)))
    found = Reader(packed).read(ids, [40])
    core().bise_use_isa(c_int64(BEST))
    loaded = load_network(folder, torch.float32, layout)
    with torch.no_grad():  # the core keeps what multiplies latents up in bf16
        for name, weight in loaded.named_parameters():
            if name.endswith("kv_up.weight"):
                weight.copy_(weight.bfloat16().float())
    expected = loaded.read(torch.tensor(ids))
    if quant != "nvfp4":
        assert off(found, expected) < 2e-5
        return
    # Its products take inputs in 8 bits, and an expert chosen by a hair may then be another one.
    rows = [off(one, other) for one, other in zip(found, expected, strict=True)]
    assert sorted(rows)[-2] < 0.1, "of 40 tokens one may see another expert"


def test_pictures_stand_where_their_tokens_do(fill):
    network = rounded(fill(SHAPES["small4"]))
    config = network.config
    side = config.vision.patch * config.vision.merge
    picture = torch.randn(3, 2 * side, 3 * side, generator=torch.Generator().manual_seed(2))
    ids = [1, 30, *[config.image_token] * 6, 31, 32, 33]
    packed = PackedNetwork(FromNetwork(network))
    core().bise_use_isa(c_int64(min(FP32, BEST)))
    vectors = packed.see([picture])
    found = Reader(packed).read(ids, [11], vectors=vectors, vector_rows=range(2, 8))
    core().bise_use_isa(c_int64(BEST))
    assert off(found, network.read(torch.tensor(ids), [picture])) < 1e-5


def test_hidden_states_and_choices_of_experts_are_told(plain):
    ids = ids_for(plain, 12)
    packed = PackedNetwork(FromNetwork(plain))
    cache = make_cache(plain.config, 4, 8, dtype=torch.float32)
    caches = Caches([Pages(layer, 0) for layer in cache.entries])
    has_experts = plain.config.experts is not None
    core().bise_use_isa(c_int64(min(FP32, BEST)))
    told = packed.core.run(
        ids, [Span(0, 12, [1, 2])], caches, [11], wants_hidden=True, wants_routing=has_experts
    )
    logits = packed.logits(told.hidden)
    core().bise_use_isa(c_int64(BEST))
    expected = plain.read(torch.tensor(ids))
    assert off(logits, expected) < 1e-5
    assert off(told.logits, expected[-1:]) < 1e-5
    if has_experts:
        experts = plain.config.experts
        assert told.routing.shape == (12, plain.config.num_layers, experts.topk)
        assert 0 <= int(told.routing.min()) <= int(told.routing.max()) < experts.num


def test_random_weights_are_those_that_would_be_written(tmp_path):
    config = SHAPES["small4"]
    folder = write_random(config, tmp_path / "made", seed=5)
    written = PackedNetwork(FromCheckpoint(open_checkpoint(folder)))
    drawn = PackedNetwork(FromRandom(config, 5))
    ids = ids_for(written)
    assert torch.equal(Reader(written).read(ids, [40]), Reader(drawn).read(ids, [40]))
    picture = torch.zeros(3, 28, 28)
    assert torch.equal(written.see([picture]), drawn.see([picture]))
