"""A chat put together from the smaller pieces that other APIs cut a conversation into."""

from dataclasses import dataclass, field
from typing import Any

from bise.errors import WrongType, quoted
from bise.text.parse import ROLES, an_object, is_list, parse_content


@dataclass(slots=True)
class ChatParts:
    """Gathers what one speaker says in a row, as long as it can be one message."""

    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def say(self, role: str, content: object, where: str) -> None:
        """A message. What the assistant says joins its thinking before, and calls come behind.

        where: the place a client knows; what is wrong in there is told now, under its name
        """
        if role not in ROLES:
            raise WrongType(f"`{where}.role` is `{role}`, expected one of {quoted(ROLES)}")
        parse_content(content, f"{where}.content")
        if role != "assistant":
            self.messages.append({"role": role, "content": content})
            return
        if content is None:
            content = ()
        parts = content if is_list(content) else [{"type": "text", "text": content}]
        last = self.assistant()
        if last["tool_calls"]:
            last = self.assistant(is_new=True)
        last["content"] += parts

    def think(self, text: str) -> None:
        """Thinking of an earlier turn, with which a message of the assistant begins."""
        last = self.assistant()
        if last["content"] or last["tool_calls"]:
            last = self.assistant(is_new=True)
        last["content"].append({"type": "thinking", "thinking": text})

    def call(self, call_id: str, name: str, arguments: object, where: str) -> None:
        """A call of the assistant."""
        if arguments is not None and not isinstance(arguments, str):
            an_object(arguments, f"{where}.arguments")
        function = {"name": name, "arguments": arguments}
        call = {"id": call_id, "type": "function", "function": function}
        self.assistant()["tool_calls"].append(call)

    def result(self, call_id: str, content: object, where: str) -> None:
        """What a tool said."""
        parse_content(content, where)
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def assistant(self, *, is_new: bool = False) -> dict[str, Any]:
        """The assistant's message at the end, or a new one."""
        if is_new or not self.messages or self.messages[-1]["role"] != "assistant":
            self.messages.append({"role": "assistant", "content": [], "tool_calls": []})
        return self.messages[-1]
