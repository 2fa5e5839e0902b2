"""Posting, commenting, favorites, deleting and cleaning keep their promises whatever becomes of whichever call.

For each deed, each trouble and each call: it is done, or the answer is a 503 that has changed nothing (unless an answer
was lost); nothing is done twice; asked again it ends right; the counts are the items at every moment; and what time and
the sweep leave is what a deed without trouble leaves, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any

import pytest

from chalicelib.store.aws.client import TRIES
from tests.integration.contents import Stage, one_after_the_other
from tests.integration.contents_deeds import DEEDS, RIVALS, Deed, prepare
from tests.integration.faults import Sending
from tests.integration.suffering import BUSY, Ground, Scene, nobody, suffer
from tests.integration.troubles import COLLISION, IN_TRANSACTIONS, TROUBLES

SEEDS = range(8)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_after_the_other():
        yield


@cache
def ground(shards: int) -> Ground:
    return Ground(lambda cloud, client: Stage(cloud, client, ENGAWA_FAVORITE_SHARDS=str(shards)))


@cache
def scene(deed: Deed) -> Scene:
    return Scene(deed, ground(deed.shards), prepare)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_without_trouble_all_is_well(deed: Deed) -> None:
    here = scene(deed)
    outcome, seen, end = here.right(1)

    assert outcome in ("done", "Conflict", "NotFound", "PermissionDenied")
    assert outcome != "done" or deed.steps or "again" in deed.name or seen != here.right(0)[1]
    assert outcome == "done" or seen == here.right(0)[1]
    assert deed.steps or end == seen


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_trouble_breaks_no_promise(deed: Deed) -> None:
    for trouble in TROUBLES:
        suffer(scene(deed), trouble, "contents")


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


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_whoever_comes_between_two_calls_breaks_no_promise(deed: Deed) -> None:
    here = scene(deed)
    for (name, rivals), turn in product(RIVALS.items(), range(1, len(here.calls))):
        struck: list[tuple[Deed, str]] = []

        def meet(
            sending: Sending,
            rivals: Sequence[Deed] = rivals,
            turn: int = turn,
            struck: list[tuple[Deed, str]] = struck,
        ) -> Any:
            if sending.turn == turn:
                struck += [(each, each.outcome(here.rivals, here.ids)) for each in rivals]
            return sending.go()

        here.reset()
        told = here.run(meet)
        try:
            assert here.rivals.wrongs() == []
            explain(here, told, struck, here.settled())
        except AssertionError as error:
            error.add_note(f"who {name} came before call {turn} of {here.calls}")
            raise


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_many_who_come_between_break_no_promise(deed: Deed) -> None:
    here = scene(deed)
    possible = [deeds for name, deeds in RIVALS.items() if name != "lets time pass"]
    for seed in SEEDS:
        dice = random.Random(f"{deed.name} {seed}")
        struck: list[tuple[Deed, str]] = []

        def meet(sending: Sending, dice: random.Random = dice, struck: list[tuple[Deed, str]] = struck) -> Any:
            if dice.random() < 0.4 and len(struck) < 4:
                for each in dice.choice(possible):
                    struck.append((each, each.outcome(here.rivals, here.ids)))
            if sending.operation == "transact_write_items" and dice.random() < 0.3:
                return dice.choice(IN_TRANSACTIONS).acts[0](sending, nobody)
            return sending.go()

        here.reset()
        told = here.run(meet)
        assert here.rivals.wrongs() == [], f"seed {seed}"
        explain(here, told, struck, here.settled())


def test_a_race_that_is_never_won_ends_with_a_503() -> None:
    here = scene(DEEDS[1])
    here.reset()
    tries: list[str] = []

    def meet(sending: Sending) -> Any:
        if sending.operation == "transact_write_items":
            tries.append(sending.request["ClientRequestToken"])
            return COLLISION.acts[0](sending, nobody)
        return sending.go()

    assert here.run(meet) == BUSY
    assert (len(tries), len(set(tries))) == (TRIES, 1)
