"""Nano's own vocabulary: 128 control ids, 256 bytes, and 1,664 merges learned on generated text.

Same split pattern as the official one, so every digit is a token of its own; same control ids, so
the chat format is the same to the number.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from bise.evals.task import Task
from bise.model.config import VisionConfig
from bise.text import ImageSettings, learn_merges, save_tekken
from bise.train.conversations import SYSTEM_PROMPTS

NUM_MERGES = 1664
TEXTS_A_TASK = 20_000


def corpus(tasks: Mapping[str, Task], seed: int, num: int = TEXTS_A_TASK) -> Iterator[str]:
    """Everything the model will read and write, in the proportions of the skills."""
    yield from SYSTEM_PROMPTS
    for name, task in tasks.items():
        rng = Random(f"tokenizer/{seed}/{name}")
        for _ in range(num):
            example = task.sample(rng)
            yield from (example.system, example.question, example.thinking, example.answer)


def make_tokenizer(
    path: Path, tasks: Mapping[str, Task], *, seed: int, vision: VisionConfig
) -> None:
    """Learn the merges and write a `tekken.json` for a network that sees with `vision`."""
    image = ImageSettings(patch_size=vision.patch, merge=vision.merge, max_size=vision.image_size)
    save_tekken(path, learn_merges(corpus(tasks, seed), NUM_MERGES), image=image)
