"""Records of requests that were refused or failed: what is kept of them, and how many.

A record says which route, which app and why, in words of ours: nothing that a client sent is in it, no token, no query,
no user. An outsider must not be able to cause a write with each request. So a process counts refusals by kind, keeps
single records only up to the limits of Sampling, and writes both at most once in FLUSH_MS.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from types import TracebackType

from chalicelib.core.errors import Refusal

FLUSH_MS = 60_000
KEPT_DAYS = 14
"""How long counts and records are kept."""
MOST_FAILED = 10
"""The most records of answers from 500 on that one process writes in FLUSH_MS."""
MOST_OF_APPS = 8
"""The most records of refusals to apps whose token or signature is valid, likewise."""
MOST_OTHERS = 4
"""The most records of all other refusals, likewise."""
RATE_LIMITED, QUOTA_EXCEEDED = "rate_limited", "quota_exceeded"
_CAUSES = 4
_CAUSE = 400
_ID = re.compile(r"[A-Za-z0-9_=-]{1,128}")
_KIND = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True)
class RequestRecord:
    """A request that was refused or failed. `route` is a template such as `GET /2/people/{user}/{group}`."""

    id: str
    """The `X-Request-Id`."""
    at: int
    """When it was answered (ms)."""
    route: str
    status: int
    kind: str
    """The `error` word of the answer; RATE_LIMITED or QUOTA_EXCEEDED for these limits; `http_<status>` without one."""
    cause: str
    app: str | None
    version: str
    milliseconds: int

    @property
    def failed(self) -> bool:
        """Whether the server is the cause: a status from 500 on, but not a full write window."""
        return self.status >= 500 and self.kind != RATE_LIMITED


@dataclass
class Sampling:
    """What a process has collected since its last write: counts by status and kind, and some records."""

    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    records: list[RequestRecord] = field(default_factory=list)

    def add(self, record: RequestRecord) -> None:
        """Count a request, and keep its record if the limits allow it."""
        self.counts[record.status, record.kind] += 1
        if self._takes(record):
            self.records.append(record)

    def _takes(self, record: RequestRecord) -> bool:
        if record.failed:
            return sum(each.failed for each in self.records) < MOST_FAILED
        refused = [each for each in self.records if not each.failed]
        if any((each.kind, each.app, each.route) == (record.kind, record.app, record.route) for each in refused):
            return False
        known = sum(each.app is not None for each in refused)
        return known < MOST_OF_APPS if record.app else len(refused) - known < MOST_OTHERS


def is_request_id(text: str) -> bool:
    """Return whether a text can be an `X-Request-Id`."""
    return bool(_ID.fullmatch(text))


def is_kind(text: str) -> bool:
    """Return whether a text can be the kind of a record."""
    return bool(_KIND.fullmatch(text))


def cause_of(error: BaseException) -> str:
    """Return why a request failed or was refused: the types of the error and its causes, and the place in our code.

    The sentence of a refusal may quote what the client sent, so only its class's own sentence is in it.
    """
    told: list[str] = []
    each: BaseException | None = error
    while each is not None and len(told) < _CAUSES:
        told.append(_described(each))
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return " ← ".join(told)[:_CAUSE]


def _described(error: BaseException) -> str:
    name, text = type(error).__name__, ""
    if isinstance(error, Refusal):
        text = f": {error.default}"
    elif getattr(error, "loggable", False):
        text = f": {error}"
    elif isinstance(refused := getattr(error, "response", None), dict):
        text = f": {refused.get('Error', {}).get('Code', '')}"
    place = _place(error.__traceback__)
    return f"{name}{text}" + (f" ({place})" if place else "")


def _place(traceback: TracebackType | None) -> str:
    """Return the last place of a traceback in our own code: `store/directory/users.py:71 create`."""
    found = ""
    while traceback:
        code, parts = traceback.tb_frame.f_code, PurePath(traceback.tb_frame.f_code.co_filename).parts
        if "chalicelib" in parts:
            path = "/".join(parts[parts.index("chalicelib") + 1 :])
            found = f"{path}:{traceback.tb_lineno} {code.co_name}"
        traceback = traceback.tb_next
    return found


def by_kind(days: Sequence[tuple[str, int, str, int]]) -> dict[tuple[int, str], dict[str, int]]:
    """Return the counts of (day, status, kind, number) by status and kind, and then by day; the most frequent first."""
    found: dict[tuple[int, str], dict[str, int]] = {}
    for day, status, kind, number in days:
        counts = found.setdefault((status, kind), {})
        counts[day] = counts.get(day, 0) + number
    return dict(sorted(found.items(), key=lambda each: (each[0][0] < 500, -sum(each[1].values()), each[0])))
