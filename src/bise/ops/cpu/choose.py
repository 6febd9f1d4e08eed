"""Choosing the next token of many requests at once, with the core's kernels.

The definition is `pick` of `bise.engine.sampling`.
"""

from collections.abc import Sequence
from ctypes import c_int64, c_void_p

import numpy as np
import torch
from torch import Tensor

from bise.ops.cpu.library import address, core, need, need_tensor

MANNER = np.dtype(
    [("temperature", "f4"), ("min_p", "f4"), ("top_k", "i8"), ("top_p", "f4"), ("point", "f8")],
    align=True,
)
"""`Manner` of choose.h."""


def choose(logits: Tensor, manners: Sequence[tuple[float, float, int, float, float]]) -> list[int]:
    """logits [rows, vocab] fp32, rows at any stride -> an id for each row

    manners: temperature (0 takes the likeliest), min_p, top_k, top_p and the point in [0, 1)
    """
    need_tensor("logits", logits, (len(manners), -1), torch.float32)
    rows, vocab = logits.shape
    need(vocab > 0, "there is nothing to choose from")
    need(logits.stride(1) == 1 or vocab == 1, "a row of `logits` is in pieces")
    need(logits.device.type == "cpu", "kernels read plain memory")
    told = np.array([tuple(one) for one in manners], dtype=MANNER)
    ids = torch.empty(rows, dtype=torch.int64)
    core().bise_choose(
        c_void_p(logits.data_ptr()), c_int64(logits.stride(0)), c_int64(rows), c_int64(vocab),
        c_void_p(told.ctypes.data), address(ids),
    )  # fmt: skip
    return ids.tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
