"""W3C trace context: whose larger operation a request is part of.

Ref: https://www.w3.org/TR/trace-context/ §3.2
"""

import re
import secrets
from dataclasses import dataclass

FORM = re.compile(
    "(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})"
    "-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
STATE_CHARS = 512


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The caller's trace, and our place in it."""

    trace_id: str
    parent_id: str
    """The caller's span."""

    span_id: str
    """Ours."""

    flags: str
    state: str = ""
    """What tracing systems add for themselves; passed on untouched."""

    @property
    def traceparent(self) -> str:
        """As we would pass it on."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def read_context(traceparent: str, tracestate: str = "") -> TraceContext | None:
    """What the header says; None if it is absent or not as the standard has it."""
    found = FORM.fullmatch(traceparent.strip())
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["rest"]):
        return None
    if not int(found["trace"], 16) or not int(found["span"], 16):
        return None
    state = tracestate if len(tracestate) <= STATE_CHARS else ""
    return TraceContext(found["trace"], found["span"], new_span_id(), found["flags"], state)


def new_span_id() -> str:
    return secrets.token_hex(8)
