"""What happens to one row at a time, with the core's kernels.

The definitions are `bise.ops.norm`, `bise.ops.rotation` and `route` of `bise.model.experts`.
"""

from ctypes import c_float, c_int64, c_void_p

import torch
from torch import Tensor

from bise.ops.cpu.library import address, core


def rms_norm(x: Tensor, weight: Tensor, eps: float, out: Tensor | None = None) -> Tensor:
    """x [rows, dim] fp32, rows at any stride -> out, or like it; `out` may be `x` itself"""
    out = torch.empty_like(x, memory_format=torch.contiguous_format) if out is None else out
    (rows, dim), stride = x.shape, c_int64(x.stride(0))
    assert x.stride(1) == out.stride(1) == 1, "a row lies in one piece"
    core().bise_rms_norm(
        _start(x), stride, c_int64(rows), c_int64(dim), address(weight), c_float(eps),
        _start(out), c_int64(out.stride(0)),
    )  # fmt: skip
    return out


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Turn x [rows, heads, rope] fp32 in place, strides as they are; cos, sin [rows, rope / 2]"""
    rows, heads, rope = x.shape
    assert x.stride(2) == 1, "a head lies in one piece"
    core().bise_rotate(
        _start(x), c_int64(x.stride(0)), c_int64(rows), c_int64(heads), c_int64(x.stride(1)),
        c_int64(rope), address(cos), address(sin),
    )  # fmt: skip


def route(x: Tensor, gate: Tensor, topk: int) -> tuple[Tensor, Tensor]:
    """x [rows, dim], gate [experts, dim] fp32 -> weights fp32 and choice int32, [rows, topk]"""
    (rows, dim), (experts, _) = x.shape, gate.shape
    assert topk <= experts and x.stride(1) == 1, "a row lies in one piece"
    choice = torch.empty(rows, topk, dtype=torch.int32)
    weights = torch.empty(rows, topk, dtype=torch.float32)
    core().bise_route(
        _start(x), c_int64(x.stride(0)), c_int64(rows), c_int64(dim), address(gate),
        c_int64(experts), c_int64(topk), address(choice), address(weights),
    )  # fmt: skip
    return weights, choice


def embed(table: Tensor, ids: Tensor) -> Tensor:
    """table [vocab, dim] fp32 or bf16, ids [rows] int64 -> [rows, dim] fp32"""
    out = torch.empty(len(ids), table.shape[1], dtype=torch.float32)
    is_bf16 = c_int64(table.dtype == torch.bfloat16)
    core().bise_embed(
        address(table),
        is_bf16,
        c_int64(table.shape[1]),
        address(ids),
        c_int64(len(ids)),
        address(out),
    )
    return out


def _start(tensor: Tensor) -> c_void_p:
    """Where a tensor begins whose rows may lie apart."""
    assert tensor.dtype == torch.float32 and tensor.device.type == "cpu", (
        "kernels read plain memory"
    )
    return c_void_p(tensor.data_ptr())
