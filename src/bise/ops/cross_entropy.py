"""The last product and the loss in one: the gradient of the logits is made once, in place."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy_plain(hidden: Tensor, head: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Summed next-token loss, and the summed square of the log partition (for the z-loss).

    hidden [tokens, dim], head [vocab, dim], targets [tokens] int64 -> two fp32 scalars
    """
    logits = F.linear(hidden, head).float()
    log_total = logits.logsumexp(-1)
    picked = logits.gather(1, targets[:, None])[:, 0]
    return (log_total - picked).sum(), log_total.square().sum()


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, head, targets, z_weight):
        logits = F.linear(hidden, head).float()
        log_total = logits.logsumexp(-1)
        picked = logits.gather(1, targets[:, None])[:, 0]
        loss = (log_total - picked).sum() + z_weight * log_total.square().sum()
        slope = logits.sub_(log_total[:, None]).exp_()  # softmax, in the memory of the logits
        slope.mul_((1.0 + 2.0 * z_weight * log_total)[:, None])
        slope.scatter_add_(1, targets[:, None], -torch.ones_like(picked)[:, None])
        ctx.save_for_backward(hidden, head, slope.to(hidden.dtype))
        return loss

    @staticmethod
    def backward(ctx, grad):
        hidden, head, slope = ctx.saved_tensors
        slope = slope * grad.to(slope.dtype)
        return slope @ head, slope.t() @ hidden, None, None


def cross_entropy(hidden: Tensor, head: Tensor, targets: Tensor, *, z_weight: float) -> Tensor:
    """`loss + z_weight * z` of `cross_entropy_plain`, summed over tokens; fp32 scalar."""
    return _CrossEntropy.apply(hidden, head, targets, z_weight)  # type: ignore[return-value]
