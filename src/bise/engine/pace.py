"""What a step costs, learned from the steps themselves: what a guess must bring, how much to read.

A step takes `base + each * tokens` seconds. On a processor that waits for weights a second token of
the same request is nearly free; in a large batch, or where a token wakes other experts, it is not.
"""

from dataclasses import dataclass

MEMORY = 0.97
"""Weight of everything earlier when one more step is learned."""

FIRST_SHARE = 0.25
"""Of a step, what one more token is taken to cost before steps of different sizes were seen."""

FEW_STEPS = 8
"""The first ones warm up: until so many have been learned, the line is not believed."""

ENOUGH_SPREAD = 4.0
"""Of tokens a step, squared and summed: with less of it the slope would be noise."""

FIRST_TOKENS = 256
"""A step beside talkers, before it is known what one takes."""

ACCIDENT = 4.0
"""A step so many times slower than expected was held up by somebody else, and is not learned."""


@dataclass(slots=True)
class Pace:
    """A line through (tokens, seconds) of recent steps, older ones counting less and less."""

    weight: float = 0.0
    tokens: float = 0.0
    seconds: float = 0.0
    """Weighted means."""

    spread: float = 0.0
    together: float = 0.0
    """Weighted sums of squares and products around the means."""

    each: float | None = None
    """Seconds one more token takes; None until it could be seen."""

    def learn(self, num_tokens: int, seconds: float) -> None:
        """One step went through."""
        if self.weight > FEW_STEPS and seconds > ACCIDENT * self.expected(num_tokens):
            return
        self.weight = MEMORY * self.weight + 1.0
        off_tokens, off_seconds = num_tokens - self.tokens, seconds - self.seconds
        self.tokens += off_tokens / self.weight
        self.seconds += off_seconds / self.weight
        self.spread = MEMORY * self.spread + off_tokens * (num_tokens - self.tokens)
        self.together = MEMORY * self.together + off_tokens * (seconds - self.seconds)
        if self.weight > FEW_STEPS and self.spread > ENOUGH_SPREAD:
            most = self.seconds / self.tokens
            self.each = min(max(self.together / self.spread, 0.0), most)

    def expected(self, num_tokens: int) -> float:
        """Seconds a step of so many tokens should take."""
        each = self.each if self.each is not None else FIRST_SHARE * self.seconds
        return max(self.seconds + each * (num_tokens - self.tokens), self.seconds / 4)

    def fitting(self, limit_s: float) -> int:
        """Tokens a step may have to end within so many seconds.

        At least as many as take half of its time: fewer would mostly pay for the step itself.
        """
        if self.weight <= FEW_STEPS or not self.each:
            return FIRST_TOKENS
        base = max(self.seconds - self.each * self.tokens, 0.0)
        return int(max(limit_s - base, base) / self.each)

    def price(self, num_talking: int, extra_s: float = 0.0) -> float:
        """How likely a guess must be to come true, to be worth computing.

        `num_talking` requests say a token each in a step. A guess costs what one more token costs
        and `extra_s` for making it; in that time the others could go on.
        """
        if self.weight <= FEW_STEPS:
            return min(1.0, FIRST_SHARE * num_talking)
        each = self.each if self.each is not None else FIRST_SHARE * self.seconds
        step = max(self.expected(num_talking), 1e-9)
        return min(1.0, num_talking * (each + extra_s) / step)
