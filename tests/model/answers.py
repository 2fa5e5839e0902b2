"""How the model answers: with a value or a refusal, and with stand-ins for what only the server can know."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

CLOCK = 0.005
"""Seconds: the server counts whole milliseconds."""


class Face(Enum):
    """The three forms in which the same data and people are reached."""

    TWO = "/2"
    RPC = "/rpc"
    OS = "/os/0.8"


@dataclass(eq=False)
class Refused(Exception):
    """A refusal: HTTP's status, the `error` word, and what `/rpc` has for a code.

    `text` is the `error_description` where the documentation prints it, else None.
    """

    status: int
    error: str
    text: str | None = None
    code: int = 400
    retry_after: int = 0
    """Seconds; 0: not told."""

    def __str__(self) -> str:
        return f"{self.status} {self.error} {self.text or ''}"


def denied() -> Refused:
    """Whom or what this token may not have."""
    return Refused(403, "permission_denied", code=403)


def not_found() -> Refused:
    """There is no such page, content, comment, favorite or user."""
    return Refused(404, "not_found")


def invalid(text: str | None = None, code: int = 400) -> Refused:
    """Outside what is allowed."""
    return Refused(400, "parameter_invalid", text, code)


@dataclass(frozen=True, eq=False)
class Moment:
    """Some time between two times (seconds since the epoch); equal to every date (W3C-DTF) between them."""

    begun: float
    ended: float

    @classmethod
    def since(cls, begun: float) -> Moment:
        """The time that a request which began then took until now."""
        return cls(begun - CLOCK, time.time() + CLOCK)

    def __eq__(self, date: object) -> bool:
        return isinstance(date, str) and int(self.begun) <= datetime.fromisoformat(date).timestamp() <= self.ended
