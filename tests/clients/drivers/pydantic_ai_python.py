"""pydantic-ai: its Mistral model and its OpenAI model, each at its own address."""

import asyncio
import base64

from pydantic_ai import Agent, BinaryContent
from pydantic_ai.messages import ThinkingPart
from pydantic_ai.models.mistral import MistralModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.mistral import MistralProvider
from pydantic_ai.providers.openai import OpenAIProvider
from telling import (
    CALL,
    IS_NANO,
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


def mistral():
    provider = MistralProvider(base_url=f"{URL}/mistral", api_key="x")
    return MistralModel(MODEL, provider=provider)


def openai():
    return OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key="x"))


WAYS = (mistral, openai)


def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"the sum is {a + b}"


def ask(way, text, **settings):
    async def run():
        tools = [] if IS_NANO else [add]  # nano was never shown a tool
        model_settings = {"max_tokens": MAX_TOKENS, **settings}
        agent = Agent(way(), model_settings=model_settings, tools=tools, retries=0)
        return await agent.run(text)

    return asyncio.run(run())


def stream(way, text, **settings):
    async def run():
        agent = Agent(way(), model_settings={"max_tokens": MAX_TOKENS, **settings}, retries=0)
        async with agent.run_stream(text) as running:
            pieces = [piece async for piece in running.stream_text(delta=True, debounce_by=None)]
            return pieces, thoughts_of(running.all_messages())

    return asyncio.run(run())


def thoughts_of(messages):
    parts = [part for message in messages for part in message.parts]
    return "".join(part.content for part in parts if isinstance(part, ThinkingPart))


def chat():
    for way in WAYS:
        result = ask(way, SAY)
        need_answer(result.output)


def streaming():
    for way in WAYS:
        pieces, _ = stream(way, SAY)
        need_answer("".join(pieces))
        need(len(pieces) > 1, pieces)


def reasoning():
    for way in WAYS:
        extra = {"extra_body": {"reasoning_effort": "high"}} if way is openai else {}
        if way is mistral:
            extra = {"thinking": "high"}
        result = ask(way, SAY, **extra)
        need_answer(result.output)
        need_thought(thoughts_of(result.all_messages()))
        pieces, thought = stream(way, SAY, **extra)
        need_answer("".join(pieces))
        need_thought(thought)


def tools():
    for way in WAYS:
        need("the sum is 42" in ask(way, CALL).output, way)


def image():
    data = base64.b64decode(picture().partition(",")[2])
    for way in WAYS:
        need_seen(ask(way, [LOOK, BinaryContent(data, media_type="image/png")]).output)


tell(chat=chat, streaming=streaming, reasoning=reasoning, tools=tools, image=image)
