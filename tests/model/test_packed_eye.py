"""The eye on the core's kernels sees what the plain one does, on every instruction set."""

from ctypes import c_int64
from dataclasses import replace
from threading import Thread

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_shapes import SHAPES

from bise.errors import UserError
from bise.model import load_network, locate
from bise.model.config import VisionConfig
from bise.model.network import Network
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromNetwork
from bise.ops.cpu.library import ISAS, core, library
from bise.ops.cpu.pool import num_workers, set_workers

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)

BEST = core().bise_best_isa()
FP32 = ISAS.index("avx2")
"""Up to this variant, bf16 weights are multiplied with fp32 numbers."""

EYES = {
    "usual": SHAPES["small4"].vision,
    "odd": VisionConfig(dim=36, num_layers=2, num_heads=3, mlp_dim=50, patch=5, merge=3),
    "one patch a token": VisionConfig(dim=64, num_layers=1, num_heads=1, mlp_dim=33, merge=1),
    "no layers to speak of": VisionConfig(dim=8, num_layers=1, num_heads=2, mlp_dim=1, patch=1),
    "wide heads": VisionConfig(dim=160, num_layers=1, num_heads=1, mlp_dim=64, patch=3),
}


@pytest.fixture(params=range(BEST + 1), ids=lambda isa: ISAS[isa])
def isa(request):
    core().bise_use_isa(c_int64(request.param))
    yield request.param
    core().bise_use_isa(c_int64(BEST))


@pytest.fixture
def two_workers():
    set_workers(2)
    yield
    set_workers(0)


def rounded(network: Network) -> Network:
    """Its weights as bf16 numbers, in fp32."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.bfloat16().float())
    return network


@pytest.fixture(scope="module", params=EYES)
def plain(request, fill) -> Network:
    return rounded(fill(replace(SHAPES["small3"], vision=EYES[request.param])))


@pytest.fixture(scope="module")
def usual(fill) -> Network:
    return rounded(fill(SHAPES["small4"]))


def picture(network: Network, rows: int, cols: int, seed: int = 0) -> torch.Tensor:
    """A picture of so many tokens."""
    vision = network.config.vision
    side = vision.patch * vision.merge
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(vision.num_channels, rows * side, cols * side, generator=generator)


def off(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def allowed(isa: int) -> float:
    return 1e-5 if isa <= FP32 else 0.03  # products that round to bf16, and random weights


@pytest.mark.parametrize("sizes", [[(1, 1)], [(1, 7)], [(5, 3)], [(3, 2), (1, 1), (2, 3), (3, 2)]])
def test_vectors_are_those_of_the_definition(plain, isa, sizes):
    pictures = [picture(plain, *size, seed) for seed, size in enumerate(sizes)]
    with torch.no_grad():
        expected = plain.see(pictures)
    found = PackedNetwork(FromNetwork(plain)).see(pictures)
    assert found.shape == expected.shape and found.dtype == torch.float32
    assert off(found, expected) < allowed(isa)


@pytest.mark.usefixtures("two_workers")
def test_a_large_picture_is_cut_into_spans_and_chunks(usual, isa):
    """2,160 patches: three spans a head, three chunks of rows."""
    large = picture(usual, 30, 18)
    with torch.no_grad():
        expected = usual.see([large])
    assert off(PackedNetwork(FromNetwork(usual)).see([large]), expected) < allowed(isa)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=5))
def test_pictures_of_any_sizes_do_not_see_each_other(usual, sizes):
    packed = PackedNetwork(FromNetwork(usual))
    pictures = [picture(usual, *size, seed) for seed, size in enumerate(sizes)]
    together = packed.see(pictures, is_exact=True)
    alone = torch.cat([packed.see([one]) for one in pictures])
    assert torch.equal(together, alone), "exact bits depend on company"
    assert off(packed.see(pictures), together) < allowed(BEST)


@pytest.mark.usefixtures("isa")
def test_bits_do_not_depend_on_the_number_of_workers(usual):
    packed, some = PackedNetwork(FromNetwork(usual)), picture(usual, 20, 15)
    found = []
    for workers in (1, num_workers()):
        set_workers(workers)
        found.append(packed.see([some]))
    set_workers(0)
    assert torch.equal(*found)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("kind", ["stored", "bf16", "int8", "int4"])
def test_nano_sees_alike_with_every_kind_of_weights(kind):
    nano = load_network(locate("nano"), torch.float32)
    some = [picture(nano, 3, 3, seed).clamp(-1, 1) for seed in range(3)]
    with torch.no_grad():
        expected = nano.see(some)
        in_bf16 = load_network(locate("nano"), torch.bfloat16).see([one.bfloat16() for one in some])
    error = off(PackedNetwork(FromNetwork(nano), kind).see(some), expected)
    assert error < (off(in_bf16.float(), expected) if kind in ("stored", "bf16") else 0.02), error


def test_eyes_of_several_threads_and_of_none(usual):
    packed, wrong = PackedNetwork(FromNetwork(usual)), []
    pictures = {size: picture(usual, *size) for size in ((1, 2), (4, 9), (12, 8))}
    alone = {size: packed.see([one]) for size, one in pictures.items()}

    def again(size: tuple[int, int]) -> None:
        wrong.extend(
            size for _ in range(20) if not torch.equal(packed.see([pictures[size]]), alone[size])
        )

    threads = [Thread(target=again, args=(size,)) for size in pictures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert packed.see([]).shape == (0, usual.config.dim)


def test_a_network_without_an_eye_says_so(fill):
    packed = PackedNetwork(FromNetwork(fill(SHAPES["small4-text"])))
    with pytest.raises(UserError, match="no vision tower"):
        packed.see([torch.zeros(3, 28, 28)])


@pytest.mark.parametrize(
    "shape", [(3, 27, 28), (3, 28, 42), (1, 28, 28), (3, 0, 28), (28, 28), (1, 3, 28, 28)]
)
def test_pictures_that_are_none_are_refused(usual, shape):
    with pytest.raises(ValueError, match="a picture is"):
        PackedNetwork(FromNetwork(usual)).see([torch.zeros(shape)])
