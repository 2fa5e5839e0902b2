"""What jobs have done, in the table records: the last run of each function, and the work of imports and migrations.

| item | pk | sk | attributes |
|---|---|---|---|
| last run of a function | `jobs` | `run#<function>` | `t` end, `ms` time, `n` items, `e` error or absent, `ttl` |
| work of a job on a day | `jobs` | `work#<day>#<job>` | `t` last request, `q` requests, `n` items, `f` refused, `ttl` |

All are in one partition, so that one query reads them.
"""

from collections.abc import Callable
from functools import partial

from chalicelib.core.overview import JobRun, JobWork
from chalicelib.core.request_records import KEPT_DAYS
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import API, CANARY, CLEAN, SEND, SWEEP, on_table
from chalicelib.store.aws.items import Item, typed
from chalicelib.store.aws.transactions import Update
from chalicelib.store.records.request_log import day_of

NEEDS = (
    on_table("records", "Query", "UpdateItem", by=(API,)),
    on_table("records", "PutItem", by=(SWEEP, CLEAN, CANARY, SEND)),
)

JOBS = "jobs"
RUN, WORK = "run#", "work#"


class JobLog:
    """The jobs of a deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def ran(self, run: JobRun) -> None:
        """Store the last run of a function. Raises Unavailable."""
        item = typed((JOBS, RUN + run.function)) | {
            "t": {"N": str(run.at)},
            "ms": {"N": str(run.milliseconds)},
            "n": {"N": str(run.done)},
            "ttl": {"N": str(self._ttl())},
        }
        error = {"e": {"S": run.error}} if run.error else {}
        self._dynamo.settle(partial(self._dynamo.put, self._table, item | error))

    def worked(self, job: str, items: int, refused: int = 0) -> None:
        """Add a request of a job to its work of today (1 WRU, without a retry). Raises Unavailable and StoreFailure."""
        key = JOBS, f"{WORK}{day_of(self._clock())}#{job}"
        change = Update({"t": self._clock(), "ttl": self._ttl()}, adds={"q": 1, "n": items, "f": refused})
        self._dynamo.update(self._table, key, change)

    def read(self) -> tuple[list[JobRun], list[JobWork]]:
        """Return the last run of each function, and the work of jobs by day, the latest first (one query)."""
        runs: list[JobRun] = []
        works: list[JobWork] = []
        for item in self._dynamo.query(self._table, JOBS, consistent=False):
            name = item["sk"]["S"]
            if name.startswith(RUN):
                error = item["e"]["S"] if "e" in item else None
                at, milliseconds, done = _numbers(item, "t", "ms", "n")
                runs.append(JobRun(name.removeprefix(RUN), at, milliseconds, done, error))
            else:
                day, _, job = name.removeprefix(WORK).partition("#")
                works.append(JobWork(job, day, *_numbers(item, "t", "q", "n", "f")))
        return runs, works[::-1]

    def _ttl(self) -> int:
        return self._clock() // 1000 + KEPT_DAYS * 86_400


def _numbers(item: Item, *names: str) -> list[int]:
    return [int(item[name]["N"]) for name in names]
