"""Where the server's own log goes: to stderr, as lines for people or as lines of JSON."""

import json
import logging
from datetime import UTC, datetime

LOGGERS = ("bise", "uvicorn")
"""Whose words are ours to show."""


COUNTED = "Invalid HTTP request received."
"""What uvicorn says of each. They are counted as refused: a line each lets anybody fill a disk."""


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def begin_logging(level: str, *, as_json: bool) -> None:
    """Send the log of this process to stderr. For programs of our own only."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.addFilter(lambda record: record.getMessage() != COUNTED)
    handler.setFormatter(JsonLines() if as_json else plain)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False
