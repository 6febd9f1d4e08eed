"""A small vocabulary: 128 control ids, 256 bytes, and merges learned on generated text.

Same split pattern as the official one, so every digit is a token of its own; same control ids, so
the chat format is the same to the number.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from bise.errors import BadRequest
from bise.evals.task import Task, calls_text
from bise.model.config import ModelConfig
from bise.text import ImagePart, ImageSettings, learn_merges, save_tekken
from bise.text.chat import tools_json
from bise.train.conversations import SYSTEM_PROMPTS

NUM_SPECIAL = 128
FEWEST = NUM_SPECIAL + 256
"""Control ids and bytes: a vocabulary without merges."""

MOST = 8192
"""The skills use few words; more merges would only be whole sentences of theirs."""


def corpus(tasks: Mapping[str, Task], seed: int, num: int) -> Iterator[str]:
    """Everything the model will read and write, in the proportions of the skills."""
    yield from SYSTEM_PROMPTS
    for name, task in tasks.items():
        rng = Random(f"tokenizer/{seed}/{name}")
        for _ in range(num):
            example = task.sample(rng)
            yield from (example.system, example.question, example.thinking, example.answer)
            if example.tools:
                yield tools_json(example.tools)
            for message in example.given:
                yield from (part.text for part in message.parts if not isinstance(part, ImagePart))
                yield calls_text(message.tool_calls)


def make_tokenizer(
    path: Path, tasks: Mapping[str, Task], config: ModelConfig, *, seed: int, texts: int
) -> int:
    """Learn merges on `texts` a skill up to a network's vocabulary; how many were written."""
    if not FEWEST <= config.vocab_size <= MOST:
        raise BadRequest(
            f"a vocabulary of {config.vocab_size:,} cannot be learned on generated text",
            hint=f"take a preset of {FEWEST} to {MOST:,} tokens",
        )
    eyes = config.vision
    image = eyes and ImageSettings(
        patch_size=eyes.patch, merge=eyes.merge, max_size=eyes.image_size
    )
    merges = learn_merges(corpus(tasks, seed, texts), config.vocab_size - FEWEST)
    save_tekken(path, merges, num_special=NUM_SPECIAL, image=image)
    return len(merges)
