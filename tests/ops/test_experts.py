"""The expert product against its definition, forward and backward, padded and not."""

import pytest
import torch

from bise.ops import experts
from bise.ops.experts import dispatch, expert_mlp, expert_mlp_plain


def _case(tokens: int, experts: int, topk: int, busy: int, seed: int = 0):
    g = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, 12, generator=g, dtype=torch.float64)
    gate_up = torch.randn(experts, 10, 12, generator=g, dtype=torch.float64)
    down = torch.randn(experts, 12, 5, generator=g, dtype=torch.float64)
    weights = torch.rand(tokens, topk, generator=g, dtype=torch.float64)
    choice = torch.rand(tokens, busy, generator=g).topk(topk).indices  # the others stay idle
    return [t.requires_grad_() for t in (hidden, gate_up, down, weights)], choice


@pytest.mark.parametrize(
    ("tokens", "experts", "topk", "busy"),
    [(1, 4, 1, 4), (3, 5, 2, 2), (300, 6, 2, 5), (257, 4, 4, 4)],
)
def test_expert_mlp_equals_its_definition_even_with_idle_experts(tokens, experts, topk, busy):
    inputs, choice = _case(tokens, experts, topk, busy)
    fast = expert_mlp(*inputs, choice)
    plain = expert_mlp_plain(*inputs, choice)
    torch.testing.assert_close(fast, plain)
    push = torch.randn_like(plain)
    got = torch.autograd.grad(fast, inputs, push)
    want = torch.autograd.grad(plain, inputs, push, allow_unused=True)
    for name, a, b in zip(("hidden", "gate_up", "down", "weights"), got, want, strict=True):
        torch.testing.assert_close(a, torch.zeros_like(a) if b is None else b, msg=name)


def test_one_grouped_product_does_what_a_product_an_expert_does(monkeypatch: pytest.MonkeyPatch):
    """What a GPU takes; torch has a twin of that product for a CPU."""
    g = torch.Generator().manual_seed(1)
    shapes = ((70, 16), (5, 32, 16), (5, 16, 16), (70, 2))
    inputs = [torch.randn(s, generator=g).bfloat16().requires_grad_() for s in shapes]
    choice = torch.rand(70, 4, generator=g).topk(2).indices  # the last expert stays idle
    push = torch.randn(70, 16, generator=g).bfloat16()
    found = []
    for is_grouped in (False, True):
        monkeypatch.setattr(experts, "_is_grouped", lambda _, answer=is_grouped: answer)
        made = expert_mlp(*inputs, choice, run_rows=1)
        found.append([made, *torch.autograd.grad(made, inputs, push)])
    for name, one, many in zip(
        ("made", "hidden", "gate_up", "down", "weights"), *found, strict=True
    ):
        torch.testing.assert_close(one, many, rtol=2e-2, atol=2e-2, msg=name)


def test_every_token_keeps_its_rows_when_runs_are_padded():
    choice = torch.rand(400, 7).topk(3).indices
    plan = dispatch(choice, 9)
    assert all(end % 64 == 0 for end in plan.ends)
    assert plan.is_real.sum() == choice.numel()
    for expert, rows in plan.runs():
        real = plan.is_real[rows][:, 0]
        tokens = plan.token_of[rows][real]
        assert (choice[tokens] == expert).any(dim=1).all()
    assert torch.equal(plan.token_of[plan.rows_of], torch.arange(400)[:, None].expand(-1, 3))
