"""Checks whether a history of concurrent operations is possible on a server that runs them one after the other.

Linearizable (Herlihy and Wing, 1990): each operation takes effect at one moment between its beginning and its end, and
its answer is the one that a sequential specification gives at that moment. The search is that of Wing and Gong (1993):
the next operation is any that no other must precede. It remembers every tried pair of completed operations and state
(Lowe, 2017). An operation whose outcome is unknown may never take effect, so a pair is not tried if one with fewer such
operations, and else the same, was tried. Linearizability is local, so histories of different objects are checked
separately.

    check([Operation(0.0, 1.0, "add", 1), Operation(0.5, 2.0, "add", 2)], 0, counter)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_STATES = 1_000_000
"""With more states, a history is undecided, which also fails."""


@dataclass(frozen=True)
class Operation:
    """A request and its answer, with the times of both (seconds).

    If `ended` is infinity, the outcome is unknown: the operation took effect at any time after `begun`, or never.
    `reads` says that the operation never changes the state.
    """

    begun: float
    ended: float
    asked: Any
    answered: Any = None
    client: int = 0
    reads: bool = False

    @property
    def is_known(self) -> bool:
        return self.ended < math.inf

    def lagging(self, seconds: float) -> Operation:
        """Return the operation as a read that may return a state up to so many seconds old."""
        return replace(self, begun=self.begun - seconds)


Step = Callable[[Any, Operation], Any]
"""The specification: returns the state (hashable) after an operation, or None if its answer is impossible.

For an operation whose outcome is unknown, it returns the state after the operation took effect.
"""


class NotLinearizable(AssertionError):
    """A history without any order in which the answers are right. The message says how far the search got."""


def check(history: Iterable[Operation], start: Any, step: Step, most: int = MOST_STATES) -> int:
    """Search for an order, and return the number of states that were tried. Raises NotLinearizable."""
    search = _Search(sorted(history, key=lambda each: each.begun), step)
    return search.run(start, most)


class _Search:
    """A search for an order. Operations are numbered by their beginnings; a set of them is a bit mask."""

    def __init__(self, operations: Sequence[Operation], step: Step) -> None:
        self._operations = operations
        self._step = step
        self._states: dict[Any, Any] = {}
        """One object of each state, since there are many more pairs than states."""
        self._needed = sum(1 << turn for turn, each in enumerate(operations) if each.is_known)

    def run(self, start: Any, most: int) -> int:
        seen: dict[tuple[int, Any], list[int]] = {(0, start): [0]}
        tried = 1
        waiting = [(0, start)]
        farthest = (0, start)
        while waiting:
            done, state = waiting.pop()
            if self._needed & ~done == 0:
                return tried
            if done.bit_count() > farthest[0].bit_count():
                farthest = done, state
            if tried > most:
                raise NotLinearizable(f"undecided after {most} states\n{self._told(*farthest)}")
            for following in self._following(done, state):
                unknown = following[0] & ~self._needed
                before = seen.setdefault((following[0] & self._needed, following[1]), [])
                if not any(each & ~unknown == 0 for each in before):
                    before.append(unknown)
                    tried += 1
                    waiting.append(following)
        raise NotLinearizable(self._told(*farthest))

    def _following(self, done: int, state: Any) -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = []
        for turn in self._next(done):
            operation = self._operations[turn]
            after = self._step(state, operation)
            if after is None:
                continue
            after = self._states.setdefault(after, after)
            if operation.reads and after == state:
                # A read that is right here can come now: delaying it makes no other order possible.
                return [(done | 1 << turn, after)]
            if operation.is_known or after != state:
                found.append((done | 1 << turn, after))
        # The last one is tried first, so the operation that began first is put last.
        return found[::-1]

    def _next(self, done: int) -> list[int]:
        """Return the operations that may be next: those that began before any remaining one ended."""
        left, earliest = [], math.inf
        # The lowest bit that is not set.
        for turn in range((~done & (done + 1)).bit_length() - 1, len(self._operations)):
            operation = self._operations[turn]
            if operation.begun > earliest:
                break
            if not done >> turn & 1:
                left.append(turn)
                earliest = min(earliest, operation.ended)
        return left

    def _told(self, done: int, state: Any) -> str:
        lines = [f"After {done.bit_count()} of {len(self._operations)} operations none fits. The state: {state}"]
        lines += [f"  {self._operations[turn]}" for turn in self._next(done)]
        return "\n".join(line if len(line) < 500 else f"{line[:500]} …" for line in lines)
