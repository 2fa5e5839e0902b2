"""Entries of the action log as JSON, JSON Lines and CSV."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from chalicelib.core.actions import LoggedAction
from chalicelib.core.dates import w3cdtf

COLUMNS = ("utc", "time", "actor", "kind", "target", "reason", "before", "after", "outcome", "request", "id")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""A cell that begins so would be a formula in a spreadsheet (OWASP, "CSV Injection"); some take the full width, too."""


def action_json(action: LoggedAction) -> dict[str, Any]:
    """Return an entry as JSON; `time` is in milliseconds."""
    return {
        "id": action.id,
        "time": action.at,
        "actor": action.actor,
        "kind": action.kind,
        "target": action.target,
        "reason": action.reason,
        "before": dict(action.before),
        "after": dict(action.after),
        "outcome": action.outcome.value,
        "request": action.request,
    }


def json_lines(entries: Iterable[dict[str, Any]]) -> str:
    """Return entries, in the form of `action_json`, as JSON Lines."""
    return "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in entries)


def csv_lines(entries: Iterable[dict[str, Any]], *, header: bool = True) -> str:
    """Return entries, in the form of `action_json`, as CSV (RFC 4180) with the COLUMNS; `utc` is the time for people.

    Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    if header:
        rows.writerow(COLUMNS)
    for each in entries:
        told = {"utc": w3cdtf(each["time"], 0)[:19].replace("T", " "), **each}
        rows.writerow(_cell(told[name]) for name in COLUMNS)
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
