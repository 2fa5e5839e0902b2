"""Random sequences of all that can be asked, of the served platform and of a model of it: every answer is the same.

Each example has people and pages of its own. MODEL_EXAMPLES says how many there are, HYPOTHESIS_PROFILE=default makes
them new ones (tests/conftest.py), MODEL_SHRINK=1 looks for the shortest sequence that fails, which takes minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from tests.system.model_world import PEOPLE, ROLES, SETTINGS, URIS, World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
STEPS = 60
SHRINK = os.environ.get("MODEL_SHRINK") == "1"


class Sequence(RuleBasedStateMachine):
    """One example. What is drawn never depends on what was answered, so that a failure is found again."""

    made: Callable[[], World]

    @initialize()
    def begin(self) -> None:
        self.world = type(self).made()

    def token(self, named: tuple[int, ...]) -> Token:
        """Of viewer, app and, where that is another, owner."""
        users = self.world.users
        return Token(self.world.apps[named[1]], users[named[0]], users[named[2 if len(named) > 2 else 0]])

    def named(self, users: list[int], face: Face) -> list[str]:
        """The users that a request names: `/2` takes one."""
        return [self.world.users[user] for user in (users[:1] if face is Face.TWO else users)]

    def content(self, page: int, uri: int) -> tuple[str, str]:
        """A page and a contentUri."""
        return self.world.pages[page], self.world.uris[uri % len(self.world.uris)]

    def demand(self, demand: tuple[str, int] | None) -> tuple[str, str] | None:
        """The tag that was told last, one that was told at some time or never, or `*`."""
        if demand is None:
            return None
        tags = ["*", '"none"', *self.world.tags]
        return demand[0], tags[demand[1] // 2 % len(tags)] if demand[1] % 2 else tags[-1]

    @rule(token=draw.own_token, face=draw.face, writes=draw.writes, demand=draw.demand, way=draw.some)
    def write(self, token: Any, face: Face, writes: Any, demand: Any, way: int) -> None:
        for turn, pairs in enumerate(writes):
            self.world.write(self.token(token), face, pairs, None if turn else self.demand(demand), way + turn)

    @rule(token=draw.own_token, face=draw.face, keys=draw.keys, demand=draw.demand)
    def delete(self, token: Any, face: Face, keys: Any, demand: Any) -> None:
        self.world.delete(self.token(token), face, keys, self.demand(demand))

    @rule(token=draw.own_token)
    def wait(self, token: Any) -> None:
        self.world.wait(self.token(token))

    @rule(token=draw.token, face=draw.face, users=draw.several, keys=draw.keys, way=draw.some)
    def read(self, token: Any, face: Face, users: list[int], keys: Any, way: int) -> None:
        self.world.read(self.token(token), face, self.named(users, face), keys, way)

    @rule(token=draw.own_token, tag=draw.some)
    def read_if_changed(self, token: Any, tag: int) -> None:
        self.world.read_if_changed(self.token(token), tag)

    @rule(token=draw.own_token)
    def usage(self, token: Any) -> None:
        self.world.usage(self.token(token))

    @rule(token=draw.token, of=draw.who, face=draw.face, keys=draw.keys, way=draw.some)
    def read_friends(self, token: Any, of: int, face: Face, keys: Any, way: int) -> None:
        self.world.read_friends(self.token(token), face, self.world.users[of], keys, way)

    @rule(token=draw.token, face=draw.face, users=draw.several, fields=draw.fields, way=draw.some)
    def people(self, token: Any, face: Face, users: list[int], fields: Any, way: int) -> None:
        self.world.people(self.token(token), face, self.named(users, face), fields, way)

    @rule(
        token=draw.token,
        of=draw.who,
        face=draw.face,
        part=st.sampled_from([(0, 20), (0, 20), (0, 1), (1, 1), (1, 2)]),
        sort=st.tuples(st.booleans(), st.booleans()),
        only=st.sampled_from(["", "", "app", 0, 1]),
        fields=draw.fields,
        way=draw.some,
    )
    def friends(self, token: Any, of: int, face: Face, part: Any, sort: Any, only: Any, fields: Any, way: int) -> None:
        page = self.world.pages[only] if isinstance(only, int) else None
        query = Query(*part, *sort, has_app=only == "app", followers=page)
        self.world.friends(self.token(token), face, self.world.users[of], query, fields, way)

    @rule(one=draw.who, other=draw.who, there=draw.mostly)
    def befriend(self, one: int, other: int, there: bool) -> None:
        self.world.befriend(self.world.users[one], self.world.users[other], there=there)

    @rule(user=draw.who, app=draw.which_app, there=draw.mostly)
    def install(self, user: int, app: int, there: bool) -> None:
        self.world.install(self.world.apps[app], self.world.users[user], there=there)

    @rule(
        user=draw.who,
        name=st.sampled_from(["", *(name for name, _, _ in PEOPLE), "ÅSA"]),
        visible=st.booleans(),
        publication=draw.publication,
        age=st.sampled_from([None, 7]),
    )
    def change_user(self, user: int, name: str, visible: bool, publication: Any, age: int | None) -> None:
        told = {"visible": visible, "publication": publication, "age": age} | ({"displayName": name} if name else {})
        self.world.change_user(self.world.users[user], told)

    @rule(page=draw.which_page, user=draw.who, role=st.sampled_from(ROLES), there=draw.mostly)
    def set_role(self, page: int, user: int, role: str, there: bool) -> None:
        self.world.set_role(role, self.world.pages[page], self.world.users[user], there=there)

    @rule(page=draw.which_page, app=draw.which_app, module=st.sampled_from(["1", "2", "7"]), there=draw.mostly)
    def set_module(self, page: int, app: int, module: str, there: bool) -> None:
        self.world.set_module(self.world.pages[page], self.world.apps[app], module, there=there)

    @rule(page=draw.which_page, source=st.sampled_from(["administrators", "everyone"]))
    def show(self, page: int, source: str) -> None:
        self.world.show(self.world.pages[page], source)

    @rule(
        token=draw.own_token,
        page=draw.which_page,
        title=draw.title,
        body=draw.body,
        uri=st.none() | st.sampled_from(range(len(URIS))),
        source=st.sampled_from([None, None, None, "1", "2"]),
    )
    def post(self, token: Any, page: int, title: str, body: str, uri: int | None, source: str | None) -> None:
        draft = Draft(title, body, None if uri is None else URIS[uri], source)
        self.world.post(self.token(token), self.world.pages[page], draft)

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri)
    def feed(self, token: Any, page: int, uri: int) -> None:
        self.world.feed(self.token(token), *self.content(page, uri))

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri, again=st.booleans())
    def delete_feed(self, token: Any, page: int, uri: int, again: bool) -> None:
        """Nothing of it comes back where it is posted again."""
        self.world.delete_feed(self.token(token), *self.content(page, uri))
        if again:
            where, name = self.content(page, uri)
            self.world.post(self.token(token), where, Draft("Again", "", name if name in URIS else None))

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri, texts=st.lists(draw.text, min_size=1, max_size=3))
    def comment(self, token: Any, page: int, uri: int, texts: list[str]) -> None:
        for text in texts:
            self.world.comment(self.token(token), *self.content(page, uri), text)

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri, comment=draw.some)
    def delete_comment(self, token: Any, page: int, uri: int, comment: int) -> None:
        comments = self.world.comments
        self.world.delete_comment(self.token(token), *self.content(page, uri), comments[-1 - comment % len(comments)])

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri)
    def favorite(self, token: Any, page: int, uri: int) -> None:
        self.world.favorite(self.token(token), *self.content(page, uri))

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri, favorite=draw.some)
    def unfavorite(self, token: Any, page: int, uri: int, favorite: int) -> None:
        favorites = self.world.favorites
        self.world.unfavorite(self.token(token), *self.content(page, uri), favorites[-1 - favorite % len(favorites)])

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri)
    def favorites_of(self, token: Any, page: int, uri: int) -> None:
        self.world.favorites_of(self.token(token), *self.content(page, uri))

    @rule(
        page=draw.which_page,
        uri=st.none() | draw.uri,
        start=st.sampled_from([0, 0, 1, 2, 50]),
        cursor=st.none() | draw.some,
        count=st.sampled_from([1, 2, 20]),
    )
    def part(self, page: int, uri: int | None, start: int, cursor: int | None, count: int) -> None:
        where, name = self.content(page, uri or 0)
        self.world.part(self.token((0, 0)), where, None if uri is None else name, start, cursor, count)

    @rule(page=draw.which_page)
    def page_information(self, page: int) -> None:
        self.world.page_information(self.token((0, 0)), self.world.pages[page])

    @rule(user=draw.who, sure=draw.seldom)
    def erase(self, user: int, sure: bool) -> None:
        if sure:
            self.world.erase(self.world.users[user])

    @rule(page=draw.which_page, sure=draw.seldom)
    def delete_page(self, page: int, sure: bool) -> None:
        if sure:
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
            phases=[Phase.generate, Phase.shrink] if SHRINK else [Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    told = f"{asker.sent} requests in {len(examples)} sequences, {time.monotonic() - begun:.0f} s"
    for sentence, times in sorted(asker.refusals.items()):
        print(times, sentence)
    record_property("model", told)
    print(told)
