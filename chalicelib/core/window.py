"""The write window: never more than so many accepted writes in any stretch of so many seconds.

A true sliding window over exact times in milliseconds, not a bucket: the Persistence API's "180 write/delete requests
within 180 seconds" holds for every stretch, wherever it begins.
"""

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Rate:
    """The state of a write window at one moment, as the `X-RateLimit-*` headers tell it.

    `reset` is in whole seconds from that moment: until `remaining` next grows (0 where the window is empty). With
    `remaining` 0 it is the Retry-After.
    """

    limit: int
    remaining: int
    reset: int


@dataclass(frozen=True)
class WriteWindow:
    """The times (milliseconds since the epoch, ascending) of the accepted writes that may still count."""

    times: tuple[int, ...] = ()

    def at(self, now: int, span: int) -> "WriteWindow":
        """The window as of `now`: without the writes that are `span` milliseconds old or older."""
        gone = bisect_right(self.times, now - span)
        return WriteWindow(self.times[gone:]) if gone else self

    def admits(self, now: int, *, limit: int, span: int) -> bool:
        """Whether one more write may be accepted at `now`."""
        return len(self.at(now, span).times) < limit

    def with_write(self, now: int, *, span: int) -> "WriteWindow":
        """The window after a write accepted at `now`.

        A clock that lags behind the newest write counts as that write's time: times never run backwards, so no
        stretch can hold more writes than were admitted.
        """
        time = max(now, self.times[-1]) if self.times else now
        return WriteWindow((*self.at(time, span).times, time))

    def rate(self, now: int, *, limit: int, span: int) -> Rate:
        """What the headers say at `now`."""
        times = self.at(now, span).times
        # With more times than the limit (a setting was lowered), the one whose leaving admits the next write decides.
        decisive = times[max(0, len(times) - limit)] if times else now - span
        return Rate(limit, max(0, limit - len(times)), ceil((decisive + span - now) / 1000))
