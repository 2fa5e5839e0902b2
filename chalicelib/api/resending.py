"""Sending events again, for the operator's API and the console."""

from dataclasses import dataclass

from chalicelib.core.codecs.events_json import Resending
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.events import Endpoint, LoggedEvent
from chalicelib.platform import Platform

MOST_RESENT = 100


@dataclass(frozen=True)
class SentAgain:
    """The number of events, and of their deliveries; and the cursor if there are more events."""

    events: int
    deliveries: int
    following: str | None


def send_again(here: Platform, app: str, wanted: Resending) -> SentAgain:
    """Send events of an app again, at most MOST_RESENT. The messages have the same ids as before.

    Raises NotFound (no such app or event), Conflict (it is suspended, or has no such endpoint that is on), and
    ParameterInvalid (cursor).
    """
    known = here.apps.get(app)
    if known is None:
        raise NotFound(f"There is no app {app}")
    if known.suspended is not None:
        raise Conflict("The app is suspended")
    on = [each for each in here.endpoints.of_app(app) if not each.off and wanted.endpoint in (None, each.id)]
    if not on:
        raise Conflict("The app has no such endpoint that is on")
    following = None
    if wanted.event is not None:
        one = here.event_log.get(app, wanted.event)
        if one is None:
            raise NotFound(f"There is no event {wanted.event}")
        found = [one]
    else:
        found, following = here.event_log.part(app, wanted.since, wanted.until, wanted.cursor, MOST_RESENT)
    return SentAgain(len(found), sum(_resend(here, app, each, on) for each in found), following)


def _resend(here: Platform, app: str, logged: LoggedEvent, endpoints: list[Endpoint]) -> int:
    wanted = [each for each in endpoints if logged.event.kind in each.kinds]
    for each in wanted:
        here.event_log.send_again(app, logged.event.id, each.id)
    return len(wanted)
