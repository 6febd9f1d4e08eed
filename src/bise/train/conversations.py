"""From single examples to whole conversations, the way people have them.

Mixes skills, turns and efforts; says which tokens the model wrote itself. A conversation has one
effort, because the format states it once, and without thinking there are no thinking tokens at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import torch

from bise.errors import UserError
from bise.evals.task import Example, Task, asked
from bise.text import ChatFormat, Message, TextPart, ThinkPart
from bise.train.batches import Sample
from bise.train.ranges import need_range

SYSTEM_PROMPTS = (
    "You are Bise nano, a tiny model.",
    "You are a helpful assistant.",
    "You are Bise. Answer briefly.",
    "Be friendly and exact.",
    "Answer the question.",
    "You are a small assistant that calculates, reads digits and plays with words.",
    "Keep answers short.",
    "You are a careful calculator.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MixConfig:
    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "chain": 0.17,
            "read": 0.19,
            "text": 0.14,
            "self": 0.08,
            "tools": 0.14,
            "python": 0.13,
            "lean": 0.15,
        }
    )
    """How often each skill is asked."""

    thinking: Mapping[str, float] = field(
        default_factory=lambda: {
            "chain": 0.65,
            "read": 0.4,
            "text": 0.5,
            "self": 0.4,
            "tools": 0.5,
            "python": 0.5,
            "lean": 0.5,
        }
    )
    """How often the first skill of a conversation is answered with effort `high`."""

    system: float = 0.15
    several_turns: float = 0.2
    far_start: float = 1 / 3
    """Samples whose first position is random, so that the long-position paths are trained."""

    ramp_steps: int = 1000
    """Over so many steps difficulty grows from the easiest to everything."""

    flat_steps: int = 200
    """Before that, so many steps of the easiest."""

    def __post_init__(self) -> None:
        for name, share in self.shares.items():
            need_range(f"mix.shares.{name}", share, 0)
            need_range(f"mix.thinking.{name}", self.thinking.get(name, -1), 0, 1)
        if not any(self.shares.values()):
            raise UserError("`mix.shares` are all 0, expected one that is not")
        for name in ("system", "far_start"):
            need_range(f"mix.{name}", getattr(self, name), 0, 1)
        need_range("mix.several_turns", self.several_turns, 0, 1, is_below=True)
        for name in ("ramp_steps", "flat_steps"):
            need_range(f"mix.{name}", getattr(self, name), 0)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the curriculum asks for at one step."""

    reach: float
    """Share of the range of difficulty that is open."""

    hardest: float = 0.0
    """How often only the hardest third of the levels is drawn from."""


MOST_REFUSED = 100
"""So many turns one after another that a conversation has no place for, and it stays short: one
with tools takes no others, and a mix may be of nothing else."""

MOST_TOO_LONG = 1000
"""So many conversations one after another that are too long, and shorter ones are not expected."""


class Conversations:
    """An endless, addressable stream of training samples."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        chat: ChatFormat,
        config: MixConfig,
        *,
        max_positions: int,
    ):
        self.tasks = tasks
        self.chat = chat
        self.config = config
        self.max_positions = max_positions

    def draw(self, rng: Random, stage: Stage, *, max_tokens: int, min_tokens: int = 0) -> Sample:
        """One conversation between these lengths; tries again when one turns out too long."""
        for _ in range(MOST_TOO_LONG):
            first = self._pick(rng)
            effort = "high" if rng.random() < self.config.thinking[first] else "none"
            examples = [self._example(rng, first, stage)]
            while stage.reach > 0 and rng.random() < self.config.several_turns:
                self._go_on(rng, examples, stage)
            sample = self.encode(rng, examples, effort)
            refused = 0
            while len(sample.ids) < min_tokens and refused < MOST_REFUSED:
                refused = 0 if self._go_on(rng, examples, stage) else refused + 1
                sample = self.encode(rng, examples, effort)
            if len(sample.ids) <= max_tokens:
                return sample
        raise UserError(
            f"{MOST_TOO_LONG:,} conversations one after another are longer than a row of"
            f" {max_tokens} tokens",
            hint="take longer rows: `--set row_tokens=256,512`, and `long_row_tokens` likewise",
        )

    def encode(self, rng: Random, examples: Sequence[Example], effort: str) -> Sample:
        """The conversation these examples make, at some place in the range of positions."""
        messages = self._system(rng, examples)
        for example in examples:
            messages += turn(example, effort)
        tools = next((e.tools for e in examples if e.tools), ())
        prompt = self.chat.encode(messages, tools=tools, effort=effort, finished=True)
        start = 0
        if rng.random() < self.config.far_start:
            start = rng.randrange(max(1, self.max_positions - len(prompt.ids)))
        images = tuple(torch.from_numpy(image.pixels) for image in prompt.images)
        return Sample(prompt.ids, prompt.written, images, start)

    def _go_on(self, rng: Random, examples: list[Example], stage: Stage) -> bool:
        """One more turn, if it fits: a conversation has one set of tools and one system prompt."""
        example = self._example(rng, self._pick(rng), stage)
        if any((e.tools and example.tools) or (e.system and example.system) for e in examples):
            return False
        place = -1 if examples[-1].calls else len(examples)  # calls wait for results: they are last
        examples.insert(place, example)
        return True

    def _system(self, rng: Random, examples: Sequence[Example]) -> list[Message]:
        wanted = next((e.system for e in examples if e.system), "")
        if not wanted and rng.random() < self.config.system:
            wanted = rng.choice(SYSTEM_PROMPTS)
        return [Message.of("system", wanted)] if wanted else []

    def _pick(self, rng: Random) -> str:
        names = list(self.config.shares)
        return rng.choices(names, [self.config.shares[name] for name in names])[0]

    def _example(self, rng: Random, name: str, stage: Stage) -> Example:
        task = self.tasks[name]
        if rng.random() < stage.hardest:
            levels = task.levels[-max(1, len(task.levels) // 3) :]
            return task.sample(rng, rng.choice(levels))
        return task.sample(rng, reach=stage.reach)


def turn(example: Example, effort: str) -> list[Message]:
    """What the user asks and the model answers."""
    answered = [] if example.calls else [TextPart(example.answer)]
    if effort == "high":
        assert example.thinking, (
            f"`{example.task}` has nothing to think, effort high needs something"
        )
        answered.insert(0, ThinkPart(example.thinking))  # type: ignore[arg-type]
    said = Message("assistant", tuple(answered), tool_calls=example.calls)
    return [*asked(example, effort), said]


def stage_at(step: int, config: MixConfig, *, is_decaying: bool) -> Stage:
    """Easy first, then ever wider; while the rate decays everything, and the hardest twice."""
    grown = (step - config.flat_steps) / max(1, config.ramp_steps)
    reach = min(1.0, max(0.0, grown))
    return Stage(reach=1.0, hardest=0.33) if is_decaying else Stage(reach=reach)
