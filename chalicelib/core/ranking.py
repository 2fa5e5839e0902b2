"""Rankings of a user's friends by one key of their app data. Engawa's own: docs/internals/decisions.md.

query = read_query(parameter, limits)     # None: no ranking is requested
ranking = rank(query, data, user, keys)   # data: {user: {key: value}}
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.appdata import check_keys
from chalicelib.core.limits import MOST_FRIENDS, Limits
from chalicelib.core.paging import Paging, one_of, paging

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class RankingQuery:
    """A ranking by the values of `key`, the greatest first if `descending`, with the user if `include_self`."""

    key: str
    descending: bool
    include_self: bool
    paging: Paging


@dataclass(frozen=True)
class Ranking:
    """The entries of the requested part, the user's own entry (None: not ranked), and the number of ranked users."""

    entries: list[dict[str, Any]]
    own: dict[str, Any] | None
    total: int

    def counters(self, part: Paging) -> dict[str, Any]:
        """Return the members beside the entries: the counters of the list and, if there is one, the own entry."""
        own = {"self": self.own} if self.own else {}
        return own | part.counters(len(self.entries), self.total)


def read_query(parameter: Callable[[str], str | None], limits: Limits) -> RankingQuery | None:
    """Return the ranking that `parameter`, a function of names, requests, or None if `sortBy` is absent or empty.

    `sortBy` is a key; `sortOrder` is `ascending` (default) or `descending`; `includeSelf` is `true` or `false`
    (default); `startIndex` and `count` (default 20, at most 1,000) select a part. Raises ParameterInvalid.
    """
    key = parameter("sortBy")
    if not key:
        return None
    check_keys([key], limits)
    return RankingQuery(
        key,
        one_of("sortOrder", parameter("sortOrder"), ("ascending", "descending")) == "descending",
        one_of("includeSelf", parameter("includeSelf"), ("true", "false")) == "true",
        paging(parameter("startIndex"), parameter("count"), most=MOST_FRIENDS),
    )


def rank(query: RankingQuery, data: Mapping[str, Mapping[str, str]], user: str, keys: frozenset[str] | None) -> Ranking:
    """Return the ranking of the users whose data have the key; their entries have the data of `keys` (None: all).

    Ranks count from 1. Equal values share a rank, are in order of id, and the next rank is as many further. Values are
    compared as decimal numbers if all of them are, else as text by code points.
    """
    # Most reads need no ranking, and so do not wait for this import.
    from decimal import Decimal

    values: dict[str, Any] = {each: of[query.key] for each, of in sorted(data.items()) if query.key in of}
    if all(map(_NUMBER.fullmatch, values.values())):
        values = {each: Decimal(value) for each, value in values.items()}
    # The sort is stable in both directions, so equal values keep the order of ids.
    order = sorted(values, key=values.__getitem__, reverse=query.descending)
    ranks: dict[str, int] = {}
    for index, each in enumerate(order):
        tied = index > 0 and values[each] == values[order[index - 1]]
        ranks[each] = ranks[order[index - 1]] if tied else index + 1

    def entry(each: str) -> dict[str, Any]:
        shown = {key: value for key, value in data[each].items() if keys is None or key in keys}
        return {"id": each, "rank": ranks[each], "data": shown}

    own = entry(user) if query.include_self and user in ranks else None
    return Ranking([entry(each) for each in query.paging.cut(order)], own, len(order))
