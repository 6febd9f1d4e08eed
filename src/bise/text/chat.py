"""From a conversation to the exact ids the model was trained on.

    <s> [SYSTEM_PROMPT]...[/SYSTEM_PROMPT]
        [AVAILABLE_TOOLS][...][/AVAILABLE_TOOLS]              if there are tools
        [MODEL_SETTINGS]{"reasoning_effort": "none"}[/MODEL_SETTINGS]
        [INST]question[/INST]
        [THINK]thinking[/THINK]answer[TOOL_CALLS]name[ARGS]{...}</s>
        [TOOL_RESULTS]result[/TOOL_RESULTS]

Markers are ids, never text, and nothing stands between them: line breaks above are for reading.
Tools and settings come once, before the first user message. Every text is encoded by itself, so
what a user types can never become a marker.
Checked against: mistral-common `InstructTokenizerV15`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from bise.errors import BadRequest
from bise.text.effort import check_effort
from bise.text.images import ImageLimits, PreparedImage, image_token_ids, prepare_image
from bise.text.messages import ImagePart, Message, Part, TextPart, ThinkPart, Tool, ToolCall
from bise.text.resize import Resize
from bise.text.tekken import Tekken
from bise.text.turns import merge_turns
from bise.text.validate import check_conversation, check_tools


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as the model reads it."""

    ids: list[int]
    images: tuple[PreparedImage, ...] = ()
    """In the order in which their tokens stand in `ids`."""

    written: list[bool] = field(default_factory=list[bool])
    """Which ids the model itself writes: thinking, answers, calls and the end of a turn.

    As long as `ids`; training counts its loss on these and on no others.
    """

    in_thinking: bool = False
    """Whether the prompt ends inside thinking that is to be continued."""


class ChatFormat:
    """Encodes conversations for one tokenizer."""

    def __init__(
        self, tekken: Tekken, resize: Resize = "native", *, limits: ImageLimits | None = None
    ):
        self.tekken = tekken
        self.special = tekken.special
        self.resize: Resize = resize
        self.limits = limits

    def encode(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] = (),
        effort: str | None = None,
        finished: bool = False,
    ) -> Prompt:
        """The ids of a conversation that the model goes on with.

        No `effort` means the default of the tokenizer's file. With `finished` the assistant has
        had the last word, as in training data.
        """
        check_conversation(messages, finished=finished)
        check_tools(tools)
        effort = self.tekken.default_effort if effort is None else effort
        check_effort(effort, self.tekken.efforts, met=effort)
        ids = [self.special.bos]
        written = [False]
        images: list[PreparedImage] = []
        head = self.encode_head(tools, effort)  # goes before the first user message, once
        turns = merge_turns(messages)
        for turn in turns:
            if turn.role == "user":
                ids += head
                head = []
            ids += self.encode_turn(turn, images)
            is_ours = turn.role == "assistant"
            written += [is_ours] * (len(ids) - len(written))
        return Prompt(ids, tuple(images), written, in_thinking=is_thinking(turns[-1]))

    def encode_head(self, tools: Sequence[Tool], effort: str) -> list[int]:
        """What the model is told about its tools and its effort."""
        ids: list[int] = []
        if tools:
            ids += self.wrap(self.special.tools, tools_json(tools), self.special.end_tools)
        settings = json.dumps({"reasoning_effort": effort})
        return ids + self.wrap(self.special.settings, settings, self.special.end_settings)

    def encode_turn(self, turn: Message, images: list[PreparedImage]) -> list[int]:
        """The ids of one message; its pictures are added to `images`."""
        special = self.special
        body = list(chain.from_iterable(self.encode_part(part, images) for part in turn.parts))
        match turn.role:
            case "system":
                return [special.system, *body, special.end_system]
            case "user":
                return [special.inst, *body, special.end_inst]
            case "tool":
                return [special.results, *body, special.end_results]
            case "assistant":
                calls = chain.from_iterable(map(self.encode_call, turn.tool_calls))
                return [*body, *calls, *([] if turn.prefix else [special.eos])]

    def encode_part(self, part: Part, images: list[PreparedImage]) -> Iterable[int]:
        """The ids of a text, some thinking or a picture."""
        match part:
            case TextPart(text):
                return self.tekken.encode(text)
            case ThinkPart(text, closed):
                ids = [self.special.think, *self.tekken.encode(text)]
                return [*ids, self.special.end_think] if closed else ids
            case ImagePart():
                image = self.prepare(part)
                images.append(image)
                return image_token_ids(image.grid, self.special)

    def encode_call(self, call: ToolCall) -> list[int]:
        """The ids of a call: its name, then its arguments."""
        name = self.tekken.encode(call.name)
        arguments = self.tekken.encode(call.arguments)
        return [self.special.calls, *name, self.special.args, *arguments]

    def prepare(self, part: ImagePart) -> PreparedImage:
        """A picture as this model's vision encoder takes it."""
        if self.tekken.image is None:
            raise BadRequest(
                "this model reads no images", hint="its tekken.json has no `image` block"
            )
        return prepare_image(part, self.tekken.image, resize=self.resize, limits=self.limits)

    def wrap(self, start: int, text: str, end: int) -> list[int]:
        """Text between two markers."""
        return [start, *self.tekken.encode(text), end]


def tools_json(tools: Sequence[Tool]) -> str:
    """Tools as the model was shown them: key order and spacing are part of its training."""
    listed = [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]
    return json.dumps(listed, ensure_ascii=False)


def is_thinking(turn: Message) -> bool:
    """Whether a final prefix leaves its thinking open."""
    last = turn.parts[-1] if turn.parts else None
    return turn.prefix and isinstance(last, ThinkPart) and not last.closed
