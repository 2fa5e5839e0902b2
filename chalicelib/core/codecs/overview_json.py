"""The overview and records of requests as JSON. Times are milliseconds since the epoch, days are days of UTC."""

from typing import Any

from chalicelib.core.overview import FUNCTIONS, JobWork, Overview, Waiting
from chalicelib.core.request_records import RequestRecord, by_kind


def overview_json(known: Overview, version: str, commit: str) -> dict[str, Any]:
    """Return the overview of a platform that runs this version and commit."""
    return {
        "version": version,
        "commit": commit,
        "status": "ok" if known.healthy else "attention",
        "time": known.now,
        "counts": dict(known.counts),
        "functions": [_function_json(known, each) for each in FUNCTIONS],
        "waiting": {kind: _waiting_json(each) for kind, each in known.waiting.items()},
        "work": [_work_json(each) for each in known.works],
        "refusals": [
            {"kind": kind, "status": status, "days": days} for (status, kind), days in by_kind(known.refusals).items()
        ],
    }


def request_json(record: RequestRecord) -> dict[str, Any]:
    """Return a refused or failed request."""
    told: dict[str, Any] = {
        "id": record.id,
        "time": record.at,
        "route": record.route,
        "status": record.status,
        "kind": record.kind,
        "cause": record.cause,
        "version": record.version,
        "milliseconds": record.milliseconds,
    }
    return told | ({"app": record.app} if record.app else {})


def _function_json(known: Overview, function: str) -> dict[str, Any]:
    told: dict[str, Any] = {"function": function, "state": known.state_of(function).value}
    if run := known.run_of(function):
        told |= {"time": run.at, "milliseconds": run.milliseconds, "done": run.done}
        told |= {"error": run.error} if run.error else {}
    return told


def _waiting_json(each: Waiting) -> dict[str, Any]:
    told: dict[str, Any] = {"number": each.number, "more": each.more}
    return told | ({} if each.oldest is None else {"oldest": each.oldest})


def _work_json(each: JobWork) -> dict[str, Any]:
    return {
        "job": each.job,
        "day": each.day,
        "time": each.at,
        "requests": each.requests,
        "items": each.items,
        "refused": each.refused,
    }
