"""The Python client through faults: of 10,000 writes none is doubled and none is lost, and no repetition is early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from engawa_client import AsyncEngawa, Engawa, Retry
from tests.kit.engawa_stand_in import BASE, StandIn

SHARE = 0.35
URI = "http://quest.example/contents/1"
PATIENT = Retry(attempts=40, seconds=600)


@pytest.fixture
def server() -> Iterator[StandIn]:
    made = StandIn()
    made.chaos(SHARE)
    yield made
    assert made.early == []
    # The faults have happened.
    assert len(made.seen) > made.expected / (1 - SHARE) * 0.9


def test_six_thousand_writes_of_a_thread(server: StandIn) -> None:
    server.expected = 6000
    engawa = Engawa(BASE, token="t0", http=server.http(), clock=server.clock, retry=PATIENT)
    page = engawa.page("1")

    made = {f"comment {number}": page.post_comment(URI, f"comment {number}") for number in range(2000)}
    assert server.comments == {comment: text for text, comment in made.items()}
    assert set(server.applied.values()) == {1}

    for number in range(3000):
        engawa.app_data.write({f"key{number % 500}": str(number)})
    assert server.data == {f"key{number % 500}": str(number) for number in range(2500, 3000)}

    deleted = list(made.values())[:1000]
    for comment in deleted:
        page.delete_comment(URI, comment)
    assert server.comments.keys() == set(made.values()) - set(deleted)
    assert all(server.applied[f"deleted {comment}"] == 1 for comment in deleted)


def test_three_thousand_writes_of_fifty_tasks(server: StandIn) -> None:
    server.expected = 3000

    async def play() -> list[str]:
        engawa = AsyncEngawa(BASE, token="t0", http=server.async_http(), clock=server.clock, retry=PATIENT)

        async def one(task: int) -> list[str]:
            return [await engawa.page("1").post_comment(URI, f"{task} {number}") for number in range(60)]

        return [each for task in await asyncio.gather(*(one(task) for task in range(50))) for each in task]

    made = asyncio.run(play())
    assert len(set(made)) == 3000
    assert set(made) == server.comments.keys()
    assert sorted(server.applied) == sorted(f"{task} {number}" for task in range(50) for number in range(60))
    assert set(server.applied.values()) == {1}


def test_a_thousand_changes_of_ten_tasks(server: StandIn) -> None:
    server.expected = 1000

    async def play() -> None:
        engawa = AsyncEngawa(BASE, token="t0", http=server.async_http(), clock=server.clock, retry=PATIENT)

        def add(values: dict[str, str]) -> None:
            values["updated"] = str(int(values.get("updated", "0")) + 1)

        async def one() -> None:
            for _ in range(50):
                await engawa.app_data.update(add, attempts=100)
                await engawa.app_data.patch({"added": {"add": "1"}})

        await asyncio.gather(*(one() for _ in range(10)))

    asyncio.run(play())
    assert server.data == {"updated": "500", "added": "500"}
