"""A conversation with a model, that knows how long it is at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bise.prove.budget import Budget
from bise.prove.endpoint import Answer, Endpoint, Message, tokens_at_most


@dataclass(slots=True)
class Conversation:
    """Messages so far."""

    messages: list[Message]
    tools: Sequence[Mapping[str, Any]] = ()
    num_known: int = 0
    """Messages whose tokens the server has counted,"""

    known_tokens: int = 0
    """and how many those are, with the tools."""

    @property
    def num_tokens(self) -> int:
        """An upper bound of the next prompt."""
        if not self.num_known:
            return tokens_at_most(self.messages, self.tools)
        return self.known_tokens + tokens_at_most(self.messages[self.num_known :])

    def say(self, role: str, content: str, **more: Any) -> None:
        """Add a message."""
        self.messages.append({"role": role, "content": content, **more})

    def ask(self, endpoint: Endpoint, budget: Budget, **how: Any) -> Answer:
        """Let the model go on; its answer becomes part of this."""
        answer = endpoint.ask(
            self.messages, budget, prompt_tokens=self.num_tokens, tools=self.tools, **how
        )
        self.messages.append(answer.as_message())
        if answer.is_counted and answer.usage.prompt_tokens:
            self.num_known = len(self.messages)
            self.known_tokens = answer.usage.prompt_tokens + answer.usage.output_tokens
        return answer
