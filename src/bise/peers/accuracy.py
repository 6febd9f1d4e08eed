"""How far an engine's predictions are from those of the weights it was given.

The reference is the plain network in fp32 on the bf16 weights, one layer in memory at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bise.model.checkpoint import empty_network
from bise.model.names import weights
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromRandom, Source
from bise.model.rotation import Rotation
from bise.model.sight import PackedRows
from bise.peers.ours import Stepper

WINDOW_TOKENS = 500
"""Positions in a row; shorter than what nano's queries begin to grow at."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of one engine, over all positions."""

    divergence: float
    """Mean KL divergence from the reference, in nats."""

    agreement: float
    """Share of positions where the likeliest token is the reference's, 0 to 1."""


@torch.inference_mode()
def reference_logits(source: Source, ids: Tensor) -> Iterator[Tensor]:
    """Logits of every window: ids [windows, length] -> [length, vocab] fp32, one after another."""
    config = source.config
    table = {weight.name: weight for weight in weights(config)}

    def fill(module: torch.nn.Module, name: str) -> torch.nn.Module:
        module.to_empty(device="cpu")
        for own, values in module.named_parameters():
            weight = table[name + own]
            for part in range(len(weight.parts)):
                weight.rows(values, part).copy_(source.part(weight, part))
        return module.float()

    network = empty_network(config)
    windows, length = ids.shape
    hidden = fill(network.embed, "embed.")(ids.flatten())
    turn = Rotation(config)(torch.arange(length).repeat(windows))
    sight = PackedRows(windows, length)
    for layer, block in enumerate(network.blocks):
        hidden = fill(block, f"blocks.{layer}.")(hidden, turn, sight)
        block.to("meta")
    hidden = fill(network.norm, "norm.")(hidden)
    head = fill(network.head, "head.")
    for window in hidden.split(length):
        yield head(window)


def texts(source: Source, network: PackedNetwork | None, num_windows: int, seed: int = 0) -> Tensor:
    """Ids to compare on: what a trained network writes itself; random ids for random weights."""
    config, generator = source.config, torch.Generator().manual_seed(seed)
    ids = torch.randint(
        config.vocab_size // 2, config.vocab_size, (num_windows, WINDOW_TOKENS), generator=generator
    )
    if network is None or isinstance(source, FromRandom):
        return ids
    stepper = Stepper(network, num_windows, WINDOW_TOKENS)
    ids[:, 0] = 1  # the mark of a beginning
    for position in range(WINDOW_TOKENS - 1):
        chances = stepper.step(ids[:, position], position).softmax(dim=-1)
        ids[:, position + 1] = torch.multinomial(chances, 1, generator=generator)[:, 0]
    return ids


def compare_logits(path: Path, reference: Path, length: int, vocab: int) -> Accuracy:
    """Two files of fp32 logits, read window by window."""
    divergences, hits = list[Tensor](), list[Tensor]()
    found = np.memmap(path, dtype=np.float32, mode="r").reshape(-1, length, vocab)
    wanted = np.memmap(reference, dtype=np.float32, mode="r").reshape(-1, length, vocab)
    for one, true in zip(found, wanted, strict=True):
        logits, truth = torch.from_numpy(one.copy()), torch.from_numpy(true.copy())
        hits.append(logits.argmax(dim=-1) == truth.argmax(dim=-1))
        log_true = truth.log_softmax(dim=-1)
        gaps = log_true - logits.log_softmax(dim=-1)
        divergences.append((log_true.exp() * gaps).sum(dim=-1))
    return Accuracy(
        divergence=float(torch.cat(divergences).mean()),
        agreement=float(torch.cat(hits).float().mean()),
    )


def write_reference(source: Source, ids: Tensor, path: Path) -> None:
    with path.open("wb") as file:
        for logits in reference_logits(source, ids):
            logits.numpy().tofile(file)
