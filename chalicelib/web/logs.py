"""The logs of functions on AWS: one JSON object a line, for all loggers, with the request's id and no personal data.

The formatter is powertools', but it writes less about exceptions. An exception's text may quote a request or a secret,
so only the type, the traceback, and texts that are known to be harmless are logged.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from chalicelib import observed

MOST_FRAMES = 30


def start(stream: TextIO = sys.stdout) -> None:
    """Write all logs of this process in this form: a line for each request and run, and all warnings and errors."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter())
    # This replaces the handler of Lambda's runtime client, which writes text.
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger("chalicelib").setLevel(logging.INFO)


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


class Formatter(LambdaPowertoolsFormatter):
    """Powertools' formatter, with the request's id, and without the texts of exceptions."""

    def __init__(self) -> None:
        super().__init__(
            # json.dumps would make an encoder for each line.
            json_serializer=json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode,
            utc=True,
            use_rfc3339=True,
            serialize_stacktrace=False,
            location="%(name)s:%(lineno)d",
        )

    def serialize(self, log: Any) -> str:
        """Return the line."""
        for name in ("exception_notes", *(["location"] if "route" in log else [])):
            log.pop(name, None)
        if seen := observed.current():
            log["request_id"] = seen.request_id
        text: str = super().serialize(log)
        return text

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
