"""The formats of dates in the API."""

from datetime import datetime, timedelta, timezone

LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def w3cdtf(milliseconds: int, offset: int) -> str:
    """Return a time (ms since the epoch) in W3C-DTF, `offset` minutes east of UTC: "2010-11-02T10:42:57+09:00".

    Source: Page API ("created"); the offset is the deployment's (docs/internals/decisions.md).
    """
    return _local(milliseconds, offset).isoformat(timespec="seconds")


def compact(milliseconds: int, offset: int) -> str:
    """Return the time in the format of comment ids: "20101102104257"."""
    return _local(milliseconds, offset).strftime("%Y%m%d%H%M%S")


def _local(milliseconds: int, offset: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone(timedelta(minutes=offset)))
