"""A deed on a stage whose calls meet troubles, compared with what is right: the same deed without any.

A scene knows what is right by doing its deed no time, once and twice without trouble: what is told, what there is to
see then, and what there is to see when time has passed and all is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

from chalicelib.core.errors import Refusal
from tests.integration.contents import Cloud, Stage
from tests.integration.faults import Client, Killed, Sending
from tests.integration.troubles import Trouble
from tests.tally import tried

BUSY, KILLED = "Unavailable", "killed"
Ids = dict[str, str]
Reached = tuple[Any, Any]
"""What there is to see, and what is seen once all is settled."""


class Deed(Protocol):
    """Something that is asked; `steps`: it is no one transaction, and what is left of it is done when asked again."""

    @property
    def name(self) -> str: ...

    @property
    def steps(self) -> bool: ...

    @property
    def cold(self) -> bool:
        """Whether it is the first request of its process."""

    def outcome(self, stage: Any, ids: Ids) -> str:
        """What whoever asks is told: "Unavailable", or anything else."""


class Ground:
    """Two stages over one cloud: one whose calls meet troubles, and one for rivals and for what is right."""

    def __init__(self, make: Callable[[Cloud, Any], Stage]) -> None:
        """`make` makes a stage over a cloud, by way of a client."""
        self.cloud = Cloud()
        self.client = Client(self.cloud)
        self.rivals, self.stage = make(self.cloud, self.cloud), make(self.cloud, self.client)
        self.stage.clock = self.rivals.clock

    def save(self) -> Any:
        """All that is there, and the time."""
        return self.cloud.save(), self.rivals.clock.now

    def restore(self, saved: Any) -> None:
        """Bring back what was saved."""
        items, self.rivals.clock.now = saved
        self.cloud.restore(items)


class Scene:
    """A deed on a ground, where `prepare` brings about what was before, and tells ids of it."""

    def __init__(self, deed: Any, ground: Ground, prepare: Callable[[Ground, Any], Ids]) -> None:
        self.deed: Deed = deed
        self.ground, self.client = ground, ground.client
        self.rivals, self.stage = ground.rivals, ground.stage
        self.ids = prepare(ground, deed)
        self._saved = ground.save()
        self._right: dict[int, tuple[str, Any, Any]] = {}
        self._reached: dict[Any, tuple[Any, Reached]] = {}

    def reset(self) -> None:
        self.ground.restore(self._saved)
        self.ground.cloud.memory.tokens.clear()
        if self.deed.cold:
            self.stage.restart()
        self.stage.platform.queue._found = None  # So that its URL is asked for each time.
        self.client.begin()

    def run(self, meet: Any = None) -> str:
        """The outcome of the deed whose calls go through `meet`."""
        self.client.begin(meet)
        try:
            outcome = self.deed.outcome(self.stage, self.ids)
        except Killed:
            outcome = KILLED
            self.stage.restart()
        self.client.deliver()
        self.client.begin()
        return outcome

    @cached_property
    def calls(self) -> list[str]:
        """The calls that the deed makes where nothing goes wrong."""
        self.reset()
        self.deed.outcome(self.stage, self.ids)
        return list(self.client.calls)

    def right(self, times: int) -> tuple[str, Any, Any]:
        """Without trouble, the deed done so many times: the last outcome, what is seen then, and in the end."""
        if times not in self._right:
            self.reset()
            outcomes = [self.run() for _ in range(times)]
            seen, end = self.reached()
            self._right[times] = (outcomes[-1] if outcomes else "", seen, end)
        return self._right[times]

    def reached(self) -> Reached:
        """What is seen now and once all is settled; nothing is wrong at either time, and then nothing is left over."""
        mark = self.ground.cloud.mark(), self.rivals.clock.now
        if mark not in self._reached:
            saved = self.ground.save()
            assert self.rivals.wrongs() == []
            seen = self.rivals.seen()
            end = self.settled()
            self.ground.restore(saved)
            # What a mark names must live as long as the mark.
            self._reached[mark] = saved, (seen, end)
        return self._reached[mark][1]

    def settled(self) -> Any:
        """What is seen when all is cleared; then nothing is left behind, and others may go on."""
        self.rivals.settle()
        assert self.rivals.wrongs() == []
        assert self.rivals.remains() == []
        seen = self.rivals.seen()
        self.rivals.go_on()
        return seen


def outcome_of(act: Callable[[], Any]) -> str:
    """ "done", or the name of the refusal."""
    try:
        act()
    except Refusal as refusal:
        return type(refusal).__name__
    return "done"


def nobody(rivals: Sequence[Any]) -> None:
    """Nobody strikes."""


def suffer(here: Scene, trouble: Trouble, kind: str) -> None:
    """Let each call of a deed meet a trouble, in turn; and whoever asks, ask again."""
    for turn, operation in enumerate(here.calls):
        if operation in trouble.on:
            try:
                suffer_once(here, trouble, turn, operation)
            except AssertionError as error:
                error.add_note(f"{trouble.name} met call {turn} of {here.calls}")
                raise
            tried(kind, here.deed.name, trouble.name)


def suffer_once(here: Scene, trouble: Trouble, turn: int, operation: str) -> None:
    """Let one call meet a trouble: nothing is wrong then, only what was asked is done, and asked again it ends right.

    What is told is right, or that the service is busy; that, only where there is no help.
    """

    def meet(sending: Sending) -> Any:
        after = sending.turn - turn
        if after >= 0 and sending.operation in trouble.on:
            if after < len(trouble.acts):
                return trouble.acts[after](sending, nobody)
            if trouble.lasting:
                return trouble.acts[-1](sending, nobody)
        return sending.go()

    right = [here.right(times) for times in range(3)]
    outcome = right[1][0]
    here.reset()
    told = here.run(meet)
    seen, _ = here.reached()
    if operation in trouble.bearable:
        assert told == outcome, f"{told} was answered instead of {outcome}"
    if told == outcome:
        possible = [1]
    else:
        assert told in (BUSY, KILLED), f"{told} was answered instead of {outcome}"
        possible = [0, 1] if trouble.loses_answers or here.deed.steps or told == KILLED else [0]
    if told == outcome or not here.deed.steps:
        possible = [times for times in possible if seen == right[times][1]]
        assert possible, f"{told:.300} was answered, and something else was done"

    again = here.run()
    assert again in {right[times + 1][0] for times in possible}, f"after {told}, again: {again}; and not {right[2][0]}"
    seen, end = here.reached()
    if not here.deed.steps:
        assert seen in [right[times + 1][1] for times in possible], "asked again, something else was done"
    assert end in [right[times + 1][2] for times in possible], f"in the end: {end}; and not {right[2][2]}"
