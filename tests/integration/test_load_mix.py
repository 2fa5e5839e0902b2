"""The world filled by `make load` has all data for the mix: every request gets the expected response."""

import json
import time
from pathlib import Path
from random import Random

import pytest

from bench.load import mix, population
from local import demo_data
from local.gateway import Request
from local.in_process import World, empty_aws

SMALL = {"USERS": 8, "FRIENDS": 4, "FEEDS": 3, "COMMENTED": 2, "COMMENTS": 5}


def test_every_request_of_the_mix_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(mix, name, value)
        monkeypatch.setattr(population, name, value)
    monkeypatch.setattr(population, "POSTERS", 2)
    answers = {}
    with empty_aws():
        world = World(tmp_path)
        world.platform.apps.create(demo_data.app("quest", "http://127.0.0.1:8000/sample", "secret"))
        actors = population.populate(tmp_path, "http://127.0.0.1:8000")
        world.clock.now = int(time.time() * 1000)
        for name, asking in mix.REQUESTS.items():
            asked = asking(actors[0], Random(2))
            sent = Request(asked.method, asked.path, list(asked.headers.items()), (asked.body or "").encode())
            answer = world.gateway.handle(sent)
            assert answer.status == asked.status, (name, answer.body)
            answers[name] = json.loads(answer.body)
    assert len(actors) == 8
    assert len(answers["people: 100 friends"]["entry"]) == 4
    friends = answers["read 100 friends, one key"]["entry"]
    assert [set(each["data"]) for each in friends] == [{"k07"}] * 4
    assert len(answers["read own data"]["entry"][0]["data"]) == 20
    assert answers["feeds: the first 20 of 100, by 20 posters"]["totalResults"] == 3
    assert answers["comments: the first 20"]["totalResults"] == 5
