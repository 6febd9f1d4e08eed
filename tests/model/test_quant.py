import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bise.model.quant import (
    Packed,
    decode_fp8,
    decode_nvfp4,
    encode_fp8,
    encode_nvfp4,
    fp8_scale,
)


def e4m3(code: int) -> float:
    """An 8-bit float from its bits: sign, four of exponent (bias 7), three of mantissa."""
    sign = -1.0 if code & 0x80 else 1.0
    exponent, mantissa = code >> 3 & 15, code & 7
    if exponent == 15 and mantissa == 7:
        return float("nan")
    if exponent == 0:
        return sign * mantissa / 8 * 2.0**-6
    return sign * (1 + mantissa / 8) * 2.0 ** (exponent - 7)


def e2m1(code: int) -> float:
    """A 4-bit float from its bits: sign, two of exponent (bias 1), one of mantissa."""
    sign = -1.0 if code & 8 else 1.0
    exponent, mantissa = code >> 1 & 3, code & 1
    if exponent == 0:
        return sign * mantissa / 2
    return sign * (1 + mantissa / 2) * 2.0 ** (exponent - 1)


def decode_nvfp4_plain(packed: Packed) -> list[list[float]]:
    """The definition of `decode_nvfp4`, number by number."""
    groups = packed.scales.view(torch.uint8).tolist()
    rows = []
    for row, scales in zip(packed.codes.tolist(), groups, strict=True):
        codes = [code for byte in row for code in (byte & 15, byte >> 4)]
        rows.append(
            [
                e2m1(code) * e4m3(scales[column // 16]) / float(packed.divisor)
                for column, code in enumerate(codes)
            ]
        )
    return rows


def test_every_fp8_code_decodes_to_its_definition():
    codes = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn)
    found = decode_fp8(codes, torch.tensor(0.5))
    wanted = torch.tensor([0.5 * e4m3(code) for code in range(256)])
    torch.testing.assert_close(found, wanted, rtol=0, atol=0, equal_nan=True)


def test_fp8_encoding_takes_the_nearest_code():
    scale = torch.tensor(0.01)
    values = torch.randn(200, generator=torch.Generator().manual_seed(0))
    every = torch.tensor([e4m3(code) for code in range(256) if code & 0x7F != 0x7F]) * scale
    nearest = (values[:, None] - every).abs().amin(-1)
    error = (decode_fp8(encode_fp8(values, scale), scale) - values).abs()
    torch.testing.assert_close(error, nearest, rtol=1e-5, atol=1e-7)


def test_fp8_clamps_what_lies_beyond_its_largest_number():
    scale = torch.tensor(1.0)
    codes = encode_fp8(torch.tensor([1e6, -1e6, 460.0]), scale)
    assert decode_fp8(codes, scale).tolist() == [448.0, -448.0, 448.0]


def test_the_fp8_scale_of_nothing_is_one():
    assert float(fp8_scale(0.0)) == 1.0
    assert fp8_scale(torch.tensor(448.0)).dtype == torch.bfloat16
    assert float(fp8_scale(torch.tensor(448.0))) == 1.0


def test_fp8_loses_at_most_a_sixteenth_of_each_number():
    matrix = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    scale = fp8_scale(matrix.abs().amax())
    error = (decode_fp8(encode_fp8(matrix, scale), scale) - matrix).abs()
    smallest = float(scale) * 2.0**-9
    assert bool((error <= matrix.abs() / 16 + smallest).all())


def test_nvfp4_decodes_to_its_definition():
    generator = torch.Generator().manual_seed(0)
    packed = Packed(
        codes=torch.randint(0, 256, (3, 32), dtype=torch.uint8, generator=generator),
        scales=torch.randint(0, 127, (3, 4), dtype=torch.uint8, generator=generator).view(
            torch.float8_e4m3fn
        ),
        divisor=torch.tensor([3.5]),
    )
    torch.testing.assert_close(
        decode_nvfp4(packed), torch.tensor(decode_nvfp4_plain(packed)), rtol=1e-6, atol=0
    )


def test_the_low_half_of_a_byte_is_the_even_column():
    packed = Packed(
        codes=torch.tensor([[0x72, *[0] * 7]], dtype=torch.uint8),
        scales=torch.ones(1, 1).to(torch.float8_e4m3fn),
        divisor=torch.ones(1),
    )
    assert decode_nvfp4(packed)[0, :2].tolist() == [1.0, 6.0]


def test_numbers_nvfp4_can_say_survive_it():
    values = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0] * 2).repeat(2, 2)
    values[:, ::3] *= -1
    values[1] *= 0.25
    torch.testing.assert_close(decode_nvfp4(encode_nvfp4(values)), values, rtol=1e-6, atol=0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.sampled_from([1e-6, 0.02, 1.0, 300.0]))
def test_nvfp4_takes_the_nearest_code_of_the_scale_it_chose(seed, spread):
    matrix = torch.randn(4, 64, generator=torch.Generator().manual_seed(seed)) * spread
    packed = encode_nvfp4(matrix)
    found = decode_nvfp4(packed)
    steps = (packed.scales.float() / packed.divisor).repeat_interleave(16, dim=1)
    magnitudes = torch.tensor([e2m1(code) for code in range(16)])
    best = (matrix[..., None] - magnitudes * steps[..., None]).abs().amin(-1)
    error = (found - matrix).abs()
    assert bool((error <= best * (1 + 1e-4) + 1e-6 * spread).all())


@pytest.mark.parametrize("value", [0.0, 1e-30, -2.5])
def test_nvfp4_takes_matrices_of_one_value(value):
    matrix = torch.full((2, 32), value)
    found = decode_nvfp4(encode_nvfp4(matrix))
    assert bool(torch.isfinite(found).all())
    torch.testing.assert_close(found, matrix, rtol=0.07, atol=1e-20)
