"""Random sequences of all requests, sent to the served platform and to a model of it: every response is the same.

Each example has people and pages of its own. MODEL_EXAMPLES is their number. HYPOTHESIS_PROFILE=default makes new ones
in each run (tests/conftest.py). MODEL_SHRINK=1 looks for the shortest failing sequence, which takes minutes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.kit import model_draws as draw
from tests.kit.asking import Asker
from tests.kit.content_pair import URIS
from tests.kit.crowd import Crowd
from tests.kit.model_world import PEOPLE, World
from tests.kit.pair import LIMITS, ROLES, SETTINGS
from tests.kit.served import Served, running
from tests.model.answers import Face
from tests.model.community import Token
from tests.model.contents import Draft
from tests.model.people import Query

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "16"))
STEPS = 60
ENOUGH = 16
"""The number of sequences that must reach each refusal in REACHED."""
REACHED = (
    f"Limit exceeded size quota (max={LIMITS.quota})",
    f"Too many keys (max={LIMITS.keys})",
    "appdata update frequency is too high",
    "The data have changed, or do not meet the precondition",
    "The page already has a feed with this contentUri",
    "Permission denied",
)
SHRINK = os.environ.get("MODEL_SHRINK") == "1"


class Sequence(RuleBasedStateMachine):
    """One example. Drawn values never depend on responses, so that a failure can be reproduced."""

    made: Callable[[], World]

    @initialize()
    def begin(self) -> None:
        self.world = type(self).made()

    def token(self, named: tuple[int, ...]) -> Token:
        """Return a token for the numbers of viewer, app and, if it is another user, owner."""
        users = self.world.users
        return Token(self.world.apps[named[1]], users[named[0]], users[named[2 if len(named) > 2 else 0]])

    def whose(self, token: tuple[int, ...], of: int | str) -> str:
        """Return the id of the viewer, of the owner, or of the user with the number `of`."""
        return self.world.users[of if isinstance(of, int) else token[0 if of == "viewer" else 2]]

    def named(self, users: list[int], face: Face) -> list[str]:
        """Return the users that a request names; `/2` takes one."""
        return [self.world.users[user] for user in (users[:1] if face is Face.TWO else users)]

    def content(self, page: int, uri: int) -> tuple[str, str]:
        """Return a page and a contentUri."""
        return self.world.pages[page], self.world.uris[uri % len(self.world.uris)]

    def demand(self, token: tuple[int, ...], demand: tuple[str, str, int] | None) -> tuple[str, str] | None:
        """Return a header with `*`, the current tag of the data, an earlier tag, or a tag that never existed."""
        if demand is None:
            return None
        header, which, turn = demand
        tags = {"any": "*", "current": self.world.tag_of(self.token(token)), "never": '"none"'}
        return header, tags[which] if which in tags else [*self.world.tags, '"none"'][turn % (len(self.world.tags) + 1)]

    @rule(token=draw.own_token, face=draw.face, writes=draw.writes, way=draw.some)
    def write(self, token: Any, face: Face, writes: Any, way: int) -> None:
        for turn, pairs in enumerate(writes):
            self.world.write(self.token(token), face, pairs, None, way + turn)

    @rule(token=draw.own_token, face=draw.face, sure=st.booleans())
    def fill_window(self, token: Any, face: Face, sure: bool) -> None:
        # Even a slow machine makes one write too many within the window.
        for turn in range(LIMITS.writes + 1 if sure else 0):
            self.world.write(self.token(token), face, {"level": str(turn)}, None, turn)

    @rule(token=draw.own_token, face=draw.not_rpc, pairs=draw.pairs, demand=draw.demand, way=draw.some)
    def write_if(self, token: Any, face: Face, pairs: Any, demand: Any, way: int) -> None:
        self.world.write(self.token(token), face, pairs, self.demand(token, demand), way)

    @rule(token=draw.own_token, face=draw.face, changes=draw.changes, demand=st.none() | draw.demand)
    def patch(self, token: Any, face: Face, changes: Any, demand: Any) -> None:
        self.world.patch(self.token(token), face, changes, self.demand(token, demand))

    @rule(token=draw.own_token, face=draw.face, keys=draw.keys, demand=st.none() | draw.demand)
    def delete(self, token: Any, face: Face, keys: Any, demand: Any) -> None:
        self.world.delete(self.token(token), face, keys, self.demand(token, demand))

    @rule(token=draw.own_token)
    def wait(self, token: Any) -> None:
        self.world.wait(self.token(token))

    @rule(token=draw.own_token, tag=draw.some)
    def look_at_own(self, token: Any, tag: int) -> None:
        self.world.usage(self.token(token))
        self.world.read_if_changed(self.token(token), tag)

    @rule(token=draw.token, face=draw.face, users=draw.several, keys=draw.keys, way=draw.some)
    def read(self, token: Any, face: Face, users: list[int], keys: Any, way: int) -> None:
        self.world.read(self.token(token), face, self.named(users, face), keys, way)

    @rule(token=draw.token, of=draw.whose, face=draw.face, keys=draw.keys, way=draw.some)
    def read_friends(self, token: Any, of: Any, face: Face, keys: Any, way: int) -> None:
        self.world.read_friends(self.token(token), face, self.whose(token, of), keys, way)

    @rule(token=draw.token, face=draw.face, users=draw.several, fields=draw.fields, way=draw.some)
    def people(self, token: Any, face: Face, users: list[int], fields: Any, way: int) -> None:
        self.world.people(self.token(token), face, self.named(users, face), fields, way)

    @rule(
        token=draw.token,
        of=draw.whose,
        face=draw.face,
        part=st.sampled_from([(0, 20), (0, 20), (0, 1), (1, 1), (1, 2)]),
        sort=st.tuples(st.booleans(), st.booleans()),
        only=st.sampled_from(["", "", "app", 0, 1]),
        fields=draw.fields,
        way=draw.some,
    )
    def friends(self, token: Any, of: Any, face: Face, part: Any, sort: Any, only: Any, fields: Any, way: int) -> None:
        page = self.world.pages[only] if isinstance(only, int) else None
        (start, size), (by_id, down) = part, sort
        query = Query(start, size, by_id, down, has_app=only == "app", followers=page)
        self.world.friends(self.token(token), face, self.whose(token, of), query, fields, way)

    @rule(
        what=st.sampled_from(["friends", "friends", "install", "install", *ROLES, "module", "shows"]),
        user=draw.who,
        other=draw.who,
        app=draw.which_app,
        page=draw.which_page,
        module=st.sampled_from(["1", "2", "7"]),
        there=draw.mostly,
    )
    def administer(self, what: str, user: int, other: int, app: int, page: int, module: str, there: bool) -> None:
        world = self.world
        match what:
            case "friends":
                world.befriend(world.users[user], world.users[other], there=there)
            case "install":
                world.install(world.apps[app], world.users[user], there=there)
            case "module":
                world.set_module(world.pages[page], world.apps[app], module, there=there)
            case "shows":
                world.show(world.pages[page], "everyone" if there else "administrators")
            case role:
                world.set_role(role, world.pages[page], world.users[user], there=there)

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

    @rule(tokens=st.tuples(draw.own_token, draw.own_token), page=draw.which_page, uri=draw.which_uri)
    def post_the_same(self, tokens: Any, page: int, uri: int) -> None:
        for token in tokens:
            self.world.post(self.token(token), self.world.pages[page], Draft("Open today", "", URIS[uri], None))

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri)
    def look(self, token: Any, page: int, uri: int) -> None:
        self.world.feed(self.token(token), *self.content(page, uri))
        self.world.favorites_of(self.token(token), *self.content(page, uri))
        self.world.page_information(self.token(token), self.world.pages[page])

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri, again=st.booleans())
    def delete_feed(self, token: Any, page: int, uri: int, again: bool) -> None:
        """Delete a feed, and post it again if `again`. Nothing of the old feed comes back."""
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

    @rule(page=draw.which_page, uri=draw.uri, comment=st.none() | draw.some, there=draw.mostly)
    def hide(self, page: int, uri: int, comment: int | None, there: bool) -> None:
        comments = self.world.comments
        named = None if comment is None else comments[-1 - comment % len(comments)]
        self.world.hide(*self.content(page, uri), named, there=there)

    @rule(page=draw.which_page, uri=draw.uri, comment=st.none() | draw.some)
    def show_again(self, page: int, uri: int, comment: int | None) -> None:
        self.hide(page, uri, comment, there=False)

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri)
    def favorite(self, token: Any, page: int, uri: int) -> None:
        self.world.favorite(self.token(token), *self.content(page, uri))

    @rule(token=draw.own_token, page=draw.which_page, uri=draw.uri, favorite=draw.some)
    def unfavorite(self, token: Any, page: int, uri: int, favorite: int) -> None:
        favorites = self.world.favorites
        self.world.unfavorite(self.token(token), *self.content(page, uri), favorites[-1 - favorite % len(favorites)])

    @rule(
        page=draw.which_page,
        uri=st.none() | st.sampled_from(range(len(URIS))),
        start=st.sampled_from([0, 0, 1, 2, 50]),
        cursor=st.none() | draw.some,
        count=st.sampled_from([1, 2, 20]),
    )
    def part(self, page: int, uri: int | None, start: int, cursor: int | None, count: int) -> None:
        where, name = self.content(page, uri or 0)
        self.world.part(self.token((0, 0)), where, None if uri is None else name, start, cursor, count)

    @rule(user=st.none() | draw.who, page=draw.which_page, sure=draw.seldom)
    def take_away(self, user: int | None, page: int, sure: bool) -> None:
        if sure and user is not None:
            self.world.erase(self.world.users[user])
        elif sure:
            self.world.delete_page(self.world.pages[page])

    def teardown(self) -> None:
        # After an error, report that error, not its consequences.
        if sys.exception() is None:
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
    for app in apps:
        crowd.tell(app)
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
    print(told, *(f"{times} {sentence}" for sentence, times in asker.refusals.most_common()), sep="\n")
    record_property("model", told)
    if len(examples) >= ENOUGH:
        assert [sentence for sentence in REACHED if sentence not in asker.refusals] == []
        assert any(world.replaced for world in examples)
