"""Which numbers a field of the training config may hold."""

import math

from bise.errors import UserError

MOST = 2**53
"""Beyond it, numbers are not exact as floats."""


def need_range(
    field: str, value: float, least: float, most: float = math.inf, *, is_below: bool = False
) -> None:
    """Refuse what is outside `least` to `most`; is_below: `most` itself is outside too."""
    is_small = value <= (MOST if most == math.inf else most)
    if least <= value and is_small and not (is_below and value == most):
        return
    expected = f"{least:g} or more"
    if value > MOST and most == math.inf:
        expected = "at most 2**53"
    if most < math.inf:
        expected = f"between {least:g} and {most:g}"
    if is_below:
        expected = f"{least:g} or more, and below {most:g}"
    raise UserError(f"`{field}` is {value}, expected a number that is {expected}")
