"""The measurements of one request, or of one run of a function, which are logged at its end.

The store and the faces record events as they happen. If no observation is active, the events are dropped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.core.errors import InternalError, QuotaExceeded, Refusal, TooFrequent
from chalicelib.core.model.access import Access

_current: ContextVar["Observed | None"] = ContextVar("observed", default=None)


class Observed:
    """The measurements of one request. Its threads may record concurrently, so they append to lists."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.access: Access | None = None
        self.error: str | None = None
        """The `error` word of the response; the last one if there are several."""
        self.cause: str | None = None
        """Why the request was refused or failed, without anything that the client sent."""
        self.work: tuple[str, int, int] | None = None
        """The work of a job that this request is a part of: its name, the items, and those that were refused."""
        self.quota_refusals = 0
        self.rate_refusals = 0
        self.late_events = 0
        self.disabled_endpoints = 0
        self.units: list[tuple[float, float]] = []
        """RRU and WRU of each call to DynamoDB, as far as the response contains them."""
        self.retried: list[int] = []
        """Numbers of retries, to be added."""

    @property
    def calls(self) -> int:
        """Return the number of calls to DynamoDB."""
        return len(self.units)

    @property
    def retries(self) -> int:
        """Return how often a call was retried."""
        return sum(self.retried)

    @property
    def read_units(self) -> float:
        """Return the RRU of all calls that succeeded."""
        return sum(read for read, _ in self.units)

    @property
    def write_units(self) -> float:
        """Return the WRU of all calls that succeeded."""
        return sum(write for _, write in self.units)


@contextmanager
def observing(request_id: str) -> Iterator[Observed]:
    """Observe the events inside the block, in this thread and in the threads that work for it."""
    observed = Observed(request_id)
    before = _current.set(observed)
    try:
        yield observed
    finally:
        _current.reset(before)


def current() -> Observed | None:
    """Return the measurements of the request that this thread works for, or None if there is no observation."""
    return _current.get()


def authenticated(access: Access) -> None:
    """Record the caller of the request."""
    if observed := current():
        observed.access = access


def refused(refusal: Refusal) -> None:
    """Record a refusal, as it is sent to the client."""
    if observed := current():
        observed.error = refusal.error
        # That of an InternalError is the exception behind it.
        if not isinstance(refusal, InternalError) or observed.cause is None:
            observed.cause = _cause(refusal)
        observed.quota_refusals += isinstance(refusal, QuotaExceeded)
        observed.rate_refusals += isinstance(refusal, TooFrequent)


def failed(error: Exception) -> None:
    """Record an unexpected exception."""
    if observed := current():
        observed.cause = _cause(error)


def _cause(error: Exception) -> str:
    # Most requests have no cause.
    from chalicelib.core.request_records import cause_of

    return cause_of(error)


def worked(job: str, items: int, refused: int = 0) -> None:
    """Record the work of a job that runs as many requests: an import or a migration."""
    if observed := current():
        observed.work = job, items, refused


def sent_late(events: int) -> None:
    """Record events that waited too long for this run."""
    if observed := current():
        observed.late_events += events


def switched_off() -> None:
    """Record an endpoint that this run switched off."""
    if observed := current():
        observed.disabled_endpoints += 1


def tried_again(times: int = 1) -> None:
    """Record a call to DynamoDB that must be retried: a lost race, a collision, throttling, no answer."""
    if observed := current():
        observed.retried.append(times)
