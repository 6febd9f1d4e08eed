"""Rows through the few experts that were chosen for each of them.

Rows are sorted by expert. On a CPU every expert's run is padded to a multiple of 64: oneDNN
compiles a kernel for each new row count (1.7 ms against 0.15 ms at nano's size), and counts change
with every step. On a GPU one grouped product takes all runs as they are, and nothing waits to learn
where they end. Forward and backward are written out, because what autograd would record for sixteen
slices of a tensor is sixteen zero-filled copies of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

RUN_MULTIPLE = 64
FEW_ROWS = 512
"""Below this many rows (decode) padding would cost more than it saves."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Where each token's rows lie once they are sorted by expert."""

    rows_of: Tensor
    """[tokens, topk] the row that holds this token for its k-th expert"""

    token_of: Tensor
    """[rows] the token a row came from; padding rows point at token 0 and are zeroed"""

    is_real: Tensor
    """[rows, 1] False for padding"""

    ends: Tensor
    """[experts] int32: where each expert's run ends, padding included."""

    def runs(self) -> Iterator[tuple[int, slice]]:
        """(expert, rows) for every expert that has any."""
        start = 0
        for expert, end in enumerate(self.ends.tolist()):
            if end > start:
                yield expert, slice(start, end)
            start = end


def count_choices(choice: Tensor, num_experts: int) -> Tensor:
    """How many rows each expert gets: [experts] int64. Waits for no device."""
    if choice.is_cuda:  # where `bincount` would wait, to learn the largest number
        every = torch.arange(num_experts, device=choice.device)
        return (choice.flatten()[:, None] == every).sum(0)
    return choice.flatten().bincount(minlength=num_experts)


def dispatch(choice: Tensor, num_experts: int, run_rows: int | None = None) -> Dispatch:
    """Sort tokens by expert, and pad each expert's run to a multiple of `run_rows`.

    choice [tokens, topk] int; None pads large batches on a CPU only, where it pays.
    """
    tokens, topk = choice.shape
    flat = choice.flatten()
    order = flat.argsort(stable=True)  # by expert, ties by token
    counts = count_choices(choice, num_experts)
    if run_rows is None:
        pays = not choice.is_cuda and tokens * topk >= FEW_ROWS
        run_rows = RUN_MULTIPLE if pays else 1
    row = torch.arange(tokens * topk, device=choice.device)
    if run_rows == 1:
        rows_of = torch.empty_like(flat).index_copy_(0, order, row).view(tokens, topk)
        is_real = torch.ones(tokens * topk, 1, dtype=torch.bool, device=choice.device)
        return Dispatch(rows_of, order // topk, is_real, counts.cumsum(0, dtype=torch.int32))
    padded = (counts + run_rows - 1) // run_rows * run_rows
    ends = padded.cumsum(0)
    shift = (ends - padded) - (counts.cumsum(0) - counts)  # how far padding moved each run
    row += shift[flat[order]]
    num_rows = int(ends[-1])
    rows_of = torch.empty_like(flat).index_copy_(0, order, row).view(tokens, topk)
    token_of = row.new_zeros(num_rows).index_copy_(0, row, order // topk)
    is_real = torch.zeros(num_rows, 1, dtype=torch.bool, device=choice.device)
    is_real[row] = True
    return Dispatch(rows_of, token_of, is_real, ends.int())


def swiglu(gate_up: Tensor) -> Tensor:
    """silu of the first half of the last axis, times the second half."""
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate) * up


def _is_grouped(x: Tensor) -> bool:
    """Whether one grouped product serves all experts: bf16 on a GPU."""
    return x.is_cuda and x.dtype == torch.bfloat16


def grouped_linear(x: Tensor, weights: Tensor, plan: Dispatch) -> Tensor:
    """Multiply each run of rows by its own expert's matrix.

    x [rows, dim_in], weights [experts, dim_out, dim_in] -> [rows, dim_out]
    """
    if _is_grouped(x):
        return F.grouped_mm(x, weights.transpose(1, 2), offs=plan.ends)
    out = x.new_empty(x.shape[0], weights.shape[1])
    for expert, rows in plan.runs():
        torch.mm(x[rows], weights[expert].t(), out=out[rows])
    return out


def grouped_outer(left: Tensor, right: Tensor, num_experts: int, plan: Dispatch) -> Tensor:
    """Gradient of the matrices in `grouped_linear`: left.T @ right for each expert's run.

    left [rows, dim_out], right [rows, dim_in] -> [experts, dim_out, dim_in]
    """
    if _is_grouped(left):
        return F.grouped_mm(left.t(), right, offs=plan.ends)
    out = left.new_zeros(num_experts, left.shape[1], right.shape[1])
    for expert, rows in plan.runs():
        torch.mm(left[rows].t(), right[rows], out=out[expert])
    return out


class _ExpertMLP(torch.autograd.Function):
    """`expert_mlp` with the backward pass written out."""

    @staticmethod
    def forward(ctx, hidden, gate_up, down, weights, choice, run_rows):
        plan = dispatch(choice, gate_up.shape[0], run_rows)
        x = hidden[plan.token_of]
        if len(x) != choice.numel():
            x *= plan.is_real
        opened = grouped_linear(x, gate_up, plan)
        inner = swiglu(opened)
        said = grouped_linear(inner, down, plan)
        per_token = said[plan.rows_of]  # [tokens, topk, dim]
        ctx.plan = plan
        ctx.save_for_backward(x, opened, inner, per_token, gate_up, down, weights)
        return torch.bmm(weights[:, None].to(said.dtype), per_token)[:, 0]

    @staticmethod
    def backward(ctx, grad):
        x, opened, inner, per_token, gate_up, down, weights = ctx.saved_tensors
        plan: Dispatch = ctx.plan
        num_experts = gate_up.shape[0]
        grad_weights = torch.bmm(per_token, grad[:, :, None])[:, :, 0].to(weights.dtype)
        scale = weights.new_zeros(len(x)).index_copy_(0, plan.rows_of.flatten(), weights.flatten())
        grad_said = grad[plan.token_of] * scale[:, None].to(grad.dtype)  # padding has scale 0
        grad_down = grouped_outer(grad_said, inner, num_experts, plan)
        grad_inner = grouped_linear(grad_said, down.transpose(1, 2), plan)
        grad_opened = _swiglu_backward(opened, grad_inner)
        grad_gate_up = grouped_outer(grad_opened, x, num_experts, plan)
        grad_x = grouped_linear(grad_opened, gate_up.transpose(1, 2), plan)
        return grad_x[plan.rows_of].sum(1), grad_gate_up, grad_down, grad_weights, None, None


def _swiglu_backward(gate_up: Tensor, grad: Tensor) -> Tensor:
    gate, up = gate_up.chunk(2, dim=-1)
    grads = torch.empty_like(gate_up)
    grad_gate, grad_up = grads.chunk(2, dim=-1)
    torch.mul(grad, F.silu(gate), out=grad_up)
    grad_gate.copy_(torch.ops.aten.silu_backward(grad * up, gate))
    return grads


def expert_mlp(
    hidden: Tensor,
    gate_up: Tensor,
    down: Tensor,
    weights: Tensor,
    choice: Tensor,
    run_rows: int | None = None,
) -> Tensor:
    """Each token through its chosen experts, added up by weight.

    hidden    [tokens, dim]
    gate_up   [experts, 2 * width, dim]   gate rows, then up rows
    down      [experts, dim, width]
    weights   [tokens, topk] fp32, choice [tokens, topk] int
    run_rows  rows an expert's run is padded to a multiple of
    returns   [tokens, dim]
    """
    return _ExpertMLP.apply(hidden, gate_up, down, weights, choice, run_rows)  # type: ignore[return-value]


def expert_mlp_plain(
    hidden: Tensor, gate_up: Tensor, down: Tensor, weights: Tensor, choice: Tensor
) -> Tensor:
    """The definition of `expert_mlp`: token by token, expert by expert."""
    rows = []
    for x, ws, chosen in zip(hidden, weights, choice.tolist(), strict=True):
        said = [F.linear(swiglu(F.linear(x, gate_up[e])), down[e]) for e in chosen]
        rows.append(sum(w.to(x.dtype) * y for w, y in zip(ws, said, strict=True)))
    return torch.stack(rows)
