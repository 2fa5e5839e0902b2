"""How functions log on AWS: a JSON object a line, whoever logs, with the id of the request and nothing of anyone in it.

The formatter is powertools'. What it would write of an exception is less here: a text may quote what a client has sent,
or a secret, so of exceptions stand only their kinds, the way the code went, and texts that are known to be harmless.
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
    """Have all that this process logs written so: a line for each request and run, and all warnings and errors."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter())
    # In the place of that of Lambda's runtime client, which writes text.
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger("chalicelib").setLevel(logging.INFO)


@contextmanager
def started(stream: TextIO) -> Iterator[None]:
    """As `start`, inside the block alone."""
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
        """The line."""
        for name in ("exception_notes", *(["location"] if "route" in log else [])):
            log.pop(name, None)
        if seen := observed.current():
            log["request_id"] = seen.request_id
        text: str = super().serialize(log)
        return text

    def formatException(self, ei: Any) -> str:
        """The kinds of an exception and of those it came from, the last one last, each with the way the code went."""
        told: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(told) < 5:
            frames = traceback.format_tb(error.__traceback__, limit=-MOST_FRAMES)
            told.insert(0, f"Traceback (most recent call last):\n{''.join(frames)}{_kind(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\n".join(told)


def _kind(error: BaseException) -> str:
    """What an exception is, with its text where that cannot have anything of a request in it."""
    name = type(error).__qualname__
    if getattr(error, "loggable", False):
        return f"{name}: {error}"
    # A refusal of AWS's has a code; what IAM lacks is told by its text, which has names of ours alone.
    refusal = getattr(error, "response", None)
    refused = refusal.get("Error", {}) if isinstance(refusal, dict) else {}
    code = str(refused.get("Code", ""))
    if code.startswith("AccessDenied"):
        return f"{name}: {code}: {refused.get('Message')}"
    return f"{name}: {code}" if code else name
