"""Which numbers a field of the training config may hold."""

import math

from bise.errors import UserError


def need_range(
    field: str, value: float, least: float, most: float = math.inf, *, is_below: bool = False
) -> None:
    """Refuse what is outside `least` to `most`; is_below: `most` itself is outside too."""
    if math.isfinite(value) and least <= value <= most and not (is_below and value == most):
        return
    expected = f"{least:g} or more"
    if most < math.inf:
        expected = f"between {least:g} and {most:g}"
    if is_below:
        expected = f"{least:g} or more, and below {most:g}"
    raise UserError(f"`{field}` is {value}, expected a number that is {expected}")
