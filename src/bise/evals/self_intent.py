"""What a person may want to know or say, with the ways of asking and what to reply."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """One thing people say to a model."""

    name: str
    level: str
    asks: str
    """Ways of asking, split by `|`; `{place}` and the like are filled in."""

    replies: str
    """Right replies, split by `|`."""

    thought: str
    """What to think first."""

    needs: tuple[str, ...]
    """Every one of these must match in a right reply; each is a list of words split by `|`."""

    def phrasings(self) -> list[str]:
        return split(self.asks)

    def answers(self) -> list[str]:
        return split(self.replies)


def split(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("|")]
