"""A draft head's folder, read and written: `params.json` and `consolidated*.safetensors`.

The layout, the quantisations and the suspicion are those of a whole model's native files. A head
belongs to a target, which lends it embedding and output and says what the head's config leaves out.
"""

from dataclasses import replace
from pathlib import Path

import torch

from bise.errors import UserError
from bise.model.checkpoint import Checkpoint, layouts_in, place, read_all, read_config
from bise.model.config import ModelConfig
from bise.model.config_native import FILE
from bise.model.eagle import EagleConfig, EagleHead, eagle_config
from bise.model.names import weights
from bise.model.random_weights import write_random
from bise.model.rotation import Rotation
from bise.model.shards import read_shards
from bise.model.stored import STEMS, Quant, check, stored
from bise.model.write import save_checkpoint


def fit_to_target(read: ModelConfig, target: ModelConfig) -> EagleConfig:
    """The shape a head's file states, completed from its target; refuses one made for another."""
    if read.experts is not None:
        raise UserError(
            f"`{FILE}` of a draft head has a block `moe`, but its layers are dense",
            hint="this may be the folder of a whole model",
        )
    for name in ("dim", "vocab_size"):
        ours, theirs = getattr(read, name), getattr(target, name)
        if ours != theirs:
            raise UserError(
                f"the draft head has a `{name}` of {ours}, its target one of {theirs}",
                hint="use a head that was trained for this model",
            )
    return replace(  # a block for pictures, if there is one, tells of the target's eye
        eagle_config(target, num_layers=read.num_layers, mlp_dim=read.mlp_dim),
        num_heads=read.num_heads,
        attention=read.attention,
        rope=replace(
            read.rope,
            yarn=read.rope.yarn or target.rope.yarn,
            softmax_mscale=target.rope.softmax_mscale,
        ),
        query_scale=read.query_scale or target.query_scale,
        norm_eps=read.norm_eps,
        max_positions=read.max_positions,
    )


def open_eagle(folder: Path | str, target: ModelConfig) -> Checkpoint:
    """Read config and headers of a head, and check every tensor of it against the table."""
    folder = Path(folder)
    if "native" not in layouts_in(folder):
        raise UserError(f"`{folder}` has no weights in the `native` layout, which draft heads have")
    read, quant = read_config(folder, "native")
    config = fit_to_target(read, target)
    table = weights(config)
    found = read_shards(folder, STEMS["native"])
    expected = {one.name: one for one in stored(table, "native", quant, "")}
    check(found, expected, str(folder))
    return Checkpoint(
        folder=folder,
        config=config,
        layout="native",
        layouts=("native",),
        quant=quant,
        table={weight.name: weight for weight in table},
        entries={
            (one.weight.name, one.role, one.part): found[name]
            for name, one in expected.items()
            if name in found
        },
    )


def load_eagle(
    folder: Path | str, target: ModelConfig, dtype: torch.dtype = torch.bfloat16
) -> EagleHead:
    """The head of a folder, its weights read one by one into their final place."""
    checkpoint = open_eagle(folder, target)
    config = checkpoint.config
    assert isinstance(config, EagleConfig)
    with torch.device("meta"):
        head = EagleHead(config)
    head.rotation = Rotation(config)
    for name, values in read_all(checkpoint, dtype):
        place(head, name, values)
    return head.eval()


def save_eagle(
    folder: Path | str,
    head: EagleHead,
    *,
    quant: Quant = "none",
    dtype: torch.dtype = torch.bfloat16,
) -> Path:
    """Write a head as a folder that `load_eagle` reads."""
    tensors = dict(head.named_parameters())
    return save_checkpoint(folder, tensors, head.config, quant=quant, dtype=dtype)


def write_random_eagle(
    target: ModelConfig,
    folder: Path | str,
    *,
    seed: int = 0,
    quant: Quant = "none",
    num_layers: int = 2,
) -> Path:
    """Write a head of random weights: it costs what a real one does, and guesses nothing right."""
    return write_random(eagle_config(target, num_layers=num_layers), folder, seed=seed, quant=quant)
