"""Packed weights of the core and products with them, against plain torch in fp64."""

from collections.abc import Iterator
from ctypes import c_int64

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bise.model.quant import decode_fp8, decode_nvfp4, encode_fp8, encode_nvfp4, fp8_scale
from bise.ops.cpu import matrix as cpu
from bise.ops.cpu.library import core, library
from bise.ops.cpu.matrix import Gated, Matrix, Mixture, WeightType

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)
NATIVE = core()
PORTABLE, AVX2, AVX512, AMX = range(4)
ISAS = range(NATIVE.bise_best_isa() + 1)
TYPES = list(WeightType)
NAMES = [type.name for type in TYPES]
INTEGER = (WeightType.INT8, WeightType.INT4, WeightType.NVFP4)


@pytest.fixture(
    autouse=True,
    scope="module",
    params=ISAS,
    ids=["portable", "avx2", "avx512", "amx"][: len(ISAS)],
)
def isa(request: pytest.FixtureRequest) -> Iterator[int]:
    assert NATIVE.bise_use_isa(c_int64(request.param))
    yield request.param
    NATIVE.bise_use_isa(c_int64(ISAS[-1]))


@pytest.fixture
def exact() -> Iterator[None]:
    cpu.use_exact(True)
    yield
    cpu.use_exact(False)


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _packed(
    type: WeightType, outputs: int, inputs: int, *, seed: int = 0, is_gated: bool = False
) -> Matrix:
    """A random matrix whose outputs have about the size of its inputs."""
    weight = _random(outputs, inputs, seed=seed) * inputs**-0.5
    if type == WeightType.FP8:
        scale = fp8_scale(weight.abs().max())
        return cpu.pack(encode_fp8(weight, scale), type, scale=float(scale), is_gated=is_gated)
    if type == WeightType.NVFP4:
        made = encode_nvfp4(weight)
        scale = 1.0 / float(made.divisor)
        return cpu.pack(made.codes, type, scales=made.scales, scale=scale, is_gated=is_gated)
    return cpu.pack(weight, type, is_gated=is_gated)


def _width(type: WeightType, inputs: int) -> int:
    return (inputs + 15) // 16 * 16 if type == WeightType.NVFP4 else inputs


def _lost(x: Tensor, type: WeightType, isa: int) -> Tensor:
    """The most that rounding takes from each of the inputs, like x."""
    if type in INTEGER:
        padded = F.pad(x.abs(), (0, -x.shape[1] % 32)).unflatten(1, (-1, 32))
        steps = padded.amax(-1, keepdim=True) / 254
        rounded = steps.expand_as(padded).flatten(1)[:, : x.shape[1]]
    else:
        rounded = x.abs() * 2**-8 if isa >= AVX512 else torch.zeros_like(x)
    cut_off = x.abs() * (2**-7 + 2**-8) if isa == AMX else 0 * x  # weights and inputs of bf16
    return torch.maximum(rounded, cut_off) * 1.01 + x.abs() * 1e-5


def _assert_product(made: Tensor, x: Tensor, matrix: Matrix, isa: int) -> None:
    weight = cpu.unpack(matrix).double()
    lost = _lost(x, matrix.type, isa).double() @ weight.abs().T
    assert made.shape == lost.shape
    assert ((made - x.double() @ weight.T).abs() <= lost + 1e-30).all()


def _relative(made: Tensor, expected: Tensor) -> float:
    return float((made - expected).norm() / expected.norm().clamp(min=1e-30))


def _swiglu(x: Tensor, layer: Gated) -> Tensor:
    gate, up = (x.double() @ cpu.unpack(layer.gate_up).double().T).chunk(2, dim=-1)
    return (F.silu(gate) * up) @ cpu.unpack(layer.down).double().T


def _layer(type: WeightType, dim: int, width: int, seed: int) -> Gated:
    return Gated(
        _packed(type, 2 * width, dim, seed=2 * seed, is_gated=True),
        _packed(type, dim, width, seed=2 * seed + 1),
    )


def _mixture_error(type: WeightType, isa: int) -> float:
    """About twice what the rounding of inputs and hidden numbers explains."""
    if type in INTEGER:
        return 0.025
    return 0.008 if isa >= AVX512 else 1e-5


@pytest.mark.parametrize("is_gated", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bf16_weights_are_kept_as_they_are(dtype, is_gated):
    weight = _random(70, 45).to(dtype)
    kept = cpu.unpack(cpu.pack(weight, WeightType.BF16, is_gated=is_gated))
    assert torch.equal(kept, weight.bfloat16().float())


def test_released_codes_are_kept_as_they_are():
    weight = _random(50, 80)
    scale = fp8_scale(weight.abs().max())
    codes = encode_fp8(weight, scale)
    fp8 = cpu.pack(codes, WeightType.FP8, scale=float(scale))
    assert torch.equal(cpu.unpack(fp8), decode_fp8(codes, scale))
    made = encode_nvfp4(weight)
    nvfp4 = cpu.pack(
        made.codes, WeightType.NVFP4, scales=made.scales, scale=1.0 / float(made.divisor)
    )
    torch.testing.assert_close(cpu.unpack(nvfp4), decode_nvfp4(made), rtol=1e-6, atol=0.0)


@pytest.mark.parametrize("is_gated", [False, True])
def test_rounded_are_the_nearest_of_their_group(is_gated):
    weight = _random(36, 75)
    groups = F.pad(weight, (0, 21)).unflatten(1, (-1, 32))
    scale = (groups.abs().amax(-1, keepdim=True) / 127).half().float()
    nearest = ((groups / scale).round().clamp(-127, 127) * scale).flatten(1)[:, :75]
    kept = cpu.unpack(cpu.pack(weight, WeightType.INT8, is_gated=is_gated))
    assert (kept - weight).norm() <= (nearest - weight).norm() * 1.0001


@pytest.mark.parametrize("is_gated", [False, True])
def test_four_bits_lose_less_than_the_plain_choice_of_scales(is_gated):
    weight = _random(64, 256)
    groups = weight.unflatten(1, (-1, 32))
    extreme = groups.gather(-1, groups.abs().argmax(-1, keepdim=True))
    scale = (extreme / -8).half().float()
    plain = ((groups / scale).round().clamp(-8, 7) * scale).flatten(1)
    kept = cpu.unpack(cpu.pack(weight, WeightType.INT4, is_gated=is_gated))
    assert (kept - weight).norm() < 0.95 * (plain - weight).norm()


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_packing_writes_its_bytes_and_no_others(type):
    matrix = _packed(type, 33, _width(type, 65))
    assert matrix.packed.numel() == cpu.packed_bytes(type, 33, matrix.inputs)
    rooms = torch.full((matrix.packed.numel() + 128,), 77, dtype=torch.uint8)
    source = torch.zeros(33, matrix.inputs, dtype=torch.uint8 if type >= 3 else torch.float32)
    scales = torch.zeros(33, matrix.inputs, dtype=torch.uint8)
    NATIVE.bise_pack(
        *map(c_int64, (type, int(type) - 1 if type >= 3 else 0)),
        cpu.address(source),
        cpu.address(scales),
        None,
        *map(c_int64, (0, 33, matrix.inputs, 0)),
        cpu.address(rooms[64:-64]),
    )
    assert (rooms[:64] == 77).all() and (rooms[-64:] == 77).all()
    assert not (rooms[64:-64] == 77).any()


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
@given(st.integers(1, 100), st.integers(1, 150), st.integers(0, 40), st.integers(0, 5))
def test_a_product_equals_its_definition_at_any_size(type, isa, outputs, inputs, rows, gap):
    inputs = _width(type, inputs)
    matrix = _packed(type, outputs, inputs)
    x = _random(rows, inputs + gap, seed=1)[:, :inputs]
    _assert_product(cpu.product(x, matrix), x, matrix, isa)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 32, 33, 65, 700])
@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_a_product_equals_its_definition_for_few_rows_and_many(type, isa, rows):
    matrix = _packed(type, 96, 320)
    x = _random(rows, 320, seed=1)
    _assert_product(cpu.product(x, matrix), x, matrix, isa)


@pytest.mark.parametrize("rows", [1, 20])
def test_every_code_of_fp8_counts_what_it_should(rows):
    codes = torch.arange(256, dtype=torch.uint8)
    codes = torch.where(codes % 128 == 127, 0, codes)  # no number
    matrix = cpu.pack(codes.repeat(40, 1), WeightType.FP8)
    for first in range(0, 256, rows):
        x = torch.eye(256)[first : first + rows].contiguous()
        expected = codes[first : first + rows].view(torch.float8_e4m3fn).float()
        assert torch.equal(cpu.product(x, matrix), expected[:, None].expand(-1, 40))


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_nothing_times_anything_is_nothing(type):
    none = _packed(type, 40, 64)
    none.packed.zero_()
    if type in (WeightType.INT8, WeightType.INT4):
        none = cpu.pack(torch.zeros(40, 64), type)
    for rows in (1, 40):
        assert (cpu.product(torch.ones(rows, 64), none) == 0).all()
        assert (cpu.product(torch.zeros(rows, 64), _packed(type, 40, 64)) == 0).all()


def test_products_of_all_types_share_their_inputs(isa):
    matrices = [_packed(type, 30 + 10 * type, 96, seed=type) for type in TYPES]
    for rows in (1, 5, 50):
        x = _random(rows, 96, seed=9)
        for made, matrix in zip(cpu.products(x, matrices), matrices, strict=True):
            _assert_product(made, x, matrix, isa)


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
@pytest.mark.usefixtures("exact")
def test_exact_rows_do_not_depend_on_their_company(type):
    matrix, x = _packed(type, 70, 96), _random(90, 96)
    together = cpu.product(x, matrix)
    for first, last in [(0, 1), (1, 3), (3, 10), (10, 30), (30, 90)]:
        assert torch.equal(cpu.product(x[first:last], matrix), together[first:last])


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_rows_do_not_depend_on_their_company_where_there_are_many(type):
    matrix, x = _packed(type, 70, 32 * 21), _random(230, 32 * 21)
    many = cpu.product(x, matrix)
    for first, last in [(0, 16), (1, 34), (50, 90), (5, 225)]:
        assert torch.equal(cpu.product(x[first:last], matrix), many[first:last])


@pytest.mark.parametrize("rows", [5, 15, 20, 33, 48])
@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_panels_that_are_read_together_have_the_bits_of_each_alone(type, rows):
    """More panels than a call takes, and an odd number of groups."""
    outputs, inputs = 32 * 19 - 7, 32 * 21
    weight, x = _random(outputs, inputs) / 25, _random(rows, inputs, seed=1)
    if type == WeightType.FP8:
        codes = encode_fp8(weight, fp8_scale(torch.tensor(1.0)))
        pieces = [cpu.pack(part, type, scale=0.5) for part in (codes, *codes.split(32))]
    elif type == WeightType.NVFP4:
        made = encode_nvfp4(weight)
        parts = zip(made.codes.split(32), made.scales.split(32), strict=True)
        every = [(made.codes, made.scales), *parts]
        pieces = [cpu.pack(codes, type, scales=scales, scale=0.5) for codes, scales in every]
    else:
        pieces = [cpu.pack(part, type) for part in (weight, *weight.split(32))]
    together, *alone = [cpu.product(x, one) for one in pieces]
    assert torch.equal(together, torch.cat(alone, dim=1))


@pytest.mark.parametrize("dim, width", [(64, 32), (50, 17), (96, 48), (33, 40)])
@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_a_feed_forward_equals_its_definition(type, isa, dim, width):
    dim, width = _width(type, dim), _width(type, width)
    layer = _layer(type, dim, width, seed=0)
    for rows in (0, 1, 3, 7, 40):
        x = _random(rows, dim, seed=1)
        made = cpu.feed_forward(x, layer)
        assert made.shape == (rows, dim)
        assert _relative(made, _swiglu(x, layer)) < _mixture_error(type, isa)


def _mixed(x: Tensor, mixture: Mixture, choice: Tensor, weights: Tensor) -> Tensor:
    total = _swiglu(x, mixture.shared) if mixture.shared else torch.zeros(x.shape).double()
    for expert, layer in enumerate(mixture.experts):
        said = _swiglu(x, layer)
        total += said * (weights.double() * (choice == expert)).sum(-1, keepdim=True)
    return total


def _routed(rows: int, topk: int, num_experts: int, seed: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(rows, num_experts, generator=generator)
    kept, choice = scores.topk(topk)
    return choice.int(), kept.softmax(-1)


@pytest.mark.parametrize("has_shared", [True, False])
@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_a_mixture_equals_its_definition(type, isa, has_shared):
    layers = [_layer(type, 64, 48, seed=seed) for seed in range(7)]
    mixture = Mixture(layers[:6], layers[6] if has_shared else None)
    for rows in (0, 1, 2, 5, 24, 130):
        x = _random(rows, 64, seed=1)
        choice, weights = _routed(rows, 2, 6)
        made = mixture(x, choice, weights)
        expected = _mixed(x, mixture, choice, weights)
        assert _relative(made, expected) < _mixture_error(type, isa)


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_experts_may_be_idle_or_chosen_by_all(type, isa):
    mixture = Mixture([_layer(type, 64, 32, seed=seed) for seed in range(4)])
    x = _random(50, 64)
    choice = torch.tensor([[3, 1]]).expand(50, -1).int().contiguous()
    weights = torch.rand(50, 2, generator=torch.Generator().manual_seed(5))
    made = mixture(x, choice, weights)
    assert _relative(made, _mixed(x, mixture, choice, weights)) < _mixture_error(type, isa)


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
@pytest.mark.usefixtures("exact")
def test_exact_mixtures_do_not_depend_on_who_shares_the_pass(type):
    layers = [_layer(type, 64, 32, seed=seed) for seed in range(5)]
    mixture = Mixture(layers[:4], layers[4])
    x, (choice, weights) = _random(60, 64), _routed(60, 2, 4)
    together = mixture(x, choice, weights)
    for rows in (slice(0, 1), slice(7, 12), slice(12, 60)):
        assert torch.equal(mixture(x[rows], choice[rows], weights[rows]), together[rows])


@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_results_do_not_depend_on_the_number_of_workers(type):
    layers = [_layer(type, 160, 96, seed=seed) for seed in range(5)]
    mixture = Mixture(layers[:4], layers[4])
    x, (choice, weights) = _random(70, 160), _routed(70, 2, 4)
    with_all = mixture(x, choice, weights)
    NATIVE.bise_set_workers(c_int64(1))
    try:
        assert torch.equal(mixture(x, choice, weights), with_all)
    finally:
        NATIVE.bise_set_workers(c_int64(0))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 4, 300])
@pytest.mark.parametrize("type", TYPES, ids=NAMES)
def test_products_of_real_sizes_equal_their_definition(type, isa, rows):
    matrix = _packed(type, 2048, 4096)
    x = _random(rows, 4096, seed=1)
    made, expected = cpu.product(x, matrix), x.double() @ cpu.unpack(matrix).double().T
    assert _relative(made, expected) < (0.007 if type in INTEGER else 0.0025)
    _assert_product(made, x, matrix, isa)
