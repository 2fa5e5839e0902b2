"""Recording of refused and failed requests, and of the runs of functions, for the overview.

Nothing runs on Lambda after an answer, so a record is written before an answer is sent: that of the first refused
request of a process, and then of at most one request in FLUSH_MS. What came in between is written with the first
request after that time. So a request that succeeds waits for a write only if others were refused before it, and at most
once in FLUSH_MS; a process that ends loses what it has not written. A write that fails is logged and not repeated.
"""

import logging
from collections.abc import Callable
from threading import Lock

from chalicelib import VERSION
from chalicelib.core.overview import IDLE_MS, JobRun
from chalicelib.core.request_records import FLUSH_MS, QUOTA_EXCEEDED, RATE_LIMITED, RequestRecord, Sampling
from chalicelib.observed import Observed
from chalicelib.platform import Platform
from chalicelib.store.aws import deadline

log = logging.getLogger(__name__)


class RequestRecording:
    """The recording of one process, on its platform. Thread-safe."""

    def __init__(self, here: Platform) -> None:
        self._here = here
        self._version = f"{VERSION}+{here.settings.commit}"
        self._lock = Lock()
        self._found = Sampling()
        self._written: int | None = None
        self._runs: dict[str, tuple[int, str | None]] = {}

    @property
    def has_something(self) -> bool:
        """Whether there is something to write."""
        return bool(self._found.counts)

    def request(self, route: str, status: int, seen: Observed, seconds: float) -> None:
        """Take up a refused or failed request, which took so many seconds."""
        kind = seen.error or f"http_{status}"
        if seen.rate_refusals:
            kind = RATE_LIMITED
        elif seen.quota_refusals:
            kind = QUOTA_EXCEEDED
        record = RequestRecord(
            id=seen.request_id,
            at=self._here.clock(),
            route=route,
            status=status,
            kind=kind,
            cause=seen.cause or "",
            app=seen.access.app if seen.access else None,
            version=self._version,
            milliseconds=round(seconds * 1000),
        )
        with self._lock:
            self._found.add(record)

    def flush(self, seconds_left: float) -> None:
        """Write what was taken up, if the last write was FLUSH_MS ago or more, and if there is time for it."""
        now = self._here.clock()
        with self._lock:
            is_due = self._written is None or not 0 <= now - self._written < FLUSH_MS
            if not is_due or not self._found.counts or seconds_left < deadline.CALL_SECONDS:
                return
            found, self._found, self._written = self._found, Sampling(), now
        with deadline.within(seconds_left):
            self._try(lambda: self._here.request_log.write(found))

    def run(self, function: str, done: object, seen: Observed, seconds: float) -> None:
        """Store the run of a function: a failed one, the first after it, others at most once in FLUSH_MS, idle ones at
        most once in IDLE_MS.

        `done` is the result of the function: a number of items, or something else.
        """
        number = done if isinstance(done, int) else 0
        run = JobRun(function, self._here.clock(), round(seconds * 1000), number, seen.error)
        known = self._runs.get(function)
        is_usual = known is not None and known[1] is None and run.error is None
        # A scheduled run begins a little earlier or later than the others.
        rest = (FLUSH_MS if number else IDLE_MS) - FLUSH_MS // 2
        if known and is_usual and 0 <= run.at - known[0] < rest:
            return
        self._runs[function] = run.at, run.error
        self._try(lambda: self._here.job_log.ran(run))

    def work(self, job: str, items: int, refused: int = 0) -> None:
        """Add a request of a job, an import or a migration, to its work of today (1 WRU)."""
        self._try(lambda: self._here.job_log.worked(job, items, refused))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:
            # The answer, or the run, is worth more than its record.
            log.warning("a record could not be written: %s", type(error).__name__)
