"""The door `POST /v1/conversations`: Mistral's newer API, one answer at a time and nothing kept."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bise.serve.chat_mistral import text_json, thinking_json
from bise.serve.chat_reply import joined, whole_calls
from bise.serve.conversation_body import read_conversation, to_chat
from bise.serve.events import CLIENT_CLOSED
from bise.serve.json_body import read_object
from bise.serve.metrics import Metrics
from bise.serve.replies import whole
from bise.serve.served import Served
from bise.serve.talk import Talk
from bise.serve.turn import begin, take
from bise.text import Delta


async def conversations(request: Request, served: Served, metrics: Metrics) -> Response:
    """Reply to a conversation as Mistral's Conversations API does; nothing is kept."""
    body = read_conversation(await read_object(request, served.limits))
    chat, ignored = await asyncio.to_thread(to_chat, body)
    question = await take(request, chat, served, metrics, ignored)
    (talk,) = begin(question, chat, request, served, metrics)
    gathered = await whole(request, [talk])
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    usage = talk.usage
    answer = {
        "object": "conversation.response",
        "conversation_id": f"conv_{uuid4().hex}",
        "outputs": outputs_json(served.name, talk, gathered[0]),
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
    }
    return JSONResponse(answer, headers=question.headers)


def outputs_json(model: str, talk: Talk, deltas: Sequence[Delta]) -> list[dict[str, Any]]:
    """What was said, and every call, as entries."""
    text, thinking, calls = (
        joined(deltas, "answer"),
        joined(deltas, "thinking"),
        whole_calls(deltas),
    )
    content: str | list[dict[str, Any]] = text
    if thinking:
        content = [thinking_json(thinking, is_closed=not talk.is_thinking)]
        content += [text_json(text)] if text else []
    message = {**entry_json("message.output", "msg", model), "role": "assistant"}
    outputs = [{**message, "content": content}] if content or not calls else []
    for call in calls:
        entry = entry_json("function.call", "fc", model)
        called = {"tool_call_id": call.id, "name": call.name, "arguments": call.arguments}
        outputs.append({**entry, **called})
    return outputs


def entry_json(kind: str, mark: str, model: str) -> dict[str, Any]:
    """What every entry has."""
    now = datetime.now(UTC).isoformat()
    times = {"created_at": now, "completed_at": now}
    return {
        "object": "entry",
        "type": kind,
        "id": f"{mark}_{uuid4().hex}",
        **times,
        "model": model,
    }
