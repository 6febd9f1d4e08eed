"""Makes a conversation fit the context by leaving out its oldest turns, if that is wanted."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from bise.serve.limits import count_chars
from bise.serve.talk import Ask, Talker
from bise.text import Message


def fitted(ask: Ask, talker: Talker, chars_per_position: int) -> Ask:
    """The question with as many of its newest turns as leave room for an answer."""
    positions = talker.bounds.max_positions
    room = positions - min(max(ask.max_tokens or 0, 1), positions // 2)

    def fits(num_dropped: int) -> bool:
        shorter = replace(ask, messages=without_oldest(ask.messages, num_dropped))
        if count_chars(shorter) > chars_per_position * positions:
            return False
        return len(talker.encode(shorter).ids) <= room

    last = max(len(turns_of(ask.messages)) - 1, 0)
    num_dropped = bisect_left(range(last), True, key=fits)  # the last turn stays, fit or not
    return replace(ask, messages=without_oldest(ask.messages, num_dropped))


def turns_of(messages: Sequence[Message]) -> list[int]:
    """Where the user's turns begin."""
    return [
        number
        for number, message in enumerate(messages)
        if message.role == "user" and (number == 0 or messages[number - 1].role != "user")
    ]


def without_oldest(messages: Sequence[Message], num_dropped: int) -> list[Message]:
    """The conversation from a later turn on; the system's first words stay."""
    if num_dropped == 0:
        return list(messages)
    starts = turns_of(messages)
    return [*messages[: starts[0]], *messages[starts[num_dropped] :]]
