"""Rules on how an answer must look, given in the question or in a system prompt."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bise.evals.phrasing import loosen, phrase
from bise.evals.text_kinds import COPY, PICK, PLACES, Draft, draw_separator
from bise.evals.words import WORDS


@dataclass(frozen=True, slots=True)
class Rule:
    """A way of writing words, and how people ask for it."""

    name: str
    write: Callable[[list[str]], str]
    requests: tuple[str, ...]
    is_for_lists: bool = True
    """Whether one word alone would show nothing."""


RULES = (
    Rule(
        "in capitals",
        lambda words: " ".join(words).upper(),
        ("Answer in capitals.", "Use only capital letters.", "Write everything in upper case."),
        is_for_lists=False,
    ),
    Rule(
        "with a capital",
        lambda words: " ".join(words).title(),
        ("Start every word with a capital.", "Give each word a capital first letter."),
        is_for_lists=False,
    ),
    Rule(
        "with a full stop",
        lambda words: " ".join(words) + ".",
        ("End with a full stop.", "Put a full stop at the end.", "Finish with a full stop."),
        is_for_lists=False,
    ),
    Rule(
        "in brackets",
        lambda words: f"({' '.join(words)})",
        ("Answer in brackets.", "Put the answer in brackets.", "Write brackets around it."),
        is_for_lists=False,
    ),
    Rule(
        "in quotes",
        lambda words: f'"{" ".join(words)}"',
        ("Answer in quotes.", "Put the answer in quotes.", "Write quotes around it."),
        is_for_lists=False,
    ),
    Rule(
        "with semicolons",
        "; ".join,
        ("Separate the words by semicolons.", "Answer as a list separated by semicolons."),
    ),
    Rule(
        "with commas",
        ", ".join,
        ("Separate the words by commas.", "Answer as a list separated by commas."),
    ),
    Rule(
        "with dashes",
        "-".join,
        ("Join the words with dashes.", "Put a dash between the words."),
    ),
    Rule(
        "one per line",
        "\n".join,
        ("Write one word per line.", "One word a line.", "Put each word on its own line."),
    ),
    Rule(
        "with bullets",
        lambda words: "\n".join(f"- {word}" for word in words),
        ("Answer as a list with bullets.", "Use a bullet for each word."),
    ),
    Rule(
        "numbered",
        lambda words: "\n".join(f"{place}. {word}" for place, word in enumerate(words, 1)),
        ("Answer as a numbered list.", "Number the words, one per line."),
    ),
    Rule(
        "as JSON",
        json.dumps,
        ("Answer as a JSON list.", "Write it as a list in JSON."),
    ),
)

SYSTEM_SHARE = 0.35
"""Rules given by a system prompt instead of the question."""


def draw_format(rng: Random, num: int) -> Draft:
    """Repeat a list, or pick one of its words, and write that as a rule wants it."""
    rule = rng.choice(RULES)
    words = rng.sample(WORDS, min(num, 5))
    text = draw_separator(rng).join(words)
    if rule.is_for_lists or rng.random() < 0.6:
        kept, asked = words, phrase(rng, COPY, text=text)
    else:
        place = rng.randrange(len(words))
        kept, asked = [words[place]], phrase(rng, PICK, text=text, place=PLACES[place])
    answer = rule.write(kept)
    shown = " / ".join(answer.split("\n"))
    thinking = f"{' '.join(kept)}\n{rule.name}: {shown}"
    form = f"{rule.name}: {' '.join(kept)} of {text}"
    request = loosen(rng, rng.choice(rule.requests))
    if rng.random() < SYSTEM_SHARE:
        return Draft(asked, answer, thinking, form, system=request)
    if rng.random() < 0.5 and request.endswith("."):
        return Draft(f"{request} {asked}", answer, thinking, form)
    closing = "" if asked[-1] in ".?" else "."
    return Draft(f"{asked}{closing} {request}", answer, thinking, form)
