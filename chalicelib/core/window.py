"""The write window: a limit on the accepted writes in any period of a fixed length.

It is a true sliding window over exact times in milliseconds, not a bucket: the Persistence API's "180 write/delete
requests within 180 seconds" holds for every period, whenever it begins.
"""

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Rate:
    """The state of a write window at one moment, as in the `X-RateLimit-*` headers.

    `reset` is the time in whole seconds until `remaining` next grows (0 if the window is empty). If `remaining` is 0,
    `reset` is the Retry-After.
    """

    limit: int
    remaining: int
    reset: int


@dataclass(frozen=True)
class WriteWindow:
    """The times (milliseconds since the epoch, ascending) of the accepted writes that may still count."""

    times: tuple[int, ...] = ()

    def at(self, now: int, span: int) -> "WriteWindow":
        """Return the window at `now`, without the writes that are at least `span` milliseconds old."""
        gone = bisect_right(self.times, now - span)
        return WriteWindow(self.times[gone:]) if gone else self

    def admits(self, now: int, *, limit: int, span: int) -> bool:
        """Return whether one more write may be accepted at `now`."""
        return len(self.at(now, span).times) < limit

    def with_write(self, now: int, *, span: int) -> "WriteWindow":
        """Return the window after a write accepted at `now`.

        If `now` is before the newest write, the time of that write is used. Times never decrease, so no period can
        hold more writes than were admitted.
        """
        time = max(now, self.times[-1]) if self.times else now
        return WriteWindow((*self.at(time, span).times, time))

    def rate(self, now: int, *, limit: int, span: int) -> Rate:
        """Return the state at `now`, for the headers."""
        times = self.at(now, span).times
        # If a lowered setting leaves more times than the limit, several writes must expire before the next is admitted.
        decisive = times[max(0, len(times) - limit)] if times else now - span
        return Rate(limit, max(0, limit - len(times)), ceil((decisive + span - now) / 1000))
