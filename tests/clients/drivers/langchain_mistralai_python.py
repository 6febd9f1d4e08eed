"""langchain-mistralai: its user agent does not say whose API it expects; the address does."""

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_mistralai import ChatMistralAI
from telling import (
    CALL,
    LOOK,
    MAX_TOKENS,
    MODEL,
    SAY,
    URL,
    need,
    need_answer,
    need_seen,
    need_thought,
    picture,
    tell,
)


def model(**kwargs):
    return ChatMistralAI(
        model=MODEL,
        base_url=f"{URL}/mistral/v1",
        api_key="x",
        max_retries=0,
        max_tokens=MAX_TOKENS,
        model_kwargs=kwargs,
    )


@tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"the sum is {a + b}"


def split(content):
    if isinstance(content, str):
        return "", content
    thoughts, texts = [], []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif part["type"] == "thinking":
            inner = part["thinking"]
            thoughts += [inner] if isinstance(inner, str) else [one["text"] for one in inner]
        elif part["type"] == "text":
            texts.append(part["text"])
    return "".join(thoughts), "".join(texts)


def chat():
    reply = model().invoke(SAY)
    need_answer(reply.content)
    need(reply.usage_metadata["output_tokens"] > 0, reply)


def streaming():
    pieces = [chunk.content for chunk in model().stream(SAY)]
    need_answer("".join(pieces))
    need(len([piece for piece in pieces if piece]) > 1, pieces)


def reasoning():
    thought, text = split(model(reasoning_effort="high").invoke(SAY).content)
    need_thought(thought)
    need_answer(text)
    parts = [split(chunk.content) for chunk in model(reasoning_effort="high").stream(SAY)]
    need_thought("".join(one for one, _ in parts))
    need_answer("".join(one for _, one in parts))


def tools():
    able = model().bind_tools([add])
    reply = able.invoke(CALL)
    (call,) = reply.tool_calls
    need(call["args"] == {"a": 17, "b": 25}, reply)
    said = ToolMessage(add.invoke(call["args"]), tool_call_id=call["id"], name="add")
    after = able.invoke([HumanMessage(CALL), reply, said])
    need("the sum is 42" in after.content, after)
    whole = None
    for chunk in able.stream(CALL):
        whole = chunk if whole is None else whole + chunk
    need(whole.tool_calls[0]["args"] == {"a": 17, "b": 25}, whole)


def image():
    parts = [{"type": "text", "text": LOOK}, {"type": "image_url", "image_url": picture()}]
    need_seen(model().invoke([HumanMessage(parts)]).content)


tell(chat=chat, streaming=streaming, reasoning=reasoning, tools=tools, image=image)
