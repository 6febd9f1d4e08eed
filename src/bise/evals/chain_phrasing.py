"""How people ask for a sum."""

from collections.abc import Sequence
from random import Random

from bise.evals.phrasing import loosen

TEMPLATES = (
    "What is {}?",
    "What's {}?",
    "What is the result of {}?",
    "What does {} equal?",
    "What does {} make?",
    "What does {} come to?",
    "What do you get for {}?",
    "How much is {}?",
    "How much does {} make?",
    "Compute {}.",
    "Calculate {}.",
    "Evaluate {}.",
    "Solve {}.",
    "Work out {}.",
    "Work out: {}",
    "Please compute {}.",
    "Please work out {}.",
    "Can you calculate {}?",
    "Can you solve {}?",
    "Could you work out {} for me?",
    "Could you tell me what {} is?",
    "Tell me what {} is.",
    "Do you know what {} is?",
    "Find {}.",
    "Find the value of {}.",
    "Give me the value of {}.",
    "Give the result: {}",
    "I need to know {}.",
    "Here is a sum: {}",
    "Calculation: {}",
    "Next: {}",
    "And {}?",
    "Now {}.",
    "Add this up: {}",
    "{} is how much?",
)
BARE_TEMPLATES = ("{}", "{}", "{}", "{}=", "{} =", "{}=?", "{} = ?", "{}?")

BARE_SHARE = 0.25
SPACED_SHARE = 0.3
WORDS_SHARE = 0.06
"""Questions that are the bare chain, have spaces around operators, or spell operators out."""

TIMES_SIGNS = ("*",) * 7 + ("×", "×", "x")
WORDS = {"+": "plus", "-": "minus", "*": "times"}


def ask_chain(rng: Random, tokens: Sequence[int | str]) -> str:
    """Write a question about a chain, in one of the many ways people would."""
    if rng.random() < WORDS_SHARE and "(" not in tokens:
        written = " ".join(WORDS.get(str(token), str(token)) for token in tokens)
        return loosen(rng, rng.choice(TEMPLATES)).format(written)
    written = write_chain(rng, tokens)
    if rng.random() < BARE_SHARE:
        return rng.choice(BARE_TEMPLATES).format(written)
    return loosen(rng, rng.choice(TEMPLATES)).format(written)


def write_chain(rng: Random, tokens: Sequence[int | str]) -> str:
    """Write a chain with one of the signs for times, with or without spaces."""
    times = rng.choice(TIMES_SIGNS)
    signs = {"+": "+", "-": "-", "*": times}
    if times == "×" and rng.random() < 0.3:
        signs["-"] = "−"
    if rng.random() < SPACED_SHARE:
        signs = {sign: f" {written} " for sign, written in signs.items()}
    return "".join(signs.get(str(token), str(token)) for token in tokens)
