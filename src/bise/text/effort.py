"""How much to think: the words people send, and the words the model was trained with."""

from collections.abc import Sequence

from bise.errors import WrongType, quoted

# Clients know eight words, the model two. Refusing the others breaks those that always send one.
EFFORT_WORDS: dict[str, str] = {
    "none": "none",
    "minimal": "none",
    "low": "high",
    "medium": "high",
    "high": "high",
    "xhigh": "high",
    "max": "high",
    "ultra": "high",
}


def resolve_effort(
    value: object,
    known: Sequence[str] = ("none", "high"),
    default: str = "none",
) -> str:
    """The model's word for what was asked.

    A word, nothing (`default`), a switch (`True` thinks, `False` does not) or the number 0 (does
    not). Anything else is a `WrongType`.
    """
    if value is None:
        return default
    if isinstance(value, str):
        word = value if value in known else EFFORT_WORDS.get(value)
    elif isinstance(value, bool):
        word = "high" if value else "none"
    else:
        word = "none" if isinstance(value, int | float) and value == 0 else None
    return check_effort(word, known, met=value)


def check_effort(word: str | None, known: Sequence[str], *, met: object) -> str:
    """A word the model knows, or the error that names what was `met` instead."""
    if word not in known or word is None:
        raise WrongType(
            f"`reasoning_effort` is `{met}`, but this model was trained with {quoted(known)}",
            hint="pass one of those, or leave it out to answer at once",
        )
    return word
