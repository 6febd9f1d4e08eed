"""The body of `POST /v1/completions`, and the prompts in it."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from bise.errors import BadRequest, WrongType
from bise.serve.limits import Limits, need_at_most
from bise.serve.sampling_ask import (
    ending_of,
    not_negative,
    prompt_top_of,
    sampling_of,
    top_of,
)
from bise.serve.shapes import REFUSED, SamplingBody, refuse, shaped
from bise.serve.structured_ask import form_of
from bise.serve.talk import Ask
from bise.text import Tekken

DEFAULT_TOKENS = 16
"""As OpenAI's API has it: a bare text has no end of its own."""


class CompletionBody(SamplingBody):
    """A text, several, or their ids; the model goes on with each."""

    UNUSED: ClassVar[frozenset[str]] = frozenset(
        ("user", "guided_decoding_backend", "guided_whitespace_pattern")
    )

    prompt: Any
    echo: bool | None = None
    best_of: int | None = None
    logprobs: int | None = None
    add_special_tokens: bool | None = None
    """Whether a text gets the token that begins all of them; ids are taken as they are."""

    user: Any = None


def read_completion(fields: Mapping[str, Any]) -> CompletionBody:
    """Check the shape of a body, and what goes together."""
    refuse(fields, {**REFUSED, "suffix": "the model does not fill in the middle"})
    body = shaped(CompletionBody, fields)
    if body.best_of is not None and body.best_of != (body.n or 1):
        raise BadRequest(f"`best_of` is {body.best_of}, expected as many as `n`")
    return body


def prompts_of(body: CompletionBody, limits: Limits) -> list[str | list[int]]:
    """The prompts: a text, a list of texts, a list of ids, or a list of such lists."""
    given = body.prompt
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise WrongType("`prompt` is no text, expected a string, strings, or token ids")
    listed = cast(list[Any], given)
    if not listed:
        raise BadRequest("`prompt` is an empty list, expected a text or token ids")
    if all(map(is_id, listed)):
        return [listed]
    need_at_most("prompt", len(listed), limits.prompts)
    if all(isinstance(one, str) for one in listed) or all(map(is_ids, listed)):
        return listed
    raise WrongType("`prompt` is a list of mixed things, expected strings, or token ids")


def is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_ids(value: object) -> bool:
    return isinstance(value, list) and all(map(is_id, cast(list[Any], value)))


def encode_prompt(prompt: str | list[int], tekken: Tekken, *, has_bos: bool) -> list[int]:
    """The ids of a prompt. Markers in a text stay text; ids are not touched."""
    if isinstance(prompt, str):
        bos = [tekken.special.bos] if has_bos else []
        return [*bos, *tekken.encode(prompt)]
    return [tekken.check_id(token) for token in prompt]


def completion_ask(body: CompletionBody, tekken: Tekken, limits: Limits) -> Ask:
    """How to go on, whatever the prompt."""
    max_tokens = DEFAULT_TOKENS if body.max_tokens is None else body.max_tokens
    wanted = None if body.logprobs is None else top_of("logprobs", body.logprobs, limits)
    of_prompt = [prompt_top_of(body, limits), wanted if body.echo else None]
    return Ask(
        is_chat=False,
        sampling=sampling_of(body, tekken, limits),
        max_tokens=not_negative("max_tokens", max_tokens),
        form=form_of(body, limits),
        want_logprobs=wanted,
        want_prompt_logprobs=max((one for one in of_prompt if one is not None), default=None),
        **ending_of(body, tekken, limits),
    )
