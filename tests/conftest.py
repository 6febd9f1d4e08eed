"""Small models for the rooms that need a whole one: random ones, and ones that say what we like."""

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from math import sqrt
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from bise.engine import Vocabulary
from bise.model import EagleHead, ModelConfig, Network, eagle_config, save_checkpoint
from bise.model.config import (
    ExpertsConfig,
    LatentAttentionConfig,
    QueryScaleConfig,
    RopeConfig,
    VisionConfig,
    YarnConfig,
)
from bise.model.hub import ASSETS
from bise.serve.loading import vocabulary_of
from bise.text import Tekken

settings.register_profile("patient", deadline=None)  # a busy machine is nobody's mistake
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children are asked to stop by it

TEKKEN = ASSETS / "nano" / "tekken.json"
END_INST, EOS = 4, 2

TINY = ModelConfig(
    dim=64,
    num_layers=2,
    num_heads=2,
    attention=LatentAttentionConfig(q_latent=32, kv_latent=16, nope=16, rope=16, value=16),
    experts=ExpertsConfig(num=4, topk=2, hidden_dim=32),
    vocab_size=2048,
    rope=RopeConfig(yarn=YarnConfig(factor=8.0, original=64)),
    query_scale=QueryScaleConfig(beta=0.1, original=64),
    max_positions=512,
    vision=VisionConfig(dim=32, num_layers=1, num_heads=2, mlp_dim=32, image_size=448),
)

Script = Mapping[int, int]
"""Which token follows which."""


def random_network(config: ModelConfig = TINY, seed: int = 0) -> Network:
    """Random weights large enough that different prompts get different answers."""
    generator = torch.Generator().manual_seed(seed)
    network = Network(config)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            if weight.ndim == 1:
                weight.copy_(1.0 + 0.1 * noise)
            else:
                weight.copy_(noise * (1.0 if name == "embed.weight" else 0.2))
    return network.eval()


def scripted_network(script: Script, config: ModelConfig = TINY) -> Network:
    """A real network whose layers add nothing, so that the last token alone decides the next."""
    network = random_network(config)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("attention.out.weight", "mlp.down", "shared.down.weight")):
                weight.zero_()
        directions = network.embed.weight / network.embed.weight.norm(dim=1, keepdim=True)
        network.embed.weight.copy_(directions * sqrt(config.dim))
        network.norm.weight.fill_(1.0)
        network.head.weight.zero_()
        for token, following in script.items():
            network.head.weight[following] += directions[token] * 40 / sqrt(config.dim)
    return network


def repeating_head(network: Network) -> EagleHead:
    """A draft head that passes on what it is told came next: all a scripted network looks at."""
    head = EagleHead(eagle_config(network.config))
    width = network.config.dim
    with torch.no_grad():
        for name, weight in head.named_parameters():
            weight.fill_(1.0 if name.endswith("norm.weight") else 0.0)
        head.join.weight[:, :width] = torch.eye(width)
    return head.eval()


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Here and in every process a test starts: small products do not share well."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def tekken() -> Tekken:
    return Tekken.from_file(TEKKEN)


@pytest.fixture(scope="session")
def vocabulary(tekken: Tekken) -> Vocabulary:
    """What the small models' ids stand for, as the engine takes it."""
    return vocabulary_of(tekken)


@pytest.fixture(scope="session")
def network() -> Network:
    return random_network()


@pytest.fixture(scope="session")
def say(tekken: Tekken) -> Callable[..., Script]:
    """Makes the script of one reply from texts and marker ids; `then` follows the last token."""

    def make(*parts: str | int, then: int = EOS) -> Script:
        ids = [END_INST]
        for part in parts:
            ids += tekken.encode(part) if isinstance(part, str) else [part]
        assert len(set(ids)) == len(ids), "a script has every token once"
        return dict(pairwise([*ids, then]))

    return make


@pytest.fixture(scope="session")
def scripted() -> Callable[[Script], Network]:
    return scripted_network


@pytest.fixture(scope="session")
def knowing_head() -> Callable[[Network], EagleHead]:
    return repeating_head


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a network as a model's folder, tokenizer and all."""

    def write(network: Network, name: str = "tiny", *, has_tokenizer: bool = True) -> Path:
        folder = tmp_path_factory.mktemp("models") / name
        save_checkpoint(folder, network, network.config, dtype=torch.float32)
        if has_tokenizer:
            shutil.copyfile(TEKKEN, folder / "tekken.json")
        return folder

    return write


@pytest.fixture(scope="session")
def random_folder(network: Network, folder_of: Callable[..., Path]) -> Path:
    """A model of random weights."""
    return folder_of(network)


@pytest.fixture(scope="session")
def thinker(say: Callable[..., Script], folder_of: Callable[..., Path], tekken: Tekken) -> Path:
    """A model that thinks `so 12` and answers `46, yes`, whatever it is asked."""
    special = tekken.special
    script = say(special.think, "so 12", special.end_think, "46, yes")
    return folder_of(scripted_network(script), "thinker")


@pytest.fixture(scope="session")
def caller(say: Callable[..., Script], folder_of: Callable[..., Path], tekken: Tekken) -> Path:
    """A model that says `ok` and calls `add` with `{ }`."""
    special = tekken.special
    script = say("ok", special.calls, "add", special.args, "{ }")
    return folder_of(scripted_network(script), "caller")


@pytest.fixture(scope="session")
def chatterbox(say: Callable[..., Script], folder_of: Callable[..., Path], tekken: Tekken) -> Path:
    """A model that never stops by itself: it counts from 1 to 5, and again, for minutes."""
    first = tekken.encode("1")[0]
    config = replace(TINY, max_positions=1 << 18)
    return folder_of(scripted_network(say("12345", then=first), config), "chatterbox")


@pytest.fixture(scope="session")
def red_square(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    path = tmp_path_factory.mktemp("pictures") / "red.png"
    Image.new("RGB", (56, 28), "red").save(path)
    return path
