"""What the two processes of an engine say to each other, and how it looks in bytes.

A message is a mark, two lengths, a JSON header and the raw numbers of its tensors. Nothing that
is read can name code: every field is checked against its type, every size against a limit.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from math import prod
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch
from torch import Tensor

from bise.engine.bounds import Bounds
from bise.engine.grammars import Vocabulary
from bise.engine.requests import EngineStats, FinishReason, Request, Step, TokenLogprobs
from bise.engine.setup import EngineConfig
from bise.errors import UserError

MARK = b"bise"
PREFIX = struct.Struct(">4sIQ")
"""The mark, the bytes of the header, the bytes of all tensors together."""

MAX_HEADER_BYTES = 2**24
"""Enough for a bias on every token of the largest vocabulary."""

MAX_BODY_BYTES = 2**31
"""Enough for sixty of the largest pictures."""

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "uint8": torch.uint8,
}
FINISH_REASONS = get_args(FinishReason)
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class WireFault(Exception):
    """Bytes that are no message: the connection cannot go on."""


class TooLarge(WireFault):
    """A message larger than any that is let through."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parent's first word: which model to serve, and how."""

    folder: str
    layout: Literal["native", "hf"]
    dtype: Literal["bfloat16", "float32"]
    engine: EngineConfig
    eagle: str | None = None
    """The folder of a draft head."""

    vocabulary: Vocabulary | None = None
    """What ids stand for; None refuses grammars."""


@dataclass(frozen=True, slots=True)
class Loading:
    """How far the child has come with reading the weights."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Hello:
    """The child begins its work: the weights are in memory, and this is what it can take."""

    bounds: Bounds
    stats: EngineStats


@dataclass(frozen=True, slots=True)
class Begin:
    """Compute a request; its steps come back under this number."""

    number: int
    request_id: str | None
    request: Request


@dataclass(frozen=True, slots=True)
class Leave:
    """Forget a request."""

    number: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Let a request wait for its reader, or go on."""

    number: int
    is_on: bool


@dataclass(frozen=True, slots=True)
class StopThinking:
    """Let a request close its thinking; answered by `Done` or `Failed` under the same number."""

    number: int
    request_id: str


@dataclass(frozen=True, slots=True)
class AskStats:
    """Answered by `Stats` under the same number."""

    number: int


@dataclass(frozen=True, slots=True)
class Told:
    """What one step of the engine brought to whom."""

    steps: tuple[tuple[int, Step], ...]
    """Requests by number"""


@dataclass(frozen=True, slots=True)
class Done:
    """Something asked for has been done."""

    number: int


@dataclass(frozen=True, slots=True)
class Stats:
    """A moment of the engine."""

    number: int
    stats: EngineStats


@dataclass(frozen=True, slots=True)
class Failed:
    """A request, a question or, without a number, the whole child ends with this."""

    number: int | None
    kind: Literal["too_complex", "bad_request", "wrong_type", "not_found", "late", "user", "engine"]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life from an engine that moves, or has nothing to do."""


@dataclass(frozen=True, slots=True)
class Bye:
    """Finish and leave."""


Message = (
    Plan
    | Loading
    | Hello
    | Begin
    | Leave
    | Hold
    | StopThinking
    | AskStats
    | Told
    | Done
    | Stats
    | Failed
    | Beat
    | Bye
)

KINDS: dict[str, type[Message]] = {one.__name__.lower(): one for one in get_args(Message)}


def encode(message: Message) -> list[bytes | memoryview]:
    """A message as the pieces to send, one after the other."""
    tensors: list[Tensor] = []
    header = {"kind": type(message).__name__.lower(), "fields": _pack(message, tensors)}
    header["tensors"] = [[DTYPE_NAMES[one.dtype], list(one.shape)] for one in tensors]
    head = json.dumps(header, separators=(",", ":")).encode()
    size_bytes = sum(one.nbytes for one in tensors)
    if len(head) > MAX_HEADER_BYTES or size_bytes > MAX_BODY_BYTES:
        raise TooLarge(
            f"a `{header['kind']}` of {len(head)} and {size_bytes} bytes is larger than the "
            f"{MAX_HEADER_BYTES} and {MAX_BODY_BYTES} that are let through"
        )
    bodies = [one.view(-1).view(torch.uint8).numpy().data for one in tensors if one.numel()]
    return [PREFIX.pack(MARK, len(head), size_bytes), head, *bodies]


class Inbox:
    """Bytes in, as they come; whole messages out."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, piece: bytes) -> Iterator[Message]:
        """The messages that are complete with this piece. Raises `WireFault` on anything else."""
        self._waiting += piece
        while len(self._waiting) >= PREFIX.size:
            mark, head_bytes, body_bytes = PREFIX.unpack_from(self._waiting)
            if mark != MARK:
                raise WireFault(f"expected a message, but it begins with {bytes(mark)!r}")
            if head_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
                raise TooLarge(
                    f"a message says it has {head_bytes} and {body_bytes} bytes, at most "
                    f"{MAX_HEADER_BYTES} and {MAX_BODY_BYTES} are let through"
                )
            body_at = PREFIX.size + head_bytes
            if len(self._waiting) < body_at + body_bytes:
                return
            head = bytes(self._waiting[PREFIX.size : body_at])
            body = self._waiting[body_at : body_at + body_bytes]
            del self._waiting[: body_at + body_bytes]
            yield decode(head, body)

    def end(self) -> None:
        """No more bytes come."""
        if self._waiting:
            raise WireFault(f"the connection ended after {len(self._waiting)} bytes of a message")


def decode(head: bytes, body: bytearray) -> Message:
    """A message from its header and the bytes of its tensors."""
    try:
        header: Any = json.loads(head)
        kind, tensors = KINDS[header["kind"]], _read_tensors(header["tensors"], body)
        message = _unpack(kind, header["fields"], iter(tensors))
    except WireFault:
        raise
    except (UserError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WireFault(f"a message cannot be read: {type(error).__name__} {error}") from None
    except StopIteration:
        raise WireFault("a message names a tensor that did not come with it") from None
    assert isinstance(message, kind), "a message is made as its own kind"
    return message


def _read_tensors(said: Sequence[Sequence[Any]], body: bytearray) -> list[Tensor]:
    """The tensors a header announces, which must fill the body just so."""
    tensors, at = list[Tensor](), 0
    for name, shape in said:
        dtype, whole = DTYPES[name], all(type(size) is int and size >= 0 for size in shape)
        num_bytes = prod(shape) * dtype.itemsize if whole else -1
        if not 0 <= num_bytes <= len(body) - at:
            raise WireFault(f"a tensor of shape {str(shape)[:100]} does not fit its message")
        part = body[at : at + num_bytes]
        flat = torch.frombuffer(part, dtype=dtype) if num_bytes else torch.empty(0, dtype=dtype)
        tensors.append(flat.view(shape))
        at += num_bytes
    if at != len(body):
        raise WireFault(f"a message has {len(body) - at} bytes more than its tensors")
    return tensors


def _pack(value: Any, tensors: list[Tensor]) -> Any:
    """A value as JSON has it; tensors are put aside, and each is its place in the row."""
    if isinstance(value, Tensor):
        tensors.append(value.detach().cpu().contiguous())
        return len(tensors) - 1
    if isinstance(value, Request):
        return _pack_request(value, tensors)
    if isinstance(value, TokenLogprobs):
        return [value.logprob, value.top]
    if isinstance(value, Told):
        return [_pack_step(number, step, tensors) for number, step in value.steps]
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, tuple | list):
        return [_pack(one, tensors) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: _pack(getattr(value, one.name), tensors) for one in fields(value)}
    return value


def _pack_step(number: int, step: Step, tensors: list[Tensor]) -> list[Any]:
    """A row, short where there is nothing but ids: every token of every reply comes this way."""
    row = [number, step.ids, step.num_cached, step.num_computed, step.finish_reason]
    is_plain = step.queued_s is step.read_s is step.routing is None
    if is_plain and not (step.logprobs or step.prompt_logprobs or any(step.foretold)):
        return row
    more = (
        step.queued_s,
        step.read_s,
        step.logprobs,
        step.prompt_logprobs,
        step.foretold,
        step.routing,
    )
    return [*row, *(_pack(one, tensors) for one in more)]


ID_SETS = ("stop_ids", "barred_ids")


def _pack_request(request: Request, tensors: list[Tensor]) -> dict[str, Any]:
    """A request; long prompts travel as numbers, not as letters."""
    made = {one.name: getattr(request, one.name) for one in fields(request)}
    made["prompt_ids"] = torch.tensor(list(request.prompt_ids), dtype=torch.int64)
    made["images"] = [image.float() for image in request.images]  # what the engine promises to take
    made |= {name: sorted(made[name]) for name in ID_SETS}
    return {name: _pack(value, tensors) for name, value in made.items()}


def _unpack(hint: Any, value: Any, tensors: Iterator[Tensor]) -> Any:
    """The inverse of `_pack`, for a value that should be what `hint` says."""
    if hint is Request:
        return _unpack_request(value, tensors)
    if hint is Told:
        return Told(tuple(_unpack_step(row, tensors) for row in value))
    if hint is TokenLogprobs:
        logprob, top = value
        return TokenLogprobs(_number(logprob), tuple((_whole(i), _number(p)) for i, p in top))
    if get_origin(hint) is UnionType and isinstance(get_args(hint)[0], type):
        inner, *others = get_args(hint)
        if others == [NoneType] and (inner is Tensor or hasattr(inner, "__dataclass_fields__")):
            return None if value is None else _unpack(inner, value, tensors)
    if hint is Tensor:
        return next(tensors)
    if hint == Mapping[int, float]:
        return {_whole(token): _number(bias) for token, bias in value}
    if get_origin(hint) is tuple:
        return tuple(_unpack(get_args(hint)[0], one, tensors) for one in value)
    if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
        return _unpack_fields(hint, value, tensors)
    return _plain(hint, value)


def _unpack_step(row: Any, tensors: Iterator[Tensor]) -> tuple[int, Step]:
    number, ids, num_cached, num_computed, reason, *more = row
    for one in (number, num_cached, num_computed, *ids):
        if type(one) is not int:
            raise WireFault(f"{str(one)[:100]!r} is no number in a step")
    if reason is not None and reason not in FINISH_REASONS:
        raise WireFault(f"{str(reason)[:100]!r} is no reason to end")
    step = Step(tuple(ids), finish_reason=reason, num_cached=num_cached, num_computed=num_computed)
    if more:
        queued_s, read_s, logprobs, prompt_logprobs, (num_true, num_false), routing = more
        step.queued_s = _plain(float | None, queued_s)
        step.read_s = _plain(float | None, read_s)
        step.logprobs = _unpack(tuple[TokenLogprobs, ...], logprobs, tensors)
        step.prompt_logprobs = _unpack(tuple[TokenLogprobs, ...], prompt_logprobs, tensors)
        step.foretold = _whole(num_true), _whole(num_false)
        step.routing = _unpack(Tensor | None, routing, tensors)
    return number, step


def _unpack_fields(kind: type, values: Any, tensors: Iterator[Tensor]) -> Any:
    """A dataclass from all of its fields, no more and no fewer."""
    hints = _hints(kind)
    if not isinstance(values, dict) or set(values) != set(hints):
        raise WireFault(f"a `{kind.__name__}` has other fields than {', '.join(hints) or 'none'}")
    return kind(**{name: _unpack(hint, values[name], tensors) for name, hint in hints.items()})


def _unpack_request(values: Any, tensors: Iterator[Tensor]) -> Request:
    hints = _hints(Request)
    if not isinstance(values, dict) or set(values) != set(hints):
        raise WireFault(f"a `Request` has other fields than {', '.join(hints)}")
    prompt_ids = next(tensors)
    if prompt_ids.dtype != torch.int64 or prompt_ids.ndim != 1:
        raise WireFault("a `Request` has a prompt that is no row of ids")
    images = [next(tensors) for _ in values["images"]]
    if any(image.dtype != torch.float32 or image.ndim != 3 for image in images):
        raise WireFault("a `Request` has a picture that is none")
    made = {
        "prompt_ids": prompt_ids.tolist(),
        "images": images,
        **{name: frozenset(_whole(token) for token in values[name]) for name in ID_SETS},
    }
    rest = {
        name: _unpack(hint, values[name], tensors)
        for name, hint in hints.items()
        if name not in made
    }
    return Request(**made, **rest)


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The fields of a dataclass and what may stand in them."""
    return get_type_hints(kind)


def _plain(hint: Any, value: Any) -> Any:
    """A number, a word, or nothing, where `hint` allows it."""
    options = (hint,) if isinstance(hint, type) or get_origin(hint) is Literal else get_args(hint)
    for option in options:
        if get_origin(option) is Literal and value in get_args(option):
            return value
        if option is float and type(value) in (int, float):
            return float(value)
        if type(value) is option:
            return value
    raise WireFault(f"{str(value)[:100]!r} is none of what a field may be")


def _whole(value: Any) -> int:
    return _plain(int, value)


def _number(value: Any) -> float:
    return _plain(float, value)
