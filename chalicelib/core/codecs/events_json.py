"""The JSON of endpoints and events in the operator's API."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from chalicelib.core.codecs import checks
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.events import Delivery, Endpoint, EventKind, LoggedEvent, is_endpoint_id, is_event_id

LATEST = 253_402_300_799_999
"""The end of the year 9999, in milliseconds."""

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
    known: dict[str, tuple[str, checks.Check]] = {"url": ("url", _url), "kinds": ("kinds", _kinds)}
    if new:
        known["id"] = ("id", _id_of("an endpoint", is_endpoint_id))
    else:
        known["active"] = ("is_on", checks.boolean)
    given = _fields(body, known)
    for name in ("url", "kinds") if new else ():
        if name not in given:
            raise ParameterInvalid(f"{name} is missing")
    return {known[name][0]: known[name][1](name, value) for name, value in given.items()}


def read_resending(body: object) -> Resending:
    """Return the events to send again: `event`, or `since` and `until` with `cursor`; and `endpoint`."""
    known: dict[str, checks.Check] = {
        "event": _id_of("an event", is_event_id),
        "since": moment,
        "until": moment,
        "cursor": checks.text(100, required=True),
        "endpoint": _id_of("an endpoint", is_endpoint_id),
    }
    found = {name: known[name](name, value) for name, value in _fields(body, known).items()}
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


def _fields(body: object, known: Iterable[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    for name in body:
        if name not in known:
            raise ParameterInvalid(f"There is no field {str(name)[:64]!r}; the fields are {', '.join(known)}")
    return body


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
