"""openai: chat completions and Responses."""

import json

import openai
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

client = openai.OpenAI(base_url=f"{URL}/v1", api_key="x", max_retries=0)
TOOL = {"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}
FLAT = {"type": "function", "name": "add", "parameters": PARAMETERS, "strict": True}


def ask(text, **more):
    messages = [{"role": "user", "content": text}]
    return {"model": MODEL, "messages": messages, "max_tokens": MAX_TOKENS} | more


def chat():
    reply = client.chat.completions.create(**ask(SAY))
    need_answer(reply.choices[0].message.content)
    need(reply.usage.completion_tokens > 0, reply)
    response = client.responses.create(model=MODEL, input=SAY)
    need_answer(response.output_text)


def streaming():
    with client.chat.completions.stream(**ask(SAY), stream_options={"include_usage": True}) as it:
        deltas = [event.delta for event in it if event.type == "content.delta"]
        final = it.get_final_completion()
    need_answer(final.choices[0].message.content)
    need(len(deltas) > 1 and "".join(deltas) == final.choices[0].message.content, deltas)
    need(final.usage.completion_tokens >= len(deltas), final.usage)
    with client.responses.stream(model=MODEL, input=SAY) as it:
        deltas = [event.delta for event in it if event.type == "response.output_text.delta"]
        need_answer(it.get_final_response().output_text)
    need(len(deltas) > 1, deltas)


def reasoning():
    reply = client.chat.completions.create(**ask(SAY, reasoning_effort="high"))
    message = reply.choices[0].message
    need_answer(message.content)
    need_thought(message.reasoning_content)
    need(reply.usage.completion_tokens_details.reasoning_tokens > 0, reply.usage)
    chunks = list(client.chat.completions.create(**ask(SAY, reasoning_effort="high", stream=True)))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    need_thought("".join(getattr(delta, "reasoning_content", "") or "" for delta in deltas))
    response = client.responses.create(model=MODEL, input=SAY, reasoning={"effort": "high"})
    need(response.output[0].type == "reasoning", response.output)
    need_thought(response.output[0].content[0].text)


def tools():
    first = ask(CALL, tools=[TOOL])
    message = client.chat.completions.create(**first).choices[0].message
    (call,) = message.tool_calls
    need(json.loads(call.function.arguments) == {"a": 17, "b": 25}, call)
    result = {"role": "tool", "tool_call_id": call.id, "content": "the sum is 42"}
    messages = [*first["messages"], message, result]
    reply = client.chat.completions.create(**first | {"messages": messages})
    need("the sum is 42" in reply.choices[0].message.content, reply)
    with client.chat.completions.stream(**first) as it:
        streamed = it.get_final_completion().choices[0]
    need(streamed.finish_reason == "tool_calls", streamed)
    need(json.loads(streamed.message.tool_calls[0].function.arguments)["b"] == 25, streamed)
    fields = {"model": MODEL, "tools": [FLAT], "include": ["reasoning.encrypted_content"],
              "reasoning": {"effort": "high"}, "store": False}  # fmt: skip
    with client.responses.stream(input=CALL, **fields) as it:
        output = it.get_final_response().output
    need([item.type for item in output] == ["reasoning", "function_call"], output)
    answer = {"type": "function_call_output", "call_id": output[1].call_id, "output": "it is 42"}
    items = [{"role": "user", "content": CALL}, *output, answer]
    need("it is 42" in client.responses.create(input=items, **fields).output_text, output)


def image():
    parts = [{"type": "text", "text": LOOK},
             {"type": "image_url", "image_url": {"url": picture()}}]  # fmt: skip
    need_seen(client.chat.completions.create(**ask(parts)).choices[0].message.content)
    items = [{"role": "user", "content": [{"type": "input_text", "text": LOOK},
              {"type": "input_image", "image_url": picture(), "detail": "auto"}]}]  # fmt: skip
    need_seen(client.responses.create(model=MODEL, input=items).output_text)


tell(chat=chat, streaming=streaming, reasoning=reasoning, tools=tools, image=image)
