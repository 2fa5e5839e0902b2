"""The console's overview: how the platform does, and what became of refused and failed requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chalice.app import Response

from chalicelib import VERSION
from chalicelib.api.console.frame import console_route, sections
from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.overview import DAYS, FUNCTIONS, Overview
from chalicelib.core.request_records import QUOTA_EXCEEDED, RATE_LIMITED, RequestRecord, by_kind, is_kind, is_request_id
from chalicelib.core.roles import Action, allows
from chalicelib.store.records.request_log import day_of
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

ERRORS, REQUESTS, APPS = "/console/errors", "/console/requests", "/console/apps"
MOST_SHOWN = 50
BAR_WIDTH, BAR_STEP, BAR_HEIGHT = 8, 11, 24
_WITHOUT_PAGE = (RATE_LIMITED, QUOTA_EXCEEDED)

face = Face()


@dataclass(frozen=True)
class Bar:
    """A bar of a small chart: its place from the left, its place from the top and its height, in pixels."""

    left: int
    top: int
    height: int


def overview_values(visit: Visit) -> dict[str, Any]:
    """Return what the templates of the overview show (six queries side by side)."""
    known = visit.here.overview.read()
    return {
        "known": known,
        "functions": list(FUNCTIONS),
        "version": VERSION,
        "commit": visit.here.settings.commit,
        "refusals": refusal_rows(known),
        "days": DAYS,
        "may_see_requests": bool(visit.user and allows(visit.user.role, Action.SEE_REQUEST)),
        "at": _shower(visit),
        "chart": {"width": DAYS * BAR_STEP, "height": BAR_HEIGHT, "bar": BAR_WIDTH},
    }


def refusal_rows(known: Overview) -> list[Mapping[str, Any]]:
    """Return the rows of refusals: kind, status, the numbers of each day from the oldest on, their sum, and bars."""
    last = date.fromisoformat(day_of(known.now))
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    rows: list[Mapping[str, Any]] = []
    for (status, kind), by_day in by_kind(known.refusals).items():
        numbers = [by_day.get(day, 0) for day in days]
        rows.append({"kind": kind, "status": status, "numbers": numbers, "sum": sum(numbers), "bars": bars(numbers)})
    return rows


def bars(numbers: list[int]) -> list[Bar]:
    """Return a bar for each number; the highest has BAR_HEIGHT, numbers from 1 on at least 3 pixels, and 0 has one."""
    most = max(numbers, default=0)
    heights = [max(3, round(number * BAR_HEIGHT / most)) if number else 1 for number in numbers]
    return [Bar(turn * BAR_STEP, BAR_HEIGHT - height, height) for turn, height in enumerate(heights)]


@console_route(face, ERRORS, action=Action.SEE_REQUEST)
def show_errors(visit: Visit) -> Response:
    """List the recorded requests of a `kind`, the latest first; without it, all kinds."""
    kind, cursor = last_parameter(visit.request, "kind"), last_parameter(visit.request, "cursor")
    if not kind or not is_kind(kind):
        return visit.page("console/kinds", **overview_values(visit))
    found, following = visit.here.request_log.of_kind(kind, cursor, MOST_SHOWN)
    return visit.page("console/errors", kind=kind, records=found, at=_shower(visit), cursor=cursor, following=following)


@console_route(face, REQUESTS, action=Action.SEE_REQUEST)
def show_request(visit: Visit) -> Response:
    """Show what became of the request with an `id`, and a form to look up another."""
    id = (last_parameter(visit.request, "id") or "").strip()
    record = visit.here.request_log.get(id) if is_request_id(id) else None
    app = visit.here.apps.get_many([record.app]).get(record.app) if record and record.app else None
    return visit.page(
        "console/request",
        status=404 if id and record is None else 200,
        id=id,
        record=record,
        app=app,
        about=_about(record) if record else None,
        may_see_apps=any(each.path == APPS for each in sections(visit)),
        at=_shower(visit),
    )


def _about(record: RequestRecord) -> str | None:
    """Return the path of the page about the error of a record, below the language, or None if there is none."""
    has_page = record.kind not in _WITHOUT_PAGE and not record.kind.startswith("http_")
    return f"/errors/{record.kind}" if has_page else None


def _shower(visit: Visit) -> Any:
    offset = visit.here.settings.utc_offset

    def shown(time: int) -> str:
        """Return a time (ms) in the time zone of the platform, to the second."""
        return w3cdtf(time, offset)[:19].replace("T", " ")

    return shown
