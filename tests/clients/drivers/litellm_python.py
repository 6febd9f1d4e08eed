"""litellm: `mistral/` and `openai/`, both against the same server."""

import json
import os

os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}

import litellm
from telling import (
    CALL,
    LOOK,
    MAX_TOKENS,
    MODEL,
    PARAMETERS,
    SAY,
    URL,
    need,
    need_answer,
    need_seen,
    need_thought,
    picture,
    tell,
)

TOOL = {"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}
WAYS = ("mistral", "openai")


def ask(way, content, **more):
    messages = more.pop("messages", [{"role": "user", "content": content}])
    return litellm.completion(
        model=f"{way}/{MODEL}", api_base=f"{URL}/v1", api_key="x", messages=messages,
        max_tokens=MAX_TOKENS, num_retries=0, allowed_openai_params=["reasoning_effort"], **more,
    )  # fmt: skip


def chat():
    for way in WAYS:
        reply = ask(way, SAY)
        need_answer(reply.choices[0].message.content)
        need(reply.usage.completion_tokens > 0, reply)


def streaming():
    for way in WAYS:
        pieces = [chunk.choices[0].delta.content or "" for chunk in ask(way, SAY, stream=True)]
        need_answer("".join(pieces))
        need(len([piece for piece in pieces if piece]) > 1, pieces)


def reasoning():
    for way in WAYS:
        message = ask(way, SAY, reasoning_effort="high").choices[0].message
        need_answer(message.content)
        need_thought(message.reasoning_content)
        chunks = list(ask(way, SAY, reasoning_effort="high", stream=True))
        thoughts = [getattr(one.choices[0].delta, "reasoning_content", "") or "" for one in chunks]
        need_thought("".join(thoughts))


def tools():
    for way in WAYS:
        message = ask(way, CALL, tools=[TOOL], reasoning_effort="high").choices[0].message
        (call,) = message.tool_calls
        need(json.loads(call.function.arguments) == {"a": 17, "b": 25}, call)
        result = {"role": "tool", "tool_call_id": call.id, "content": "the sum is 42"}
        messages = [{"role": "user", "content": CALL}, message.model_dump(), result]
        reply = ask(way, "", messages=messages, tools=[TOOL])
        need("the sum is 42" in reply.choices[0].message.content, reply)
        chunks = list(ask(way, CALL, tools=[TOOL], stream=True))
        whole = litellm.stream_chunk_builder(chunks)
        (call,) = whole.choices[0].message.tool_calls
        need(json.loads(call.function.arguments) == {"a": 17, "b": 25}, call)


def image():
    parts = [{"type": "text", "text": LOOK},
             {"type": "image_url", "image_url": {"url": picture()}}]  # fmt: skip
    for way in WAYS:
        need_seen(ask(way, parts).choices[0].message.content)


tell(chat=chat, streaming=streaming, reasoning=reasoning, tools=tools, image=image)
