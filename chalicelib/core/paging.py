"""Paging of lists: `startIndex` counts from 0, `count` is how many at most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chalicelib.core.errors import ParameterInvalid

T = TypeVar("T")

DEFAULT_COUNT = 20
_MOST_START = 1_000_000_000


@dataclass(frozen=True)
class Paging:
    """Which part of a list is wanted."""

    start: int = 0
    count: int = DEFAULT_COUNT
    cursor: str | None = None
    """Where a list goes on, instead of `start`."""

    @property
    def index(self) -> int | None:
        """The index of the first entry; None where a cursor says where to begin."""
        return self.start if self.cursor is None else None

    def cut(self, whole: Sequence[T]) -> Sequence[T]:
        """That part; empty where the list ends before it."""
        return whole[self.start : self.start + self.count]

    def counters(self, entries: int, total: int) -> dict[str, Any]:
        """The counters of an answer that holds `entries` of `total` results; a cursor has no index."""
        start = {"startIndex": self.start} if self.cursor is None else {}
        return start | {"itemsPerPage": entries, "totalResults": total}


def paging(start: str | None, count: str | None, *, most: int, cursor: str | None = None) -> Paging:
    """The part that the parameters `startIndex`, `count` (1 to `most`) and `cursor` ask for; None: not given.

    Raises ParameterInvalid for what is not a whole number in range, and for a cursor beside a `startIndex`.
    """
    if cursor is not None and start is not None:
        raise ParameterInvalid("cursor and startIndex cannot be used together")
    return Paging(
        _whole("startIndex", start, 0, 0, _MOST_START),
        _whole("count", count, DEFAULT_COUNT, 1, most),
        cursor,
    )


def _whole(name: str, text: str | None, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise ParameterInvalid(f"{name} must be a whole number from {least} to {most}")
    return int(text)
