"""Peers that read checkpoints: a twin in Hugging Face's layout or in Mistral's own, in bf16."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from bise.model.names import Weight
from bise.model.packed_source import Source
from bise.model.stored import Layout
from bise.model.write import DEFAULT_SHARD_BYTES, Encoder, Fp8Part, write_folder

CHILD = Path(__file__).with_name("hugging_child.py")


class _Plain:
    """A source's weights as bf16, for the writer of checkpoints."""

    def __init__(self, source: Source):
        self.source = source

    def dtype(self, weight: Weight) -> torch.dtype:  # noqa: ARG002 - all alike
        return torch.bfloat16

    def part(self, weight: Weight, part: int) -> Tensor:
        return self.source.part(weight, part).to(torch.bfloat16)

    def fp8(self, weight: Weight, part: int) -> Fp8Part | None:  # noqa: ARG002 - never
        return None


def write_checkpoint(source: Source, folder: Path, layout: Layout) -> Path:
    """The text network, unless it is there from another peer that reads the same."""
    if not folder.exists():
        config = replace(source.config, vision=None)
        encoder = Encoder(_Plain(source), config, layout, "none")
        write_folder(folder, encoder, config, "none", DEFAULT_SHARD_BYTES)
    return folder
