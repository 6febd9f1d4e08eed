"""What happens to one row at a time, with the core's kernels.

The definitions are `bise.ops.norm`, `bise.ops.rotation` and `route` of `bise.model.experts`.
"""

from ctypes import c_float, c_int64, c_void_p

import torch
from torch import Tensor

from bise.ops.cpu.library import address, core, done, need, need_tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float, out: Tensor | None = None) -> Tensor:
    """x [rows, dim] fp32, rows at any stride -> out, or like it; `out` may be `x` itself"""
    _need_rows("x", x)
    out = torch.empty_like(x, memory_format=torch.contiguous_format) if out is None else out
    (rows, dim), stride = x.shape, c_int64(x.stride(0))
    _need_rows("out", out, rows, dim)
    need_tensor("weight", weight, (dim,), torch.float32)
    status = core().bise_rms_norm(
        _start(x), stride, c_int64(rows), c_int64(dim), address(weight), c_float(eps),
        _start(out), c_int64(out.stride(0)),
    )  # fmt: skip
    done(status, f"norm {rows} rows")
    return out


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Turn x [rows, heads, rope] fp32 in place, strides as they are; cos, sin [rows, rope / 2]"""
    need_tensor("x", x, (-1, -1, -1), torch.float32)
    rows, heads, rope = x.shape
    need(rope % 2 == 0, f"{rope} numbers are no pairs")
    need(x.stride(2) == 1, "a head of `x` is in pieces")
    for name, angles in (("cos", cos), ("sin", sin)):
        need_tensor(name, angles, (rows, rope // 2), torch.float32)
    status = core().bise_rotate(
        _start(x), c_int64(x.stride(0)), c_int64(rows), c_int64(heads), c_int64(x.stride(1)),
        c_int64(rope), address(cos), address(sin),
    )  # fmt: skip
    done(status, f"turn {rows} rows")


def route(x: Tensor, gate: Tensor, topk: int) -> tuple[Tensor, Tensor]:
    """x [rows, dim], gate [experts, dim] fp32 -> weights fp32 and choice int32, [rows, topk]"""
    _need_rows("x", x)
    rows, dim = x.shape
    need_tensor("gate", gate, (-1, dim), torch.float32)
    experts = len(gate)
    need(1 <= topk <= experts, f"{topk} of {experts} experts cannot be chosen")
    choice = torch.empty(rows, topk, dtype=torch.int32)
    weights = torch.empty(rows, topk, dtype=torch.float32)
    status = core().bise_route(
        _start(x), c_int64(x.stride(0)), c_int64(rows), c_int64(dim), address(gate),
        c_int64(experts), c_int64(topk), address(choice), address(weights),
    )  # fmt: skip
    done(status, f"choose experts for {rows} rows")
    return weights, choice


def embed(table: Tensor, ids: Tensor) -> Tensor:
    """table [vocab, dim] fp32 or bf16, ids [rows] int64 -> [rows, dim] fp32"""
    need_tensor("table", table, (-1, -1), torch.float32, torch.bfloat16)
    need_tensor("ids", ids, (-1,), torch.int64)
    inside = not ids.numel() or 0 <= int(ids.min()) <= int(ids.max()) < len(table)
    need(inside, f"an id is not one of the {len(table)} of the table")
    out = torch.empty(len(ids), table.shape[1], dtype=torch.float32)
    is_bf16 = c_int64(table.dtype == torch.bfloat16)
    status = core().bise_embed(
        address(table),
        is_bf16,
        c_int64(table.shape[1]),
        address(ids),
        c_int64(len(ids)),
        address(out),
    )
    done(status, f"embed {len(ids)} ids")
    return out


def _need_rows(name: str, tensor: Tensor, rows: int = -1, dim: int = -1) -> None:
    """fp32 rows, each in one piece, any distance apart."""
    need_tensor(name, tensor, (rows, dim), torch.float32)
    need(tensor.stride(1) == 1 or tensor.shape[1] == 1, f"a row of `{name}` is in pieces")


def _start(tensor: Tensor) -> c_void_p:
    """Where a tensor begins whose rows may lie apart."""
    need(tensor.device.type == "cpu", "kernels read plain memory")
    return c_void_p(tensor.data_ptr())
