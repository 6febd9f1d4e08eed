"""The nearest orthogonal matrix, roughly, by products alone.

Ref: Muon, https://kellerjordan.github.io/posts/muon (quintic Newton–Schulz, these coefficients).
"""

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, steps: int = 5, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Push all singular values towards one (they end between about 0.7 and 1.2).

    matrices [batch, rows, cols] -> like it, in `dtype`.
    """
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if is_tall else matrices
    x = x / (x.float().flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)
    x = x.to(dtype).contiguous()
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.mT
        mixed = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, mixed, x, beta=a)
    return x.mT if is_tall else x


def orthogonalise_plain(matrix: Tensor) -> Tensor:
    """What `orthogonalise` approximates: U V^T of one matrix, in fp64."""
    u, _, vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    return (u @ vh).to(matrix.dtype)
