"""The doors that only count and show: `/tokenize`, `/detokenize` and `/render`."""

import asyncio
from typing import Annotated, Any, ClassVar

from pydantic import FailFast
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.chat_body import ChatBody, read_body
from bise.serve.completion_body import encode_prompt
from bise.serve.json_body import read_object
from bise.serve.limits import need_at_most, need_chars
from bise.serve.metrics import Metrics
from bise.serve.served import Served
from bise.serve.shapes import Shape, shaped
from bise.serve.turn import ignored_header, take
from bise.text.parse import is_list


class TokenizeBody(Shape):
    """A bare text. With `messages` instead, the body is a chat's."""

    prompt: str
    model: str | None = None
    add_special_tokens: bool | None = None
    return_token_strs: bool | None = None


class TokenizeChat(ChatBody):
    """A conversation, which has its markers in any case."""

    UNUSED: ClassVar[frozenset[str]] = ChatBody.UNUSED | {"add_special_tokens"}

    add_special_tokens: bool | None = None
    return_token_strs: bool | None = None


class DetokenizeBody(Shape):
    tokens: Annotated[list[int], FailFast()]
    model: str | None = None


async def tokenize(request: Request, served: Served, metrics: Metrics) -> Response:
    """The ids of a text, or of a conversation as the model reads it."""
    fields = await read_object(request, served.limits)
    tekken = served.talker.chat.tekken
    if "messages" in fields:
        chat = read_body(fields, TokenizeChat)
        wants_texts = chat.return_token_strs is True
        question = await take(request, chat, served, metrics)
        ids, headers = question.prompt.ids, question.headers
    else:
        body = shaped(TokenizeBody, fields)
        served.need(body.model)
        wants_texts = body.return_token_strs is True
        need_chars(len(body.prompt), served.limits, served.max_positions)
        has_bos = body.add_special_tokens is not False
        ids = await asyncio.to_thread(encode_prompt, body.prompt, tekken, has_bos=has_bos)
        headers = ignored_header(body.ignored)
    texts = [tekken.token_text(token) for token in ids] if wants_texts else None
    answer = {"count": len(ids), "tokens": ids, "max_model_len": served.max_positions}
    return JSONResponse({**answer, "token_strs": texts}, headers=headers)


async def detokenize(request: Request, served: Served, metrics: Metrics) -> Response:  # noqa: ARG001
    """The text of ids, with markers by name."""
    fields = await read_object(request, served.limits)
    if is_list(fields.get("tokens")):
        need_at_most("tokens", len(fields["tokens"]), served.max_positions)
    body = shaped(DetokenizeBody, fields)
    served.need(body.model)
    decode = served.talker.chat.tekken.decode
    text = await asyncio.to_thread(decode, body.tokens, show_control=True)
    return JSONResponse({"prompt": text}, headers=ignored_header(body.ignored))


async def render(request: Request, served: Served, metrics: Metrics) -> Response:
    """What the model really sees of a chat's body; a picture is the markers that hold its place."""
    fields = await read_object(request, served.limits)
    question = await take(request, read_body(fields), served, metrics)
    tekken, ids = served.talker.chat.tekken, question.prompt.ids
    answer: dict[str, Any] = {
        "tokens": ids,
        "token_strs": [tekken.token_text(token) for token in ids],
        "text": tekken.decode(ids, show_control=True),
    }
    return JSONResponse(answer, headers=question.headers)
