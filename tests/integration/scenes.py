"""The requests that test_faults.py tries every fault on, and what rivals may do meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from chalicelib.store.appdata.ledger import WRITE_IDS
from tests.integration.deeds import (
    WRITES,
    AskUsage,
    Clear,
    Deed,
    Delete,
    Install,
    Read,
    ReadFriend,
    ReadFriends,
    ReadNamed,
    Sweep,
    Uninstall,
    Write,
    noise,
)
from tests.integration.faults import (
    BATCH_GET,
    BATCH_WRITE,
    BATCHES,
    CONDITIONAL,
    EVERY,
    GET,
    PUT,
    QUERY,
    TRANSACTION,
    Fault,
    delaying,
    losing,
    part_of,
    resending,
    simple_faults,
    striking,
    timeout,
    vanishing,
)

KEYS = [noise(255, seed) for seed in range(24)]
"""So long that a ledger cannot list them all; the first are the smallest, and those it does not list."""
SMALL = {"level": "5", "name": "花"}
LARGE = SMALL | {"map": noise(20_000, 1), "log": noise(5_000, 2)}
FULL = {f"key{number:02}": noise(110, number) for number in range(42)}
MANY = SMALL | {key: noise(3_100 + number, number) for number, key in enumerate(KEYS)}
WIDE = {f"wide{number}": noise(63_000, number) for number in range(5)}


@dataclass(frozen=True)
class Scene:
    """A request, what has been before, and the calls that it makes where nothing goes wrong."""

    name: str
    before: Sequence[Deed]
    deed: Deed
    calls: tuple[str, ...]
    pieces: int | None = None
    """How much a batch or a page gives at most."""


def scene(name: str, before: Sequence[Deed], deed: Deed, *calls: str) -> Scene:
    return Scene(name, before, deed, calls)


def holding(data: dict[str, str]) -> list[Deed]:
    """HANA has installed the app and stored the data."""
    pairs = iter(data.items())
    return [Install(), *(Write(part) for part in iter(lambda: dict(islice(pairs, 50)), {}))]


def levels(count: int) -> list[Deed]:
    return [Write({"level": str(number)}) for number in range(count)]


OFTEN = [*holding(SMALL), *levels(WRITES - 2)]
UNLISTED = frozenset(KEYS[:2])
SWEEPABLE = [*holding(LARGE), Clear(), Write(LARGE), Uninstall(), *holding(LARGE)]
SCENES = [
    scene("write inline", holding(SMALL), Write({"level": "6", "new": "x"}), GET, PUT),
    scene("write if nothing changed", holding(SMALL), Write({"level": "6"}, etag="now"), GET, PUT),
    scene(
        "write what makes others leave",
        holding(FULL),
        Write({f"more{number}": noise(110, 1_000 + number) for number in range(6)}),
        GET,
        TRANSACTION,
    ),
    scene("write a large value", holding(SMALL), Write({"map": noise(9_000, 3), "level": "6"}), GET, TRANSACTION),
    scene("overwrite 64 KB", holding({"map": noise(65_535, 4)}), Write({"map": noise(65_535, 5)}), GET, TRANSACTION),
    scene("shrink a large value", holding(LARGE), Write({"map": "small"}), GET, TRANSACTION),
    scene(
        "write keys that are not listed",
        holding(MANY),
        Write({KEYS[0]: noise(4_000, 6), KEYS[1]: "x", "new": "y"}),
        GET,
        BATCH_GET,
        TRANSACTION,
    ),
    scene("write the last that fits", holding(WIDE), Write({"rest": noise(4_000)}), GET, TRANSACTION),
    scene("write the last of the window", OFTEN, Write({"level": "6"}), GET, PUT),
    scene("delete some", holding(LARGE), Delete(frozenset({"level", "map", "never"})), GET, TRANSACTION),
    scene("delete keys that are not listed", holding(MANY), Delete(UNLISTED | {"name"}), GET, BATCH_GET, TRANSACTION),
    scene("delete all of little", holding(SMALL), Clear(), GET, PUT),
    scene("delete all of much", holding(LARGE), Clear(), GET, TRANSACTION),
    scene("install", [], Install(), TRANSACTION),
    scene("install with data", [], Install(LARGE), TRANSACTION),
    scene("install again", holding(SMALL), Install(), TRANSACTION),
    scene("uninstall", holding(LARGE), Uninstall(), GET, TRANSACTION),
    scene("uninstall what is not installed", [], Uninstall(), GET),
    scene("read little", holding(SMALL), Read(), GET),
    scene("read much", holding(LARGE), Read(), GET, BATCH_GET),
    scene("read some", holding(LARGE), Read(frozenset({"level", "log", "never"})), GET, BATCH_GET),
    scene("read what is not listed", holding(MANY), Read(), GET, QUERY),
    scene("read keys that are not listed", holding(MANY), Read(UNLISTED | {KEYS[23], "level"}), GET, BATCH_GET),
    scene("read keys that may not exist", holding(MANY), Read(UNLISTED | {"never", "level"}), GET, BATCH_GET, GET),
    scene("read a friend's little", holding(SMALL), ReadFriend(), BATCH_GET),
    scene("read a friend's much", holding(LARGE), ReadFriend(), BATCH_GET, BATCH_GET),
    scene("read what a friend does not list", holding(MANY), ReadFriend(), BATCH_GET, QUERY),
    scene("read friends' little", holding(SMALL), ReadFriends(), QUERY, BATCH_GET),
    scene("read friends' much", holding(LARGE), ReadFriends(), QUERY, BATCH_GET, BATCH_GET),
    scene("read what friends do not list", holding(MANY), ReadFriends(), QUERY, BATCH_GET, QUERY),
    scene(
        "read some not listed of friends", holding(MANY), ReadFriends(UNLISTED | {"level"}), QUERY, BATCH_GET, BATCH_GET
    ),
    scene("read two users' little", holding(SMALL), ReadNamed(), BATCH_GET),
    scene("read two users' much", holding(LARGE), ReadNamed(), BATCH_GET, BATCH_GET),
    scene("read what two users do not list", holding(MANY), ReadNamed(UNLISTED | {"level"}), BATCH_GET, BATCH_GET),
    scene("ask usage", holding(LARGE), AskUsage(), GET),
    scene("sweep", SWEEPABLE, Sweep(), QUERY, QUERY, *(QUERY, BATCH_WRITE, BATCH_WRITE) * 2),
]
IN_PIECES = [
    replace(each, name=f"{each.name}, in pieces", pieces=5)
    for each in SCENES
    if {QUERY, BATCH_GET, BATCH_WRITE} & set(each.calls)
]

BIGGER = {"map": noise(7_000, 90)}
SAME_KEYS: list[Deed] = [
    Write({"level": "9", "map": noise(6_000, 91), KEYS[0]: noise(3_090, 92), KEYS[1]: noise(3_095, 93)})
]
"""The last two stay so small that no ledger lists them."""
TAKES_THE_ROOM: list[Deed] = [
    Write({f"room{number}": noise(60_000, number) for number in range(2)}),
    Write({"rest": "x" * 1_900}),
]
RIVALS: dict[str, list[Deed]] = {
    "writes the same keys": SAME_KEYS,
    "writes other keys": [Write({"other": "x", "others": noise(8_000, 93)})],
    "makes large values small": [Write({"map": "", "log": "x", KEYS[1]: "y"})],
    "deletes": [Delete(frozenset({"map", "level", KEYS[0]}))],
    "deletes and writes again": [Delete(frozenset({"map", "level", KEYS[0]})), Write({"map": noise(4_000, 94)})],
    "deletes everything": [Clear()],
    "deletes everything, which is swept": [Clear(), Sweep()],
    "deletes everything and writes": [Clear(), Write(BIGGER), Sweep()],
    "uninstalls": [Uninstall(), Sweep()],
    "installs": [Install(BIGGER)],
    "installs anew": [Uninstall(), Install()],
    "installs anew and writes as often": [Uninstall(), Install(LARGE), *levels(5)],
    "takes the room": TAKES_THE_ROOM,
    "sweeps": [Sweep()],
    "uses up the window": levels(WRITES),
}


def faults_with_rivals() -> list[Fault]:
    """Everything that rivals can do: before a call, and between a call and its lost answer."""
    nowhere: frozenset[str] = frozenset()
    made: list[Fault] = []

    def unanswered(name: str, rivals: list[Deed]) -> None:
        anew = any(isinstance(deed, Install) for deed in rivals)
        known = CONDITIONAL if len(rivals) < WRITE_IDS and not anew else nowhere
        acts = {
            "after a lost answer": losing(timeout, rivals),
            "while it is under way": delaying(after=False, rivals=rivals),
            "before the SDK sends it again": resending(rivals),
        }
        for when, act in acts.items():
            made.append(Fault(f"{name} {when}", act, CONDITIONAL, known, loses_answers=True))
        made.append(Fault(f"{name} before it arrives", resending(rivals, first_lands=False), CONDITIONAL, known))
        made.append(Fault(f"{name} and it never arrives", vanishing(rivals), CONDITIONAL, known))

    for name, rivals in RIVALS.items():
        made.append(Fault(f"someone {name}", striking(rivals)))
        unanswered(f"someone {name}", rivals)
    for count in (WRITE_IDS - 1, WRITE_IDS, WRITE_IDS + 1):
        unanswered(f"someone writes {count} times", levels(count))
    for name in ("writes the same keys", "deletes everything, which is swept", "uninstalls", "installs anew"):
        made.append(Fault(f"someone {name} amid a batch", part_of(1, RIVALS[name]), BATCHES))
        made.append(Fault(f"someone {name} before every call", striking(RIVALS[name]), EVERY, nowhere, lasting=True))
    return made


WITH_RIVALS = faults_with_rivals()
FAULTS = simple_faults() + WITH_RIVALS
