"""A whole pass of the network in one call of the C++ core."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from bise.errors import UserError
from bise.ops.cpu.library import (
    address,
    core,
    done,
    need,
    need_tensor,
    start_of,
    whole_numbers,
)
from bise.ops.cpu.look import Pages, Span, Table, _Cache, _GroupedShape, _LatentShape, _Span
from bise.ops.cpu.matrix import Matrix, Mixture, _Gated, _gated, _Matrix, _Mixture
from bise.ops.cpu.network_weights import (
    LatentWeights,
    LayerWeights,
    Shape,
    check_layer,
    check_matrix,
)


class _Layer(ctypes.Structure):
    _fields_ = [
        ("attention_norm", ctypes.c_void_p),
        ("mlp_norm", ctypes.c_void_p),
        ("q_down", _Matrix),
        ("kv_down", _Matrix),
        ("q_up", _Matrix),
        ("q_norm", ctypes.c_void_p),
        ("kv_norm", ctypes.c_void_p),
        ("up", ctypes.c_void_p),
        ("q", _Matrix),
        ("k", _Matrix),
        ("v", _Matrix),
        ("out", _Matrix),
        ("router", ctypes.c_void_p),
        ("mixture", _Mixture),
        ("dense", _Gated),
    ]


class _Network(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("dim", "vocab", "num_layers", "heads")),
        ("norm_eps", ctypes.c_float),
        ("is_latent", ctypes.c_bool),
        ("latent", _LatentShape),
        ("q_latent", ctypes.c_int64),
        ("grouped", _GroupedShape),
        ("rope", ctypes.c_int64),
        ("topk", ctypes.c_int64),
        ("frequencies", ctypes.c_void_p),
        ("query_growth", ctypes.c_float),
        ("growth_step", ctypes.c_float),
        ("embedding", ctypes.c_void_p),
        ("norm", ctypes.c_void_p),
        ("head", _Matrix),
        ("layers", ctypes.POINTER(_Layer)),
        ("residency", ctypes.c_void_p),
    ]


class _Pass(ctypes.Structure):
    _fields_ = [
        ("num_tokens", ctypes.c_int64),
        ("ids", ctypes.c_void_p),
        ("spans", ctypes.POINTER(_Span)),
        ("num_spans", ctypes.c_int64),
        ("caches", ctypes.POINTER(_Cache)),
        ("vectors", ctypes.c_void_p),
        ("vector_rows", ctypes.c_void_p),
        ("num_vectors", ctypes.c_int64),
        ("wanted", ctypes.c_void_p),
        ("num_wanted", ctypes.c_int64),
        ("logits", ctypes.c_void_p),
        ("hidden", ctypes.c_void_p),
        ("routing", ctypes.c_void_p),
        ("is_exact", ctypes.c_bool),
    ]


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of a pass."""

    logits: Tensor
    """[wanted, vocab] fp32"""

    hidden: Tensor | None
    """[tokens, dim] fp32"""

    routing: Tensor | None
    """[tokens, layers, topk] int32"""


class CoreNetwork:
    """All weights of a network as the core reads them; owns what it points to."""

    def __init__(
        self,
        shape: Shape,
        layers: Sequence[LayerWeights],
        *,
        embedding: Tensor,
        norm: Tensor,
        head: Matrix,
        frequencies: Tensor,
    ):
        """embedding [vocab, dim] bf16, norm [dim] fp32, frequencies [rope / 2] fp32"""
        _check_structs()
        need_tensor("embedding", embedding, (shape.vocab_size, shape.dim), torch.bfloat16)
        need_tensor("norm", norm, (shape.dim,), torch.float32)
        need_tensor("frequencies", frequencies, (shape.rope // 2,), torch.float32)
        check_matrix("head", head, shape.vocab_size, shape.dim)
        for layer in layers:
            check_layer(layer, shape)
        self.shape = shape
        self.num_layers = len(layers)
        self._owned = (list(layers), embedding, norm, head, frequencies)
        self._layers = (_Layer * len(layers))(*map(_native_layer, layers))
        sizes = (shape.num_heads, shape.nope, shape.rope, shape.value, shape.kv_latent)
        self._native = _Network(
            shape.dim,
            shape.vocab_size,
            len(layers),
            shape.num_heads,
            shape.norm_eps,
            shape.num_kv_heads == 0,
            _LatentShape(*sizes, shape.softmax_scale),
            shape.q_latent,
            _GroupedShape(shape.num_heads, shape.num_kv_heads, shape.head_dim, shape.softmax_scale),
            shape.rope,
            shape.topk,
            address(frequencies),
            shape.query_growth,
            shape.growth_step,
            address(embedding),
            address(norm),
            head._native(),
            self._layers,
        )
        self._count_bytes = core().bise_pass_bytes
        self._count_bytes.restype = ctypes.c_int64
        self._memory = torch.empty(0, dtype=torch.uint8)

    def run(
        self,
        ids: Sequence[int],
        spans: Sequence[Span],
        caches: "Caches",
        wanted: Sequence[int],
        *,
        vectors: Tensor | None = None,
        vector_rows: Sequence[int] = (),
        wants_hidden: bool = False,
        wants_routing: bool = False,
        is_exact: bool = False,
    ) -> Passed:
        """One pass over the new tokens of `spans`, one after another.

        wanted       rows of the pass, ascending, whose logits are wanted
        vectors      [pictures' tokens, dim] fp32, for the rows `vector_rows`
        is_exact     a token's numbers have the same bits in any company; slower for many tokens
        """
        num_tokens, shape = len(ids), self.shape
        table = Table(spans)
        self._check_pass(ids, table, caches, wanted)
        if vectors is not None or vector_rows:
            self._check_vectors(vectors, vector_rows, num_tokens)
        known, rows, seen_rows = map(whole_numbers, (ids, wanted, vector_rows))
        passed = Passed(
            torch.empty(len(wanted), shape.vocab_size),
            torch.empty(num_tokens, shape.dim) if wants_hidden else None,
            torch.empty(num_tokens, self.num_layers, shape.topk, dtype=torch.int32)
            if wants_routing
            else None,
        )
        native = _Pass(
            num_tokens,
            start_of(known),
            table.spans,
            table.num_spans,
            caches.native,
            None if vectors is None else address(vectors),
            start_of(seen_rows),
            len(vector_rows),
            start_of(rows),
            len(wanted),
            address(passed.logits),
            None if passed.hidden is None else address(passed.hidden),
            None if passed.routing is None else address(passed.routing),
            is_exact,
        )
        room = self._room(num_tokens)  # held here: another thread's pass may want a larger one
        run = core().bise_run_pass
        status = run(ctypes.byref(self._native), ctypes.byref(native), address(room))
        done(status, f"compute a pass of {num_tokens} tokens")
        return passed

    def _check_pass(
        self, ids: Sequence[int], table: Table, caches: "Caches", wanted: Sequence[int]
    ) -> None:
        """The core trusts what it is given, so nothing outside its tables may get that far."""
        size, num_tokens = self.shape.vocab_size, len(ids)
        if num_tokens and not 0 <= min(ids) <= max(ids) < size:
            raise ValueError(f"ids are {min(ids)} … {max(ids)}, expected 0 … {size - 1}")
        if table.num_tokens != num_tokens:
            raise ValueError(f"spans have {table.num_tokens} tokens, but there are {num_tokens}")
        if (caches.num_layers, caches.width) != (self.num_layers, self.shape.cache_width):
            raise ValueError("caches are those of another network")
        table.check(caches.num_pages, caches.page_tokens)
        is_inside = not wanted or 0 <= wanted[0] <= wanted[-1] < num_tokens
        if not is_inside or any(one >= other for one, other in pairwise(wanted)):
            raise ValueError(f"wanted rows do not ascend within the {num_tokens} of the pass")

    def _check_vectors(self, vectors: Tensor | None, rows: Sequence[int], num_tokens: int) -> None:
        need_tensor("vectors", vectors, (len(rows), self.shape.dim), torch.float32)
        is_inside = not rows or 0 <= min(rows) <= max(rows) < num_tokens
        need(is_inside, f"vectors stand outside of the {num_tokens} rows of the pass")

    def _room(self, num_tokens: int) -> Tensor:
        """Memory for what a pass computes on its way; kept for the next one."""
        needed = self._count_bytes(ctypes.byref(self._native), ctypes.c_int64(num_tokens))
        memory = self._memory
        if len(memory) < needed:
            memory = self._memory = torch.empty(needed, dtype=torch.uint8)
        return memory


class Caches:
    """The pages of all layers."""

    def __init__(self, layers: Sequence[Pages]):
        need(len({one.entries.shape for one in layers}) == 1, "layers have caches of one shape")
        self.num_layers = len(layers)
        self.num_pages, self.page_tokens, self.width = layers[0].entries.shape
        self._owned = list(layers)
        self.native = (_Cache * len(layers))(*(one._native() for one in layers))


def _native_layer(weights: LayerWeights) -> _Layer:
    layer = _Layer()
    layer.attention_norm = address(weights.attention_norm)
    layer.mlp_norm = address(weights.mlp_norm)
    layer.out = weights.out._native()
    attention = weights.attention
    if isinstance(attention, LatentWeights):
        for name in ("q_down", "kv_down", "q_up"):
            setattr(layer, name, getattr(attention, name)._native())
        layer.q_norm, layer.kv_norm = address(attention.q_norm), address(attention.kv_norm)
        layer.up = address(attention.up.packed)
    else:
        for name in ("q", "k", "v"):
            setattr(layer, name, getattr(attention, name)._native())
    if isinstance(weights.mlp, Mixture):
        assert weights.router is not None, "experts need a router"
        layer.mixture, layer.router = weights.mlp._native, address(weights.router)
    else:
        layer.dense = _gated(weights.mlp)
    return layer


def _check_structs() -> None:
    """A library made from other sources would read other things than we write."""
    structs = (_Network, _Layer, _Pass, _Cache, _Span, _Matrix, _Mixture)
    library = core()
    known = hasattr(library, "bise_struct_bytes") and [
        library.bise_struct_bytes(ctypes.c_int64(i)) for i in range(len(structs))
    ]
    if known != [ctypes.sizeof(one) for one in structs]:
        raise UserError(
            "the C++ core was made from other sources than this package",
            hint="install the package again",
        )
