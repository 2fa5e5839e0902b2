"""What is observed of one request, or of one run of a function, while it is worked on: to be logged when it ends.

The store and the faces tell it as it happens, whether or not anybody observes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.core.errors import QuotaExceeded, Refusal, TooFrequent
from chalicelib.core.model.access import Access

_current: ContextVar["Observed | None"] = ContextVar("observed", default=None)


class Observed:
    """Told by all threads that work on a request: what several may tell at once is appended to a list."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.access: Access | None = None
        self.error: str | None = None
        """The word of the error that was answered, the last where there are several."""
        self.quota_refusals = 0
        self.rate_refusals = 0
        self.units: list[tuple[float, float]] = []
        """RRU and WRU of each call to DynamoDB, as far as its answer says so."""
        self.retried: list[int] = []
        """How often a call was made again, in parts."""

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
    """Observe what happens inside the block, in this thread and in those that work for it."""
    observed = Observed(request_id)
    before = _current.set(observed)
    try:
        yield observed
    finally:
        _current.reset(before)


def current() -> Observed | None:
    """What is observed of the request that this thread works for; None where nobody observes."""
    return _current.get()


def authenticated(access: Access) -> None:
    """Record whose request it is."""
    if observed := current():
        observed.access = access


def refused(refusal: Refusal) -> None:
    """Record a refusal, as it is sent to the client."""
    if observed := current():
        observed.error = refusal.error
        observed.quota_refusals += isinstance(refusal, QuotaExceeded)
        observed.rate_refusals += isinstance(refusal, TooFrequent)


def tried_again(times: int = 1) -> None:
    """Record a call to DynamoDB that must be retried: a lost race, a collision, throttling, no answer."""
    if observed := current():
        observed.retried.append(times)
