"""Our networks as GGUF, for llama.cpp: the same weights in another engine.

Small 4's network is its `mistral4`, Small 3's its `llama`. The file has no tokenizer: whoever reads
it feeds ids. Pictures stay behind. Checked against: llama.cpp's `conversion/mistral3.py` and
`src/models/deepseek2.cpp`, by loading files and comparing logits.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from bise.errors import UserError
from bise.model.config import GroupedAttentionConfig, LatentAttentionConfig, ModelConfig
from bise.model.gguf_blocks import BLOCK, Format, encode
from bise.model.gguf_file import TensorInfo, Value, write_gguf
from bise.model.names import Weight, weights
from bise.model.packed_source import Source

SOFTMAX_GATING = 1
"""llama.cpp's number for experts chosen by a softmax over all of them."""

AHEAD = 4
"""Pieces, such as experts, that are made while one is written."""

FILE_TYPES: dict[Format, int] = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7, "bf16": 32}

NAMES = {
    "attention_norm.weight": "attn_norm",
    "mlp_norm.weight": "ffn_norm",
    "attention.q_down.weight": "attn_q_a",
    "attention.q_norm.weight": "attn_q_a_norm",
    "attention.q_up.weight": "attn_q_b",
    "attention.kv_down.weight": "attn_kv_a_mqa",
    "attention.kv_norm.weight": "attn_kv_a_norm",
    "attention.q.weight": "attn_q",
    "attention.k.weight": "attn_k",
    "attention.v.weight": "attn_v",
    "attention.out.weight": "attn_output",
    "mlp.router": "ffn_gate_inp",
    "mlp.down": "ffn_down_exps",
    "mlp.shared.gate.weight": "ffn_gate_shexp",
    "mlp.shared.up.weight": "ffn_up_shexp",
    "mlp.shared.down.weight": "ffn_down_shexp",
    "mlp.gate.weight": "ffn_gate",
    "mlp.up.weight": "ffn_up",
    "mlp.down.weight": "ffn_down",
}
"""Ours under `blocks.N.` -> theirs under `blk.N.`; `kv_up` and `gate_up` become two each."""

OUTSIDE = {"embed.weight": "token_embd", "norm.weight": "output_norm", "head.weight": "output"}


@dataclass(frozen=True, slots=True)
class _Planned:
    """A tensor to be written, and how to make the pieces of it."""

    info: TensorInfo
    pieces: Sequence[Callable[[], Tensor]]


def write_network(
    source: Source,
    path: Path,
    format: Format,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a network. Norms and routers stay fp32; in 4 bits embedding and head get 8, as ours do.

    progress: called with the bytes written so far
    """
    planned, written = _plan(source, format), 0

    def told(pieces: Iterable[Tensor]) -> Iterator[Tensor]:
        nonlocal written
        for piece in pieces:
            yield piece
            written += len(piece)
            progress(written)

    with ThreadPoolExecutor(initializer=torch.set_num_threads, initargs=(1,)) as pool:
        write_gguf(
            path,
            metadata(source.config, format),
            [one.info for one in planned],
            (told(_ahead(pool, one.pieces)) for one in planned),
        )


def _ahead(pool: ThreadPoolExecutor, pieces: Sequence[Callable[[], Tensor]]) -> Iterator[Tensor]:
    """Pieces in order; a few are made while one is written, each by one thread."""
    waiting = deque[Future[Tensor]]()
    for piece in pieces:
        waiting.append(pool.submit(piece))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def network_bytes(source: Source, format: Format) -> int:
    """Bytes of all tensors of such a file."""
    return sum(one.info.size_bytes for one in _plan(source, format))


def metadata(config: ModelConfig, format: Format) -> dict[str, Value]:
    """What llama.cpp must know of a network."""
    architecture = "mistral4" if config.is_latent else "llama"
    about: dict[str, Value] = {
        "block_count": config.num_layers,
        "context_length": config.max_positions,
        "embedding_length": config.dim,
        "vocab_size": config.vocab_size,
        "attention.head_count": config.num_heads,
        "attention.layer_norm_rms_epsilon": config.norm_eps,
        "rope.freq_base": config.rope.theta,
        "rope.dimension_count": config.attention.rope,
        "feed_forward_length": config.mlp_dim or 0,
        **_attention(config),
        **_experts(config),
        **_positions(config),
    }
    return {
        "general.architecture": architecture,
        "general.file_type": FILE_TYPES[format],
        "general.quantization_version": 2,
        **{f"{architecture}.{key}": value for key, value in about.items()},
        "tokenizer.ggml.model": "none",
    }


def _attention(config: ModelConfig) -> dict[str, Value]:
    shape = config.attention
    if isinstance(shape, GroupedAttentionConfig):
        return {
            "attention.head_count_kv": shape.num_kv_heads,
            "attention.key_length": shape.head_dim,
            "attention.value_length": shape.head_dim,
        }
    return {
        "attention.head_count_kv": 1,  # absorbed, all heads share the latent as key and value
        "attention.key_length": shape.kv_latent + shape.rope,
        "attention.value_length": shape.kv_latent,
        "attention.key_length_mla": shape.head_dim,
        "attention.value_length_mla": shape.value,
        "attention.q_lora_rank": shape.q_latent,
        "attention.kv_lora_rank": shape.kv_latent,
    }


def _experts(config: ModelConfig) -> dict[str, Value]:
    experts = config.experts
    if experts is None:
        return {}
    return {
        "leading_dense_block_count": 0,
        "expert_count": experts.num,
        "expert_used_count": experts.topk,
        "expert_shared_count": experts.num_shared,
        "expert_feed_forward_length": experts.hidden_dim,
        "expert_gating_func": SOFTMAX_GATING,
        "expert_weights_norm": True,
        "expert_weights_scale": 1.0,
    }


def _positions(config: ModelConfig) -> dict[str, Value]:
    """YaRN and the growth of queries.

    llama.cpp multiplies the softmax scale by YaRN's mscale squared and undoes it in the rotation;
    `attn_factor` takes both back, which is what the official `apply_scale: false` means.
    """
    about: dict[str, Value] = {}
    yarn, growth = config.rope.yarn, config.query_scale
    if yarn is not None:
        mscale = 1.0 + 0.1 * math.log(yarn.factor)
        about |= {
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": yarn.factor,
            "rope.scaling.original_context_length": yarn.original,
            "rope.scaling.yarn_beta_fast": yarn.beta_fast,
            "rope.scaling.yarn_beta_slow": yarn.beta_slow,
            "rope.scaling.attn_factor": 1.0 if config.rope.softmax_mscale else 1.0 / mscale,
        }
    if growth is not None:
        about |= {
            "attention.temperature_scale": growth.beta,
            "attention.temperature_length": growth.original,
        }
    return about


def _plan(source: Source, format: Format) -> list[_Planned]:
    planned = list[_Planned]()
    for weight in weights(source.config):
        if weight.section in ("text", "head"):
            planned += _Writing(source, weight, format).planned()
    return planned


@dataclass(frozen=True, slots=True)
class _Writing:
    """One of our weights on its way into the file."""

    source: Source
    weight: Weight
    format: Format

    def planned(self) -> list[_Planned]:
        weight = self.weight
        outside = OUTSIDE.get(weight.name)
        if outside is not None:
            return [self._whole(outside)]
        _, layer, inner = weight.name.split(".", 2)
        under = f"blk.{layer}."
        if inner == "attention.kv_up.weight":
            return self._split_up(under)
        if inner == "mlp.gate_up":
            return [
                self._stacked(f"{under}ffn_gate_exps", range(0, len(weight.parts), 2)),
                self._stacked(f"{under}ffn_up_exps", range(1, len(weight.parts), 2)),
            ]
        if weight.is_stacked:
            return [self._stacked(under + NAMES[inner], range(len(weight.parts)))]
        return [self._whole(under + NAMES[inner])]

    def _format(self, columns: int) -> Format:
        weight, wanted = self.weight, self.format
        if len(weight.shape) == 1 or weight.name.endswith("router"):
            return "f32"
        if wanted == "q4_0" and weight.name in OUTSIDE:
            wanted = "q8_0"
        if wanted in ("q8_0", "q4_0") and columns % BLOCK:
            raise UserError(
                f"`{weight.name}` has {columns} columns, no multiple of {BLOCK}",
                hint="compare in bf16",
            )
        return wanted

    def _info(self, name: str, shape: tuple[int, ...]) -> TensorInfo:
        return TensorInfo(f"{name}.weight", shape, self._format(shape[-1]))

    def _whole(self, name: str) -> _Planned:
        info = self._info(name, self.weight.shape)
        return _Planned(info, [lambda: encode(self.source.part(self.weight, 0), info.format)])

    def _stacked(self, name: str, parts: Sequence[int]) -> _Planned:
        info = self._info(name, (len(parts), *self.weight.part_shape))

        def piece(part: int) -> Tensor:
            return encode(self.source.part(self.weight, part), info.format)

        return _Planned(info, [partial(piece, part) for part in parts])

    def _split_up(self, under: str) -> list[_Planned]:
        """Keys' half turned, so that queries can be multiplied with it."""
        config = self.source.config
        shape = config.attention
        assert isinstance(shape, LatentAttentionConfig)
        keys = self._info(f"{under}attn_k_b", (config.num_heads, shape.kv_latent, shape.nope))
        values = self._info(f"{under}attn_v_b", (config.num_heads, shape.value, shape.kv_latent))

        def halves() -> tuple[Tensor, Tensor]:
            heads = self.source.part(self.weight, 0).unflatten(0, (config.num_heads, -1))
            nope, value = heads.split([shape.nope, shape.value], dim=1)
            return nope.transpose(1, 2), value

        return [
            _Planned(keys, [lambda: encode(halves()[0], keys.format)]),
            _Planned(values, [lambda: encode(halves()[1], values.format)]),
        ]
