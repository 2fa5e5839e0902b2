"""Whether a history of concurrent operations could be that of a server which does one after the other.

Linearizable (Herlihy and Wing, 1990): each operation takes effect at one moment between its beginning and its end, and
its answer is what a sequential specification gives there. The search is Wing and Gong's (1993), which puts next
whatever no other operation must precede, with Lowe's memory (2017) of what was tried: which operations are done, and
the state. Linearizability is local: histories of different objects are checked apart.

    check([Operation(0.0, 1.0, "add", 1), Operation(0.5, 2.0, "add", 2)], 0, counter)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_STATES = 300_000
"""Beyond it a history is undecided, which fails, too."""


@dataclass(frozen=True)
class Operation:
    """What was asked and answered, and between which times (seconds).

    With `ended` at infinity the outcome is not known: it may have happened at any time after it had begun, or never.
    `reads` says that it changes nothing, whatever the state.
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
        """A read that may tell what was so for so long before it was asked."""
        return replace(self, begun=self.begun - seconds)


Step = Callable[[Any, Operation], Any]
"""The specification: the state (hashable) after an operation, or None where it cannot have been answered so.

Of an operation whose outcome is not known: the state that it leaves if it happens.
"""


class NotLinearizable(AssertionError):
    """There is no order in which the answers are right; says how far the search came."""


def check(history: Iterable[Operation], start: Any, step: Step, most: int = MOST_STATES) -> int:
    """How many states were tried until an order was found. Raises NotLinearizable."""
    search = _Search(sorted(history, key=lambda each: each.begun), step)
    return search.run(start, most)


class _Search:
    """Operations are numbered by when they began; a set of them is the bits of a whole number."""

    def __init__(self, operations: Sequence[Operation], step: Step) -> None:
        self._operations = operations
        self._step = step
        self._needed = sum(1 << turn for turn, each in enumerate(operations) if each.is_known)

    def run(self, start: Any, most: int) -> int:
        seen = {(0, start)}
        waiting = [(0, start)]
        farthest = (0, start)
        while waiting:
            done, state = waiting.pop()
            if self._needed & ~done == 0:
                return len(seen)
            if done.bit_count() > farthest[0].bit_count():
                farthest = done, state
            if len(seen) > most:
                raise NotLinearizable(f"undecided after {most} states\n{self._told(*farthest)}")
            for following in self._following(done, state):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        raise NotLinearizable(self._told(*farthest))

    def _following(self, done: int, state: Any) -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = []
        for turn in self._next(done):
            operation = self._operations[turn]
            after = self._step(state, operation)
            if after is None:
                continue
            if operation.reads and after == state:
                # What changes nothing and is right here may as well come now: nothing is easier without it.
                return [(done | 1 << turn, after)]
            if operation.is_known or after != state:
                found.append((done | 1 << turn, after))
        # The last is tried first: let that be what began first.
        return found[::-1]

    def _next(self, done: int) -> list[int]:
        """The operations that may be next: those which had begun before any that is left had ended."""
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
