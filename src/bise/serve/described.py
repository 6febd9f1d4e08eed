"""Messages, items, blocks and tools as JSON schemas, for `/openapi.json` only.

The doors read these by hand, so that an error names its place in a sentence; what is written here
is what they take, for those who make clients from a description, and for tests that make up bodies.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(name: str) -> Schema:
    return {"type": "array", "items": ref(name)}


def either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def record(required: str, **properties: Schema) -> Schema:
    """An object with these fields. required: the names of those it must have, with blanks"""
    return {"type": "object", "required": required.split(), "properties": properties}


def const(word: str) -> Schema:
    return {"const": word}


NULL: Schema = {"type": "null"}
URL = {**TEXT, "description": "A data URL; an address where the server fetches pictures"}
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]
EFFORT = either(NULL, {"enum": EFFORTS})

FUNCTION = record("name", name=TEXT, description=TEXT, parameters=OBJECT)

SCHEMAS: dict[str, Schema] = {
    "Message": either(
        record("role content", role={"enum": ["system", "developer"]}, content=ref("Content")),
        record("role content", role=const("user"), content=ref("Content"), name=TEXT),
        record(
            "role",
            role=const("assistant"),
            content=either(NULL, ref("Content")),
            tool_calls=listed("ToolCall"),
            reasoning_content=TEXT,
            prefix={"type": "boolean"},
        ),
        record(
            "role content tool_call_id",
            role=const("tool"),
            content=ref("Content"),
            tool_call_id=TEXT,
            name=TEXT,
        ),
    ),
    "Content": either(TEXT, listed("Part")),
    "Part": either(
        record("type text", type=const("text"), text=TEXT),
        record("type image_url", type=const("image_url"), image_url=either(URL, ref("ImageUrl"))),
        record(
            "type thinking",
            type=const("thinking"),
            thinking=either(TEXT, {"type": "array", "items": record("type text", type=const("text"),
                                                                    text=TEXT)}),
            closed={"type": "boolean"},
        ),
    ),
    "ImageUrl": record(
        "url", url=URL, detail={"enum": ["auto", "low", "high", "original"]}
    ),
    "ToolCall": record(
        "id function",
        id=TEXT,
        type=const("function"),
        function=record("name arguments", name=TEXT, arguments=either(TEXT, OBJECT)),
    ),
    "Tool": either(
        record("type function", type=const("function"), function=FUNCTION),
        {**FUNCTION, "required": ["type", "name"],
         "properties": {**FUNCTION["properties"], "type": const("function")}},
    ),
    "Turn": record(
        "role content",
        role={"enum": ["user", "assistant"]},
        content=either(TEXT, listed("Block")),
    ),
    "Block": either(
        record("type text", type=const("text"), text=TEXT),
        record("type source", type=const("image"), source=either(
            record("type media_type data", type=const("base64"), media_type=TEXT, data=TEXT),
            record("type url", type=const("url"), url=URL),
        )),
        record("type id name input", type=const("tool_use"), id=TEXT, name=TEXT, input=OBJECT),
        record("type tool_use_id", type=const("tool_result"), tool_use_id=TEXT,
               content=either(TEXT, listed("Block"))),
        record("type thinking signature", type=const("thinking"), thinking=TEXT, signature=TEXT),
    ),
    "BlockTool": record("name input_schema", name=TEXT, description=TEXT, input_schema=OBJECT),
    "Item": either(
        record("role content", role={"enum": ["user", "assistant", "system", "developer"]},
               content=either(TEXT, listed("ItemPart")), type=const("message")),
        record("type call_id name arguments", type=const("function_call"), call_id=TEXT, name=TEXT,
               arguments=TEXT),
        record("type call_id output", type=const("function_call_output"), call_id=TEXT,
               output=either(TEXT, listed("ItemPart"))),
        record("type summary", type=const("reasoning"), id=TEXT, summary={"type": "array"},
               encrypted_content=either(NULL, TEXT)),
    ),
    "ItemPart": either(
        record("type text", type={"enum": ["input_text", "output_text"]}, text=TEXT),
        record("type image_url", type=const("input_image"), image_url=URL),
    ),
    "Entry": either(
        record("role content", type=const("message.input"), role={"enum": ["user", "assistant"]},
               content=ref("Content")),
        record("type content", type=const("message.output"), content=ref("Content")),
        record("type tool_call_id name arguments", type=const("function.call"), tool_call_id=TEXT,
               name=TEXT, arguments=either(TEXT, OBJECT)),
        record("type tool_call_id result", type=const("function.result"), tool_call_id=TEXT,
               result=TEXT),
    ),
}  # fmt: skip

IDS: Schema = {"type": "array", "items": {"type": "integer"}}

FIELDS: dict[str, dict[str, Schema]] = {
    "ChatBody": {
        "messages": listed("Message"),
        "tools": either(NULL, listed("Tool")),
        "reasoning_effort": EFFORT,
    },
    "MessagesBody": {"messages": listed("Turn"), "tools": either(NULL, listed("BlockTool"))},
    "CountBody": {"messages": listed("Turn"), "tools": either(NULL, listed("BlockTool"))},
    "ResponsesBody": {
        "input": either(TEXT, listed("Item")),
        "tools": either(NULL, listed("Tool")),
    },
    "ConversationBody": {
        "inputs": either(TEXT, listed("Entry")),
        "tools": either(NULL, listed("Tool")),
    },
    "CompletionBody": {
        "prompt": either(
            TEXT, {"type": "array", "items": TEXT}, IDS, {"type": "array", "items": IDS}
        )
    },
}
"""Fields of bodies that are described here, because their shapes only say `list`."""
