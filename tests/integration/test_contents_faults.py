"""Posting, commenting, favorites, deleting and cleaning keep their promises whatever becomes of whichever call.

For each deed, each trouble and each call: it is done, or the answer is a 503 that has changed nothing (unless an answer
was lost); nothing is done twice; asked again it ends right; the counts are the items at every moment; and what time and
the sweep leave is what a deed without trouble leaves, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from bench.world import TARO
from chalicelib.core.errors import Refusal
from chalicelib.store.content_items import content_of
from chalicelib.store.dynamo import TRIES
from tests.integration.contents import PAGE, URI, Cloud, Stage, one_after_the_other
from tests.integration.contents_deeds import DEEDS, RIVALS, TROUBLES, Deed, Ids, Killed, Trouble, furnish
from tests.integration.faults import Client, Sending
from tests.invariants_contents import drawn

SEEDS = range(8)
BUSY, KILLED = "Unavailable", "killed"
CASES = [(deed, trouble) for deed in DEEDS for trouble in TROUBLES]


class Scene:
    """A deed on a stage whose calls meet troubles, and one without for rivals and for what is right."""

    def __init__(self, deed: Deed) -> None:
        self.deed = deed
        cloud = Cloud()
        self.client = Client(cloud)
        shards = {"ENGAWA_FAVORITE_SHARDS": str(deed.shards)}
        self.rivals, self.stage = Stage(cloud, **shards), Stage(cloud, self.client, **shards)
        self.stage.clock = self.rivals.clock
        self.rivals.populate()
        self.ids: Ids = furnish(self.rivals, deed)
        self._saved, self._now = cloud.save(), self.rivals.clock.now
        self._right: dict[Any, Any] = {}

    def reset(self) -> None:
        self.rivals.cloud.restore(self._saved)
        self.rivals.cloud.memory.tokens.clear()
        self.rivals.clock.now = self._now
        self.stage.platform.queue._found = None  # So that its URL is asked for each time.
        self.client.begin()

    def run(self, meet: Any = None) -> str:
        """The outcome of the deed whose calls go through `meet`."""
        self.client.begin(meet)
        try:
            outcome = self.deed.outcome(self.stage, self.ids)
        except Killed:
            outcome = KILLED
        self.client.deliver()
        self.client.begin()
        return outcome

    @property
    def calls(self) -> list[str]:
        """The calls that the deed makes where nothing goes wrong."""
        if "calls" not in self._right:
            self.reset()
            self.client.begin()
            self.deed.outcome(self.stage, self.ids)
            self._right["calls"] = list(self.client.calls)
        calls: list[str] = self._right["calls"]
        return calls

    def right(self, times: int) -> tuple[str, Any, Any]:
        """Without trouble, the deed done so many times: the last outcome, what is seen then, and in the end."""
        if times not in self._right:
            self.reset()
            outcome = [self.run() for _ in range(times)]
            seen = self.rivals.seen()
            self._right[times] = (outcome[-1] if outcome else "", seen, self.settled())
        found: tuple[str, Any, Any] = self._right[times]
        return found

    def settled(self) -> Any:
        """What is seen when all is cleared; then nothing is left behind, and the next posts find the late tickets."""
        self.rivals.settle()
        assert self.rivals.wrongs() == []
        assert self.rivals.contents().remains() == []
        seen = self.rivals.seen()
        with suppress(Refusal):  # Where there is no page or no feed any more.
            self.rivals.post("http://application.example/last")
            self.rivals.comment("last", TARO)
        found = self.rivals.contents()
        assert found.wrongs() == []
        assert not drawn(found.lists.get(PAGE)) | drawn(found.heads.get(content_of(PAGE, URI)))
        return seen


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_after_the_other():
        yield


scene = cache(Scene)


def nobody(rivals: Sequence[Any]) -> None:
    """Nobody strikes."""


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_without_trouble_all_is_well(deed: Deed) -> None:
    here = scene(deed)
    outcome, seen, end = here.right(1)

    assert outcome in ("done", "Conflict", "NotFound", "PermissionDenied")
    assert outcome != "done" or deed.steps or "again" in deed.name or seen != here.right(0)[1]
    assert outcome == "done" or seen == here.right(0)[1]
    assert deed.steps or end == seen


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_trouble_breaks_no_promise(deed: Deed, trouble: Trouble) -> None:
    here = scene(deed)
    for turn, operation in enumerate(here.calls):
        if operation not in trouble.on:
            continue
        try:
            suffer(here, trouble, turn, operation)
        except AssertionError as error:
            error.add_note(f"it met call {turn} of {here.calls}")
            raise


def suffer(here: Scene, trouble: Trouble, turn: int, operation: str) -> None:
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
    now = here.rivals.seen()
    assert here.rivals.wrongs() == []
    if operation in trouble.bearable:
        assert told == outcome
    if told == outcome:
        possible = [1]
    else:
        assert told in (BUSY, KILLED)
        possible = [0, 1] if trouble.loses_answers or here.deed.steps or told == KILLED else [0]
    if not here.deed.steps:
        possible = [times for times in possible if now == right[times][1]]
        assert possible, f"{told} was answered, and something else was done"

    again = here.run()
    assert again in {right[times + 1][0] for times in possible}
    assert here.rivals.wrongs() == []
    if not here.deed.steps:
        assert here.rivals.seen() in [right[times + 1][1] for times in possible]
    assert here.settled() in [right[times + 1][2] for times in possible]


@cache
def outcomes_in_turn(here: Scene, deeds: tuple[Deed, ...]) -> tuple[list[str], Any]:
    """The outcomes of deeds one after the other, and what is seen in the end."""
    here.reset()
    told = [deed.outcome(here.rivals, here.ids) for deed in deeds]
    return told, here.settled()


def excuses(right: str, rivals: Sequence[Deed]) -> set[str]:
    """What may be told instead: that it took too long, or that the app is not on a page that is going away."""
    names = {deed.name for deed in rivals}
    late = {BUSY} if "time passes" in names else set()
    return late | ({"PermissionDenied"} if right == "NotFound" and "delete the page" in names else set())


def explain(here: Scene, told: str, struck: list[tuple[Deed, str]], end: Any) -> None:
    """There is a place for the deed among the rivals' at which all would have been as it was."""
    rivals = [deed for deed, _ in struck]
    found = []
    for place in range(len(struck) + 1):
        all_told, seen = outcomes_in_turn(here, (*rivals[:place], here.deed, *rivals[place:]))
        own, outcomes = all_told[place], all_told[:place] + all_told[place + 1 :]
        found.append((own, outcomes, seen == end))
        same = outcomes == [each for _, each in struck]
        if here.deed.steps or told == own:
            if seen == end and (same or here.deed.steps):
                return
        elif same and told in excuses(own, rivals):
            return
    raise AssertionError(f"{told} beside {[(deed.name, each) for deed, each in struck]}; in turn: {found}")


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_whoever_comes_between_two_calls_breaks_no_promise(deed: Deed, rival: str) -> None:
    here = scene(deed)
    for turn in range(1, len(here.calls)):
        struck: list[tuple[Deed, str]] = []

        def meet(sending: Sending, turn: int = turn, struck: list[tuple[Deed, str]] = struck) -> Any:
            if sending.turn == turn:
                struck += [(each, each.outcome(here.rivals, here.ids)) for each in RIVALS[rival]]
            return sending.go()

        here.reset()
        told = here.run(meet)
        try:
            assert here.rivals.wrongs() == []
            explain(here, told, struck, here.settled())
        except AssertionError as error:
            error.add_note(f"it came before call {turn} of {here.calls}")
            raise


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_many_who_come_between_break_no_promise(deed: Deed, seed: int) -> None:
    here, dice = scene(deed), random.Random(f"{deed.name} {seed}")
    possible = [deeds for name, deeds in RIVALS.items() if name != "lets time pass"]
    struck: list[tuple[Deed, str]] = []

    def meet(sending: Sending) -> Any:
        if dice.random() < 0.4 and len(struck) < 4:
            for each in dice.choice(possible):
                struck.append((each, each.outcome(here.rivals, here.ids)))
        if sending.operation == "transact_write_items" and dice.random() < 0.3:
            return dice.choice(TROUBLES[3:8]).acts[0](sending, nobody)
        return sending.go()

    here.reset()
    told = here.run(meet)
    assert here.rivals.wrongs() == []
    explain(here, told, struck, here.settled())


def test_a_race_that_is_never_won_ends_with_a_503() -> None:
    here = scene(DEEDS[1])
    here.reset()
    tries: list[str] = []

    def meet(sending: Sending) -> Any:
        if sending.operation == "transact_write_items":
            tries.append(sending.request["ClientRequestToken"])
            return TROUBLES[5].acts[0](sending, nobody)
        return sending.go()

    assert here.run(meet) == BUSY
    assert (len(tries), len(set(tries))) == (TRIES, 1)
