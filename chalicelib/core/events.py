"""Events to apps (webhooks): kinds, messages, signatures and the schedule of attempts.

Source: Standard Webhooks 1.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
"""

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from chalicelib.core.base36 import base36, from_base36

ENDPOINTS = 5
"""The maximum number of endpoints of an app."""
KEEP_DAYS = 30
"""Events are kept for this time, and can be listed and sent again."""
SHARDS = 4
"""The number of partitions that the events of an app are in: one takes 1,000 write units a second."""
DEAD_MS = 3 * 24 * 3_600_000
"""An endpoint that fails for this time, without one success, is switched off."""
ATTEMPTS = 10
"""The maximum number of attempts for one event and endpoint."""

_DELAYS = (60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 64_800, 79_200)
"""Seconds after each failed attempt: together 71 hours and 36 minutes."""
_JITTER = 0.2
_SECRET = "whsec_"  # noqa: S105 (a prefix)
_SECRET_BYTES = 32
_TIME, _RANDOM = 9, 7


class EventKind(Enum):
    """The kinds of events."""

    DISABLED = "endpoint.disabled"
    """Another endpoint of the app was switched off."""
    INSTALLED = "app.installed"
    UNINSTALLED = "app.uninstalled"
    ERASED = "user.erased"
    FEED_POSTED = "feed.posted"
    FEED_DELETED = "feed.deleted"
    COMMENT_POSTED = "comment.posted"
    COMMENT_DELETED = "comment.deleted"
    FAVORITE_ADDED = "favorite.added"
    FAVORITE_REMOVED = "favorite.removed"
    DATA_CHANGED = "data.changed"


LIVES = (
    (EventKind.INSTALLED, EventKind.UNINSTALLED, EventKind.ERASED),
    (EventKind.FEED_POSTED, EventKind.FEED_DELETED),
    (EventKind.COMMENT_POSTED, EventKind.COMMENT_DELETED),
    (EventKind.FAVORITE_ADDED, EventKind.FAVORITE_REMOVED),
)
"""The kinds of events of each subject, in their order. (A subject of `data.changed` has any number of events.)"""
OF_CONTENTS = frozenset(kind for life in LIVES[1:] for kind in life)
"""The kinds about contents of pages. They concern the app that posted the feed."""
CLAIMED = OF_CONTENTS | {EventKind.DATA_CHANGED}
"""The kinds that a request takes from its access token: it reads nothing else that says what the app asked for."""


def claim(kinds: Set[EventKind]) -> str:
    """Return the claim `events` of an access token for an app that asked for these kinds."""
    return " ".join(sorted(kind.value for kind in kinds & CLAIMED))


def claimed(text: str) -> frozenset[EventKind]:
    """Return the kinds that the claim `events` names."""
    return frozenset(kind for kind in CLAIMED if kind.value in text.split())


def number_in_life(kind: EventKind, asked: Set[EventKind]) -> int:
    """Return the sequence number of an event of a subject: it counts only the kinds that the app asked for."""
    life = next(life for life in LIVES if kind in life)
    return 1 + sum(each in asked for each in life[: life.index(kind)])


@dataclass(frozen=True)
class ToldApp:
    """An app that is told of events, with the kinds that it asked for."""

    id: str
    kinds: frozenset[EventKind]


@dataclass(frozen=True)
class Event:
    """An event of an app. `created` is in milliseconds since the epoch; `data` has ids and no texts of users.

    `subject` names the thing that has changed. `sequence` increases by one with each event of a subject that the app
    asked for, so that a receiver can order events and see that one is missing.
    """

    id: str
    app: str
    kind: EventKind
    subject: str
    sequence: int
    created: int
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> bytes:
        """The body of the request that tells an app of the event; always the same bytes."""
        time = datetime.fromtimestamp(self.created / 1000, UTC).isoformat(timespec="milliseconds")
        body = {
            "type": self.kind.value,
            "timestamp": time.replace("+00:00", "Z"),
            "data": {"app": self.app, "subject": self.subject, "sequence": self.sequence, **self.data},
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(frozen=True)
class Endpoint:
    """A URL of an app that is told of events of these kinds.

    `secrets` sign its messages: the newest and, during a rotation, the old one. `rotated` is the time (ms) of the last
    rotation, or None if there was none, or it is not known. `has_old_secret` is also known if `secrets` were not read.
    `off` is the reason for which it was switched off, or "", and `disabled` is the time (ms) of it, or None.
    `failing` is the time (ms) since which every attempt has failed, or None.
    """

    id: str
    app: str
    url: str
    kinds: frozenset[EventKind]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    off: str = ""
    disabled: int | None = None
    failing: int | None = None
    created: int = 0
    rotated: int | None = None
    has_old_secret: bool = False

    @property
    def settings(self) -> tuple[object, ...]:
        """Its URL and kinds, and why and since when it is switched off."""
        return self.url, sorted(kind.value for kind in self.kinds), self.off, self.disabled


GONE, DEAD, BY_OPERATOR = "gone", "dead", "operator"
"""The reasons for which an endpoint is off: it answered 410; it failed for three days; an operator switched it off."""


class Outcome(Enum):
    """The state of an event for one endpoint."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    """There will be another attempt."""
    FAILED = "failed"
    """There will be none, unless it is sent again by hand."""


@dataclass(frozen=True)
class Delivery:
    """The outcome of an event for one endpoint. `status` is the last answer's (0: none), `time` that of the attempt."""

    endpoint: str
    outcome: Outcome
    attempts: int
    status: int
    time: int


@dataclass(frozen=True)
class LoggedEvent:
    """An event as stored, with its outcomes; `handled` is True after its first attempts."""

    event: Event
    handled: bool
    deliveries: tuple[Delivery, ...]


def new_event_id(now: int) -> str:
    """Return the id of an event at that time (ms): 16 characters of `0-9 a-z`; ids sort by time."""
    return (base36(now, _TIME) + base36(secrets.randbelow(36**_RANDOM), _RANDOM)).lower()


def is_event_id(text: str) -> bool:
    """Return whether a text has the form of an event's id."""
    return len(text) == _TIME + _RANDOM and text.isascii() and text.isalnum() and text == text.lower()


def first_id(time: int) -> str:
    """Return a text that sorts before the ids of all events from that time (ms) on, and after all earlier ones."""
    return base36(max(0, time), _TIME).lower()


def time_in(event: str) -> int:
    """Return the time (ms) in an event's id."""
    return from_base36(event[:_TIME])


def new_endpoint_id() -> str:
    """Return a new id of an endpoint: 12 hexadecimal digits."""
    return secrets.token_hex(6)


def is_endpoint_id(text: str) -> bool:
    """Return whether a text has the form of an endpoint's id."""
    return len(text) == 12 and not text.strip("0123456789abcdef")


def new_signing_secret() -> str:
    """Return a new signing secret: `whsec_` and 32 random bytes in base64."""
    return _SECRET + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(event: str, message: bytes, keys: Sequence[str], now: int) -> dict[str, str]:
    """Return the headers of an attempt at `now` (seconds since the epoch), with one signature for each secret."""
    signed = f"{event}.{now}.".encode() + message
    signatures = [hmac.digest(b64decode(key.removeprefix(_SECRET)), signed, "sha256") for key in keys]
    return {
        "webhook-id": event,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{b64encode(each).decode()}" for each in signatures),
    }


def delay_ms(attempts: int, chance: float) -> int | None:
    """Return the milliseconds to wait after so many failed attempts, or None after the last one.

    `chance` (0 to 1) shortens the delay by up to a fifth, so that events that failed together do not return together.
    """
    if attempts >= ATTEMPTS:
        return None
    return round(_DELAYS[attempts - 1] * 1000 * (1 - _JITTER * chance))


def is_success(status: int | None) -> bool:
    """Return whether an endpoint's answer accepts an event (None: there was no answer)."""
    return status is not None and 200 <= status < 300
