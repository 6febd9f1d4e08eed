"""A question with tools before it becomes an example."""

from dataclasses import dataclass

from bise.text.messages import Message, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked and offered, and what a right reply calls or says."""

    question: str
    thinking: str
    form: str
    """The content alone, whatever functions and parameters are called."""

    tools: tuple[Tool, ...]
    calls: tuple[ToolCall, ...] = ()
    answer: str = ""
    given: tuple[Message, ...] = ()
