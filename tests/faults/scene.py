"""An operation on a platform, the faults of its calls, and the checks afterwards.

A scene finds the right outcome with an oracle: it makes the same operations one after the other without a fault, or
computes them with a model. After a fault, and after rivals acted between two calls, the operation must have a place
among the operations of the rivals at which it would have had the same outcomes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import Any, NamedTuple
from unittest.mock import patch

from botocore.exceptions import ClientError

from chalicelib.core.errors import Refusal
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.transactions import Transaction
from tests.faults.fault import Fault, Strike
from tests.kit.calls import TRANSACTION, Call, Client, Killed
from tests.kit.memory import Cloud
from tests.kit.request_stage import BUSY
from tests.kit.stage import Stage
from tests.kit.tally import tried

KILLED = "killed"
Ids = dict[str, str]
Meet = Callable[[Call], Any]


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation on a platform. `steps`: it makes several writes; if it is repeated, it makes those that are left.

    `act` gets the stage and the ids of earlier data. It returns the outcome: BUSY, or a value that is the same in two
    right runs.
    """

    name: str
    act: Callable[[Any, Ids], Any]
    before: Callable[[Any, Ids], Any] = lambda stage, ids: None
    """Prepares the data for this operation, in addition to those of all scenes of the kind."""
    steps: bool = False
    cold: bool = False
    """Whether it is the first request of its process."""
    shards: int = 1
    told: bool = False
    """If true, the app asks for all kinds of events."""
    pieces: int | None = None
    """The maximum number of entries in a batch or list."""


def outcome_of(act: Callable[[], Any], done: str | None = None) -> Any:
    """Return the result of `act` (with `done`, return `done` instead), or the name of its refusal."""
    try:
        answer = act()
    except Refusal as refusal:
        return type(refusal).__name__
    return done or answer


class Processes:
    """Two processes over one cloud: the calls of one have faults; the other is for rivals and for right outcomes."""

    def __init__(self, make: Callable[[Cloud, Any], Any], furnish: Callable[[Any], Ids | None]) -> None:
        """Create both. `make` creates a stage over a cloud with a client; `furnish` prepares the data of all scenes."""
        self.cloud = Cloud()
        self.client = Client(self.cloud)
        self.rival: Stage = make(self.cloud, self.cloud)
        self.asked: Stage = make(self.cloud, self.client)
        self.asked.clock = self.rival.clock
        self.asked.restart()
        self.ids = furnish(self.rival) or {}
        self.furnished = self.save()
        self._strikes: dict[Any, Any] = {}

    def save(self) -> Any:
        """Return all stored data, and the time."""
        return self.cloud.save(), self.rival.clock.now

    def restore(self, saved: Any) -> None:
        """Restore the saved data and time."""
        items, self.rival.clock.now = saved
        self.cloud.restore(items)

    def mark(self) -> Any:
        """Return the identities of the stored data, and the time."""
        return self.cloud.mark(), self.rival.clock.now

    def strike(self, rivals: Sequence[Operation], ids: Ids) -> list[tuple[Operation, Any]]:
        """Let rivals act; if they acted on the same items before, restore that result instead of acting again."""
        mark = id(rivals), id(ids), self.mark()
        if mark not in self._strikes:
            # The objects that a mark identifies must live as long as the mark.
            kept = rivals, ids, self.save()
            self._strikes[mark] = kept, [(each, each.act(self.rival, ids)) for each in rivals], self.save()
        _, struck, after = self._strikes[mark]
        self.restore(after)
        return list(struck)


class Expected(NamedTuple):
    """The results of operations made one after the other: outcomes, the state then, and the state once settled."""

    outcomes: tuple[Any, ...]
    seen: Any
    end: Any


class Scene:
    """An operation on two processes, on prepared data."""

    kind = ""
    """The kind of operation, for the statistics."""

    def __init__(self, operation: Any, processes: Processes) -> None:
        self.operation: Operation = operation
        self._processes = processes
        self.client, self.rival, self.asked = processes.client, processes.rival, processes.asked
        processes.restore(processes.furnished)
        self.ids = dict(processes.ids)
        self.prepare()
        self._saved = processes.save()
        self._expected: dict[tuple[Operation, ...], Expected] = {}
        self._reached: dict[Any, tuple[Any, tuple[Any, Any]]] = {}
        self.struck: list[tuple[Operation, Any]] = []
        """The operations of rivals since the last reset, with their outcomes."""
        self.made: list[str] = []
        """The calls of the last run."""

    def prepare(self) -> None:
        """Prepare the data for this operation, in addition to those of all scenes."""
        self.operation.before(self.rival, self.ids)

    def reset(self) -> None:
        """Restore the data as they were before the operation."""
        self._processes.restore(self._saved)
        self._processes.cloud.memory.tokens.clear()
        if self.operation.cold:
            self.asked.restart()
        self.asked.platform.queue._found = None  # So that its URL is looked up each time.
        self.struck = []

    def run(self, meet: Meet | None = None) -> Any:
        """Return the outcome of the operation; `meet` carries out its calls."""
        self.client.begin(meet, pieces=self.operation.pieces)
        try:
            outcome = self.operation.act(self.asked, self.ids)
        except Killed:
            outcome = KILLED
            self.asked.restart()
        self.client.deliver()
        self.made = list(self.client.calls)
        self.client.begin()
        return outcome

    @cached_property
    def calls(self) -> list[str]:
        """The calls that the operation makes without a fault."""
        self.reset()
        self.run()
        return self.made

    def strike(self, rivals: Sequence[Operation]) -> None:
        """Let rivals act now."""
        self.struck += self._processes.strike(rivals, self.ids)

    def in_turn(self, *operations: Operation) -> Expected:
        """Return the right results of these operations, of rivals and of this scene."""
        if operations not in self._expected:
            saved, struck = self._processes.save(), self.struck
            self.reset()
            outcomes = tuple(
                self.run() if each is self.operation else each.act(self.rival, self.ids) for each in operations
            )
            self._expected[operations] = Expected(outcomes, *self.reached())
            self._processes.restore(saved)
            self.struck = struck
        return self._expected[operations]

    def right(self, times: int) -> Expected:
        """Return the right results after the operation was made `times` times."""
        return self.in_turn(*[self.operation] * times)

    def reached(self) -> tuple[Any, Any]:
        """Return the state now, and the state once all is settled.

        Nothing may be wrong at either time. In the end there may be no remains, and other processes can continue.
        """
        mark = self._processes.mark()
        if mark not in self._reached:
            saved = self._processes.save()
            assert self.rival.wrongs() == []
            seen = self.rival.seen()
            self.rival.settle()
            assert self.rival.wrongs() == []
            assert self.rival.remains() == []
            end = self.rival.seen()
            self.rival.go_on()
            self._processes.restore(saved)
            # The objects that a mark identifies must live as long as the mark.
            self._reached[mark] = saved, (seen, end)
        return self._reached[mark][1]

    def excuses(self, outcome: Any, rivals: Sequence[Operation]) -> list[Any]:
        """Return the outcomes that are as good as the right `outcome` if these rivals acted."""
        return []

    def meet(self, fault: Fault) -> None:
        """Apply a fault to each call of the operation in turn, and check the results."""
        strike: Strike = partial(self.strike, fault.rivals)
        for times in range(3):
            self.right(times)
        for turn, operation in enumerate(self.calls):
            if operation in fault.on:
                with noting(f"{fault.name} met call {turn} of {self.calls}"):
                    self.reset()
                    outcome = self.run(fault.meeting(turn, strike))
                    if operation in fault.bearable:
                        assert outcome != BUSY, "it is no reason to give up"
                    self.check(outcome, lost=fault.may_happen(operation))
                tried(self.kind, self.operation.name, fault.name)

    def meet_at_random(
        self, seed: int, rivals: Sequence[Sequence[Operation]], faults: Sequence[Fault], *, most: int
    ) -> Any:
        """Return the outcome if rivals act before random calls, and random calls have faults.

        `most` limits the operations of rivals in all.
        """
        dice = random.Random(f"{self.operation.name} {seed}")

        def meet(call: Call) -> Any:
            if rivals and dice.random() < 0.4 and len(self.struck) < most:
                self.strike(dice.choice(rivals))
            possible = [fault for fault in faults if call.operation in fault.on & fault.bearable]
            if possible and dice.random() < 0.5 and len(self.struck) <= most:
                fault = dice.choice(possible)
                return fault.acts[0](call, partial(self.strike, fault.rivals))
            return call.go()

        self.reset()
        return self.run(meet)

    def check(self, outcome: Any, *, lost: bool = False, busy: bool = True, again: bool = True) -> None:
        """Fail unless the outcome and the stored data are right at some place among the rivals' operations.

        `lost`: a write may have happened although the outcome is BUSY. `busy`: the outcome may be BUSY. `again`: the
        operation is repeated and must end right; without it, only the state once all is settled is compared.
        """
        steps, rivals = self.operation.steps, tuple(each for each, _ in self.struck)
        assert self.rival.wrongs() == []
        unknown = outcome == KILLED or (busy and outcome == BUSY)
        places: Iterable[int | None] = range(len(rivals) + 1)
        if unknown:
            places = [None, *places] if lost or steps or outcome == KILLED else [None]
        right = []
        for place in places:
            operations = rivals if place is None else (*rivals[:place], self.operation, *rivals[place:])
            outcomes = list(self.in_turn(*operations).outcomes)
            own = outcome if place is None else outcomes.pop(place)
            loose = bool(steps and rivals)
            if loose or outcomes == [each for _, each in self.struck]:
                if loose or unknown or own == outcome:
                    right.append(operations)
                elif outcome in self.excuses(own, rivals):
                    return
        assert right, f"{outcome!r:.300} beside {[(each.name, found) for each, found in self.struck]} is never right"
        if not again:
            end = self.reached()[1]
            assert end in [self.in_turn(*each).end for each in right], f"in the end: {end}"
            return
        seen, _ = self.reached()
        if not steps or not unknown:
            right = [each for each in right if seen == self.in_turn(*each).seen]
            assert right, f"{outcome!r:.300} was answered, and something else was done"
        followed = [self.in_turn(*each, self.operation) for each in right]
        outcome = self.run()
        assert outcome in [each.outcomes[-1] for each in followed], f"asked again: {outcome!r:.300}"
        seen, end = self.reached()
        assert steps or seen in [each.seen for each in followed], "asked again, something else was done"
        assert end in [each.end for each in followed], f"in the end: {end}; and not {followed[-1].end}"

    def reorder(self, rivals: Sequence[Operation] = ()) -> int:
        """Swap any two parts of the transactions of a run; fail if the results differ; return the number of swaps.

        `rivals` act before the first transaction; swaps are tried only if that makes a transaction fail. Then, of more
        than 6 parts, each is swapped only with the first one and with the next.
        """
        right, sizes, failures = self._run_twice(rivals)
        if not sizes or (rivals and not failures):
            return 0
        swaps = [*combinations(range(most := max(sizes)), 2)]
        if rivals and most > 6:
            swaps = [(one, other) for one, other in swaps if one == 0 or other == one + 1]
        for one, other in swaps:
            with (
                noting(f"parts {one} and {other} swapped, after {[each.name for each in rivals]}"),
                swapped(one, other),
            ):
                assert self._run_twice(rivals) == (right, sizes, failures)
            tried(self.kind, self.operation.name, "parts of a transaction swapped")
        return len(swaps)

    def _run_twice(self, rivals: Sequence[Operation]) -> tuple[Any, list[int], int]:
        """Make the operation twice; return the results, the sizes of its transactions, and the number that failed."""
        sizes, failures = list[int](), 0

        def meet(call: Call) -> Any:
            nonlocal failures
            if call.operation == TRANSACTION:
                if not sizes:
                    self.strike(rivals)
                sizes.append(len(call.request["TransactItems"]))
                try:
                    return call.go()
                except ClientError:
                    failures += 1
                    raise
            return call.go()

        self.reset()
        outcomes = self.run(meet), self.run(meet)
        return (outcomes, self.reached()), sizes, failures


@contextmanager
def swapped(one: int, other: int) -> Iterator[None]:
    """Swap two parts of each transaction that is sent inside the block, if it has enough parts."""
    transact = Dynamo.transact

    def send(dynamo: Dynamo, transaction: Transaction, token: str) -> None:
        names = list(transaction.parts)
        if other < len(names):
            names[one], names[other] = names[other], names[one]
        sent = Transaction()
        sent.parts = {name: transaction.parts[name] for name in names}
        transact(dynamo, sent, token)

    with patch.object(Dynamo, "transact", send):
        yield


@contextmanager
def noting(text: str) -> Iterator[None]:
    """Add `text` as a note if an assertion inside the block fails."""
    try:
        yield
    except AssertionError as error:
        error.add_note(text)
        raise
