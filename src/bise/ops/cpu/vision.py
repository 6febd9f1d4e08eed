"""The eye on the C++ core's kernels: pictures in, vectors for their tokens out.

The definition is `Eye` of `bise.model.vision`.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bise.errors import UserError
from bise.ops.cpu.library import address, core, done, need, need_tensor
from bise.ops.cpu.matrix import Gated, Matrix, _Gated, _gated, _Matrix
from bise.ops.cpu.network_weights import check_matrix


class _Block(ctypes.Structure):
    _fields_ = [
        ("attention_norm", ctypes.c_void_p),
        ("mlp_norm", ctypes.c_void_p),
        *((name, _Matrix) for name in ("q", "k", "v", "out")),
        ("mlp", _Gated),
    ]


class _Eye(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_int64)
            for name in ("dim", "num_layers", "heads", "channels", "patch", "merge", "vector_dim")
        ),
        ("norm_eps", ctypes.c_float),
        ("projector_norm_eps", ctypes.c_float),
        ("frequencies", ctypes.c_void_p),
        ("pixels", _Matrix),
        ("norm", ctypes.c_void_p),
        ("blocks", ctypes.POINTER(_Block)),
        ("projector_norm", ctypes.c_void_p),
        *((name, _Matrix) for name in ("merging", "w_in", "w_out")),
    ]


class _Picture(ctypes.Structure):
    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("cols", ctypes.c_int64),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class EyeShape:
    """Sizes and constants of a tower and its projector."""

    dim: int
    num_heads: int
    num_channels: int
    patch: int
    """Side of a patch in pixels."""

    merge: int
    """Side of a token in patches."""

    vector_dim: int
    """Width of the text network."""

    norm_eps: float
    projector_norm_eps: float

    @property
    def head_dim(self) -> int:
        return self.dim // self.num_heads

    @property
    def token_side(self) -> int:
        """Side of a token in pixels."""
        return self.patch * self.merge


@dataclass(frozen=True, slots=True)
class VisionBlockWeights:
    """One layer of the tower; norms are [dim] fp32."""

    attention_norm: Tensor
    mlp_norm: Tensor
    q: Matrix
    k: Matrix
    v: Matrix
    out: Matrix
    mlp: Gated


@dataclass(frozen=True, kw_only=True, slots=True)
class EyeWeights:
    """A tower and its projector; norms are [dim] fp32."""

    pixels: Matrix
    """[dim, channels * patch * patch]"""

    norm: Tensor
    blocks: Sequence[VisionBlockWeights]
    projector_norm: Tensor
    merging: Matrix
    """[dim, dim * merge * merge], number by number with all its neighbours' beside it"""

    w_in: Matrix
    w_out: Matrix


class CoreEye:
    """A tower and its projector as the core reads them; owns what it points to."""

    def __init__(self, shape: EyeShape, weights: EyeWeights, frequencies: Tensor):
        """frequencies [head dim / 2] fp32"""
        _check_structs()
        _check_sizes(shape)
        _check_weights(weights, shape)
        need_tensor("frequencies", frequencies, (shape.head_dim // 2,), torch.float32)
        self.shape = shape
        self._owned = (weights, frequencies)
        self._blocks = (_Block * len(weights.blocks))(*map(_native_block, weights.blocks))
        self._native = _Eye(
            shape.dim,
            len(weights.blocks),
            shape.num_heads,
            shape.num_channels,
            shape.patch,
            shape.merge,
            shape.vector_dim,
            shape.norm_eps,
            shape.projector_norm_eps,
            address(frequencies),
            weights.pixels._native(),
            address(weights.norm),
            self._blocks,
            address(weights.projector_norm),
            *(one._native() for one in (weights.merging, weights.w_in, weights.w_out)),
        )

    def see(self, images: Sequence[Tensor], *, is_exact: bool = False) -> Tensor:
        """Vectors for the tokens of all pictures, in order. [tokens, vector dim] fp32

        images: [channels, height, width] each, sides multiples of `token_side`; is_exact: one after
        the other, so that a picture gets the same bits in any company
        """
        for image in images:
            self._check_image(image)
        if is_exact and len(images) > 1:
            return torch.cat([self.see([image]) for image in images])
        counts = [image[0].numel() // self.shape.token_side**2 for image in images]
        vectors = torch.empty(sum(counts), self.shape.vector_dim)
        if not images:
            return vectors
        pixels = [image.float().contiguous() for image in images]
        pictures = (_Picture * len(pixels))(
            *(
                _Picture(address(one), *(side // self.shape.patch for side in one.shape[1:]))
                for one in pixels
            )
        )
        count = ctypes.c_int64(len(pixels))
        status = core().bise_see(ctypes.byref(self._native), pictures, count, address(vectors))
        done(status, f"look at pictures of {sum(counts)} tokens")
        return vectors

    def _check_image(self, image: Tensor) -> None:
        channels, side = self.shape.num_channels, self.shape.token_side
        fits = image.ndim == 3 and image.shape[0] == channels and image.numel() > 0
        if not fits or any(size % side for size in image.shape[1:]):
            raise ValueError(
                f"a picture is {list(image.shape)}, expected {channels} channels and sides that"
                f" are multiples of {side}"
            )
        need(image.device.type == "cpu", "kernels read plain memory")


def _check_sizes(shape: EyeShape) -> None:
    counts = (shape.dim, shape.num_heads, shape.num_channels, shape.patch, shape.merge)
    need(min(*counts, shape.vector_dim) > 0, f"sizes are not all above 0: {shape}")
    whole = shape.dim % (2 * shape.num_heads) == 0
    need(whole, f"{shape.num_heads} heads cannot share pairs of {shape.dim} numbers")


def _check_weights(weights: EyeWeights, shape: EyeShape) -> None:
    """See that everything in it has the sizes that the core takes for granted."""
    dim, wide = shape.dim, shape.vector_dim
    check_matrix("pixels", weights.pixels, dim, shape.num_channels * shape.patch**2)
    need_tensor("norm", weights.norm, (dim,), torch.float32)
    for block in weights.blocks:
        _check_block(block, dim)
    need_tensor("projector_norm", weights.projector_norm, (dim,), torch.float32)
    check_matrix("merging", weights.merging, dim, dim * shape.merge**2)
    check_matrix("w_in", weights.w_in, wide, dim)
    check_matrix("w_out", weights.w_out, wide, wide)


def _check_block(block: VisionBlockWeights, dim: int) -> None:
    need_tensor("attention_norm", block.attention_norm, (dim,), torch.float32)
    need_tensor("mlp_norm", block.mlp_norm, (dim,), torch.float32)
    for name, matrix in (("q", block.q), ("k", block.k), ("v", block.v), ("out", block.out)):
        check_matrix(name, matrix, dim, dim)
    block.mlp.check()
    widths = (block.mlp.gate_up.inputs, block.mlp.down.outputs)
    need(widths == (dim, dim), f"a feed-forward from {widths[0]} to {widths[1]}, expected {dim}")


def _native_block(block: VisionBlockWeights) -> _Block:
    return _Block(
        address(block.attention_norm),
        address(block.mlp_norm),
        *(one._native() for one in (block.q, block.k, block.v, block.out)),
        _gated(block.mlp),
    )


def _check_structs() -> None:
    """A library made from other sources would read other things than we write."""
    library = core()
    structs = (_Eye, _Block, _Picture)
    known = hasattr(library, "bise_vision_struct_bytes") and [
        library.bise_vision_struct_bytes(ctypes.c_int64(i)) for i in range(len(structs))
    ]
    if known != [ctypes.sizeof(one) for one in structs]:
        raise UserError(
            "the C++ core was made from other sources than this package",
            hint="install the package again",
        )
