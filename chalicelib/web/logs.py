"""The logs of functions on AWS: one JSON object a line, for all loggers, with the request's id and no personal data.

An exception's text may quote a request or a secret, so only the type, the traceback, and texts that are known to be
harmless are logged. The names of the fields are those of powertools' Logger.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TextIO

from chalicelib import observed

log = logging.getLogger(__name__)

MOST_FRAMES = 30
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}
"""The attributes of each record; its other attributes are the `extra` of the call."""
# json.dumps would make an encoder for each line.
_encode = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode


def start(stream: TextIO = sys.stdout) -> None:
    """Write all logs of this process in this form: a line for each request and run, and all warnings and errors."""
    handler = _Handler(stream)
    handler.setFormatter(Formatter())
    # This replaces the handler of Lambda's runtime client, which writes text.
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger("chalicelib").setLevel(logging.INFO)


def log_unhandled(error: Exception) -> None:
    """Log an unexpected exception, with the id of its request."""
    observed.failed(error)
    seen = observed.current()
    log.error("unhandled error in request %s", seen.request_id if seen else "of nobody", exc_info=error)


@contextmanager
def started(stream: TextIO) -> Iterator[None]:
    """Log as `start` does, but only inside the block."""
    root, ours = logging.getLogger(), logging.getLogger("chalicelib")
    before = [*root.handlers], ours.level
    start(stream)
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        ours.setLevel(before[1])


class _Handler(logging.StreamHandler[TextIO]):
    """A handler that keeps a record that cannot be written to itself.

    The one of `logging` writes the record's arguments, and the text of its exception, to standard error.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        """Log the place of a record that cannot be written, and the type of the error that it has caused."""
        line = {
            "level": record.levelname,
            "location": f"{record.name}:{record.lineno}",
            "message": "a record that cannot be logged",
            "exception_name": type(sys.exception()).__name__,
        }
        # If the stream itself is broken, a request must not fail for that.
        with suppress(OSError, ValueError):
            self.stream.write(_encode(line) + self.terminator)
            self.flush()


class Formatter(logging.Formatter):
    """The form of a line. It takes a fifth of the time of powertools' formatter, and no time to import."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON: its level, place, message and time, `extra`, the exception and the request's id."""
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line: dict[str, Any] = {"level": record.levelname}
        if "route" not in extra:
            line["location"] = f"{record.name}:{record.lineno}"
        line["message"] = record.getMessage()
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line |= extra
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
            line["exception_name"] = record.exc_info[0].__name__
        # Lambda sets it for each invocation: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=...;Sampled=1".
        line["xray_trace_id"] = os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=") or None
        if seen := observed.current():
            line["request_id"] = seen.request_id
        return _encode({name: value for name, value in line.items() if value is not None})

    def formatException(self, ei: Any) -> str:
        """Return the types of an exception and its causes, each with its traceback; the exception itself comes last."""
        told: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(told) < 5:
            frames = traceback.format_tb(error.__traceback__, limit=-MOST_FRAMES)
            told.insert(0, f"Traceback (most recent call last):\n{''.join(frames)}{_kind(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\n".join(told)


def _kind(error: BaseException) -> str:
    """Return an exception's type, with its text only if that cannot contain anything of a request."""
    name = type(error).__qualname__
    if getattr(error, "loggable", False):
        return f"{name}: {error}"
    # An error of AWS has a code. If an IAM permission is missing, the text names it; all names in it are ours.
    refusal = getattr(error, "response", None)
    refused = refusal.get("Error", {}) if isinstance(refusal, dict) else {}
    code = str(refused.get("Code", ""))
    if code.startswith("AccessDenied"):
        return f"{name}: {code}: {refused.get('Message')}"
    return f"{name}: {code}" if code else name
