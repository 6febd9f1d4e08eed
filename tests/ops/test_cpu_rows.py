"""The core's rows against plain torch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from bise.model.experts import route as route_plain
from bise.ops.cpu import rows
from bise.ops.cpu.library import library
from bise.ops.norm import rms_norm_plain
from bise.ops.rotation import rotate_plain

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)
pytestmark = pytest.mark.usefixtures("isa")


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 40), st.integers(1, 300), st.integers(0, 3))
def test_norm_equals_its_definition_at_any_size_and_stride(count, dim, gap):
    x, weight = _random(count, dim + gap)[:, :dim], _random(dim, seed=1)
    assert_close(
        rows.rms_norm(x, weight, 1e-5), rms_norm_plain(x, weight, 1e-5), rtol=1e-5, atol=1e-6
    )


def test_norm_works_in_place_and_on_many_rows():
    x, weight = _random(700, 512), _random(512, seed=1)
    expected = rms_norm_plain(x, weight, 1e-6)
    rows.rms_norm(x, weight, 1e-6, out=x)
    assert_close(x, expected, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 9), st.integers(1, 5), st.integers(1, 140), st.integers(0, 7))
def test_rotation_equals_its_definition_and_leaves_the_rest_alone(count, heads, pairs, still):
    whole = _random(count, heads, still + 2 * pairs)
    angles = _random(count, pairs, seed=1)
    expected = whole.clone()
    cos, sin = angles.cos(), angles.sin()
    expected[..., still:] = rotate_plain(expected[..., still:], cos[:, None], sin[:, None])
    rows.rotate(whole[..., still:], cos, sin)
    assert_close(whole, expected)


@given(st.integers(0, 40), st.integers(1, 130), st.integers(1, 40), st.data())
def test_route_equals_its_definition(count, dim, experts, data):
    topk = data.draw(st.integers(1, experts))
    x, gate = _random(count, dim), _random(experts, dim, seed=1)
    weights, choice = rows.route(x, gate, topk)
    plain, plain_choice, _ = route_plain(x.double(), gate.double(), topk)
    assert torch.equal(choice.long(), plain_choice)
    assert_close(weights, plain.float(), rtol=1e-4, atol=1e-5)


def test_route_gives_ties_to_the_lower_index():
    gate = _random(3, 64).repeat(4, 1)  # experts 0, 3, 6 and 9 are the same
    x = gate[:1].repeat(2, 1)
    _, choice = rows.route(x, gate, 4)
    assert choice.tolist() == [[0, 3, 6, 9]] * 2


def test_route_of_a_row_has_the_same_bits_alone_and_in_company():
    x, gate = _random(70, 256), _random(64, 256, seed=1)
    weights, choice = rows.route(x, gate, 4)
    for row in (0, 1, 15, 16, 17, 69):
        alone, alone_choice = rows.route(x[row : row + 1], gate, 4)
        assert torch.equal(alone[0], weights[row]) and torch.equal(alone_choice[0], choice[row])


def test_route_survives_logits_that_are_no_numbers():
    x, gate = torch.full((2, 8), torch.nan), _random(5, 8)
    _, choice = rows.route(x, gate, 3)
    assert ((choice >= 0) & (choice < 5)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_embedding_is_the_row_of_the_table(dtype):
    table = _random(50, 33).to(dtype)
    ids = torch.tensor([3, 49, 0, 3])
    assert torch.equal(rows.embed(table, ids), table[ids].float())
    assert rows.embed(table, ids[:0]).shape == (0, 33)
