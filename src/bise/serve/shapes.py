"""The shape of a request's fields: what every door asks of a body's types, and only of those (422).

Values are judged where the question is made of them (400).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from bise.errors import BadRequest
from bise.serve.faults import QUOTED_CHARS, BodyFault
from bise.serve.limits import need_at_most


class Shape(BaseModel):
    """JSON as it is: no number from a string, no string from a number; unknown fields are kept."""

    model_config = ConfigDict(strict=True, extra="allow")

    UNUSED: ClassVar[frozenset[str]] = frozenset()
    """Fields that are known, taken and not used."""

    COUNTED: ClassVar[frozenset[str]] = frozenset()
    """Lists and maps whose entries have types of their own, and make an error each."""

    @property
    def unknown(self) -> list[str]:
        """Fields nobody has heard of."""
        return sorted(self.model_extra or ())

    @property
    def ignored(self) -> list[str]:
        """Fields that were sent and are not used, for the header that says so."""
        return sorted({*self.unknown, *(self.UNUSED & self.model_fields_set)})


Body = TypeVar("Body", bound=Shape)

MAX_ENTRIES = 4096
"""Of a list or map whose entries have a type: each wrong one costs a hundred times its bytes."""

MAX_DETAIL = 20
"""Places named of a body that is wrong in many."""


class StreamOptions(Shape):
    include_usage: bool | None = None
    stream_tool_calls: bool | None = None
    """Send calls in pieces, as they are written, instead of whole."""

    continuous_usage_stats: bool | None = None
    """Send the usage so far with every piece."""


class SamplingBody(Shape):
    """How to choose tokens and when to stop: the same words at several doors."""

    COUNTED: ClassVar[frozenset[str]] = frozenset(
        ("stop", "stop_token_ids", "logit_bias", "guided_choice")
    )

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    min_tokens: int | None = None
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool | None = None
    include_stop_str_in_output: bool | None = None
    seed: int | None = None
    random_seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    prompt_logprobs: bool | int | None = None
    top_prompt_logprobs: int | None = None
    priority: int | None = None
    cache_salt: str | None = None
    timeout: float | None = None
    """Seconds after which the reply is cut."""

    response_format: dict[str, Any] | None = None
    structured_outputs: dict[str, Any] | None = None
    guided_json: Any = None
    guided_regex: str | None = None
    guided_choice: list[str] | None = None
    guided_grammar: str | None = None
    guided_decoding_backend: Any = None
    guided_whitespace_pattern: Any = None

    @property
    def has_stream(self) -> bool:
        return bool(self.stream)

    @property
    def rates_prompt(self) -> bool:
        """Whether the likelihoods of the prompt are wanted; with a number, 0 too."""
        return self.prompt_logprobs is not None and self.prompt_logprobs is not False


STATELESS = "this server keeps nothing between requests: send the whole conversation"

REFUSED = {
    "functions": "describe them in `tools`",
    "function_call": "use `tool_choice`",
    "chat_template": "the model has one format only, and the server applies it",
    "audio": "this model reads text and images and writes text",
    "lora": "no adapters are served yet",
    "adapter": "no adapters are served yet",
}
"""Fields that change what an answer means: to ignore one would be worse than to refuse it."""


def refuse(fields: Mapping[str, Any], refused: Mapping[str, str] = REFUSED) -> None:
    """Refuse fields by name; one that is false or null asks for nothing."""
    for name, hint in refused.items():
        if name in fields and fields[name] is not False:
            raise BadRequest(f"`{name}` is not supported here", hint=hint)


def shaped(kind: type[Body], fields: Mapping[str, Any]) -> Body:
    """Fields as a body of a kind, or everything that is wrong with their types."""
    for name in kind.COUNTED & fields.keys():
        entries = fields[name]
        if isinstance(entries, list | dict):
            need_at_most(name, len(cast(list[Any], entries)), MAX_ENTRIES)
    try:
        return kind.model_validate(fields)
    except ValidationError as fault:
        raise body_fault(fault) from None


def body_fault(fault: ValidationError) -> BodyFault:
    """Pydantic's complaints as ours: the first in words, the first few in `detail`."""
    errors = fault.errors(include_url=False, include_context=False)
    detail: list[dict[str, Any]] = []
    for one in errors[:MAX_DETAIL]:
        loc = ["body", *(cut(place) for place in one["loc"])]
        shown = {} if one["type"] == "missing" else shown_input(one["input"])
        detail.append({"type": one["type"], "loc": loc, "msg": one["msg"]} | shown)
    first = errors[0]
    where = ".".join(str(place) for place in first["loc"])
    words = first["msg"].removeprefix("Input should be ").removeprefix("Field ").lower()
    verb = "is" if first["type"] == "missing" else "should be"
    return BodyFault(f"`{where}` {verb} {'missing' if verb == 'is' else words}", detail)


def shown_input(value: object) -> dict[str, str]:
    """The beginning of a value that was wrong; never one that may hold a picture."""
    if isinstance(value, str) and "base64" not in value[:QUOTED_CHARS]:
        return {"input": repr(cut(value))[: QUOTED_CHARS + 2]}
    return {"input": repr(value)[:QUOTED_CHARS]} if isinstance(value, int | float) else {}


def cut(place: str | int) -> str | int:
    """A step on the way to a place in a body; a client's own words may be long."""
    return place[:QUOTED_CHARS] if isinstance(place, str) else place


def forbidden(places: list[list[str | int]]) -> BodyFault:
    """What strict requests are told of fields nobody has heard of."""
    detail = [
        {
            "type": "extra_forbidden",
            "loc": ["body", *map(cut, place)],
            "msg": "Extra inputs are not permitted",
        }
        for place in places[:MAX_DETAIL]
    ]
    names = ".".join(str(cut(step)) for step in places[0])
    return BodyFault(f"`{names}` is a field this API does not have", detail)


def header_safe(name: str) -> str:
    """A field's name as a header can carry it: a blank at its end would be no value at all."""
    return "".join(letter if "!" <= letter <= "~" else "?" for letter in name)
