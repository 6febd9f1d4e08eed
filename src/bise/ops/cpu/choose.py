"""Choosing the next token of many requests at once, with the core's kernels.

The definition is `pick` of `bise.engine.sampling`.
"""

import ctypes
from collections.abc import Sequence
from ctypes import c_int64, c_void_p

import torch
from torch import Tensor

from bise.ops.cpu.library import core, done, need, need_tensor


class _Manner(ctypes.Structure):
    _fields_ = [
        ("temperature", ctypes.c_float),
        ("min_p", ctypes.c_float),
        ("top_k", ctypes.c_int64),
        ("top_p", ctypes.c_float),
        ("point", ctypes.c_double),
    ]


def choose(
    logits: Tensor,
    manners: Sequence[tuple[float, float, int, float, float]],
    never: int | None = None,
) -> list[int]:
    """logits [rows, vocab] fp32, rows at any stride -> an id for each row

    manners: temperature (0 takes the likeliest), min_p, top_k, top_p and the point in [0, 1)
    never: an id that no row may take; its logits are written over
    """
    need_tensor("logits", logits, (len(manners), -1), torch.float32)
    (rows, vocab), (stride, step) = logits.shape, logits.stride()
    need(vocab > 0, "there is nothing to choose from")
    need(step == 1 or vocab == 1, "a row of `logits` is in pieces")
    need(logits.is_cpu, "kernels read plain memory")
    need(never is None or 0 <= never < vocab, f"{never} is no id of {vocab}")
    told = (_Manner * rows)(*manners)
    ids = (c_int64 * rows)()
    status = core().bise_choose(
        c_void_p(logits.data_ptr()), c_int64(stride), c_int64(rows), c_int64(vocab),
        told, c_int64(-1 if never is None else never), ids,
    )  # fmt: skip
    done(status, f"choose among {vocab} tokens")
    return list(ids)
