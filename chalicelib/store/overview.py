"""The reads of the overview: all side by side, each of a bounded size, and no scan.

It is in store/, above the tables' modules: it only calls them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from chalicelib.core.overview import DAYS, Overview, Waiting
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.cleanup_notes import CleanupNotes
from chalicelib.store.directory.counts import Counts
from chalicelib.store.directory.leaving import LeavingUsers
from chalicelib.store.events.log import EventLog
from chalicelib.store.records.job_log import JobLog
from chalicelib.store.records.request_log import RequestLog

MOST_WAITING = 200
"""The most items that are counted of each kind of waiting work."""


class OverviewReading:
    """The reading of the overview. `clock` returns milliseconds since the epoch."""

    def __init__(
        self,
        counts: Counts,
        requests: RequestLog,
        jobs: JobLog,
        notes: CleanupNotes,
        appdata: AppData,
        events: EventLog,
        leaving: LeavingUsers,
        clock: Callable[[], int],
    ) -> None:
        self._counts = counts
        self._requests = requests
        self._jobs = jobs
        self._notes = notes
        self._appdata = appdata
        self._events = events
        self._leaving = leaving
        self._clock = clock

    def read(self) -> Overview:
        """Return the overview (eventually consistent; seven queries side by side). Raises Unavailable."""
        jobs: list[Callable[[], Any]] = [
            self._counts.read,
            self._jobs.read,
            partial(self._requests.counts, DAYS),
            partial(self._notes.waiting, MOST_WAITING),
            partial(self._appdata.waiting, MOST_WAITING),
            partial(self._events.waiting, MOST_WAITING),
            partial(self._leaving.waiting, MOST_WAITING),
        ]
        counts, (runs, works), refusals, deletions, values, events, accounts = side_by_side(jobs)
        return Overview(
            now=self._clock(),
            counts={kind.value: number for kind, number in counts.items()},
            runs=runs,
            works=works,
            waiting={
                "accounts": accounts,
                "deletions": deletions,
                "values": Waiting(values, values == MOST_WAITING),
                "events": events,
            },
            refusals=refusals,
        )
