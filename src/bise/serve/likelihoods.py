"""How likely tokens were, as clients are told: of a reply, and of the prompt before it."""

from codecs import getincrementaldecoder
from collections.abc import Iterable, Sequence
from typing import Any

from bise.engine import TokenLogprobs
from bise.text import Tekken

LOWEST = -9999.0
"""What clients are sent for minus infinity, which JSON does not have."""

Rated = tuple[int, TokenLogprobs]
"""An id, and how likely it was."""


def logprobs_json(tekken: Tekken, rated: Sequence[Rated]) -> list[dict[str, Any]]:
    """Tokens one after the other, as a chat tells of them, each with the likeliest in its place."""
    return [
        {
            **token_json(tekken, token, found.logprob),
            "top_logprobs": [token_json(tekken, other, chance) for other, chance in found.top],
        }
        for token, found in rated
    ]


def token_json(tekken: Tekken, token: int, logprob: float) -> dict[str, Any]:
    return {
        "token": tekken.token_text(token),
        "logprob": max(logprob, LOWEST),
        "bytes": list(tekken.token_bytes(token)),
        "token_id": token,
    }


def prompt_json(tekken: Tekken, rated: Sequence[Rated]) -> list[dict[str, Any] | None]:
    """A prompt as vLLM tells of it: by id, the token and the likeliest in its place.

    Nothing is known of the first; the rank of one that is not among the likeliest is not.
    """
    return [None, *(by_id(tekken, token, found) for token, found in rated)]


def by_id(tekken: Tekken, token: int, found: TokenLogprobs) -> dict[str, Any]:
    ranks = {other: place for place, (other, _) in enumerate(found.top, 1)}
    return {
        str(other): {
            "logprob": max(chance, LOWEST),
            "rank": ranks.get(other),
            "decoded_token": tekken.token_text(other),
        }
        for other, chance in ((token, found.logprob), *found.top)
    }


class Places:
    """Where in a text its tokens stand, as they come: a token stands where those before it end."""

    def __init__(self, tekken: Tekken):
        self.tekken = tekken
        self.num_chars = 0
        self._characters = getincrementaldecoder("utf-8")("replace")

    def take(self, ids: Iterable[int], *, is_end: bool = False) -> list[int]:
        """Where the next tokens stand. All of a character stand where it begins.

        is_end: half a character is not gone on with
        """
        places: list[int] = []
        for token in ids:
            places.append(self.num_chars)
            self.num_chars += len(self._characters.decode(self.tekken.token_bytes(token)))
        if is_end:
            self.num_chars += len(self._characters.decode(b"", final=True))
        return places


def columns_json(
    tekken: Tekken, rated: Sequence[tuple[int, TokenLogprobs | None]], places: Sequence[int]
) -> dict[str, list[Any]]:
    """Tokens in columns, as `POST /v1/completions` has them; null where nothing is known."""
    return {
        "tokens": [tekken.token_text(token) for token, _ in rated],
        "token_logprobs": [found and max(found.logprob, LOWEST) for _, found in rated],
        "top_logprobs": [found and by_text(tekken, found) for _, found in rated],
        "text_offset": list(places),
    }


def by_text(tekken: Tekken, found: TokenLogprobs) -> dict[str, float]:
    """The likeliest by their texts; of several with one text, the likeliest."""
    likeliest_last = reversed(found.top)
    return {tekken.token_text(token): max(chance, LOWEST) for token, chance in likeliest_last}


def fewer(found: TokenLogprobs, num_top: int) -> TokenLogprobs:
    """The same with so many alternatives."""
    return TokenLogprobs(found.logprob, found.top[:num_top])
