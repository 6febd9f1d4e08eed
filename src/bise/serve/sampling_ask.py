"""From the fields about sampling to how the engine is to choose, every value checked."""

import re
from collections.abc import Mapping
from typing import Any

from bise.engine import Sampling
from bise.errors import BadRequest
from bise.serve.limits import Limits, need_at_most
from bise.serve.shapes import SamplingBody
from bise.text import Tekken

ID = re.compile(r"[0-9]{1,9}")


def ending_of(body: SamplingBody, tekken: Tekken, limits: Limits) -> dict[str, Any]:
    """When to stop and how to wait, as `Ask` names it."""
    if body.timeout is not None and body.timeout <= 0:
        raise BadRequest(f"`timeout` is {body.timeout:g}, expected a number above 0")
    return {
        "stop": stops_of(body, limits),
        "keeps_stop": bool(body.include_stop_str_in_output),
        "stop_ids": frozenset(tekken.check_id(token) for token in body.stop_token_ids or ()),
        "ignores_end": bool(body.ignore_eos),
        "priority": priority_of(body, limits),
        "cache_salt": salt_of(body, limits),
        "deadline_s": body.timeout,
    }


def priority_of(body: SamplingBody, limits: Limits) -> int:
    """Whom to serve first, where clients may say so."""
    if not limits.priority or body.priority is None:
        return 0
    if abs(body.priority) > limits.priority:
        raise BadRequest(
            f"`priority` is {body.priority}, expected {-limits.priority} to {limits.priority}"
        )
    return body.priority


def salt_of(body: SamplingBody, limits: Limits) -> str:
    """What keeps a request's cached beginning apart from those of others."""
    salt = body.cache_salt or ""
    if len(salt) > limits.salt_chars:
        raise BadRequest(
            f"`cache_salt` has {len(salt):,} characters, expected at most {limits.salt_chars}"
        )
    return salt


def unused_in(body: SamplingBody, limits: Limits) -> list[str]:
    """Fields that were sent and are not used: by any server, by this one, or beside the others."""
    lacks = {
        "priority": not limits.priority,
        "stream_options": not body.has_stream,
        "top_prompt_logprobs": body.prompt_logprobs is not True,
    }
    alone = {name for name, is_lacking in lacks.items() if is_lacking} & body.model_fields_set
    return sorted({*body.ignored, *alone})


def sampling_of(body: SamplingBody, tekken: Tekken, limits: Limits) -> Sampling:
    """How to choose tokens; the engine's own defaults where nothing is said."""
    seed = body.random_seed if body.seed is None else body.seed
    given: dict[str, Any] = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": None if body.top_k is None else min(max(body.top_k, 0), tekken.vocab_size),
        "min_p": body.min_p,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "repetition_penalty": body.repetition_penalty,
        "min_tokens": not_negative("min_tokens", body.min_tokens or 0),
        "seed": seed,
        "logit_bias": biases_of(body.logit_bias or {}, tekken, limits),
    }
    return Sampling(**{name: value for name, value in given.items() if value is not None})


def biases_of(biases: Mapping[str, float], tekken: Tekken, limits: Limits) -> dict[int, float]:
    """Ids and what to add to their logits."""
    need_at_most("logit_bias", len(biases), limits.biases)
    for name, value in biases.items():
        if not ID.fullmatch(name):
            raise BadRequest(f"`logit_bias` has the key `{name[:20]}`, expected a token id")
        if not -100 <= value <= 100:
            raise BadRequest(f"`logit_bias` of {name} is {value:g}, expected -100 to 100")
        if tekken.is_control(int(name)):
            raise BadRequest(f"`logit_bias` names {name}, which is a control token")
    return {int(name): value for name, value in biases.items()}


def stops_of(body: SamplingBody, limits: Limits) -> tuple[str, ...]:
    """The stop strings."""
    stops = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    need_at_most("stop", len(stops), limits.stops)
    if any(not 1 <= len(stop) <= limits.stop_chars for stop in stops):
        raise BadRequest(
            f"`stop` has a string that is empty or longer than {limits.stop_chars} characters"
        )
    return stops


def replies_of(body: SamplingBody, limits: Limits) -> int:
    """How many replies to make."""
    count = 1 if body.n is None else body.n
    if not 1 <= count <= limits.replies:
        raise BadRequest(f"`n` is {count}, expected 1 to {limits.replies}")
    return count


def top_of(name: str, count: int, limits: Limits) -> int:
    """How many alternatives to report with each token."""
    if not 0 <= count <= limits.top_logprobs:
        raise BadRequest(f"`{name}` is {count}, expected 0 to {limits.top_logprobs}")
    return count


def prompt_top_of(body: SamplingBody, limits: Limits) -> int | None:
    """How many alternatives to report with each token of the prompt; None reports nothing."""
    if not body.rates_prompt:
        return None
    if body.prompt_logprobs is True:
        top = top_of("top_prompt_logprobs", body.top_prompt_logprobs or 0, limits)
    else:
        top = top_of("prompt_logprobs", body.prompt_logprobs or 0, limits)
    if body.has_stream:
        raise BadRequest(
            "`prompt_logprobs` does not go with `stream`", hint="leave out one of them"
        )
    return top


def not_negative(name: str, value: int) -> int:
    if value < 0:
        raise BadRequest(f"`{name}` is {value}, expected 0 or more")
    return value
