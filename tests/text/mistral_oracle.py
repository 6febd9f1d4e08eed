"""mistral-common as the judge of our encoding."""

from pathlib import Path
from typing import Any

from bise.text import ChatFormat, Prompt, parse_messages, parse_tools


class Oracle:
    """The official chat encoder, asked as its users ask it."""

    def __init__(self, path: Path, *, finished: bool = False):
        from mistral_common.protocol.instruct.validator import ValidationMode
        from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

        mode = ValidationMode.finetuning if finished else ValidationMode.test
        self.tokenizer = MistralTokenizer.from_file(str(path), mode=mode)

    def encode(self, request: dict[str, Any]) -> Any:
        """Ids and pixels of a request; raises what mistral-common raises."""
        from mistral_common.protocol.instruct.request import ChatCompletionRequest

        return self.tokenizer.encode_chat_completion(ChatCompletionRequest(**request))

    def encode_text(self, text: str) -> list[int]:
        """Ids of plain text."""
        return self.tokenizer.instruct_tokenizer.tokenizer.encode(text, bos=False, eos=False)


def encode_request(chat: ChatFormat, request: dict[str, Any], *, finished: bool = False) -> Prompt:
    """Our encoding of the same request."""
    return chat.encode(
        parse_messages(request["messages"]),
        tools=parse_tools(request.get("tools")),
        effort=request.get("reasoning_effort"),
        finished=finished,
    )
