"""Reads the JSON of a request without trusting it: size, depth, letters and numbers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from math import isfinite
from typing import Any, cast

from starlette.requests import Request

from bise.errors import BadRequest, WrongType
from bise.serve.faults import HttpFault
from bise.serve.limits import Limits

JSON_KINDS = ("", "application/json")
MARKS = (b",", b"[", b"{")
"""There are no more values than these, and one. Counting them is quick, and making values is not:
while Python makes them nothing else moves."""

MAX_DIGITS = 18
"""Of a promised length; Python takes its time to read numbers of thousands."""

LARGE_BYTES = 2**18
"""Bodies above this are read in a thread of their own."""


async def read_object(request: Request, limits: Limits) -> dict[str, Any]:
    """The object a request's body holds. Fields that are null are left out: they mean absent."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    wrong_kind = HttpFault(415, f"the content type is `{kind}`, expected `application/json`")
    if kind not in JSON_KINDS and request.state.visit.account is None:
        # A page of another site may post plain text without asking first, but never JSON.
        raise wrong_kind
    data = await read_bytes(request, limits)
    try:
        if len(data) > LARGE_BYTES:  # others are served meanwhile
            value = await asyncio.to_thread(parse, data, limits)
        else:
            value = parse(data, limits)
    except BadRequest:
        if kind not in (*JSON_KINDS, "text/plain"):
            raise wrong_kind from None
        raise
    if not isinstance(value, dict):
        raise WrongType("the body is no JSON object")
    fields = cast(dict[str, Any], value)
    return {name: field for name, field in fields.items() if field is not None}


async def read_bytes(request: Request, limits: Limits) -> bytes:
    """The body, given up as soon as it grows too large or does not come."""
    too_large = HttpFault(413, f"the body is larger than {limits.body_bytes:,} bytes")
    promised = request.headers.get("content-length", "0")
    if promised.isdigit() and (len(promised) > MAX_DIGITS or int(promised) > limits.body_bytes):
        raise too_large
    gathered = bytearray()
    async with aclosing(request.stream()) as chunks, within(limits.body_s):
        while True:
            async with within(limits.body_pause_s):
                chunk = await anext(chunks, None)
            if chunk is None:
                return bytes(gathered)
            request.state.visit.take_body(len(chunk))
            gathered += chunk
            if len(gathered) > limits.body_bytes:
                raise too_large


@asynccontextmanager
async def within(limit_s: float) -> AsyncIterator[None]:
    """Give a sender so much time and no more."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        raise HttpFault(
            408, f"the body was not sent within {limit_s:g} s", headers={"Connection": "close"}
        ) from None


def parse(data: bytes, limits: Limits) -> object:
    """JSON to a value, or one plain error."""
    max_depth = limits.json_depth
    if sum(map(data.count, MARKS)) > limits.json_values:
        raise BadRequest(f"the JSON has more than {limits.json_values:,} values")
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=refuse_constant, parse_float=finite)
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    except RecursionError:
        raise BadRequest(f"the JSON is nested deeper than {max_depth} levels") from None
    except json.JSONDecodeError as fault:
        raise BadRequest(
            f"the body is not JSON: {fault.msg.lower()} at line {fault.lineno}, "
            f"column {fault.colno}"
        ) from None
    except ValueError as fault:  # a number of thousands of digits
        if isinstance(fault, BadRequest):
            raise
        raise BadRequest("the body has a number too long to read") from None
    check_value(value, max_depth)
    return value


def refuse_constant(name: str) -> None:
    """JSON has no such numbers, though Python reads them."""
    raise BadRequest(f"the body has the number `{name}`, which is no JSON")


def finite(digits: str) -> float:
    """A number with a point or an exponent; one too large would be infinity, which is no JSON."""
    value = float(digits)
    if not isfinite(value):
        raise BadRequest(f"the body has the number `{digits[:40]}`, which is too large")
    return value


def check_value(value: object, depth_left: int) -> None:
    """Refuse what is nested too deep, and halves of characters, which no encoding can carry."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        need_depth(depth_left)
        for name, inner in cast(dict[str, object], value).items():
            check_text(name)
            check_value(inner, depth_left - 1)
    elif isinstance(value, list):
        need_depth(depth_left)
        for inner in cast(list[object], value):
            check_value(inner, depth_left - 1)


def need_depth(depth_left: int) -> None:
    if depth_left == 0:
        raise BadRequest("the JSON is nested too deep")


def check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise BadRequest("the body has half of a surrogate pair, which is no text") from None
