"""The overview of a platform: how many there are, how its jobs do, what waits, and what was refused or failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

DAYS = 7
"""The days of refusals and errors that the overview has."""
IDLE_MS = 15 * 60_000
"""A run that did nothing is stored only this long after the one before: a row for each would cost more than the run."""
FUNCTIONS: Mapping[str, bool] = {"sweep": True, "send": True, "canary": True, "clean": False}
"""The functions that run without a request, and whether they run by a schedule, every five minutes or more often."""
LATE_MS = 3 * IDLE_MS
"""A function with a schedule is late after this time without a stored run."""


class JobState(Enum):
    """How a function does."""

    OK = "ok"
    FAILED = "failed"
    LATE = "late"
    NEVER = "never"
    """There is no run on record: none so far, or none in the last 14 days."""


@dataclass(frozen=True)
class JobRun:
    """The last run of a function: its end and its time (ms), the items done, and the type of its error."""

    function: str
    at: int
    milliseconds: int
    done: int
    error: str | None = None

    def state(self, now: int) -> JobState:
        """Return how the function does at that time (ms)."""
        if self.error:
            return JobState.FAILED
        return JobState.LATE if FUNCTIONS.get(self.function) and now - self.at > LATE_MS else JobState.OK


@dataclass(frozen=True)
class JobWork:
    """The work of a job on a day: imports and migrations run as many requests of a client."""

    job: str
    day: str
    at: int
    """The last request (ms)."""
    requests: int
    items: int
    refused: int


@dataclass(frozen=True)
class Waiting:
    """Work that waits: a number, whether there is more than was counted, and since when the oldest is due (ms)."""

    number: int
    more: bool = False
    oldest: int | None = None


@dataclass(frozen=True)
class Overview:
    """The overview at a time (ms). `counts` are by kind, `waiting` by the kind of work; `refusals` are (day, status,
    kind, number).
    """

    now: int
    counts: Mapping[str, int]
    runs: Sequence[JobRun]
    works: Sequence[JobWork]
    waiting: Mapping[str, Waiting]
    refusals: Sequence[tuple[str, int, str, int]]

    def state_of(self, function: str) -> JobState:
        """Return how a function does."""
        run = self.run_of(function)
        return run.state(self.now) if run else JobState.NEVER

    def run_of(self, function: str) -> JobRun | None:
        """Return the last run of a function."""
        return next((run for run in self.runs if run.function == function), None)

    @property
    def healthy(self) -> bool:
        """Whether no function is late and none has failed."""
        return not any(self.state_of(each) in (JobState.LATE, JobState.FAILED) for each in FUNCTIONS)
