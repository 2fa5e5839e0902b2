"""The console's page of an app's events and their deliveries: filters, and sending again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlencode

from chalice.app import Response

from chalicelib.api.console.apps import APP, APPS, day, known_app, may
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import app_target
from chalicelib.api.resending import send_again
from chalicelib.api.visit import Visit
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.events_json import Resending
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.events import KEEP_DAYS, EventKind, LoggedEvent, Outcome, is_endpoint_id, is_event_id
from chalicelib.core.roles import Action
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

EVENTS = f"{APP}/events"
COUNT = 50
"""The events that one page reads; with a filter it may show fewer."""
_DAY = timedelta(days=1)

face = Face()


@dataclass(frozen=True)
class EventFilter:
    """The filters of the list: dates of the platform's offset, a kind, a state of deliveries; `""`: all.

    `since` and `until` are in ms; the day `last` is included.
    """

    first: str
    last: str
    kind: str
    state: str
    since: int
    until: int

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the page with these filters."""
        named = {"from": self.first, "to": self.last, "kind": self.kind, "state": self.state}
        return {name: value for name, value in named.items() if value}

    def passes(self, one: LoggedEvent) -> bool:
        """Return whether an event of these days is shown."""
        kinds = self.kind in ("", one.event.kind.value)
        return kinds and (not self.state or any(each.outcome.value == self.state for each in one.deliveries))


@console_route(face, EVENTS, action=Action.SEE_EVENTS)
def list_events(visit: Visit, app: str) -> Response:
    """List the events of an app with their deliveries, oldest first: `from`, `to` (days), `kind`, `state`, `cursor`."""
    given = {name: last_parameter(visit.request, name) or "" for name in ("from", "to", "kind", "state", "cursor")}
    return _page(visit, app, given)


@console_route(face, EVENTS, action=Action.SEND_EVENTS, methods=["POST"])
def resend_events(visit: Visit, app: str) -> Response:
    """Send events again: one `event`, or those of the days `from` and `to`, at most 100; `endpoint` limits them to it.

    `next` continues after the first 100.
    """
    known, form = known_app(visit, app), visit.sent
    event, endpoint = form.get("event"), form.get("endpoint")
    if (event and not is_event_id(event)) or (endpoint and not is_endpoint_id(endpoint)):
        raise NotFound("There is no such event or endpoint")
    try:
        wanted = event_filter(form, visit.here.clock(), visit.here.settings.utc_offset)
        asked = Resending(event, wanted.since, wanted.until, form.get("next"), endpoint)
        with visit.logged(ActionKind.EVENTS_RESENT, app_target(app)) as entry:
            sent = send_again(visit.here, known.id, asked)
            entry.after = {"events": sent.events, "deliveries": sent.deliveries} | ({"event": event} if event else {})
            entry.changed = sent.deliveries > 0
    except ParameterInvalid:
        return _page(visit, app, {}, status=400, problem=visit.word("events_wrong_filter"))
    except Conflict:
        return _page(visit, app, form, status=409, problem=visit.word("events_no_endpoint"))
    told = wanted.query | {"sent": str(sent.deliveries)} | ({"next": sent.following} if sent.following else {})
    return visit.redirect(f"{APPS}/{app}/events?{urlencode(told)}")


def event_filter(given: Mapping[str, str], now: int, offset: int) -> EventFilter:
    """Return the filters that a form or a query has; by default yesterday and today. `offset` is in minutes.

    Raises ParameterInvalid for a day, a kind or a state that does not exist.
    """
    zone = timezone(timedelta(minutes=offset))
    today = datetime.fromtimestamp(now / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = _day(given.get("from", ""), zone) or today - _DAY
    last = _day(given.get("to", ""), zone) or max(first, today)
    kind, state = given.get("kind", ""), given.get("state", "")
    if kind not in ("", *(each.value for each in EventKind)) or state not in ("", *(each.value for each in Outcome)):
        raise ParameterInvalid("There is no such kind or state")
    since, until = (round(each.astimezone(UTC).timestamp() * 1000) for each in (first, last + _DAY))
    return EventFilter(first.date().isoformat(), last.date().isoformat(), kind, state, max(0, since), max(0, until))


def _day(text: str, zone: timezone) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise ParameterInvalid("A day is written YYYY-MM-DD") from None
    if not 1970 < found.year < 9000:
        raise ParameterInvalid("There are no events of that year")
    return found


def _page(
    visit: Visit, app: str, given: Mapping[str, str], *, status: int = 200, problem: str | None = None
) -> Response:
    known, now, offset = known_app(visit, app), visit.here.clock(), visit.here.settings.utc_offset
    found: list[LoggedEvent] = []
    following = None
    try:
        wanted = event_filter(given, now, offset)
        found, following = visit.here.event_log.part(
            app, wanted.since, wanted.until, given.get("cursor") or None, COUNT
        )
    except ParameterInvalid:
        status, problem = 400, visit.word("events_wrong_filter")
        wanted = event_filter({}, now, offset)
    sent = last_parameter(visit.request, "sent") or ""
    counted = sent if sent.isascii() and sent.isdecimal() and len(sent) <= len("10000") else ""
    path = f"{visit.here.site.path}{APPS}/{app}/events"
    return visit.page(
        "console/app_events",
        status=status,
        notice=visit.word("events_sent", count=counted) if counted else None,
        problem=problem,
        app=known,
        wanted=wanted,
        events=[each for each in found if wanted.passes(each)],
        first=f"{path}?{urlencode(wanted.query)}" if given.get("cursor") else None,
        following=f"{path}?{urlencode(wanted.query | {'cursor': following})}" if following else None,
        next=last_parameter(visit.request, "next") if counted else None,
        kind_pairs=[("", visit.word("events_all")), *((each.value, each.value) for each in EventKind)],
        state_pairs=[
            ("", visit.word("events_all")),
            *((each.value, visit.word(f"state_{each.value}")) for each in Outcome),
        ],
        query=wanted.query,
        days={"from": wanted.first, "to": wanted.last},
        keep=KEEP_DAYS,
        day=lambda milliseconds: day(visit, milliseconds),
        may_send=may(visit, Action.SEND_EVENTS),
    )
