"""The JSON of endpoints and events in the operator's API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.core.codecs import checks
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.events import Delivery, Endpoint, EventKind, LoggedEvent, is_endpoint_id, is_event_id

_KINDS = checks.list_of(checks.one_of(EventKind))


@dataclass(frozen=True)
class Resending:
    """The events to send again: one, or those from `since` on and before `until` (ms), from the cursor on.

    `endpoint` is the only endpoint to send them to; None: every endpoint that asked for their kinds.
    """

    event: str | None
    since: int
    until: int
    cursor: str | None
    endpoint: str | None


def read_endpoint(body: object, *, new: bool) -> dict[str, Any]:
    """Return the fields of an endpoint: `url` and `kinds`, with `new` required and also `id`; else also `active`."""
    known: checks.Rules = {"url": ("url", _url), "kinds": ("kinds", _kinds)}
    if new:
        known["id"] = ("id", _id_of("an endpoint", is_endpoint_id))
    else:
        known["active"] = ("is_on", checks.boolean)
    return checks.read_fields(body, known, ("url", "kinds") if new else ())


def read_resending(body: object) -> Resending:
    """Return the events to send again: `event`, or `since` and `until` with `cursor`; and `endpoint`."""
    known: checks.Rules = {
        "event": ("event", _id_of("an event", is_event_id)),
        "since": ("since", moment),
        "until": ("until", moment),
        "cursor": ("cursor", checks.text(100, required=True)),
        "endpoint": ("endpoint", _id_of("an endpoint", is_endpoint_id)),
    }
    found = checks.read_fields(body, known)
    if "event" in found and len(found.keys() - {"endpoint"}) > 1:
        raise ParameterInvalid("event cannot be combined with since, until or cursor")
    if "event" not in found and not {"since", "until"} <= found.keys():
        raise ParameterInvalid("event is missing, or since and until")
    since, until = found.get("since", 0), found.get("until", 0)
    return Resending(found.get("event"), since, until, found.get("cursor"), found.get("endpoint"))


def moment(name: str, value: Any) -> int:
    """Return a time in milliseconds since the epoch."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LATEST:
        raise ParameterInvalid(f"{name} must be a time in milliseconds")
    return value


def endpoint_json(one: Endpoint) -> dict[str, Any]:
    """Return an endpoint, without its secrets."""
    return {
        "id": one.id,
        "app": one.app,
        "url": one.url,
        "kinds": sorted(kind.value for kind in one.kinds),
        "active": not one.off,
        "reason": one.off,
        "disabled": one.disabled,
        "failing": one.failing,
        "created": one.created,
    }


def event_json(one: LoggedEvent) -> dict[str, Any]:
    """Return an event with its deliveries."""
    event = one.event
    return {
        "id": event.id,
        "type": event.kind.value,
        "created": event.created,
        "subject": event.subject,
        "sequence": event.sequence,
        "data": dict(event.data),
        "deliveries": [_delivery_json(each) for each in one.deliveries],
    }


def _delivery_json(one: Delivery) -> dict[str, Any]:
    return {
        "endpoint": one.endpoint,
        "state": one.outcome.value,
        "attempts": one.attempts,
        "status": one.status or None,
        "time": one.time,
    }


def _url(name: str, value: Any) -> str:
    found = checks.url(name, value)
    if not found:
        raise ParameterInvalid(f"{name} must be an absolute URL")
    return found


def _kinds(name: str, value: Any) -> frozenset[EventKind]:
    found: frozenset[EventKind] = frozenset(_KINDS(name, value))
    if not found:
        raise ParameterInvalid(f"{name} must not be empty")
    return found


def _id_of(thing: str, is_one: Callable[[str], bool]) -> checks.Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or not is_one(value):
            raise ParameterInvalid(f"{name} is not the id of {thing}")
        return value

    return check
