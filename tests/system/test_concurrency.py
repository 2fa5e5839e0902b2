"""Concurrent requests over real HTTP: quota and window are exact, writes are atomic, reads are consistent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.kit.crowd import TOO_OFTEN, Crowd, Person, Sent, at_once, meanwhile, replay

if TYPE_CHECKING:
    from tests.kit.served import Served

QUOTA = 10_000_000
VALUE = 65_535
REQUEST = 3_800_000
WRITES = 180
WRITERS = 32
QUICK = 20


@pytest.fixture(scope="module")
def crowd(served: Served) -> Crowd:
    return Crowd(served)


@pytest.fixture
def person(crowd: Crowd) -> Iterator[Person]:
    made = crowd.person()
    yield made
    made.leave()


def text(size: int, stamped: str) -> str:
    """Return a text of `size` bytes that begins with its stamp."""
    return (stamped + ";" + "x" * size)[:size]


def stamp(value: str) -> str:
    return value.partition(";")[0]


def filled(person: Person, left: int) -> list[Sent]:
    """Write until `left` bytes of the quota are left."""
    sent, missing, keys = list[Sent](), QUOTA - left, count()
    while missing:
        pairs: dict[str, str] = {}
        while (room := min(missing, VALUE, REQUEST - sum(map(len, pairs.values())))) and len(pairs) < 99:
            pairs[f"filled{next(keys)}"] = text(room, "filled")
            missing -= room
        sent.append(person.write(pairs))
        assert sent[-1].accepted
    return sent


def count_lost_races(sent: list[Sent], record_property: Callable[[str, object], None]) -> None:
    """Assert that lost races are rare, and record their number.

    On a machine that is too busy to admit QUICK writes a second, the tries of a request end before its turn can come.
    """
    lost = sum(each.lost_the_race for each in sent)
    seconds = max(each.ended for each in sent) - min(each.begun for each in sent)
    rate = sum(each.accepted for each in sent) / seconds
    record_property("lost races", f"{lost} of {len(sent)}, at {rate:.0f} writes a second")
    print(f"lost races: {lost} of {len(sent)}, at {rate:.0f} writes a second")
    assert lost <= len(sent) // 20 or rate < QUICK


@pytest.mark.parametrize(("left", "size"), [(2_000_000, VALUE), (30_000, 1_500)], ids=["large", "small"])
def test_the_quota_is_exact_to_the_byte(
    person: Person, record_property: Callable[[str, object], None], left: int, size: int
) -> None:
    before = filled(person, left)

    def fill(writer: int) -> list[Sent]:
        """Write smaller and smaller values, until not even one byte is accepted."""
        sent: list[Sent] = []
        now = size
        while now:
            key = f"writer{writer}-{len(sent)}"
            sent.append(person.write({key: text(now, key)}))
            if sent[-1].answer.status_code == 400:
                now //= 2
        return sent

    with meanwhile(person.usage) as seen:
        sent = [each for part in at_once(WRITERS, fill) for each in part]

    assert max(seen) <= QUOTA
    assert seen == sorted(seen)
    assert {each.answer.status_code for each in sent} <= {200, 400, 503}
    assert {each.error for each in sent if each.answer.status_code == 400} == {
        f"Limit exceeded size quota (max={QUOTA})"
    }
    assert person.usage() == QUOTA
    person.check(replay([*before, *sent]))
    count_lost_races(sent, record_property)


def test_the_window_admits_180_of_220(person: Person, record_property: Callable[[str, object], None]) -> None:
    def write(writer: int) -> list[Sent]:
        sent: list[Sent] = []
        for turn in range(7):
            sent.append(person.write({f"key{writer}-{turn}": str(turn)}))
            while sent[-1].lost_the_race:
                sent.append(person.write({f"key{writer}-{turn}": str(turn)}))
        return sent

    sent = [each for part in at_once(WRITERS, write) for each in part]

    accepted = [each for each in sent if each.accepted]
    refused = [each for each in sent if not each.accepted and not each.lost_the_race]
    assert len(accepted) == WRITES
    assert {each.error for each in refused} == {TOO_OFTEN}
    assert all(1 <= int(each.answer.headers["Retry-After"]) <= 180 for each in refused)
    assert {int(each.answer.headers["X-RateLimit-Remaining"]) for each in accepted} == set(range(WRITES))
    person.check(replay(sent))
    count_lost_races(sent, record_property)


def test_the_window_slides(serve: Callable[..., Served]) -> None:
    seconds, limit = 3, 20
    crowd = Crowd(serve(ENGAWA_RATE_SECONDS=str(seconds), ENGAWA_RATE_WRITES=str(limit)))
    person = crowd.person()
    accepted: list[Sent] = []
    begun = time.monotonic()

    def write(writer: int) -> None:
        """Write until the window has been filled twice, and a third one has begun."""
        numbers = count()
        while len(accepted) <= 2 * limit and time.monotonic() < begun + 120:
            sent = person.write({f"writer{writer}": str(next(numbers))})
            if sent.accepted:
                accepted.append(sent)
            time.sleep(0.02)

    at_once(4, write)

    assert 2 * limit < len(accepted) <= limit * ((time.monotonic() - begun) // seconds + 1)
    for first in accepted:
        # A write counts from a moment between its beginning and its end.
        inside = [each for each in accepted if first.begun <= each.begun and each.ended < first.begun + seconds]
        assert len(inside) <= limit

    for _ in range(3):
        while (sent := person.write({"last": "x"})).accepted:
            pass
        assert sent.error == TOO_OFTEN
        time.sleep(int(sent.answer.headers["Retry-After"]))
        assert person.write({"last": "y"}).accepted


def test_200_clients_at_once_on_one_key_give_the_exact_sum(serve: Callable[..., Served]) -> None:
    crowd = Crowd(serve(ENGAWA_RATE_SECONDS="3"))
    person = crowd.person()
    busy: list[int] = []

    def add(client: int) -> str:
        """Add the number of the client, with the same key again until it is accepted; return the sum after it."""
        changes = {"sum": {"add": str(client)}, "clients": {"add": "1", "atMost": "200"}}
        while (answer := person.patch(changes, key=f"client-{client}")).status_code != 200:
            assert answer.status_code in (409, 503), answer.text
            busy.append(client)
            time.sleep(float(answer.headers["Retry-After"]))
        data = answer.json()["entry"][0]["data"]
        return str(data["clients"])

    order = at_once(200, add)

    assert sorted(map(int, order)) == list(range(1, 201))
    person.check({"sum": str(sum(range(200))), "clients": "200"})
    assert person.patch({"clients": {"add": "1", "atMost": "200"}}).status_code == 409
    print(f"200 clients: {len(busy)} answers that say to try again")


def test_a_request_of_3_8_mb_lands_whole(person: Person, record_property: Callable[[str, object], None]) -> None:
    sizes = {f"part{number:02}": VALUE for number in range(REQUEST // VALUE)}
    sizes["last"] = REQUEST - sum(sizes.values())
    numbers = count()

    def write_all(writer: int) -> list[Sent]:
        sent: list[Sent] = []
        while len(sent) < 3 or (len(set(seen)) < 3 and len(sent) < 30):
            sent.append(write_one(f"generation {writer}.{len(sent)}"))
        return sent

    def write_one(stamped: str) -> Sent:
        return person.write({key: text(size, stamped) for key, size in sizes.items()})

    def write_a_little() -> Sent:
        time.sleep(0.1)
        return person.write({f"other{next(numbers)}": text(4_000, "other")})

    def read() -> frozenset[str]:
        return frozenset(map(stamp, person.read(fields=",".join(sizes)).values()))

    first = write_one("first")
    with meanwhile(write_a_little) as little, meanwhile(read, threads=2) as seen:
        large = [each for part in at_once(2, write_all) for each in part]

    sent = [first, *large, *little]
    assert {each.answer.status_code for each in sent} <= {200, 503}
    assert any(each.accepted for each in large)
    assert [stamps for stamps in seen if len(stamps) != 1] == []
    assert len(set(seen)) >= 3, "the readers have seen nothing change"
    person.check(replay(sent))
    count_lost_races(sent, record_property)


def test_one_byte_more_than_3_8_mb_is_refused_whole(person: Person) -> None:
    pairs = {f"part{number}": "x" * 60_000 for number in range(63)} | {"last": "x" * 20_001}

    sent = person.write(pairs)

    assert sent.answer.status_code == 413
    assert str(REQUEST) in sent.error
    person.check({})


def test_10_mb_are_read_as_of_one_moment_and_deleted_without_rest(person: Person) -> None:
    filled(person, 0)
    start = person.read()
    assert sum(map(len, start.values())) == QUOTA
    keys = sorted(start)
    states = [start]

    def rewrite(number: int) -> None:
        """Change every fourth value, each time with another first one."""
        part = {key: text(len(start[key]), f"generation {number}") for key in keys[number % 4 :: 4]}
        states.append(states[-1] | part)
        assert person.write(part).accepted

    assert person.get().status_code == 303
    with meanwhile(person.read) as seen:
        while len(states) < 7 or (len(seen) < 3 and len(states) < WRITES // 2):
            rewrite(len(states))
    assert len(seen) >= 3
    for data in seen:
        assert data in states, "a state that never was"
    order = [states.index(data) for data in seen]
    assert order == sorted(order)

    assert person.delete().accepted
    assert person.read() == {}
    person.check({})
    end = time.monotonic() + 30
    while (remains := person.tables().remains()) and time.monotonic() < end:
        time.sleep(0.5)
    assert remains == []


def test_16_writers_of_every_kind_leave_what_one_after_the_other_would(
    person: Person, record_property: Callable[[str, object], None]
) -> None:
    def act(writer: int) -> list[Sent]:
        dice = random.Random(writer)
        keys = [f"key{number}" for number in range(12)]

        def one() -> Sent:
            match dice.choices(("small", "large", "delete", "clear"), (8, 4, 4, 1))[0]:
                case "small":
                    return person.write({key: f"{writer} {dice.random()}" for key in dice.sample(keys, 3)})
                case "large":
                    return person.write({key: dice.randbytes(3_000).hex() for key in dice.sample(keys, 2)})
                case "delete":
                    return person.delete(*dice.sample(keys, 2))
            return person.delete()

        return [one() for _ in range(10)]

    with meanwhile(person.read, threads=2) as seen:
        sent = [each for part in at_once(16, act) for each in part]

    person.check(replay(sent))
    assert seen
    person.crowd.platform.sweep()
    assert person.tables().remains() == []
    count_lost_races(sent, record_property)


def test_readers_of_friends_see_each_friend_at_one_moment(crowd: Crowd) -> None:
    friends = [crowd.person() for _ in range(12)]
    viewer = crowd.person(friends)
    turns = count()

    def pairs(turn: int) -> dict[str, str]:
        return {"little": str(turn), "much": text(5_000, str(turn))}

    def write() -> Sent:
        turn = next(turns)
        time.sleep(0.01)
        return friends[turn % len(friends)].write(pairs(turn))

    def read(reader: int) -> list[dict[str, set[str]]]:
        answers = [viewer.get("@friends") for _ in range(8)]
        assert {answer.status_code for answer in answers} == {200}
        return [
            {
                entry["id"]: {value.partition(";")[0] for value in entry["data"].values()}
                for entry in answer.json()["entry"]
            }
            for answer in answers
        ]

    for friend in friends:
        assert friend.write(pairs(next(turns))).accepted
    with meanwhile(write, threads=2) as sent:
        seen = [each for part in at_once(8, read) for each in part]

    assert all(each.accepted for each in sent)
    for people in seen:
        assert sorted(people) == sorted(friend.user for friend in friends)
        assert {len(stamps) for stamps in people.values()} == {1}
    assert len(set().union(*(stamps for people in seen for stamps in people.values()))) > len(friends)
    for each in [viewer, *friends]:
        assert each.tables().wrongs() == []
        each.leave()
