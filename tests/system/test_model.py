"""Random sequences of all that can be asked, of the served platform and of a model of it: every answer is the same.

Each example has people and pages of its own. MODEL_EXAMPLES says how many there are, HYPOTHESIS_PROFILE=default makes
them new ones (tests/conftest.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.model.answers import Face
from tests.model.community import Token
from tests.model.contents import Draft
from tests.model.people import Query
from tests.system import model_draws as draw
from tests.system.asking import Asker
from tests.system.conftest import Served, running
from tests.system.crowd import Crowd
from tests.system.model_world import PEOPLE, SETTINGS, World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
STEPS = int(os.environ.get("MODEL_STEPS", "60"))


class Sequence(RuleBasedStateMachine):
    """One example. What is drawn never depends on what was answered, so that a failure is found again."""

    made: Callable[[], World]

    @initialize()
    def begin(self) -> None:
        self.world = type(self).made()

    def token(self, viewer: int, app: int, owner: int | None = None) -> Token:
        users = self.world.users
        return Token(self.world.apps[app], users[viewer], users[viewer if owner is None else owner])

    def demand(self, demand: tuple[str, int] | None) -> tuple[str, str] | None:
        """`*`, a tag that was told at some time (the newest more often), or one that never was."""
        if demand is None:
            return None
        tags = ["*", '"none"', *self.world.tags]
        return demand[0], tags[demand[1] % len(tags)] if demand[1] % 2 else tags[-1]

    @rule(viewer=draw.who, app=draw.which_app, face=draw.face, pairs=draw.pairs, demand=draw.demand, way=draw.some)
    def write(self, viewer: int, app: int, face: Face, pairs: Any, demand: Any, way: int) -> None:
        self.world.write(self.token(viewer, app), face, pairs, self.demand(demand), way)

    @rule(viewer=draw.who, face=draw.face, pairs=draw.pairs, way=draw.some)
    def write_again(self, viewer: int, face: Face, pairs: Any, way: int) -> None:
        """Twice the same: often the way to the end of a window."""
        for turn in (0, 1):
            self.world.write(self.token(viewer, 0), face, pairs, None, way + turn)

    @rule(viewer=draw.who, app=draw.which_app, face=draw.face, pairs=draw.bad_pairs, way=draw.some)
    def write_what_is_refused(self, viewer: int, app: int, face: Face, pairs: Any, way: int) -> None:
        self.world.write(self.token(viewer, app), face, pairs, None, way)

    @rule(viewer=draw.who, app=draw.which_app, face=draw.face, keys=draw.keys, demand=draw.demand)
    def delete(self, viewer: int, app: int, face: Face, keys: Any, demand: Any) -> None:
        self.world.delete(self.token(viewer, app), face, keys, self.demand(demand))

    @rule(viewer=draw.who, app=draw.which_app)
    def wait(self, viewer: int, app: int) -> None:
        self.world.wait(self.token(viewer, app))

    @rule(
        viewer=draw.who,
        app=draw.which_app,
        owner=draw.who,
        face=draw.face,
        users=st.lists(draw.who, min_size=1, max_size=3),
        keys=draw.keys,
        way=draw.some,
    )
    def read(self, viewer: int, app: int, owner: int, face: Face, users: list[int], keys: Any, way: int) -> None:
        named = [self.world.users[user] for user in dict.fromkeys(users)]
        asked = named[:1] if face is Face.TWO else named
        self.world.read(self.token(viewer, app, owner), face, asked, keys, way)

    @rule(viewer=draw.who, app=draw.which_app)
    def usage(self, viewer: int, app: int) -> None:
        self.world.usage(self.token(viewer, app))

    @rule(
        viewer=draw.who, app=draw.which_app, owner=draw.who, of=draw.who, face=draw.face, keys=draw.keys, way=draw.some
    )
    def read_friends(self, viewer: int, app: int, owner: int, of: int, face: Face, keys: Any, way: int) -> None:
        self.world.read_friends(self.token(viewer, app, owner), face, self.world.users[of], keys, way)

    @rule(
        viewer=draw.who,
        app=draw.which_app,
        owner=draw.who,
        face=draw.face,
        users=st.lists(draw.who, min_size=1, max_size=3),
        fields=draw.fields,
        way=draw.some,
    )
    def people(self, viewer: int, app: int, owner: int, face: Face, users: list[int], fields: Any, way: int) -> None:
        named = [self.world.users[user] for user in dict.fromkeys(users)]
        asked = named[:1] if face is Face.TWO else named
        self.world.people(self.token(viewer, app, owner), face, asked, fields, way)

    @rule(
        viewer=draw.who,
        app=draw.which_app,
        owner=draw.who,
        of=draw.who,
        face=draw.face,
        start=st.sampled_from([0, 0, 1]),
        count=st.sampled_from([20, 1, 2]),
        sort=st.tuples(st.booleans(), st.booleans()),
        only=st.sampled_from(["", "", "app", 0, 1]),
        fields=draw.fields,
        way=draw.some,
    )
    def friends(
        self,
        viewer: int,
        app: int,
        owner: int,
        of: int,
        face: Face,
        start: int,
        count: int,
        sort: Any,
        only: Any,
        fields: Any,
        way: int,
    ) -> None:
        page = self.world.pages[only] if isinstance(only, int) else None
        query = Query(start, count, *sort, has_app=only == "app", followers=page)
        self.world.friends(self.token(viewer, app, owner), face, self.world.users[of], query, fields, way)

    @rule(one=draw.who, other=draw.who, there=st.booleans())
    def befriend(self, one: int, other: int, there: bool) -> None:
        world = self.world
        users = world.users[one], world.users[other]
        path = f"users/{users[0]}/friends/{users[1]}"
        if there:
            world.change(path, world.model.befriend, *users)
        else:
            world.change(path, world.model.unfriend, *users, method="DELETE")

    @rule(user=draw.who, app=draw.which_app, there=st.sampled_from([True, True, False]))
    def install(self, user: int, app: int, there: bool) -> None:
        world = self.world
        where = world.apps[app], world.users[user]
        path = f"users/{where[1]}/installs/{where[0]}"
        if there:
            world.change(path, world.model.install, *where)
        else:
            world.change(path, world.model.uninstall, *where, method="DELETE")

    @rule(
        user=draw.who,
        name=st.sampled_from([None, *(name for name, _, _ in PEOPLE), "ÅSA"]),
        visible=st.booleans(),
        published=st.dictionaries(st.sampled_from(["address", "birthday", "age", "gender"]), draw.publication),
        age=st.sampled_from([None, 7]),
    )
    def change_user(self, user: int, name: str | None, visible: bool, published: Any, age: int | None) -> None:
        told = {"visible": visible, "publication": published, "age": age} | ({"displayName": name} if name else {})
        self.world.change_user(self.world.users[user], told)

    @rule(
        page=draw.which_page, user=draw.who, role=st.sampled_from(["administrators", "followers"]), there=st.booleans()
    )
    def set_role(self, page: int, user: int, role: str, there: bool) -> None:
        self.world.set_role(role, self.world.pages[page], self.world.users[user], there=there)

    @rule(page=draw.which_page, app=draw.which_app, module=st.sampled_from(["1", "2", "7"]), there=st.booleans())
    def set_module(self, page: int, app: int, module: str, there: bool) -> None:
        self.world.set_module(self.world.pages[page], self.world.apps[app], module, there=there)

    @rule(page=draw.which_page, source=st.sampled_from(["administrators", "everyone"]))
    def show(self, page: int, source: str) -> None:
        self.world.show(self.world.pages[page], source)

    @rule(
        viewer=draw.who,
        app=draw.which_app,
        page=draw.which_page,
        title=draw.title,
        body=draw.body,
        uri=st.sampled_from([0, 0, 1, 2, None]),
        source=st.sampled_from([None, None, "1", "2"]),
    )
    def post(
        self, viewer: int, app: int, page: int, title: str, body: str, uri: int | None, source: str | None
    ) -> None:
        named = None if uri is None else self.world.uris[uri]
        self.world.post(self.token(viewer, app), self.world.pages[page], Draft(title, body, named, source))

    def content(self, page: int, uri: int) -> tuple[str, str]:
        """A page and a contentUri: mostly the first."""
        return self.world.pages[page], self.world.uris[uri % len(self.world.uris) if uri % 2 else 0]

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some, there=st.booleans())
    def feed(self, viewer: int, page: int, uri: int, there: bool) -> None:
        self.world.feed(self.token(viewer, 0), *self.content(page, uri))

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some)
    def delete_feed(self, viewer: int, page: int, uri: int) -> None:
        self.world.delete_feed(self.token(viewer, 0), *self.content(page, uri))

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some, text=draw.text)
    def comment(self, viewer: int, page: int, uri: int, text: str) -> None:
        for turn in (0, 1):
            self.world.comment(self.token(viewer if turn else 0, 0), *self.content(page, uri), text)

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some, comment=draw.some)
    def delete_comment(self, viewer: int, page: int, uri: int, comment: int) -> None:
        comments = self.world.comments
        given = comments[-1 - comment % len(comments)]
        self.world.delete_comment(self.token(viewer, 0), *self.content(page, uri), given)

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some)
    def favorite(self, viewer: int, page: int, uri: int) -> None:
        self.world.favorite(self.token(viewer, 0), *self.content(page, uri))

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some, favorite=draw.some)
    def unfavorite(self, viewer: int, page: int, uri: int, favorite: int) -> None:
        favorites = self.world.favorites
        given = favorites[-1 - favorite % len(favorites)]
        self.world.unfavorite(self.token(viewer, 0), *self.content(page, uri), given)

    @rule(viewer=draw.who, page=draw.which_page, uri=draw.some)
    def favorites_of(self, viewer: int, page: int, uri: int) -> None:
        self.world.favorites_of(self.token(viewer, 0), *self.content(page, uri))

    @rule(
        page=draw.which_page,
        uri=st.none() | draw.some,
        start=st.sampled_from([0, 0, 1, 2, 50]),
        cursor=st.none() | draw.some,
        count=st.sampled_from([1, 2, 20]),
    )
    def part(self, page: int, uri: int | None, start: int, cursor: int | None, count: int) -> None:
        content = self.content(page, uri or 0)[1] if uri is not None else None
        self.world.part(self.token(0, 0), self.world.pages[page], content, start, cursor, count)

    @rule(page=draw.which_page)
    def page_information(self, page: int) -> None:
        self.world.page_information(self.token(0, 0), self.world.pages[page])

    @rule(user=draw.who, sure=st.integers(0, 7))
    def erase(self, user: int, sure: int) -> None:
        """Seldom."""
        if sure == 7:
            self.world.erase(self.world.users[user])

    @rule(page=draw.which_page, sure=st.integers(0, 7))
    def delete_page(self, page: int, sure: int) -> None:
        """Seldom."""
        if sure == 7:
            self.world.delete_page(self.world.pages[page])

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.read_all_back()
            self.world.check_tables()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("model"), **SETTINGS) as served:
        yield served


def test_every_answer_is_the_models(platform: Served, record_property: Callable[[str, object], None]) -> None:
    crowd = Crowd(platform)
    asker = Asker(crowd, platform.demo["tokens"]["operator"])
    apps = [asker.admin("POST", "apps", {"name": f"App {turn}"})["id"] for turn in (0, 1)]
    examples = []

    def made() -> World:
        world = World(crowd, asker)
        world.make(apps)
        examples.append(world)
        return world

    machine = type("Examples", (Sequence,), {"made": staticmethod(made)})
    begun = time.monotonic()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    told = f"{asker.sent} requests in {len(examples)} sequences, {time.monotonic() - begun:.0f} s"
    record_property("model", told)
    print(told)
