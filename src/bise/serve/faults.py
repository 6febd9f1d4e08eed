"""Errors as HTTP sees them: a status, and one body that the SDKs of both families understand.

Mistral's fields stand at the top level, OpenAI's in an `error` object, and `detail` says where a
body had the wrong shape. Anthropic's clients get a body of their own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse

from bise.engine import EngineClosed, EngineDown, EngineFailed, QueueFull
from bise.errors import (
    BadCall,
    BadImage,
    BadOrder,
    BadRequest,
    NotFound,
    PromptTooLong,
    TooComplex,
    UserError,
    WaitedTooLong,
    WrongType,
)
from bise.serve.dialect import Dialect
from bise.serve.talk import DeadlinePassed


class HttpFault(UserError):
    """A request refused for how it was sent, with its own status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ):
        """headers: of the answer, besides those its status always has"""
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = dict(headers or {})


class BodyFault(WrongType):
    """A body of the wrong shape; `detail` lists every place."""

    def __init__(self, message: str, detail: Sequence[Mapping[str, Any]]):
        super().__init__(message)
        self.detail = list(detail)


class UnknownModel(NotFound):
    """A model this server does not have."""


class WrongModel(BadRequest):
    """Something this kind of model does not do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How both families name one kind of error."""

    type: str
    """Mistral's `type`."""

    code: str | None
    """Mistral's `code`."""

    openai_code: str
    openai_type: str = "invalid_request_error"


BAD_VALUE = Kind("invalid_request_invalid_args", "3051", "invalid_value")
BAD_ORDER = Kind("invalid_request_message_order", "3230", "invalid_message_order")
BAD_CALL = Kind("invalid_function_call", "3280", "invalid_function_call")
TOO_LONG = Kind("invalid_request_prompt_too_long", "3051", "context_length_exceeded")
BAD_IMAGE = Kind("invalid_request_invalid_args", "3051", "invalid_image")
TOO_COMPLEX = Kind("invalid_request_invalid_args", "3051", "schema_too_complex")
BAD_TYPE = Kind("invalid_request_error", None, "invalid_type")
NO_MODEL = Kind("not_found", None, "model_not_found")
NO_MODEL_MISTRAL = Kind("invalid_model", "1500", "model_not_found")
WRONG_MODEL = Kind("invalid_model", "1500", "invalid_model")
INTERNAL = Kind("internal_server_error", None, "internal_error", "server_error")

BY_STATUS = {
    400: BAD_VALUE,
    401: Kind("unauthorized", None, "invalid_api_key", "authentication_error"),
    403: Kind("forbidden", None, "permission_denied", "permission_error"),
    404: Kind("not_found", None, "not_found"),
    405: Kind("invalid_request_error", None, "method_not_allowed"),
    408: Kind("timeout", None, "request_timeout"),
    409: Kind("invalid_request_error", None, "conflict"),
    413: Kind("invalid_request_error", None, "request_too_large"),
    415: Kind("invalid_request_error", None, "unsupported_media_type"),
    422: BAD_TYPE,
    429: Kind("rate_limited", "1300", "rate_limit_exceeded", "rate_limit_error"),
    431: Kind("invalid_request_error", None, "headers_too_large"),
    500: INTERNAL,
    503: Kind("service_unavailable", None, "service_unavailable", "server_error"),
    504: Kind("timeout", None, "timeout", "server_error"),
}

BY_CLASS: dict[type[UserError], Kind] = {
    PromptTooLong: TOO_LONG,
    BadOrder: BAD_ORDER,
    BadCall: BAD_CALL,
    BadImage: BAD_IMAGE,
    TooComplex: TOO_COMPLEX,
    WrongModel: WRONG_MODEL,
}
"""Kinds of 400 that clients tell apart."""

ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
}
"""Anthropic's word for a status; the others are an `invalid_request_error`."""

RETRY_AFTER_S = "1"

QUOTED_CHARS = 200
"""Of a value from a request, in an error about it."""

MESSAGE_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say about an error."""

    status: int
    kind: Kind
    message: str
    param: str | None = None
    detail: list[Any] | str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    dialect: Dialect = "openai"

    def body(self, request_id: str) -> dict[str, Any]:
        if self.dialect == "anthropic":
            kind = ANTHROPIC_TYPES.get(self.status, "invalid_request_error")
            error = {"type": kind, "message": self.message}
            return {"type": "error", "error": error, "request_id": request_id}
        body: dict[str, Any] = {
            "object": "error",
            "message": self.message,
            "type": self.kind.type,
            "param": self.param,
            "code": self.kind.code,
            "raw_status_code": self.status,
            "request_id": request_id,
            "error": {
                "message": self.message,
                "type": self.kind.openai_type,
                "param": self.param,
                "code": self.kind.openai_code,
            },
        }
        return body if self.detail is None else {**body, "detail": self.detail}

    def response(self, request_id: str) -> JSONResponse:
        return JSONResponse(self.body(request_id), self.status, self.headers)


def answer_to(error: BaseException, dialect: Dialect | None = None) -> Answer:
    """What to say about any error; of our own bugs nothing is told but that there was one."""
    spoken = dialect or "openai"
    if not isinstance(error, UserError):
        words = "the server failed on this request; its log says why"
        return Answer(500, INTERNAL, words, dialect=spoken)
    status = status_of(error, spoken)
    kind = BY_STATUS.get(status, BAD_VALUE)
    if isinstance(error, UnknownModel):
        kind = NO_MODEL_MISTRAL if spoken == "mistral" else NO_MODEL
    elif status == 400:
        kind = next((BY_CLASS[one] for one in type(error).mro() if one in BY_CLASS), BAD_VALUE)
    said = shortened(error.message)
    message = f"{said} ({error.hint})" if error.hint else said
    param = param_of(said)
    headers = {"Retry-After": RETRY_AFTER_S} if status in (429, 503) else {}
    headers |= error.headers if isinstance(error, HttpFault) else {}
    return Answer(status, kind, message, param, detail_of(error, said, param), headers, spoken)


def status_of(error: UserError, dialect: Dialect) -> int:
    """The status that tells a client what kind of fault it was."""
    if isinstance(error, HttpFault):
        return error.status
    if isinstance(error, WrongType):
        return 400 if dialect == "anthropic" else 422
    if isinstance(error, UnknownModel) and dialect == "mistral":
        return 400
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, QueueFull):
        return 429
    if isinstance(error, DeadlinePassed):
        return 504
    return 503 if isinstance(error, EngineDown | EngineClosed | WaitedTooLong) else 400


def param_of(message: str) -> str | None:
    """The field a message begins with, as all our messages about fields do."""
    found = re.match(r"`([a-z_]+[\w.\[\]]*)` (?!is no role)", message)
    return found[1] if found else None


def shortened(message: str) -> str:
    """A message whose quotes from a request are not as long as the request."""

    def cut(found: re.Match[str]) -> str:
        is_long = len(found[1]) > QUOTED_CHARS
        return f"`{found[1][:QUOTED_CHARS]}…`" if is_long else found[0]

    return re.sub("`([^`]*)`", cut, message)[:MESSAGE_CHARS]


def detail_of(error: UserError, said: str, param: str | None) -> list[Any] | str | None:
    """The places of a body that had the wrong shape; never what stood there, if it was long."""
    if isinstance(error, BodyFault):
        return error.detail
    if isinstance(error, HttpFault) and error.status == 401:
        return "Unauthorized"  # all that Mistral's own server says
    if not isinstance(error, WrongType):
        return None
    places = re.findall(r"\w+", param or "")
    loc = ["body", *(int(place) if place.isdecimal() else place for place in places)]
    return [{"type": "wrong_type", "loc": loc, "msg": said}]


def is_bug(error: BaseException) -> bool:
    """Whether an error is ours and belongs into the log, whole."""
    return not isinstance(error, UserError) and not isinstance(error, EngineFailed)
