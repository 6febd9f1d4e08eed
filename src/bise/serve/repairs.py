"""Conversations as real agents send them, brought into an order the model was trained to read.

Cancelled turns, compacted histories and notes in the middle break the rules of `text/validate.py`.
Each repair has a name, which the client is told in a header. A strict request is not repaired:
those rules speak then.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from bise.errors import BadCall, BadOrder, BadRequest
from bise.text import Message, TextPart, ThinkPart, ToolCall
from bise.text.turns import merge_parts

NO_RESULT = TextPart("[no result: cancelled]")
OUR_ID = re.compile(r"[a-zA-Z0-9]{9}")
"""What ids of calls look like that were written here."""


@dataclass(slots=True)
class Repairs:
    """What was done to a conversation, each kind once, in the order it was met."""

    kinds: list[str] = field(default_factory=list[str])

    def note(self, kind: str) -> None:
        if kind not in self.kinds:
            self.kinds.append(kind)


def repair(messages: Sequence[Message]) -> tuple[list[Message], list[str]]:
    """The conversation in order, and the names of what was repaired."""
    repairs = Repairs()
    mended = without_empty(messages, repairs)
    mended = system_to_user(mended, repairs)
    mended = [wrap_arguments(message, repairs) for message in mended]
    mended = merge_assistants(mended, repairs)
    mended = pair_results(mended, repairs)
    if mended and mended[0].role == "assistant":
        repairs.note("user-before-assistant")
        mended.insert(0, Message("user"))
    if mended and lacks_user(mended):
        repairs.note("user-added")
        roles = [message.role for message in mended]
        num_system = next((at for at, role in enumerate(roles) if role != "system"), len(roles))
        mended.insert(num_system, Message("user"))
    if any(before.role == after.role == "user" for before, after in pairwise(mended)):
        repairs.note("users-merged")  # where it is encoded
    return mended, repairs.kinds


def without_empty(messages: Sequence[Message], repairs: Repairs) -> list[Message]:
    """Drop what the assistant did not say."""
    kept = [message for message in messages if not is_empty(message)]
    if len(kept) < len(messages):
        repairs.note("empty-assistant-dropped")
    return kept


def is_empty(message: Message) -> bool:
    """Whether an assistant's message has neither text, thinking nor calls."""
    says = any(isinstance(part, TextPart | ThinkPart) and part.text for part in message.parts)
    is_open = any(isinstance(part, ThinkPart) and not part.closed for part in message.parts)
    return message.role == "assistant" and not (says or is_open or message.tool_calls)


def system_to_user(messages: Sequence[Message], repairs: Repairs) -> list[Message]:
    """A note in the middle becomes the user's: where it stands, so cached beginnings stay good."""
    mended: list[Message] = []
    for message in messages:
        is_late = bool(mended) and mended[-1].role in ("assistant", "tool")
        if message.role == "system" and is_late:
            repairs.note("system-to-user")
            mended.append(replace(message, role="user"))
        else:
            mended.append(message)
    return mended


def lacks_user(messages: Sequence[Message]) -> bool:
    """Whether nothing is the user's; tools and settings stand before that, so they are lost."""
    return all(message.role != "user" for message in messages)


def wrap_arguments(message: Message, repairs: Repairs) -> Message:
    """Arguments that are no JSON go into an object, unless it was we who wrote them so."""

    def wrapped(call: ToolCall) -> ToolCall:
        if not is_raw(call):
            return call
        repairs.note("arguments-wrapped")
        return replace(call, arguments=json.dumps({"_raw": call.arguments}))

    return replace(message, tool_calls=tuple(map(wrapped, message.tool_calls)))


def refuse_broken(messages: Sequence[Message]) -> None:
    """What strict requests are told of what those rules let pass."""
    if messages and messages[0].role == "system" and lacks_user(messages):
        raise BadOrder("the conversation has no message of the user", hint="add one")
    for message in messages:
        for call in filter(is_raw, message.tool_calls):
            raise BadRequest(f"the arguments of the call `{call.name}` are no JSON")


def is_raw(call: ToolCall) -> bool:
    """Whether somebody else's call has arguments that are no JSON; none at all mean `{}`."""
    if not call.arguments or OUR_ID.fullmatch(call.id):
        return False
    try:
        json.loads(call.arguments)
    except (ValueError, RecursionError):
        return True
    return False


def merge_assistants(messages: Sequence[Message], repairs: Repairs) -> list[Message]:
    """One message where the assistant speaks twice.

    An open call is followed by its words only if the result comes behind them; they then stand
    before the call.
    """
    mended: list[Message] = []
    runs = [(role, list(run)) for role, run in groupby(messages, key=lambda one: one.role)]
    for (role, run), coming in zip(runs, results_behind(runs), strict=True):
        if role != "assistant":
            mended += run
            continue
        turn = [run[0]]
        open_ids = ids_of(run[0])
        for message in run[1:]:
            if message.tool_calls:
                is_apart = not open_ids.isdisjoint(ids_of(message))
            else:
                is_apart = open_ids.isdisjoint(coming)
            if open_ids and is_apart:
                mended.append(as_one(turn, repairs))
                turn, open_ids = [], set[str]()
            turn.append(message)
            open_ids |= ids_of(message)
        mended.append(as_one(turn, repairs))
    return mended


def results_behind(runs: Sequence[tuple[str, Sequence[Message]]]) -> list[set[str | None]]:
    """For each run of one role: the ids of all results up to the assistant's next words."""
    found: list[set[str | None]] = []
    for role, run in runs:
        if role == "assistant" or not found:
            found.append(set())
        else:
            found.append(found[-1])  # one set for all, which those before see grow
        if role == "tool":
            found[-1].update(message.tool_call_id for message in run)
    return found


def ids_of(message: Message) -> set[str]:
    """The ids of a message's calls."""
    return {call.id for call in message.tool_calls}


def as_one(turn: Sequence[Message], repairs: Repairs) -> Message:
    """What the assistant said in several messages, in one."""
    if len(turn) == 1:
        return turn[0]
    repairs.note("assistants-merged")
    calls = tuple(call for message in turn for call in message.tool_calls)
    return replace(turn[-1], parts=merge_parts(turn), tool_calls=calls)


def pair_results(messages: Sequence[Message], repairs: Repairs) -> list[Message]:
    """Every call has its result right behind it, and every result its call."""
    mended: list[Message] = []
    answered: set[str | None] = set()
    starts = [number for number, one in enumerate(messages) if one.role == "assistant"]
    for start, end in pairwise([0, *starts, len(messages)]):
        stretch = messages[start:end]
        results = [message for message in stretch if message.role == "tool"]
        others = [message for message in stretch if message.role != "tool"]
        calls = others[0].tool_calls if others and others[0].role == "assistant" else ()
        head = 1 if calls else len(others)
        paired = answers_to(calls, results, answered, repairs)
        given = {message.tool_call_id for message in paired}
        missing = [call.id for call in calls if call.id not in given]
        goes_on = len(others) > 1 or end < len(messages)
        answered |= given
        if missing and goes_on:
            repairs.note("missing-result-added")
            paired += [Message("tool", (NO_RESULT,), tool_call_id=one) for one in missing]
        order = [message.tool_call_id for message in paired]
        wanted = [call.id for call in calls if call.id in given]
        is_behind = not results or not calls or stretch[1 : 1 + len(results)] == results
        if not missing and (order != wanted or not is_behind):
            repairs.note("results-sorted")
        mended += [*others[:head], *paired, *others[head:]]
    return mended


def answers_to(
    calls: Sequence[ToolCall],
    results: Sequence[Message],
    answered: set[str | None],
    repairs: Repairs,
) -> list[Message]:
    """The results that answer these calls; one of an unknown id does, if only one call is open."""
    known = {call.id for call in calls}
    open_ids = known - {message.tool_call_id for message in results}
    paired: list[Message] = []
    given: set[str | None] = set()
    for message in results:
        call_id = message.tool_call_id
        if call_id in given or (call_id in answered and call_id not in known):
            raise BadCall(f"Duplicate tool call id {call_id} in tool results")
        if call_id in known:
            paired.append(message)
        elif len(open_ids) == 1:
            repairs.note("result-attached" if call_id else "call-id-filled")
            call_id = open_ids.pop()
            paired.append(replace(message, tool_call_id=call_id))
        elif call_id:
            repairs.note("unknown-result-dropped")
            continue
        else:
            raise BadCall("Tool call id has to be defined.")
        given.add(call_id)
    return paired
