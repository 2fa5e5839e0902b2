"""`python -m bench.month [--measure]`: the cost of a month on AWS, computed from the cost ledger and AWS's prices.

All assumptions are data at the top; docs/operating/costs.md quotes the output and explains it. `--measure` measures the
ledger's figures instead of using those recorded here.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

Tiers = Sequence[tuple[float, float]]
"""Prices by volume: (how many units, inf for the rest; US dollars for one of them)."""


@dataclass(frozen=True)
class Asked:
    """A request of the ledger: its row, how often a monthly user sends it in a month, and the bytes of the response."""

    row: str
    times: float
    answer: int


@dataclass(frozen=True)
class Fixed:
    """The numbers that AWS bills for a value of `Monitoring`: metrics in alarms, metrics of our own, dashboards."""

    alarms: int
    metrics: float
    dashboards: int


@dataclass(frozen=True)
class Cost:
    """The figures of a row in the ledger: calls in sequence, read and write request units."""

    calls: float
    rru: float
    wru: float


SIZES = (100, 10_000, 1_000_000)

# Assumed: ten sessions of a monthly user in a month. Replace the times and response sizes by your own.
MIX = (
    Asked("token for a code", 1, 1_200),
    Asked("token for a refresh token", 10, 1_200),
    Asked("people: oneself", 10, 800),
    Asked("people: 100 friends", 10, 20_000),
    Asked("read own data", 20, 2_000),
    Asked("read 100 friends, one key", 10, 6_000),
    Asked("write 2 of 20 small pairs", 30, 200),
    Asked("feeds: the first 20 of 100, by 20 posters", 10, 16_000),
    Asked("comments: the first 20", 10, 6_000),
    Asked("favorites: count", 10, 100),
    Asked("comments: post 900 bytes, the first", 1, 1_200),
    Asked("favorites: the first", 2, 200),
    Asked("rpc: own data", 5, 2_000),
)

# From `python -m bench --json`.
LEDGER: Mapping[str, Cost] = {
    "token for a code": Cost(3, 3, 4),
    "token for a refresh token": Cost(3, 3, 4),
    "people: oneself": Cost(1, 1.5, 0),
    "people: 100 friends": Cost(3, 60.5, 0),
    "read own data": Cost(1, 1, 0),
    "read 100 friends, one key": Cost(2, 50.5, 0),
    "write 2 of 20 small pairs": Cost(2, 1, 1),
    "feeds: the first 20 of 100, by 20 posters": Cost(2, 22, 0),
    "comments: the first 20": Cost(2, 11.5, 0),
    "favorites: count": Cost(1, 0.5, 0),
    "comments: post 900 bytes, the first": Cost(2, 1, 8),
    "favorites: the first": Cost(2, 3, 5),
    "rpc: own data": Cost(1, 1, 0),
}

DAYS = 30
PEAK = 3  # ratio of the busiest minute to the mean
STORED_USERS = 2  # for each monthly user
STORED_BYTES = 50_000  # for a stored user in all tables, with indexes
FILE_BYTES = 20_000  # for a stored user in the bucket
IMAGES = 100  # loaded by a monthly user from CloudFront; one in ten is read from the bucket
IMAGE_BYTES = 5_000
COMPRESSED_FROM, COMPRESSED = 1_400, 0.3  # the size from which answers are compressed, and what remains of them
LOG_BYTES = 1_500  # for a request: the function's line, Lambda's own lines, the access log
MEMORY_GB = 1.0
BASE_MS, CALL_MS = 10.0, 7.0  # a request's time outside of calls to DynamoDB, and one call's
POLLS = 650_000  # polls of the queue in a month
UTILISATION = 0.5  # of provisioned capacity that scales by itself

GB = 1e9
MILLION = 1e6

# US dollars, ap-northeast-1 (CloudFront: Japan), without free tiers; for the sources see docs/operating/costs.md.
PRICES: Mapping[str, Tiers] = {
    "CloudFront requests": ((inf, 0.012 / 1e4),),
    "Lambda@Edge": ((inf, (0.60 + 0.01) / MILLION),),  # an answer each: 128 MB for about 2 ms
    "CloudFront traffic": (
        (10e3, 0.114),
        (40e3, 0.089),
        (100e3, 0.086),
        (350e3, 0.084),
        (524e3, 0.080),
        (4e6, 0.070),
        (inf, 0.060),
    ),
    "API Gateway": (
        (333 * MILLION, 4.25 / MILLION),
        (667 * MILLION, 3.53 / MILLION),
        (19_000 * MILLION, 3.00 / MILLION),
        (inf, 1.91 / MILLION),
    ),
    "Lambda requests": ((inf, 0.20 / MILLION),),
    "Lambda GB-seconds": ((7.5e9, 0.0000133334), (11.25e9, 0.0000120001), (inf, 0.0000106667)),
    "DynamoDB reads": ((inf, 0.1425 / MILLION),),
    "DynamoDB writes": ((inf, 0.715 / MILLION),),
    "DynamoDB storage": ((inf, 0.285),),
    "DynamoDB backup": ((inf, 0.228),),
    "S3 storage": ((50e3, 0.025), (450e3, 0.024), (inf, 0.023)),
    "S3 reads": ((inf, 0.00037 / 1e3),),
    "Logs": ((inf, 0.76),),
    "SQS": ((inf, 0.40 / MILLION),),
    "Secrets": ((inf, 0.40),),
    "Alarms": ((inf, 0.10),),
    "Metrics": ((10_000, 0.30), (inf, 0.10)),
    "Dashboards": ((inf, 3.00),),
}
BETWEEN_REGIONS = 0.09  # a GB from Tokyo to another region
HTTP_API: Tiers = ((300 * MILLION, 1.29 / MILLION), (inf, 1.18 / MILLION))
READ_UNIT_HOUR, WRITE_UNIT_HOUR = 0.0001484, 0.000742

SECRETS = 4
# The canary's requests, each a batch of three to `/rpc` (tests/integration/test_canary.py), and its own time.
CANARY_RUNS = DAYS * 24 * 12
CANARY = Cost(calls=5, rru=3, wru=2)
CANARY_GB_SECONDS = 0.5 * 0.3
# The runs that look for events to send and find none: the query of endpoints and that of attempts, half a unit each.
# They write no line of their own into the log, only Lambda does.
SEND_RUNS = DAYS * 24 * 60
SEND = Cost(calls=2, rru=1, wru=0)
# The functions store an idle run every 15 minutes, for the overview (chalicelib/core/overview.py).
STORED_RUNS, STORED_SENDS = 1 / 3, 1 / 15
SEND_MEMORY_GB, SEND_LOG_BYTES = 0.5, 400
# The hours in which some answer is a server error, as a share: in such an hour CloudWatch bills the metric.
ERROR_HOURS = 0.1
COPIED_SECRETS = 3
WRITE_UNIT_BYTES = 1_024  # the most that a write unit holds, and so the most that is sent to another region
BASIC = Fixed(alarms=8, metrics=ERROR_HOURS, dashboards=0)
# Metrics of the functions: about two for each of some twenty routes that are used in every hour, six of the stage, and
# those of the errors. Alarms: five metrics of them in us-east-1.
FULL = Fixed(alarms=45, metrics=61 + 2 * ERROR_HOURS, dashboards=1)

QUOTAS = (
    ("stage's ThrottleRate", "requests", 1_000),
    ("API Gateway, account", "requests", 10_000),
    ("Lambda concurrency", "at once", 1_000),
    ("DynamoDB, one table", "WRU", 40_000),
    ("DynamoDB, one table", "RRU", 40_000),
)


def price(tiers: Tiers, units: float) -> float:
    """Return the US dollars for `units` units."""
    dollars = 0.0
    for size, each in tiers:
        part = min(units, size)
        dollars += part * each
        units -= part
    return dollars


def requests(users: float) -> float:
    """Return the number of requests to the API in a month."""
    return users * sum(asked.times for asked in MIX)


def _sum(users: float, ledger: Mapping[str, Cost], unit: str) -> float:
    return users * sum(asked.times * float(getattr(ledger[asked.row], unit)) for asked in MIX)


def sent_bytes(answer: int) -> float:
    """Return the bytes of a response as CloudFront sends them."""
    return answer if answer < COMPRESSED_FROM else answer * COMPRESSED


def quantities(
    users: float,
    ledger: Mapping[str, Cost] = LEDGER,
    monitoring: Fixed = BASIC,
    runs: int = CANARY_RUNS,
    sends: int = SEND_RUNS,
) -> dict[str, float]:
    """Return the quantities used in a month, by the names of `PRICES`.

    `runs` are those of the canary, `sends` those of the function that sends events, without events.
    """
    asked = requests(users) + runs
    images = users * IMAGES
    answers = users * sum(each.times * sent_bytes(each.answer) for each in MIX)
    calls = _sum(users, ledger, "calls") + runs * CANARY.calls
    seconds = (asked * BASE_MS + calls * CALL_MS) / 1000
    send_seconds = sends * (BASE_MS + SEND.calls * CALL_MS) / 1000
    stored = users * STORED_USERS
    return {
        "CloudFront requests": asked + images,
        "Lambda@Edge": asked,
        "CloudFront traffic": (answers + images * IMAGE_BYTES) / GB,
        "API Gateway": asked,
        "Lambda requests": asked + runs + sends,
        "Lambda GB-seconds": seconds * MEMORY_GB + runs * CANARY_GB_SECONDS + send_seconds * SEND_MEMORY_GB,
        "DynamoDB reads": _sum(users, ledger, "rru") + runs * CANARY.rru + sends * SEND.rru,
        "DynamoDB writes": _sum(users, ledger, "wru") + runs * (CANARY.wru + STORED_RUNS) + sends * STORED_SENDS,
        "DynamoDB storage": stored * STORED_BYTES / GB,
        "DynamoDB backup": stored * STORED_BYTES / GB,
        "S3 storage": stored * FILE_BYTES / GB,
        "S3 reads": images / 10,
        "Logs": ((asked + runs) * LOG_BYTES + sends * SEND_LOG_BYTES) / GB,
        "SQS": POLLS,
        "Secrets": SECRETS,
        "Alarms": monitoring.alarms,
        "Metrics": monitoring.metrics,
        "Dashboards": monitoring.dashboards,
    }


def behind_url(used: Mapping[str, float]) -> dict[str, float]:
    """Return the quantities with FRONT=url, a function URL in place of API Gateway: AWS bills no request to it."""
    return {**used, "API Gateway": 0}


def copy(used: Mapping[str, float]) -> float:
    """Return the US dollars for a copy in another region (CopyRegion), at the prices of this region, at most.

    A replica writes what the table writes, without the double price of transactions, and not `ephemeral`.
    """
    again = ("DynamoDB writes", "DynamoDB storage", "DynamoDB backup", "S3 storage")
    paid = bill({**{name: used[name] for name in again}, "Secrets": COPIED_SECRETS})
    return sum(paid.values()) + used["DynamoDB writes"] * WRITE_UNIT_BYTES / GB * BETWEEN_REGIONS


def bill(used: Mapping[str, float]) -> dict[str, float]:
    """Return the US dollars for each quantity."""
    return {name: price(PRICES[name], units) for name, units in used.items()}


def levers(used: Mapping[str, float]) -> dict[str, float]:
    """Return the US dollars that each lever, alone, saves."""
    paid = bill(used)
    hours = 3600 * UTILISATION
    provisioned = used["DynamoDB reads"] * READ_UNIT_HOUR / hours + used["DynamoDB writes"] * WRITE_UNIT_HOUR / hours
    halved = {**used, "Lambda GB-seconds": used["Lambda GB-seconds"] / 2}
    tenth = {**used, "Logs": used["Logs"] / 10}
    return {
        "HTTP API instead of REST": paid["API Gateway"] - price(HTTP_API, used["API Gateway"]),
        "provisioned capacity": paid["DynamoDB reads"] + paid["DynamoDB writes"] - provisioned,
        "512 MB, if as fast": paid["Lambda GB-seconds"] - bill(halved)["Lambda GB-seconds"],
        "a tenth of the logs": paid["Logs"] - bill(tenth)["Logs"],
    }


def peaks(users: float, ledger: Mapping[str, Cost] = LEDGER) -> dict[str, float]:
    """Return the load per second in the busiest minute, by the names of `QUOTAS`; capacity is that of all tables."""
    used = quantities(users, ledger, runs=0, sends=0)
    second = DAYS * 86_400 / PEAK
    return {
        "requests": used["API Gateway"] / second,
        "at once": used["Lambda GB-seconds"] / MEMORY_GB / second,
        "RRU": used["DynamoDB reads"] / second,
        "WRU": used["DynamoDB writes"] / second,
    }


def report(ledger: Mapping[str, Cost] = LEDGER) -> str:
    """Return the tables: the bill with both kinds of monitoring, the levers, and the peaks beside AWS's quotas."""
    used = [quantities(users, ledger) for users in SIZES]
    bills = [bill(each) for each in used]
    full = [sum(bill(quantities(users, ledger, FULL)).values()) for users in SIZES]
    cut = [levers(each) for each in used]
    most = [peaks(users, ledger) for users in SIZES]
    lines = [_line("US dollars a month, monthly users:", [f"{users:,}" for users in SIZES])]
    lines += [_line(name, [f"{each[name]:,.2f}" for each in bills]) for name in PRICES]
    lines.append(_line("all, Monitoring=basic", [f"{sum(each.values()):,.2f}" for each in bills]))
    lines.append(_line("all, Monitoring=full", [f"{each:,.2f}" for each in full]))
    lines.append(
        _line("all, Monitoring=basic, FRONT=url", [f"{sum(bill(behind_url(each)).values()):,.2f}" for each in used])
    )
    lines.append(_line("CopyRegion adds", [f"{copy(each):,.2f}" for each in used]))
    cents = [1000 * sum(each.values()) / users for each, users in zip(bills, SIZES, strict=True)]
    lines += [_line("for 1,000 users, Monitoring=basic", [f"{each:,.2f}" for each in cents]), ""]
    lines.append(_line("What a lever, alone, takes off:", [""] * 3))
    lines += [_line(name, [f"{each[name]:,.2f}" for each in cut]) for name in cut[0]]
    lines += ["", _line("A second of the busiest minute:", [""] * 3)]
    for name, unit, quota in QUOTAS:
        marks = [f"{each[unit]:,.1f}{' !' if each[unit] > quota else '  '}" for each in most]
        lines.append(_line(f"{unit} ({name}: {quota:,})", marks))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _line(name: str, cells: Sequence[str]) -> str:
    return name.ljust(46) + "".join(f"{cell:>17}" for cell in cells)


def measured() -> dict[str, Cost]:
    """Measure the ledger's figures for the rows of the mix."""
    from bench.__main__ import results
    from bench.rows import ROWS

    names = {asked.row for asked in MIX}
    figures = {result.row.name: result.figures for result in results([row for row in ROWS if row.name in names])}
    return {name: Cost(each.in_sequence, each.rru, each.wru) for name, each in figures.items()}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.month", description="Compute the cost of a month on AWS.")
    parser.add_argument("--measure", action="store_true", help="measure the ledger's figures again")
    print(report(measured() if parser.parse_args().measure else LEDGER), end="")


if __name__ == "__main__":
    main()
