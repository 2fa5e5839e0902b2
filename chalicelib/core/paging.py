"""Paging of lists: `startIndex` counts from 0, `count` is the maximum number of entries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chalicelib.core.errors import ParameterInvalid

T = TypeVar("T")

DEFAULT_COUNT = 20
_MOST_START = 1_000_000_000


@dataclass(frozen=True)
class Paging:
    """The requested part of a list."""

    start: int = 0
    count: int = DEFAULT_COUNT
    cursor: str | None = None
    """The position to continue from, instead of `start`."""

    @property
    def index(self) -> int | None:
        """The index of the first entry; None if a cursor gives the position."""
        return self.start if self.cursor is None else None

    def cut(self, whole: Sequence[T]) -> Sequence[T]:
        """Return the part of `whole`; empty if the list is shorter."""
        return whole[self.start : self.start + self.count]

    def counters(self, entries: int, total: int) -> dict[str, Any]:
        """Return the counters of a response with `entries` of `total` results; with a cursor, no `startIndex`."""
        start = {"startIndex": self.start} if self.cursor is None else {}
        return start | {"itemsPerPage": entries, "totalResults": total}


def paging(start: str | None, count: str | None, *, most: int, cursor: str | None = None) -> Paging:
    """Return the part that `startIndex`, `count` (1 to `most`) and `cursor` request; None means: not given.

    Raises ParameterInvalid if a number is not whole or out of range, or if both `cursor` and `startIndex` are given.
    """
    if cursor is not None and start is not None:
        raise ParameterInvalid("cursor and startIndex cannot be used together")
    return Paging(
        _whole("startIndex", start, 0, 0, _MOST_START),
        _whole("count", count, DEFAULT_COUNT, 1, most),
        cursor,
    )


def one_of(name: str, text: str | None, allowed: Iterable[str]) -> str | None:
    """Return a parameter that has fixed values, or None if it is absent or empty. Raises ParameterInvalid."""
    if text and text not in allowed:
        raise ParameterInvalid(f"{name} must be one of: {', '.join(allowed)}")
    return text or None


def _whole(name: str, text: str | None, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise ParameterInvalid(f"{name} must be a whole number from {least} to {most}")
    return int(text)
