"""mistralai: chat completions in Mistral's dialect, Responses, Conversations."""

import json

from mistralai.client import Mistral
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

client = Mistral(server_url=URL, api_key="x")
TOOL = {"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}


def ask(content, **more):
    messages = [{"role": "user", "content": content}]
    return {"model": MODEL, "messages": messages, "max_tokens": MAX_TOKENS} | more


def split(content):
    """Thinking and text of a content."""
    if isinstance(content, str) or not content:
        return "", content or ""
    thoughts = [one.text for part in content if part.type == "thinking" for one in part.thinking]
    return "".join(thoughts), "".join(part.text for part in content if part.type == "text")


def streamed(**fields):
    deltas = [event.data.choices[0].delta for event in client.chat.stream(**fields)]
    pieces = [split(delta.content) for delta in deltas]
    return "".join(one for one, _ in pieces), [one for _, one in pieces if one], deltas


def chat():
    reply = client.chat.complete(**ask(SAY))
    need_answer(reply.choices[0].message.content)
    need(reply.usage.completion_tokens > 0, reply)
    need_answer(client.responses.create(model=MODEL, input=SAY).output[-1].content[0].text)


def streaming():
    _, pieces, _ = streamed(**ask(SAY))
    need_answer("".join(pieces))
    need(len(pieces) > 1, pieces)


def reasoning():
    reply = client.chat.complete(**ask(SAY, reasoning_effort="high"))
    thought, text = split(reply.choices[0].message.content)
    need_thought(thought)
    need_answer(text)
    thought, pieces, _ = streamed(**ask(SAY, reasoning_effort="high"))
    need_thought(thought)
    need_answer("".join(pieces))


def tools():
    fields = ask(CALL, tools=[TOOL], reasoning_effort="high")
    message = client.chat.complete(**fields).choices[0].message
    need_thought(split(message.content)[0])
    (call,) = message.tool_calls
    arguments = call.function.arguments
    met = json.loads(arguments) if isinstance(arguments, str) else arguments
    need(met == {"a": 17, "b": 25} and len(call.id) == 9, call)
    result = {"role": "tool", "tool_call_id": call.id, "name": "add", "content": "the sum is 42"}
    messages = [*fields["messages"], message, result]
    reply = client.chat.complete(**fields | {"messages": messages})
    need("the sum is 42" in split(reply.choices[0].message.content)[1], reply)
    thought, _, deltas = streamed(**fields)
    need_thought(thought)
    need(sum(len(delta.tool_calls or []) for delta in deltas) == 1, deltas)


def image():
    parts = [{"type": "text", "text": LOOK}, {"type": "image_url", "image_url": picture()}]
    need_seen(client.chat.complete(**ask(parts)).choices[0].message.content)


tell(chat=chat, streaming=streaming, reasoning=reasoning, tools=tools, image=image)
