"""anthropic: Messages."""

import anthropic
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

client = anthropic.Anthropic(base_url=URL, api_key="x", max_retries=0)
TOOL = {"name": "add", "input_schema": PARAMETERS}


def ask(content, **more):
    messages = [{"role": "user", "content": content}]
    return {"model": MODEL, "max_tokens": MAX_TOKENS, "messages": messages} | more


def chat():
    message = client.messages.create(**ask(SAY))
    need_answer(message.content[-1].text)
    need(message.stop_reason == "end_turn" and message.usage.output_tokens > 0, message)
    fields = ask(SAY)
    del fields["max_tokens"]
    need(client.messages.count_tokens(**fields).input_tokens > 5, "count_tokens")


def streaming():
    with client.messages.stream(**ask(SAY)) as it:
        pieces = list(it.text_stream)
        final = it.get_final_message()
    need_answer("".join(pieces))
    need(len(pieces) > 1 and final.content[-1].text == "".join(pieces), pieces)


def reasoning():
    thinking = {"type": "enabled", "budget_tokens": 1024}
    fields = ask(SAY, thinking=thinking, max_tokens=2048)
    message = client.messages.create(**fields)
    need(message.content[0].type == "thinking" and message.content[0].signature, message)
    need_thought(message.content[0].thinking)
    need_answer(message.content[-1].text)
    with client.messages.stream(**fields) as it:
        pieces = [event.thinking for event in it if event.type == "thinking"]
        need_thought(it.get_final_message().content[0].thinking)
    need(len(pieces) > 1, pieces)


def tools():
    thinking = {"type": "adaptive"}
    fields = ask(CALL, tools=[TOOL], thinking=thinking)
    with client.messages.stream(**fields) as it:
        message = it.get_final_message()
    call = message.content[-1]
    need(message.stop_reason == "tool_use" and call.input == {"a": 17, "b": 25}, message)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "the sum is 42"}
    turns = [*fields["messages"], {"role": "assistant", "content": message.content},
             {"role": "user", "content": [result]}]  # fmt: skip
    reply = client.messages.create(**fields | {"messages": turns})
    need("the sum is 42" in reply.content[-1].text, reply)


def image():
    source = {"type": "base64", "media_type": "image/png", "data": picture().partition(",")[2]}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": LOOK}]
    need_seen(client.messages.create(**ask(parts)).content[-1].text)


tell(chat=chat, streaming=streaming, reasoning=reasoning, tools=tools, image=image)
