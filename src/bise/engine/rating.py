"""How likely the tokens of a prompt are, told as they are computed.

Each row of logits rates the token after it, so a prompt that is rated is computed whole, known or
not, in slices small enough for a row of logits each.
"""

from collections.abc import Sequence

from torch import Tensor

from bise.engine.requests import Step, TokenLogprobs
from bise.engine.running import Running
from bise.engine.sampling import rated
from bise.engine.scheduler import Slice

Ratings = dict[int, tuple[TokenLogprobs, ...]]
"""By the number of the request."""


def rate(
    members: Sequence[Running], planned: Sequence[Slice], logits: Tensor
) -> tuple[Ratings, Tensor]:
    """What the logits say of prompts' tokens, and the rows that are left to choose from.

    logits [wanted, vocab]: of every token of those who are rated, of the others as it is planned
    """
    if not any(one.track.is_rated for one in members):
        return {}, logits
    ratings, kept, end = Ratings(), list[int](), 0
    for one, part in zip(members, planned, strict=True):
        start, end = end, end + num_wanted(part)
        if not one.track.is_rated:
            kept += range(start, end)
            continue
        ratings[one.number] = rate_slice(one, part, logits[start:end])
        kept += [end - 1] if part.is_last else []
    return ratings, logits[kept]


def num_wanted(part: Slice) -> int:
    """Of how many last tokens of a slice the logits are needed."""
    if part.track.is_rated:
        return part.count
    return 1 + part.track.num_draft if part.is_last else 0


def rate_slice(one: Running, part: Slice, logits: Tensor) -> tuple[TokenLogprobs, ...]:
    """The next ratings of one prompt; one that was begun again is not told twice.

    logits [count, vocab], of each token of the slice
    """
    prompt, top = one.request.prompt_ids, one.request.want_prompt_logprobs
    assert top is not None, "it is rated because somebody wants to know"
    first = max(part.start, one.num_rated)
    tokens = prompt[first + 1 : part.start + part.count + 1]
    found = rated(logits[first - part.start :][: len(tokens)], tokens, top) if tokens else []
    one.num_rated += len(found)
    one.track.is_rated = one.num_rated < len(prompt) - 1
    return tuple(found)


def add_ratings(steps: dict[int, Step], ratings: Ratings) -> None:
    """Tell them with what else a step brought, or alone."""
    for number, found in ratings.items():
        steps.setdefault(number, Step(())).prompt_logprobs = found
