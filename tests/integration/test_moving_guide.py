"""docs/guide/moving.md: the paths that it calls absent are absent, and it names every function of the library."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.demo_data import APPS, USERS
from tests.kit.worlds import demo_people

if TYPE_CHECKING:
    from tests.kit.worlds import World

ROOT = Path(__file__).resolve().parents[2]
GUIDE, JAPANESE = ((ROOT / "docs" / place / "moving.md").read_text(encoding="utf-8") for place in ("guide", "ja/guide"))
ABSENT = [
    "/2/search/people/@friends",
    "/2/groups/@me",
    "/2/voice/statuses/friends_timeline",
    "/2/updates/@me/@friends",
    "/2/photo/albums/@me/@self",
    "/2/messages/@me/@inbox",
    "/2/diary/articles/@me/@self",
    "/2/calendar/schedules/@me/@self",
    "/2/openid/userinfo",
    "/2/dialog/updates",
    "/2/pages",
    "/os/0.8/albums/@me/@self",
    "/os/0.8/mediaItems/@me/@self",
    "/os/0.8/activities/@me/@self/@app",
    "/os/0.8/messages/@me/@outbox",
    "/os/0.8/groups/@me",
]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(demo_people)


@pytest.mark.parametrize("path", ABSENT)
def test_an_absent_path_is_not_found(world: World, path: str) -> None:
    reply = world.send("GET", path, token=world.token(USERS["hana"], "r_profile", "mixi_apps2", app=APPS["quest"]))
    assert (reply.status, reply.json["error"]) == (404, "not_found")


def test_a_group_of_the_groups_api_is_refused(world: World) -> None:
    token = world.token(USERS["hana"], "r_profile", app=APPS["quest"])
    reply = world.send("GET", "/2/people/@me/classmates", token=token)
    assert (reply.status, reply.json["error"]) == (403, "permission_denied")


def test_atom_is_not_for_the_graph_api(world: World) -> None:
    token = world.token(USERS["hana"], "r_profile", app=APPS["quest"])
    reply = world.send("GET", "/2/people/@me/@self", token=token, format="atom")
    assert (reply.status, reply.json["error"]) == (400, "parameter_invalid")


def test_the_guide_names_every_absent_function() -> None:
    source = (ROOT / "chalicelib" / "web" / "static" / "opensocial.js").read_text(encoding="utf-8")
    table = source[source.index("const FETCH") : source.index("publish(library)")]
    rows = re.findall(r'"([a-z.A-Z]*)", "([A-Za-z. ]+)"\]', table)
    names = {f"{prefix}{name}" for prefix, listed in rows for name in listed.split(" ")}
    assert len(names) > 20
    for name in names:
        space, *_, last = name.replace("prototype.", "").split(".")
        assert re.search(rf"\b{space}\b", GUIDE)
        assert re.search(rf"\b{last}\b", GUIDE) or re.search(rf"\b{name.split('.')[1]}`", GUIDE), name


def test_the_guide_has_the_code_of_the_example_and_both_languages_the_same_rows() -> None:
    code = (ROOT / "examples" / "old-app" / "after" / "makerequest.js").read_text(encoding="utf-8")
    assert f"```js\n{code}```" in GUIDE
    rows = [[line.count("|") for line in text.splitlines() if line.startswith("|")] for text in (GUIDE, JAPANESE)]
    assert rows[0] == rows[1]
