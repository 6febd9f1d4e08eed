"""Turning pairs of numbers by an angle; the way back is the same turn the other way."""

import torch
from torch import Tensor


def rotate_plain(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (2i, 2i + 1) of the last axis by its angle.

    x [..., heads, dim], cos and sin broadcast to [..., heads, dim / 2] -> like x
    """
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)  # bf16 would blur the angles
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2).to(x.dtype)


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, cos, sin):
        ctx.save_for_backward(cos, sin)
        return rotate_plain(x, cos, sin)

    @staticmethod
    def backward(ctx, grad):
        cos, sin = ctx.saved_tensors
        return rotate_plain(grad, cos, -sin), None, None


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`rotate_plain`; its gradient is one turn instead of a dozen recorded steps."""
    if not torch.is_grad_enabled():
        return rotate_plain(x, cos, sin)
    return _Rotate.apply(x, cos, sin)  # type: ignore[return-value]
