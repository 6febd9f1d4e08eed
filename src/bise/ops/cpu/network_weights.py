"""What the core needs of a network: its sizes, and weights of every layer that fit them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bise.ops.cpu.library import need, need_tensor
from bise.ops.cpu.look import LatentUp
from bise.ops.cpu.matrix import Gated, Matrix, Mixture


@dataclass(frozen=True, kw_only=True, slots=True)
class LatentWeights:
    """Of one layer's latent attention."""

    q_down: Matrix
    kv_down: Matrix
    q_up: Matrix
    q_norm: Tensor
    """[q latent] fp32"""

    kv_norm: Tensor
    """[kv latent] fp32"""

    up: LatentUp


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupedWeights:
    """Of one layer's grouped attention."""

    q: Matrix
    k: Matrix
    v: Matrix


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerWeights:
    """Everything one layer multiplies with."""

    attention_norm: Tensor
    """[dim] fp32"""

    mlp_norm: Tensor
    attention: LatentWeights | GroupedWeights
    out: Matrix
    mlp: Mixture | Gated
    router: Tensor | None
    """[experts, dim] fp32; None with a dense feed-forward"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Sizes and constants of a network."""

    dim: int
    vocab_size: int
    num_heads: int
    norm_eps: float
    softmax_scale: float
    q_latent: int
    """0 for grouped attention, as `nope` and `kv_latent`"""

    nope: int
    value: int
    kv_latent: int
    rope: int
    """Numbers of a head that turn; with grouped attention all of them, and as many as `value`"""

    num_kv_heads: int
    """0 for latent attention"""

    topk: int
    query_growth: float
    """0 where queries do not grow"""

    growth_step: float

    @property
    def head_dim(self) -> int:
        """Numbers of a head's query."""
        return self.nope + self.rope

    @property
    def cache_width(self) -> int:
        """Numbers of an entry of the cache."""
        kept = self.kv_latent + self.rope
        return 2 * self.num_kv_heads * self.head_dim if self.num_kv_heads else kept


def check_matrix(name: str, matrix: Matrix, outputs: int, inputs: int) -> None:
    found = (matrix.outputs, matrix.inputs)
    need(found == (outputs, inputs), f"`{name}` is {found}, expected {(outputs, inputs)}")
    matrix.check()


def check_layer(layer: LayerWeights, shape: Shape) -> None:
    """See that everything in it has the sizes that the core takes for granted."""
    dim, heads, attention = shape.dim, shape.num_heads, layer.attention
    need(shape.rope % 2 == 0, f"{shape.rope} numbers are no pairs")
    need_tensor("attention_norm", layer.attention_norm, (dim,), torch.float32)
    need_tensor("mlp_norm", layer.mlp_norm, (dim,), torch.float32)
    check_matrix("out", layer.out, dim, heads * shape.value)
    need(isinstance(attention, GroupedWeights) == (shape.num_kv_heads > 0), "another attention")
    if isinstance(attention, LatentWeights):
        check_matrix("q_down", attention.q_down, shape.q_latent, dim)
        check_matrix("kv_down", attention.kv_down, shape.cache_width, dim)
        check_matrix("q_up", attention.q_up, heads * shape.head_dim, shape.q_latent)
        need_tensor("q_norm", attention.q_norm, (shape.q_latent,), torch.float32)
        need_tensor("kv_norm", attention.kv_norm, (shape.kv_latent,), torch.float32)
        sizes = (heads, shape.nope, shape.rope, shape.value, shape.kv_latent)
        need(tuple(attention.up.shape) == sizes, f"`up` is {attention.up.shape}, expected {sizes}")
        attention.up.check()
    else:
        need(heads % shape.num_kv_heads == 0, f"{heads} heads cannot share {shape.num_kv_heads}")
        need(shape.nope == 0 and shape.value == shape.rope, "heads of grouped attention turn whole")
        check_matrix("q", attention.q, heads * shape.head_dim, dim)
        for name, one in (("k", attention.k), ("v", attention.v)):
            check_matrix(name, one, shape.num_kv_heads * shape.head_dim, dim)
    mlp = layer.mlp
    mlp.check()
    if isinstance(mlp, Mixture):
        need_tensor("router", layer.router, (mlp.num_experts, dim), torch.float32)
        need(1 <= shape.topk <= mlp.num_experts, f"{shape.topk} of {mlp.num_experts} experts")
        widths = (mlp.inputs, mlp.outputs)
    else:
        widths = (mlp.gate_up.inputs, mlp.down.outputs)
    need(widths == (dim, dim), f"a feed-forward from {widths[0]} to {widths[1]}, expected {dim}")
