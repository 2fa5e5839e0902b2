"""Sending of events to the endpoints of apps. It runs by schedule (api/scheduled.py) and reads the log (log.py).

Each endpoint has workers of its own, which stop after some failures in a row. So an endpoint that does not answer
delays no other. What fails, or is left when the time is over, is stored as an attempt that is due later, before the
event becomes handled. So if this process dies, an event is sent again, with the same id, but none is lost.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from threading import Lock

from chalicelib import observed
from chalicelib.core.events import (
    DEAD,
    DEAD_MS,
    GONE,
    Delivery,
    Endpoint,
    LoggedEvent,
    Outcome,
    delay_ms,
    headers,
    is_success,
)
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.events.endpoints import Endpoints
from chalicelib.store.events.log import DueAttempt, EventLog

MOST_EVENTS = 2_000
"""The maximum number of new events, and of due attempts, in one run: their outcomes must be stored in its time."""
WORKERS = 8
"""The number of requests that one endpoint gets at once."""
MOST_WORKERS = 64
MOST_FAILURES = 2
"""A worker stops after so many failures in a row."""
LATE_MS = 10 * 60_000
"""An event that waits for longer is late: the runs fail, or there are more events than they send."""
_GONE = 410

Post = Callable[[str, bytes, Mapping[str, str]], int | None]
"""A function that sends a body with headers to a URL; it returns the status of the answer, or None without one."""

_log = logging.getLogger(__name__)


@dataclass
class _Job:
    """One attempt: an event for an endpoint, after so many failed attempts. `due` is its item, if it has one."""

    logged: LoggedEvent
    failed: int = 0
    due: DueAttempt | None = None
    status: int | None = None
    made: bool = False


@dataclass
class _Lane:
    """The attempts of one endpoint in a run."""

    endpoint: Endpoint
    jobs: list[_Job] = field(default_factory=list)


class EventSending:
    """The sending of events. `clock` returns milliseconds since the epoch; `now` is the clock of time limits."""

    def __init__(
        self,
        log: EventLog,
        endpoints: Endpoints,
        post: Post,
        clock: Callable[[], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = log
        self._endpoints = endpoints
        self._post = post
        self._clock = clock
        self._now = now

    def run(self, seconds: float) -> int:
        """Send the events that are new, and the attempts that are due, for about `seconds`; return the number sent.

        Raises Unavailable; the next run continues.
        """
        end = self._now() + seconds
        lanes = {(each.app, each.id): _Lane(each) for each in self._endpoints.active()}
        new = self._new(lanes)
        ended = self._due(lanes)
        observed.sent_late(self._late(lanes.values(), new))
        self._send([lane for lane in lanes.values() if lane.jobs], end)
        made = [job for lane in lanes.values() for job in lane.jobs if job.made]
        self._settle(lanes.values(), new)
        for attempt, logged in ended:
            self._give_up(attempt, logged)
        for lane in lanes.values():
            self._judge(lane)
        return len(made)

    def _new(self, lanes: Mapping[tuple[str, str], _Lane]) -> list[LoggedEvent]:
        """Return the events that were not handled, and give each to the lanes that it is for."""
        found: list[LoggedEvent] = []
        apps = list({app for app, _ in lanes})
        # In another order each time, so that an app with very many events does not always come first.
        random.shuffle(apps)
        for app in apps:
            own = [lane for lane in lanes.values() if lane.endpoint.app == app]
            # An endpoint is told only of what happens after its registration.
            since = min(lane.endpoint.created for lane in own)
            for logged in islice(self._events.unhandled(app, since), MOST_EVENTS - len(found)):
                found.append(logged)
                for lane in own:
                    if logged.event.kind in lane.endpoint.kinds and logged.event.created >= lane.endpoint.created:
                        lane.jobs.append(_Job(logged))
        return found

    def _due(self, lanes: Mapping[tuple[str, str], _Lane]) -> list[tuple[DueAttempt, LoggedEvent | None]]:
        """Give the due attempts to their lanes; return those whose event or endpoint is gone, or off."""
        attempts = self._events.due(MOST_EVENTS)
        events = self._events.get_many(attempts)
        ended: list[tuple[DueAttempt, LoggedEvent | None]] = []
        for each in attempts:
            logged, lane = events.get((each.app, each.event)), lanes.get((each.app, each.endpoint))
            if logged and lane:
                lane.jobs.append(_Job(logged, each.failed, each))
            else:
                ended.append((each, logged))
        return ended

    def _late(self, lanes: Iterable[_Lane], new: list[LoggedEvent]) -> int:
        """Return the number of new events and of attempts that should have been sent LATE_MS ago."""
        times = [each.event.created for each in new]
        times += [job.due.due for lane in lanes for job in lane.jobs if job.due]
        return sum(self._clock() - each > LATE_MS for each in times)

    def _send(self, lanes: list[_Lane], end: float) -> None:
        """Make the attempts of all lanes, each with up to WORKERS workers."""
        if not lanes:
            return
        queues = [(lane, deque(lane.jobs), Lock()) for lane in lanes]
        with ThreadPoolExecutor(MOST_WORKERS, thread_name_prefix="events") as pool:
            # The first workers of all lanes come before the second ones.
            for turn in range(WORKERS):
                for lane, jobs, lock in queues:
                    if turn < len(lane.jobs):
                        pool.submit(copy_context().run, self._work, lane.endpoint, jobs, lock, end)

    def _work(self, endpoint: Endpoint, jobs: deque[_Job], lock: Lock, end: float) -> None:
        failures = 0
        while failures < MOST_FAILURES and self._now() < end:
            with lock:
                if not jobs:
                    return
                job = jobs.popleft()
            event = job.logged.event
            signed = headers(event.id, event.message, endpoint.secrets, self._clock() // 1000)
            job.status = self._post(endpoint.url, event.message, signed)
            job.made = True
            failures = 0 if is_success(job.status) else failures + 1

    def _settle(self, lanes: Iterable[_Lane], new: list[LoggedEvent]) -> None:
        """Store the outcomes of each event, and then remove the attempts that were made."""
        every: dict[tuple[str, str], tuple[LoggedEvent, list[tuple[Endpoint, _Job]]]] = {
            (logged.event.app, logged.event.id): (logged, []) for logged in new
        }
        over: list[DueAttempt] = []
        for lane in lanes:
            for job in lane.jobs:
                event = job.logged.event
                every.setdefault((event.app, event.id), (job.logged, []))[1].append((lane.endpoint, job))
                if job.due:
                    over.append(job.due)
        side_by_side([partial(self._store, logged, jobs) for logged, jobs in every.values()])
        side_by_side([partial(self._events.end, each) for each in over])

    def _store(self, logged: LoggedEvent, jobs: list[tuple[Endpoint, _Job]]) -> None:
        # The attempts that are left are stored first: a handled event is not looked for again.
        self._events.handled(logged, [self._outcome(endpoint, job) for endpoint, job in jobs])

    def _outcome(self, endpoint: Endpoint, job: _Job) -> Delivery:
        """Return the outcome of an attempt; store the next one, if there is to be one."""
        now, event = self._clock(), job.logged.event
        if job.made and is_success(job.status):
            return Delivery(endpoint.id, Outcome.DELIVERED, job.failed + 1, job.status or 0, now)
        failed = job.failed + int(job.made)
        if job.status == _GONE:
            return Delivery(endpoint.id, Outcome.FAILED, failed, _GONE, now)
        # An attempt that was not made, because others failed or no time was left, follows at the next run.
        wait = delay_ms(failed, random.random()) if failed else delay_ms(1, random.random())  # noqa: S311 (no secret)
        if wait is None:
            return Delivery(endpoint.id, Outcome.FAILED, failed, job.status or 0, now)
        self._events.later(DueAttempt(now + wait, event.app, event.id, endpoint.id, failed))
        return Delivery(endpoint.id, Outcome.WAITING, failed, job.status or 0, now)

    def _give_up(self, attempt: DueAttempt, logged: LoggedEvent | None) -> None:
        """End an attempt whose endpoint is off or deleted, or whose event has expired."""
        if logged:
            failed = Delivery(attempt.endpoint, Outcome.FAILED, attempt.failed, 0, self._clock())
            self._events.handled(logged, [failed])
        self._events.end(attempt)

    def _judge(self, lane: _Lane) -> None:
        """Switch an endpoint off if it answered 410 or fails for DEAD_MS; else store whether it fails."""
        endpoint, now = lane.endpoint, self._clock()
        statuses = [job.status for job in lane.jobs if job.made]
        if not statuses:
            return
        if _GONE in statuses:
            self._switch_off(endpoint, GONE)
        elif any(map(is_success, statuses)):
            if endpoint.failing is not None:
                self._endpoints.failing(endpoint, None)
        elif endpoint.failing is None:
            self._endpoints.failing(endpoint, now)
        elif now - endpoint.failing >= DEAD_MS:
            self._switch_off(endpoint, DEAD)

    def _switch_off(self, endpoint: Endpoint, reason: str) -> None:
        self._endpoints.switch_off(endpoint.app, endpoint.id, reason)
        observed.switched_off()
        _log.warning("endpoint %s of app %s is off: %s", endpoint.id, endpoint.app, reason)
