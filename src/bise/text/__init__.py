"""Turns chats, tools and pictures into token ids, and back. Never sees a weight or a device."""

from bise.text.chat import ChatFormat, Prompt
from bise.text.decode import (
    Delta,
    Reply,
    ReplyDecoder,
    ToolCallDelta,
    collect_reply,
    decode_reply,
    random_call_id,
)
from bise.text.effort import EFFORT_WORDS, resolve_effort
from bise.text.images import (
    ImageLimits,
    PreparedImage,
    count_image_tokens,
    image_grid,
    image_token_ids,
    open_image,
    prepare_image,
)
from bise.text.learn import learn_merges
from bise.text.messages import (
    ImagePart,
    Message,
    TextPart,
    ThinkPart,
    Tool,
    ToolCall,
)
from bise.text.parse import parse_messages, parse_tools
from bise.text.rules import (
    CallMode,
    Calls,
    Form,
    calls_of,
    choice_form,
    grammar_form,
    json_form,
    pattern_form,
    reply_rules,
)
from bise.text.special import ControlIds
from bise.text.tekken import Tekken, save_tekken
from bise.text.tekken_file import ImageSettings

__all__ = [
    "EFFORT_WORDS",
    "CallMode",
    "Calls",
    "ChatFormat",
    "ControlIds",
    "Delta",
    "Form",
    "ImageLimits",
    "ImagePart",
    "ImageSettings",
    "Message",
    "PreparedImage",
    "Prompt",
    "Reply",
    "ReplyDecoder",
    "Tekken",
    "TextPart",
    "ThinkPart",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "calls_of",
    "choice_form",
    "collect_reply",
    "count_image_tokens",
    "decode_reply",
    "grammar_form",
    "image_grid",
    "image_token_ids",
    "json_form",
    "learn_merges",
    "open_image",
    "parse_messages",
    "parse_tools",
    "pattern_form",
    "prepare_image",
    "random_call_id",
    "reply_rules",
    "resolve_effort",
    "save_tekken",
]
