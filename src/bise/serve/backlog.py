"""How much may wait, in tokens, and how much may be under way, in bytes: both lie in memory."""

from dataclasses import dataclass

from bise.serve.faults import HttpFault

IMAGE_WEIGHT = 64
"""An image token waits with 9 kB of pixels, as much as so many tokens of text take."""

RETRY_S = 5


@dataclass(slots=True)
class Backlog:
    """What was let in and has not said its first token."""

    limit: int = 4_000_000
    num_tokens: int = 0

    def enter(self, num_tokens: int) -> None:
        """Let a prompt in; one that is larger than the limit may wait alone."""
        if self.num_tokens and self.num_tokens + num_tokens > self.limit:
            raise HttpFault(
                429,
                f"prompts of {self.num_tokens:,} tokens are waiting already",
                hint="try again in a moment",
                headers={"Retry-After": str(RETRY_S)},
            )
        self.num_tokens += num_tokens

    def leave(self, num_tokens: int) -> None:
        self.num_tokens -= num_tokens


@dataclass(slots=True)
class BodyRoom:
    """Bodies of all requests together, from their first byte until they are answered."""

    limit: int = 512 * 2**20
    num_bytes: int = 0

    def take(self, num_bytes: int, own_bytes: int) -> None:
        """Room for a piece of a body that has taken some already; alone it may always have it."""
        is_alone = self.num_bytes == own_bytes
        if not is_alone and self.num_bytes + num_bytes > self.limit:
            raise HttpFault(
                429,
                f"requests of {self.num_bytes:,} bytes are under way already",
                hint="try again in a moment",
                headers={"Retry-After": str(RETRY_S)},
            )
        self.num_bytes += num_bytes

    def give_back(self, num_bytes: int) -> None:
        self.num_bytes -= num_bytes
