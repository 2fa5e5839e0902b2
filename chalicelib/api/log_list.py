"""The list of the action log, for `/admin/log` and for the console."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.core.actions import ActionFilter, LoggedAction
from chalicelib.core.codecs.actions_json import action_json, csv_lines, json_lines
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import ParameterInvalid
from chalicelib.platform import Platform
from chalicelib.web.requests import last_parameter

FILES = ("csv", "jsonl")
MOST_LINES = 1000
"""The most entries of one file."""
_PARTS = 12
"""The most parts of the list that one file is made of."""
LONGEST = 200
"""The most characters of a filter."""


def read_filter(request: Request, since: int = 0, until: int = LATEST) -> ActionFilter:
    """Return the filter that the parameters `actor`, `target` and `kind` name. Raises ParameterInvalid."""
    texts = {name: (last_parameter(request, name) or "").strip() for name in ("actor", "target", "kind")}
    for name, text in texts.items():
        if len(text) > LONGEST:
            raise ParameterInvalid(f"{name} must have at most {LONGEST} characters")
    return ActionFilter(since, until, **texts)


def file_answer(here: Platform, path: str | None, wanted: ActionFilter, form: str, cursor: str | None) -> Response:
    """Return entries as a file for download: `form` is `csv` or `jsonl`; at most MOST_LINES, the newest first.

    If there are more, `Link: <…>; rel="next"` has the URL of the next file: `path` with the filter. None: no such link.
    """
    found: list[LoggedAction] = []
    for _ in range(_PARTS):
        part, cursor = here.action_log.part(wanted, cursor, min(100, MOST_LINES - len(found)))
        found += part
        if cursor is None or len(found) >= MOST_LINES:
            break
    entries = [action_json(each) for each in found]
    headers: dict[str, str | list[str]] = {
        "Content-Type": "text/csv; charset=utf-8; header=present" if form == "csv" else "application/jsonl",
        "Content-Disposition": f'attachment; filename="action-log.{form}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if path and cursor is not None:
        following = {**_parameters(wanted), "format": form, "cursor": cursor}
        headers["Link"] = f'<{path}?{urlencode(following)}>; rel="next"'
    return Response(csv_lines(entries) if form == "csv" else json_lines(entries), headers, 200)


def _parameters(wanted: ActionFilter) -> Mapping[str, Any]:
    texts = {"actor": wanted.actor, "target": wanted.target, "kind": wanted.kind}
    times = {"since": wanted.since or "", "until": wanted.until if wanted.until < LATEST else ""}
    return {name: value for name, value in {**texts, **times}.items() if value}
