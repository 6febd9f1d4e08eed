"""Every function with a hand-written gradient against its plain twin under autograd."""

import pytest
import torch
from torch.testing import assert_close

from bise.ops.attention import causal_mask, latent_absorbed, latent_expanded
from bise.ops.cross_entropy import cross_entropy, cross_entropy_plain
from bise.ops.norm import rms_norm, rms_norm_plain
from bise.ops.orthogonal import orthogonalise, orthogonalise_plain
from bise.ops.rotation import rotate, rotate_plain


def _random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype)


def test_rms_norm_and_its_gradient_equal_the_plain_ones():
    x = _random(3, 5, 16, dtype=torch.float32).requires_grad_()
    weight = _random(16, dtype=torch.float32).requires_grad_()
    push = _random(3, 5, 16, seed=1, dtype=torch.float32)
    fast, plain = rms_norm(x, weight, 1e-6), rms_norm_plain(x, weight, 1e-6)
    assert_close(fast, plain)
    for a, b in zip(
        torch.autograd.grad(fast, (x, weight), push),
        torch.autograd.grad(plain, (x, weight), push),
        strict=True,
    ):
        assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_rotation_and_its_gradient_equal_the_plain_ones():
    x = _random(6, 2, 8, dtype=torch.float32).requires_grad_()
    angles = _random(6, 1, 4, dtype=torch.float32)
    fast = rotate(x, angles.cos(), angles.sin())
    plain = rotate_plain(x, angles.cos(), angles.sin())
    assert_close(fast, plain)
    push = _random(6, 2, 8, seed=1, dtype=torch.float32)
    assert_close(torch.autograd.grad(fast, x, push)[0], torch.autograd.grad(plain, x, push)[0])


def test_rotation_keeps_lengths_and_only_sees_differences_of_position():
    x, y = _random(1, 1, 8), _random(1, 1, 8, seed=3)
    turn = torch.arange(4, dtype=torch.float64)[None, None]

    def dot(position_x: float, position_y: float) -> torch.Tensor:
        a = rotate_plain(x, (turn * position_x).cos(), (turn * position_x).sin())
        b = rotate_plain(y, (turn * position_y).cos(), (turn * position_y).sin())
        return (a * b).sum()

    assert_close(dot(3, 1), dot(12, 10), rtol=1e-5, atol=1e-5)
    turned = rotate_plain(x, (turn * 5).cos(), (turn * 5).sin())
    assert_close(turned.norm(), x.norm(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("z_weight", [0.0, 1e-2])
def test_cross_entropy_and_its_gradient_equal_the_plain_ones(z_weight: float):
    hidden = _random(7, 6, dtype=torch.float32).requires_grad_()
    head = _random(11, 6, dtype=torch.float32).requires_grad_()
    targets = torch.randint(0, 11, (7,), generator=torch.Generator().manual_seed(0))
    fast = cross_entropy(hidden, head, targets, z_weight=z_weight)
    loss, z = cross_entropy_plain(hidden, head, targets)
    plain = loss + z_weight * z
    assert_close(fast, plain)
    reference = torch.nn.functional.cross_entropy(hidden @ head.T, targets, reduction="sum")
    assert_close(loss, reference)
    for a, b in zip(
        torch.autograd.grad(fast * 0.3, (hidden, head)),
        torch.autograd.grad(plain * 0.3, (hidden, head)),
        strict=True,
    ):
        assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (1, 9), (3, 8)])
def test_absorbed_attention_equals_expanded(queries: int, keys: int):
    heads, nope, rope, value, latent = 3, 4, 6, 5, 7  # nope + rope differs from value
    query = _random(2, queries, heads, nope + rope)
    entries = _random(2, keys, latent + rope)
    up = _random(heads, nope + value, latent)
    mask = causal_mask(queries, keys)[None, None]
    options = {"nope": nope, "scale": 0.3, "mask": mask}
    expanded = latent_expanded(query, entries, up, **options)
    assert_close(latent_absorbed(query, entries, up, **options), expanded, rtol=1e-6, atol=1e-6)
    if queries == keys:
        options["mask"] = None
        assert_close(latent_expanded(query, entries, up, **options), expanded)
        assert_close(latent_absorbed(query, entries, up, **options), expanded, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8), (6, 10), (12, 4)])
def test_orthogonalising_brings_singular_values_near_one(shape: tuple[int, int]):
    matrices = _random(3, *shape, dtype=torch.float32)
    pushed = orthogonalise(matrices, dtype=torch.float32)
    assert pushed.shape == matrices.shape
    values = torch.linalg.svdvals(pushed)
    assert values.min() > 0.3
    assert values.max() < 1.3
    for fast, matrix in zip(pushed, matrices, strict=True):
        exact = orthogonalise_plain(matrix)
        cosine = (fast * exact).sum() / fast.norm() / exact.norm()
        assert cosine > 0.95
