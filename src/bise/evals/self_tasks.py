"""Talk about itself: who it is, what it can do, what it cannot, and small talk.

A tiny model knows nothing about the world, so the honest reply to most questions is to say so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from string import Formatter

from bise.evals.phrasing import loosen
from bise.evals.self_about import SKILLS, WHO
from bise.evals.self_fills import FILLS
from bise.evals.self_intent import Intent
from bise.evals.self_limits import LIMITS
from bise.evals.self_refusals import REFUSALS
from bise.evals.self_talk import SMALL_TALK
from bise.evals.task import Example, HoldOut, Task
from bise.evals.words import WORDS

INTENTS: dict[str, Intent] = {
    intent.name: intent for intent in (*SMALL_TALK, *WHO, *SKILLS, *LIMITS, *REFUSALS)
}

OPENINGS = ("Hello! ", "Hi, ", "Please tell me: ", "One question: ", "Hey. ", "So, ")
OPENING_SHARE = 0.1
"""Questions with a few words before them; small talk has none."""

MAX_REPLY_CHARS = 240
"""A right reply is one or two sentences."""


@dataclass(frozen=True, slots=True)
class Self(Task):
    """Answer people who ask about the model, or ask what it cannot know."""

    name = "self"
    levels = ("small talk", "who", "skills", "limits", "refusals")

    def draw(self, rng: Random, level: str, reach: float) -> Example:  # noqa: ARG002
        intent = rng.choice([each for each in INTENTS.values() if each.level == level])
        phrasing = rng.choice(intent.phrasings())
        parts = {name: rng.choice(fills(name)) for name in slots(phrasing)}
        opening = rng.choice(OPENINGS) if rng.random() < OPENING_SHARE else ""
        asked = loosen(rng, (opening if level != "small talk" else "") + phrasing)
        return Example(
            task=self.name,
            level=level,
            question=asked.format(**parts),
            answer=rng.choice(intent.answers()).format(**parts),
            thinking=intent.thought.format(**parts),
            form=f"{intent.name}: {bare(phrasing)}",
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 if the reply is short and says everything that its intent needs."""
        intent = INTENTS[self.answer_class(example)]
        parts = named_in(example)
        words = set(re.findall(r"[a-z0-9]+", reply.lower()))
        needs = [need.format(**parts).lower().split("|") for need in intent.needs]
        is_said = all(any(set(way.split()) <= words for way in need) for need in needs)
        return float(is_said and len(reply) <= MAX_REPLY_CHARS)

    def hold_outs(self) -> dict[str, HoldOut]:
        nums = dict.fromkeys(self.levels, 0)
        for intent in INTENTS.values():
            nums[intent.level] += len({bare(phrasing) for phrasing in intent.phrasings()})
        return {level: HoldOut("phrasing", num) for level, num in nums.items()}

    def answer_class(self, example: Example) -> str:
        """The intent."""
        return example.form.split(":")[0]


def named_in(example: Example) -> Mapping[str, str]:
    """The name a person gave, which a right reply uses."""
    words = re.findall(r"\w+", example.question)
    return {"name": next((name for name in FILLS["name"] if name in words), "")}


def bare(phrasing: str) -> str:
    """A phrasing without capitals and marks: variants in those are not a new phrasing."""
    return " ".join(re.findall(r"[\w{}']+", phrasing.lower()))


def fills(name: str) -> tuple[str, ...]:
    return WORDS if name == "word" else FILLS[name]


def slots(phrasing: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(phrasing) if name]
