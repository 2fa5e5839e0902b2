"""Worlds over moto (bench/world.py), for tests that call the app as API Gateway does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.world import APP, BUCKET, HANA, KEN, ME, MEI, TARO, YUKI, Clock, Reply, World, empty_aws, reply

__all__ = ["APP", "BUCKET", "HANA", "KEN", "ME", "MEI", "TARO", "YUKI", "Clock", "Reply", "World", "reply"]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a world, with settings of its own; several share one AWS."""
    with empty_aws():
        yield lambda **environment: World(tmp_path, **environment)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Hana and Ken are friends and have the app; Mei is Hana's friend with the app, Taro without; Yuki has the app."""
    made = make_world()
    for one, other in ((HANA, KEN), (HANA, MEI), (HANA, TARO)):
        made.platform.directory.befriend(one, other)
    for user in (HANA, KEN, MEI, YUKI):
        made.platform.appdata.install(APP, user)
    made.calls.clear()
    return made
