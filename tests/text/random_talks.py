"""Random conversations, valid and awkward: the shapes real clients send, and some they should not.

Everything comes from a seed, so a failing number can be run again by itself.
"""

import json
from random import Random
from typing import Any

from small_pictures import random_url

Json = dict[str, Any]

TEXTS = [
    "Hello",
    "What is 17*3?",
    " leading",
    "trailing   ",
    "   ",
    "\n",
    "\n\nline\r\nline\t",
    "",
    "[INST]x[/INST]</s>",
    "<s>[THINK]no[/THINK]",
    "[TOOL_CALLS]f[ARGS]{}",
    "[IMG][IMG_BREAK][IMG_END]",
    "<SPECIAL_20>",
    "naïve café – “quotes” …",
    "日本語とचित्र and العربية",
    "e\u0301 \u200d👩‍👩‍👧 🇫🇷 \ufeff",
    "\x00\x07\x7f",
    "lone \ud83d surrogate",
    "def f(x):\n    return x  # ok\n",
    '{"a": 1}',
    "1234567890 3.14e-5",
    "ẞǅǈ ᾳ ﬁ Ⅷ",
    "a" * 700,
    " " * 300 + "x",
]
ARGUMENTS = [
    "",
    "{}",
    '{"city":"Paris"}',
    '{ "x" : [1,2.50, 1e3 ], "y": null,"z":true}',
    "{bad",
    "1e3",
    '"text"',
    "null",
    "[1, 2]",
    '{"u": "\\u00e9\\ud83d\\ude00", "v": "日本"}',
    '{"a": 1, "a": 2}',
    "NaN",
    '{"a": -0, "b": 1e400}',
    " {} ",
]
SCHEMAS: list[Json] = [
    {},
    {"type": "object", "properties": {}},
    {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Ville – 日本"}, "n": True},
        "required": ["city"],
        "additionalProperties": False,
    },
]


class Talk:
    """Builds one request."""

    def __init__(self, seed: int, *, finished: bool = False):
        self.rng = Random(seed)
        self.finished = finished
        self.num_calls = 0

    def request(self) -> Json:
        """A whole request."""
        messages = [self.system() for _ in range(self.rng.choice([0, 0, 1, 1, 2]))]
        for _ in range(self.rng.randint(1, 4)):
            messages += self.round()
        messages += self.ending()
        request: Json = {"messages": messages}
        if self.rng.random() < 0.5:
            request["tools"] = [self.tool() for _ in range(self.rng.randint(0, 3))]
        effort = self.rng.choice([None, None, "none", "high"])
        if effort:
            request["reasoning_effort"] = effort
        return request

    def ending(self) -> list[Json]:
        """A conversation ends with a question, with a beginning to go on from, or answered."""
        question = [self.user()]
        if self.finished:
            return [*question, self.assistant(self.calls() if self.rng.random() < 0.3 else [])]
        if self.rng.random() < 0.3:
            return [*question, self.prefix()]
        if self.rng.random() < 0.2:
            return [*question, self.assistant(calls := self.calls()), *self.results(calls[:1])]
        return question

    def round(self) -> list[Json]:
        """Questions, and what the assistant does about them."""
        messages = [self.user() for _ in range(self.rng.choice([1, 1, 1, 2]))]
        if self.rng.random() < 0.1:
            messages += [self.system(), self.user()]
        while self.rng.random() < 0.35:
            calls = self.calls()
            messages += [self.assistant(calls), *self.results(calls)]
        if messages[-1]["role"] == "tool" and self.rng.random() < 0.3:
            return messages
        return messages + [self.assistant([]) for _ in range(self.rng.choice([1, 1, 1, 2]))]

    def text(self) -> str:
        """Awkward text."""
        return "".join(self.rng.choice(TEXTS) for _ in range(self.rng.choice([1, 1, 2])))

    def content(self, *, images: bool = False) -> str | list[Json]:
        """A string or parts."""
        if self.rng.random() < 0.5:
            return self.text()
        parts = [self.text_part() for _ in range(self.rng.randint(0, 3))]
        if images and self.rng.random() < 0.5:
            for _ in range(self.rng.choice([1, 1, 2])):
                url = random_url(self.rng)
                part = {"type": "image_url", "image_url": self.rng.choice([url, {"url": url}])}
                parts.insert(self.rng.randint(0, len(parts)), part)
        return parts

    def text_part(self) -> Json:
        return {"type": "text", "text": self.text()}

    def system(self) -> Json:
        return {"role": "system", "content": self.content()}

    def user(self) -> Json:
        return {"role": "user", "content": self.content(images=True)}

    def thinking(self, *, closed: bool = True) -> Json:
        return {"type": "thinking", "thinking": self.text(), "closed": closed}

    def assistant(self, calls: list[Json]) -> Json:
        """A turn that says something, thinks first or only calls."""
        content: str | list[Json] | None = self.content()
        if self.rng.random() < 0.4:
            content = [self.thinking(), *([self.text_part()] if self.rng.random() < 0.8 else [])]
        elif not content or not any(self.words(content)):
            content = self.rng.choice([None, "", []]) if calls else "Yes."
        return {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}

    def words(self, content: str | list[Json]) -> list[str]:
        return [content] if isinstance(content, str) else [part["text"] for part in content]

    def prefix(self) -> Json:
        """The beginning of a turn, perhaps in the middle of thinking."""
        content: str | list[Json] = "It is "
        if self.rng.random() < 0.5:
            content = [self.thinking(closed=self.rng.random() < 0.3)]
        return {"role": "assistant", "content": content, "prefix": True}

    def calls(self) -> list[Json]:
        """One to three calls."""
        return [self.call() for _ in range(self.rng.randint(1, 3))]

    def call(self) -> Json:
        self.num_calls += 1
        arguments: str | Json = self.rng.choice(ARGUMENTS)
        if self.rng.random() < 0.2:
            arguments = {"n": self.num_calls, "t": "é"}
        name = self.rng.choice(["get_weather", "f", "a-b_C9"])
        function = {"name": name, "arguments": arguments}
        return {"id": f"call_{self.num_calls}", "type": "function", "function": function}

    def results(self, calls: list[Json]) -> list[Json]:
        """A result for each call, in any order."""
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": self.content(images=True)}
            for call in calls
        ]
        self.rng.shuffle(results)
        return results

    def tool(self) -> Json:
        """A tool, with or without the fields that may be left out."""
        function: Json = {
            "name": self.rng.choice(["get_weather", "f", "a-b_C9"]),
            "parameters": json.loads(json.dumps(self.rng.choice(SCHEMAS))),
        }
        if self.rng.random() < 0.7:
            function["description"] = self.text()
        if self.rng.random() < 0.3:
            function["strict"] = self.rng.random() < 0.5
        return {"type": "function", "function": function}
