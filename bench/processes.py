"""Cold start and warm requests with their bounds, for `python -m bench`."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import coldstart, warm


def cold_start() -> tuple[list[str], bool]:
    """Return lines that say how long a cold start takes, and whether it is within its bound."""
    with TemporaryDirectory() as directory:
        taken = coldstart.measure(Path(directory))
    kept = taken.ratio <= coldstart.MOST
    ours, floor = (median(each.clock) * 1000 for each in (taken.ours, taken.floor))
    return [
        f"cold start, to the first answer: {ours:.0f} ms, the floor {floor:.0f} ms (medians of {coldstart.RUNS}): "
        f"{taken.ratio:.2f} / {coldstart.MOST} of the floor, by processor time {taken.processor_ratio:.2f}"
        f"  {_verdict(kept)}"
    ], kept


def warm_requests() -> tuple[list[str], bool]:
    """Return lines that say how much CPU time warm requests take, and whether they are within their bounds."""
    with TemporaryDirectory() as directory:
        taken = [*warm.measure(Path(directory))]
    lines = [
        f"warm, {each.row}: {each.request:.2f} ms of processor time, a plain client's calls alone {each.calls:.2f} ms: "
        f"{each.ratio:.2f} / {warm.MOST[each.row]}  {_verdict(each.kept)}"
        for each in taken
    ]
    return lines, all(each.kept for each in taken)


def _verdict(kept: bool) -> str:
    return "ok" if kept else "BROKEN"


TIMED = {"cold start": cold_start, "warm": warm_requests}
