"""What every chat-shaped door does between its two translations: a body becomes replies under way.

Everything is checked and encoded before the engine hears of it, so a refused request costs nothing.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request

from bise.serve.chat_ask import messages_of, prediction_of, to_ask
from bise.serve.chat_body import ChatBody, unknown_in
from bise.serve.fit import fitted
from bise.serve.limits import Limits, check_limits, need_chars, need_ratings, need_room
from bise.serve.metrics import Metrics
from bise.serve.repairs import refuse_broken, repair
from bise.serve.sampling_ask import replies_of, unused_in
from bise.serve.served import Served
from bise.serve.shapes import SamplingBody, forbidden, header_safe
from bise.serve.talk import Ask, Talk
from bise.serve.visit import Visit
from bise.text import Prompt

HEADER_CHARS = 2048
"""Of the header that names ignored fields: clients give up on headers that are much longer."""

NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Question:
    """A body that was found good, and its conversation as the model reads it."""

    ask: Ask
    prompt: Prompt
    ignored: Sequence[str]
    repairs: Sequence[str]

    @property
    def headers(self) -> dict[str, str]:
        """What the client is told about how its request was read."""
        headers = {"X-Reasoning-Effort": self.ask.effort} | ignored_header(self.ignored)
        return headers | ({"X-Request-Repairs": ",".join(self.repairs)} if self.repairs else {})


def ignored_header(names: Sequence[str]) -> dict[str, str]:
    """The header that names what was left out of account, if anything was, or begins to."""
    shown: list[str] = []
    room = HEADER_CHARS
    for name in names:
        shown.append(header_safe(name[:NAME_CHARS]))
        room -= len(shown[-1]) + 1
        if room < 0:
            shown[-1] = f"and {len(names) - len(shown) + 1} more"
            break
    return {"X-Ignored-Params": ",".join(shown)} if names else {}


async def take(
    request: Request,
    body: ChatBody,
    served: Served,
    metrics: Metrics,
    ignored: Sequence[str] | None = None,
    *,
    drops_oldest: bool = False,
) -> Question:
    """Check and encode. Pictures and long texts take a while; others are served meanwhile.

    ignored: what a translator left out, instead of fields of a chat's body
    drops_oldest: leave out the oldest turns of a conversation that is too long
    """
    served.need(body.model)
    is_strict = served.manners.is_strict or request.headers.get("x-strict", "").lower() == "true"
    if served.pictures is not None:
        take_body = request.state.visit.take_body
        messages = await served.pictures.put_in(body.messages, take_body)
        body = body.model_copy(update={"messages": messages})
    understood, num_pixels = await asyncio.to_thread(
        understand, body, served, ignored, is_strict=is_strict
    )
    pool = served.heavy if num_pixels > served.limits.heavy_pixels else None
    work = partial(encoded, understood, served, drops_oldest=drops_oldest)
    question = await asyncio.get_running_loop().run_in_executor(pool, work)
    metrics.repair(question.repairs)
    return question


@dataclass(frozen=True, slots=True)
class Understood:
    """A body that was found good, but for its length."""

    ask: Ask
    ignored: Sequence[str]
    repairs: Sequence[str]


def understand(
    body: ChatBody, served: Served, ignored: Sequence[str] | None, *, is_strict: bool
) -> tuple[Understood, int]:
    """What a body asks, and how many pixels have to be looked at for that."""
    if ignored is None:
        ignored = unused_fields(body, served.limits, is_strict)
    messages, repairs = messages_of(body, served.limits), list[str]()
    if is_strict:
        refuse_broken(messages)
    else:
        messages, repairs = repair(messages)
    ask = to_ask(
        body,
        messages,
        served.talker.chat.tekken,
        served.limits,
        has_effort_budgets=served.manners.has_effort_budgets,
    )
    foretold = prediction_of(body)
    if foretold:
        need_chars(len(foretold), served.limits, served.max_positions)
        ask = replace(ask, prediction=tuple(served.talker.chat.tekken.encode(foretold)))
    dropped = ask.form.dropped if ask.form else ()
    return Understood(ask, [*ignored, *dropped], repairs), check_limits(ask, served.limits)


def encoded(understood: Understood, served: Served, *, drops_oldest: bool) -> Question:
    """What is asked, as the model reads it."""
    ask, repairs = understood.ask, list(understood.repairs)
    if drops_oldest:
        ask = fitted(ask, served.talker, served.limits.chars_per_position)
        if len(ask.messages) < len(understood.ask.messages):
            repairs.append("oldest-turns-dropped")
    need_room(ask, served.limits, served.max_positions)
    return Question(ask, served.talker.encode(ask), understood.ignored, repairs)


def unused_fields(body: ChatBody, limits: Limits, is_strict: bool) -> list[str]:
    """What is left out of account; a strict request has nothing that is unknown."""
    in_messages = list(unknown_in(body.messages))
    if is_strict and (body.unknown or in_messages):
        tops: list[list[str | int]] = [[name] for name in body.unknown]
        raise forbidden([*tops, *(["messages", *place] for place in in_messages)])
    idle = ["top_logprobs"] if body.top_logprobs is not None and not body.logprobs else []
    return [
        *unused_in(body, limits),
        *idle,
        *sorted({f"messages.{name}" for _, _, name in in_messages}),
    ]


def begin(
    question: Question, body: ChatBody, request: Request, served: Served, metrics: Metrics
) -> list[Talk]:
    """The replies, which begin when somebody reads them."""
    visit = request.state.visit
    ask, count = settled(question.ask, body, visit, served), replies_of(body, served.limits)
    need_ratings(count * len(question.prompt.ids), ask.want_prompt_logprobs, served.limits)
    prepared = served.talker.prepare(ask, question.prompt)
    talks = [
        served.talker.begin(prepared, number=number, watch=metrics.watch(visit))
        for number in range(count)
    ]
    visit.admit([question.prompt], len(talks), served.backlog)
    return talks


def settled(ask: Ask, body: SamplingBody, visit: Visit, served: Served) -> Ask:
    """A question within what the server, and the key it came with, allow."""
    limit_s, deadline_s = served.manners.request_s, ask.deadline_s
    if limit_s and (deadline_s is None or deadline_s > limit_s):
        deadline_s = limit_s
    if visit.account is None:
        return replace(ask, deadline_s=deadline_s, queue_s=served.manners.queue_s or None)
    key = visit.account.key
    has_own = body.priority is not None and served.limits.priority > 0
    return replace(
        ask,
        deadline_s=deadline_s,
        queue_s=served.manners.queue_s or None,
        priority=max(ask.priority, key.priority) if has_own else key.priority,
        cache_salt=json.dumps([key.salt, ask.cache_salt]),
    )
