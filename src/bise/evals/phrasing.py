"""The same request the way different people type it."""

from collections.abc import Sequence
from random import Random

SMALL_SHARE = 0.2
"""Requests typed without capitals."""

BARE_SHARE = 0.2
"""Requests typed without their last full stop or question mark."""


def phrase(rng: Random, templates: Sequence[str], **parts: str) -> str:
    """Fill one of the templates, as a tidy or a hasty person would type it.

    Only the template's own words lose their capitals; the parts stay as they are.
    """
    return loosen(rng, rng.choice(templates)).format(**parts)


def loosen(rng: Random, text: str) -> str:
    """Drop capitals, the last mark, or nothing."""
    if rng.random() < SMALL_SHARE:
        text = text.lower()
    if rng.random() < BARE_SHARE:
        text = text.rstrip(".?! ")
    return text
