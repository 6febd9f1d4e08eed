"""A model behind an address that speaks chat completions: ours, or another vendor's.

One call in, one answer out, with what it used. Refusals to try again are tried again; everything
else that goes wrong is one clear line.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from bise.errors import UserError, quoted
from bise.prove.budget import Budget, Price, Usage

Message = dict[str, Any]

RETRIES = 5
RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0)
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
ROUND_TOKENS = 16
"""Tokens around a message that its letters do not show, at most."""

CONNECT_S = 10.0
KEY_VARIABLES = ("BISE_PROVE_KEY", "MISTRAL_API_KEY", "OPENAI_API_KEY")


class ModelFailed(UserError):
    """The model's server does not answer, or not in a way that can be used."""


class Refused(ModelFailed):
    """It answered that it will not compute this."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model wants to use."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back."""

    text: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: Usage
    is_counted: bool = True
    """Whether the server said what it used; if not, the most it may have been counts."""

    def as_message(self) -> Message:
        """The same as part of a conversation."""
        made: Message = {"role": "assistant", "content": self.text}
        if self.calls:
            made["tool_calls"] = [
                {
                    "id": one.id,
                    "type": "function",
                    "function": {"name": one.name, "arguments": one.arguments},
                }
                for one in self.calls
            ]
        return made


@dataclass(kw_only=True)
class Endpoint:
    """Where a model answers, and how it is asked."""

    url: str
    """Up to and with `/v1`."""

    model: str
    key: str = field(default="", repr=False)
    effort: str | None = "high"
    """`reasoning_effort`; None leaves it out, for servers that refuse it."""

    timeout_s: float = 600.0
    price: Price | None = None
    """Its own, if it is another model than the one the budget's price is for."""

    _client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            httpx.URL(self.url)
            parts = urlsplit(self.url)
        except (httpx.InvalidURL, ValueError):
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(
                f"`{self.url}` is no address of a model", hint="for example http://127.0.0.1:8000"
            )
        if not (self.key.isascii() and self.key.isprintable()):
            raise UserError(
                f"the key for `{self.url}` has characters that no key has",
                hint=f"see what is in {quoted(KEY_VARIABLES)}",
            )
        self.url = self.url.rstrip("/")
        if not parts.path.strip("/"):
            self.url += "/v1"
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        limits = httpx.Timeout(self.timeout_s, connect=CONNECT_S)
        self._client = httpx.Client(headers=headers, timeout=limits)

    def first_model(self) -> str:
        """The name of the model that is served there, or of the first of several."""
        try:
            answer = self._client.get(f"{self.url}/models")
            names = [one["id"] for one in answer.json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as fault:
            raise ModelFailed(f"`{self.url}` names no models: {fault}") from None
        if not names:
            raise ModelFailed(f"`{self.url}` serves no model")
        return str(names[0])

    def ask(
        self,
        messages: Sequence[Message],
        budget: Budget,
        *,
        prompt_tokens: int,
        tools: Sequence[Mapping[str, Any]] = (),
        temperature: float = 1.0,
        max_tokens: int = 16_384,
        seed: int | None = None,
    ) -> Answer:
        """One answer. Raises `Spent` if it does not fit the budget, `ModelFailed` if none comes.

        prompt_tokens: an upper bound of what the messages and tools take.
        """
        most = budget.fitting_output(prompt_tokens, max_tokens, self.price)
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "temperature": temperature,
            "max_tokens": most,
        }
        if tools:
            body["tools"] = list(tools)
        if self.effort is not None:
            body["reasoning_effort"] = self.effort
        if seed is not None:
            body["seed"] = seed
        refusal = None
        limit_s = budget.fitting_seconds(prompt_tokens, most, self.timeout_s, self.price)
        with budget.call(prompt_tokens, most, self.price, most_s=limit_s) as usage:
            try:
                answer, seconds = self._post(body, budget, limit_s)
            except Refused as fault:
                refusal = fault  # nothing was computed, so nothing is to be paid
            else:
                read = _read(answer)
                most_usage = Usage(prompt_tokens=prompt_tokens, output_tokens=most)
                usage.add(read.usage if read.is_counted else most_usage)
                usage.calls, usage.seconds = 1, seconds
                return replace(read, usage=usage)
        assert refusal is not None
        raise refusal

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _post(
        self, body: dict[str, Any], budget: Budget, most_s: float
    ) -> tuple[dict[str, Any], float]:
        """An answer, and the seconds that the attempt which brought it took."""
        for number in range(RETRIES + 1):
            budget.need_time()
            wait_s = RETRY_S[min(number, len(RETRY_S) - 1)]
            limit_s = min(most_s, max(1.0, budget.left_s))
            limits = httpx.Timeout(limit_s, connect=CONNECT_S)
            started = time.monotonic()
            try:
                answer = self._client.post(
                    f"{self.url}/chat/completions", json=body, timeout=limits
                )
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                words = f"`{self.url}` does not answer: {fault or type(fault).__name__}"
            except httpx.HTTPError as fault:  # it may have computed: not asked again unpaid
                words = f"`{self.url}` broke off: {fault or type(fault).__name__}"
                raise ModelFailed(words) from None
            else:
                if answer.status_code == 200:
                    return _json_of(answer), time.monotonic() - started
                words = f"`{self.url}` answered {answer.status_code}: {_fault_of(answer)}"
                if self._drops_effort(answer, body):
                    continue
                if answer.status_code not in AGAIN:
                    raise Refused(words)
                wait_s = _retry_after(answer, wait_s)
            if number < RETRIES:
                time.sleep(min(wait_s, max(0.0, budget.left_s)))
        raise Refused(words)

    def _drops_effort(self, answer: httpx.Response, body: dict[str, Any]) -> bool:
        """Whether a server refused only `reasoning_effort`, which is then left out for good."""
        is_it = answer.status_code in (400, 422) and "reasoning_effort" in answer.text
        if is_it and body.pop("reasoning_effort", None) is not None:
            self.effort = None
            return True
        return False


def key_from_environment(url: str) -> str:
    """The key of a server, from the variables people keep theirs in.

    A vendor's key goes to that vendor's address only.
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # no address at all, as whoever asks there will say
        return ""
    for name in KEY_VARIABLES:
        vendor = {"MISTRAL_API_KEY": "mistral.ai", "OPENAI_API_KEY": "openai.com"}.get(name)
        is_theirs = vendor is None or host == vendor or host.endswith(f".{vendor}")
        if is_theirs and os.environ.get(name):
            return os.environ[name]
    return ""


def tokens_at_most(messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> int:
    """An upper bound: a token has at least one byte."""
    num_bytes = sum(
        len(json.dumps(one, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        for one in [*messages, *tools]
    )
    return num_bytes + ROUND_TOKENS * (len(messages) + len(tools))


def _json_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        raise ModelFailed(f"`{answer.url}` answered with something that is no JSON") from None
    if not isinstance(found, dict):
        raise ModelFailed(f"`{answer.url}` answered with something that is no object")
    return found


def _read(answer: dict[str, Any]) -> Answer:
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        usage = _usage_of(answer.get("usage") or {})
        return Answer(
            text=_writable(_text_of(message.get("content"))),
            calls=tuple(map(_call_of, message.get("tool_calls") or ())),
            finish_reason=str(choice.get("finish_reason") or ""),
            usage=usage,
            is_counted=usage.prompt_tokens > 0 and usage.output_tokens >= 0,
        )
    except (
        KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError
    ) as fault:  # fmt: skip
        raise ModelFailed(f"the model's answer cannot be read: {fault!r}") from None


def _usage_of(told: Mapping[str, Any]) -> Usage:
    details = told.get("prompt_tokens_details") or {}
    thought = told.get("completion_tokens_details") or {}
    prompt_tokens = int(told.get("prompt_tokens") or 0)
    cached_tokens = int(details.get("cached_tokens") or 0)
    return Usage(
        prompt_tokens=prompt_tokens,
        cached_tokens=max(0, min(cached_tokens, prompt_tokens)),
        output_tokens=int(told.get("completion_tokens") or 0),
        reasoning_tokens=int(thought.get("reasoning_tokens") or 0),
    )


def _call_of(told: Mapping[str, Any]) -> ToolCall:
    """Some servers give the arguments as an object instead of its JSON."""
    function = told["function"]
    given = function["arguments"]
    arguments = given if isinstance(given, str) else json.dumps(given)
    return ToolCall(
        _writable(str(told["id"])), _writable(str(function["name"])), _writable(arguments)
    )


def _writable(text: str) -> str:
    """Half of a surrogate pair, which JSON may hold, can neither be sent again nor kept."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text_of(content: Any) -> str:
    """The visible text: a string, or Mistral's list of chunks without the thinking."""
    if isinstance(content, str):
        return content
    chunks = content if isinstance(content, list) else []
    return "".join(str(one.get("text", "")) for one in chunks if one.get("type") == "text")


def _fault_of(answer: httpx.Response) -> str:
    try:
        found = answer.json()
        error = found.get("error", found)
        words = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        words = answer.text
    return " ".join(str(words).split())[:300]


def _retry_after(answer: httpx.Response, default_s: float) -> float:
    try:
        wait_s = float(answer.headers["retry-after"])
    except (KeyError, ValueError):
        return default_s
    return min(wait_s, 60.0) if wait_s >= 0 else default_s
