"""How sure a score is: 95 % intervals for means of marks."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

Z = 1.959964
"""Standard deviations on each side that leave 5 % outside."""

NUM_DRAWS = 10_000


def mean_interval(scores: Sequence[float]) -> tuple[float, float]:
    """Wilson's interval for marks of 0 and 1, a bootstrap for fractions."""
    if all(score in (0.0, 1.0) for score in scores):
        return wilson(round(sum(scores)), len(scores))
    return bootstrap(scores)


def wilson(num_right: int, num: int) -> tuple[float, float]:
    """Interval of a share; honest also at 0 and 100 %. Ref: Wilson, JASA 22 (1927)."""
    assert 0 <= num_right <= num and num > 0, "a share needs at least one question"
    share = num_right / num
    spread = 1 + Z * Z / num
    centre = (share + Z * Z / (2 * num)) / spread
    half = Z / spread * sqrt(share * (1 - share) / num + Z * Z / (4 * num * num))
    low = 0.0 if num_right == 0 else centre - half  # exact ends: rounding leaves 3e-17 there
    high = 1.0 if num_right == num else centre + half
    return low, high


def bootstrap(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Percentile interval of the mean, resampling questions.

    Drawing how often each distinct value comes up is the same as drawing the questions, and takes
    no memory.
    """
    distinct, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(values), counts / len(values), size=NUM_DRAWS)
    low, high = np.percentile(drawn @ distinct / len(values), (2.5, 97.5))
    return float(low), float(high)
