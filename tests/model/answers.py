"""The answers of the model: values, refusals, and placeholders for values that only the server can know."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

CLOCK = 0.005
"""The precision of times in seconds: the server counts whole milliseconds."""


class Face(Enum):
    """The three APIs for the same data and people."""

    TWO = "/2"
    RPC = "/rpc"
    OS = "/os/0.8"


@dataclass(eq=False)
class Refused(Exception):
    """A refusal: the HTTP status, the `error` word, and the `code` in `/rpc`.

    `text` is the `error_description` if the documentation prints it, else None.
    """

    status: int
    error: str
    text: str | None = None
    code: int = 400
    retry_after: int = 0
    """Seconds; 0: none is sent."""

    def __str__(self) -> str:
        return f"{self.status} {self.error} {self.text or ''}"


def denied() -> Refused:
    """Return the refusal if this token may not access the user or the data."""
    return Refused(403, "permission_denied", code=403)


def not_found() -> Refused:
    """Return the refusal if there is no such page, content, comment, favorite or user."""
    return Refused(404, "not_found")


def invalid(text: str | None = None, code: int = 400) -> Refused:
    """Return the refusal of a value that is not allowed."""
    return Refused(400, "parameter_invalid", text, code)


@dataclass(frozen=True, eq=False)
class Moment:
    """An unknown time between two times (seconds since the epoch); equal to each date (W3C-DTF) between them."""

    begun: float
    ended: float

    @classmethod
    def since(cls, begun: float) -> Moment:
        """Return the moment from the start of a request until now."""
        return cls(begun - CLOCK, time.time() + CLOCK)

    def __eq__(self, date: object) -> bool:
        return isinstance(date, str) and int(self.begun) <= datetime.fromisoformat(date).timestamp() <= self.ended
