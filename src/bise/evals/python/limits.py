"""How large a value may get in a function that a model wrote."""

from typing import Any

MAX_BITS = 256
MAX_SIZE = 10_000
"""Letters of a text, or items of a list with all that is inside them."""

ITERATORS = (
    *(type(iter([])), type(reversed([])), type(iter("")), type(reversed("")), type(enumerate([]))),
    *(type(zip()), type(i for i in ())),
)
VIEWS = (type({}.keys()), type({}.values()), type({}.items()))
MANY = (list, tuple, set, *VIEWS)


class NotAllowed(Exception):
    """The function does something that small functions never need, or too much of something."""


def weigh(value: Any) -> int:
    """How much there is to go through in a value, lists in lists included.

    A list may hold itself, or the same list many times over: whoever walked it without a limit
    might never come back."""
    if isinstance(value, str | range):
        return len(value)
    num, left = 0, [value]
    while left:
        each = left.pop()
        num += 1
        if isinstance(each, str | range):
            num += len(each)
        elif isinstance(each, MANY):
            num += len(each)
            if num <= MAX_SIZE:
                left.extend(each)
        elif isinstance(each, dict):
            num += len(each)
            if num <= MAX_SIZE:
                left.extend(each.keys())
                left.extend(each.values())
        if num > MAX_SIZE:
            raise NotAllowed("size")
    return num


def check(value: Any) -> Any:
    """Hand a value on if it is of a known kind and small enough."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise NotAllowed("number")
    elif isinstance(value, str | range):
        if len(value) > MAX_SIZE:
            raise NotAllowed("size")
    elif isinstance(value, (*MANY, dict)):
        weigh(value)
    elif not isinstance(value, ITERATORS):
        raise NotAllowed(type(value).__name__)
    return value
