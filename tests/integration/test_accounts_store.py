"""Sessions, one-time links and users who leave: what is kept, what ends, and what two requests at once do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.model.directory import User
from chalicelib.core.moderation import Post
from chalicelib.core.oauth import hashed
from chalicelib.core.one_time_links import MOST_TRIES, LinkKind
from chalicelib.core.passwords import hash_password, matches
from chalicelib.core.reports import ReportReason
from chalicelib.core.roles import Role
from chalicelib.core.sessions import SEEN_MS, SESSION_SECONDS
from chalicelib.store.directory.leaving import LEAVING_MS
from tests.kit.rivals import meanwhile
from tests.kit.worlds import HANA, KEN, Reply, World, sweep

NEW = "n3wn3wn3wn3w"
OLD, LATER = "an old password of hana", "a later password of hana"


@pytest.fixture
def hana(world: World) -> User:
    """Give HANA a login and a password."""
    world.platform.users.change(HANA, login="hana")
    world.platform.users.set_password(HANA, hash_password(OLD))
    return user(world)


def user(world: World, name: str = HANA) -> User:
    known = world.platform.users.get(name)
    assert known
    return known


def begin(world: World, device: str = "Firefox, Linux") -> str:
    known = world.platform.users.credential("hana")
    assert known
    session = world.platform.sessions_of_users.begin(user(world), known[1], device)
    assert session
    return session


def lives(world: World, session: str) -> bool:
    return world.platform.sessions_of_users.read(HANA, session) is not None


def test_a_session_lasts_fourteen_days_and_not_a_second_more(world: World, hana: User) -> None:
    session = begin(world)

    found = world.platform.sessions_of_users.read(HANA, session)
    assert found
    assert (found[0].device, found[0].created, found[1]) == ("Firefox, Linux", world.clock.now, hana)
    assert not world.platform.sessions_of_users.read(KEN, session)
    assert not world.platform.sessions_of_users.read(HANA, session[:-1])
    assert session not in str(world.items("grants"))

    world.clock.now += 1000 * SESSION_SECONDS - 1000
    assert lives(world, session)
    world.clock.now += 1000
    assert not lives(world, session)
    assert world.platform.sessions_of_users.of_user(hana) == []


def test_the_last_use_is_stored_at_most_once_an_hour(world: World, hana: User) -> None:
    session = begin(world)
    begun = world.clock.now
    for after, seen in ((SEEN_MS - 1, begun), (SEEN_MS, begun + SEEN_MS), (SEEN_MS + 1, begun + SEEN_MS)):
        world.clock.now = begun + after
        world.calls.clear()
        assert lives(world, session)
        assert [call.operation for call in world.calls][1:] == (["update_item"] if after == SEEN_MS else [])
        assert [each.seen for each in world.platform.sessions_of_users.of_user(hana)] == [seen]


def test_a_session_that_is_ended_is_worth_nothing_at_once(world: World, hana: User) -> None:
    one, other = begin(world), begin(world, "Chrome, Android")

    assert world.platform.sessions_of_users.end(HANA, hashed(one))
    assert not world.platform.sessions_of_users.end(HANA, hashed(one))
    assert not lives(world, one)
    assert lives(world, other)


def test_all_sessions_end_but_the_one_to_keep(world: World, hana: User) -> None:
    one, other = begin(world), begin(world)

    world.platform.sessions_of_users.end_all(HANA, keep=one)

    assert (lives(world, one), lives(world, other)) == (True, False)
    assert len(world.items("grants")) == 1
    world.platform.sessions_of_users.end_all(HANA)
    assert not lives(world, one)
    assert world.items("grants") == []
    with pytest.raises(NotFound):
        world.platform.sessions_of_users.end_all(NEW)


def test_a_new_password_ends_sessions_even_if_the_process_dies_after_it(world: World, hana: User) -> None:
    one, other = begin(world), begin(world)
    here = world.platform
    keep = here.sessions_of_users.keep

    # Nothing is cleared afterwards, as if the process had died.
    assert here.users.set_password(HANA, hash_password(LATER), also=lambda write, epoch: keep(write, HANA, one, epoch))

    assert (lives(world, one), lives(world, other)) == (True, False)
    assert [each.name for each in here.sessions_of_users.of_user(user(world))] == [hashed(one)]


def test_an_upgraded_hash_ends_no_session(world: World, hana: User) -> None:
    session = begin(world)
    known = world.platform.users.credential("hana")
    assert known

    assert world.platform.users.upgrade_hash(HANA, "hana", "made anew", instead_of=known[1])
    assert not world.platform.users.upgrade_hash(HANA, "hana", "another", instead_of=known[1])
    assert world.platform.users.credential("hana") == (HANA, "made anew")
    assert lives(world, session)


@pytest.mark.parametrize("what", ["password", "sessions", "suspension", "erasure"])
def test_no_session_begins_with_what_was_checked_before_a_change(world: World, hana: User, what: str) -> None:
    here = world.platform
    known = here.users.credential("hana")
    assert known
    changes: dict[str, Callable[[], object]] = {
        "password": lambda: here.users.set_password(HANA, hash_password(LATER)),
        "sessions": lambda: here.sessions_of_users.end_all(HANA),
        "suspension": lambda: here.roles.suspend(HANA),
        "erasure": lambda: here.user_data.erase(HANA),
    }
    with meanwhile(changes[what]):
        assert here.sessions_of_users.begin(hana, known[1], "") is None

    assert world.items("grants") == []


def test_a_suspension_ends_sessions_for_good(world: World, hana: User) -> None:
    session = begin(world)

    world.platform.roles.suspend(HANA)
    assert not lives(world, session)
    world.platform.roles.restore(HANA)
    assert not lives(world, session)


def test_an_erasure_leaves_no_session(world: World, hana: User) -> None:
    session = begin(world)

    world.platform.user_data.erase(HANA)

    assert not lives(world, session)
    assert world.items("grants") == []


def test_a_reset_link_works_once(world: World, hana: User) -> None:
    links, session = world.platform.one_time_links, begin(world)
    token, made = links.make_reset(HANA)
    assert token not in str(world.items("ephemeral"))
    assert links.read(LinkKind.INVITATION, token) is None
    assert links.read(LinkKind.RESET, token + "a") is None
    link = links.read(LinkKind.RESET, token)
    assert link == made

    assert links.set_password(token, made, hash_password(LATER))

    known = world.platform.users.credential("hana")
    assert known
    assert matches(LATER, known[1])
    assert not lives(world, session)
    assert links.read(LinkKind.RESET, token) is None
    assert not links.set_password(token, made, hash_password(OLD))
    assert world.platform.users.credential("hana") == known


def test_two_requests_with_one_link_set_one_password(world: World, hana: User) -> None:
    links = world.platform.one_time_links
    token, link = links.make_reset(HANA)
    with meanwhile(lambda: links.set_password(token, link, "first")):
        assert not links.set_password(token, link, "second")

    assert world.platform.users.credential("hana") == (HANA, "first")


@pytest.mark.parametrize("what", ["password", "other link", "suspension", "no login", "erasure", "time"])
def test_a_reset_link_ends_with_what_it_was_made_for(world: World, hana: User, what: str) -> None:
    here = world.platform
    token, link = here.one_time_links.make_reset(HANA)
    if what == "password":
        here.users.set_password(HANA, "later")
    elif what == "other link":
        other, same = here.one_time_links.make_reset(HANA)
        assert here.one_time_links.set_password(other, same, "later")
    elif what == "suspension":
        here.roles.suspend(HANA)
    elif what == "no login":
        here.users.change(HANA, login=None)
    elif what == "erasure":
        here.user_data.erase(HANA)
    else:
        world.clock.now = 1000 * link.expires
        assert here.one_time_links.read(LinkKind.RESET, token) is None
    before = world.items("directory")

    assert not here.one_time_links.set_password(token, link, "stolen")
    assert world.items("directory") == before


def test_a_reset_link_is_made_only_for_who_can_use_it(world: World, hana: User) -> None:
    links = world.platform.one_time_links
    with pytest.raises(NotFound):
        links.make_reset(NEW)
    with pytest.raises(Conflict, match="login"):
        links.make_reset(KEN)
    world.platform.roles.suspend(HANA)
    with pytest.raises(Conflict, match="suspended"):
        links.make_reset(HANA)
    assert world.items("ephemeral") == []


def test_an_invitation_makes_one_user(world: World, hana: User) -> None:
    links = world.platform.one_time_links
    token, made = links.make_invitation("陸")
    link = links.read(LinkKind.INVITATION, token)
    assert link
    assert (link, link.display_name, link.expires) == (made, "陸", world.clock.now // 1000 + 14 * 86_400)
    with pytest.raises(Conflict, match="taken"):
        links.join(token, User(NEW, "Riku", login="hana"), "hash")
    assert links.read(LinkKind.INVITATION, token) == made

    with meanwhile(lambda: links.join(token, User(NEW, "Riku", login="riku"), "hash")):
        assert links.join(token, User("0th3r0th3r00", "Riku", login="other"), "hash") is None

    assert world.platform.users.credential("riku") == (NEW, "hash")
    assert world.platform.users.credential("other") is None
    assert links.read(LinkKind.INVITATION, token) is None


def test_the_tries_of_a_link_are_bounded(world: World) -> None:
    links = world.platform.one_time_links
    token, _ = links.make_invitation()

    assert [links.count_try(token) for _ in range(MOST_TRIES + 1)] == [*([True] * MOST_TRIES), False]
    assert links.read(LinkKind.INVITATION, token) is None
    assert not links.count_try("A" * 43)


def test_a_user_who_leaves_is_erased_after_fourteen_days(world: World, hana: User) -> None:
    here = world.platform
    here.reports.report(Post("1", "1"), HANA, ReportReason.SPAM, "")
    due = here.leaving_users.leave(HANA)
    world.clock.now += 5
    assert here.leaving_users.leave(HANA) == due
    assert user(world).leaving == due

    world.clock.now = due - 1
    sweep(world)
    assert user(world)

    world.clock.now = due
    with pytest.raises(NotFound, match="being deleted"):
        here.leaving_users.stay(HANA)
    world.clock.now = due + 1
    sweep(world)
    assert here.users.get(HANA) is None
    assert here.users.credential("hana") is None
    assert [item for table in ("directory", "records") for item in world.items(table) if HANA in str(item)] == []
    sweep(world)


def test_a_user_who_stays_is_not_erased(world: World, hana: User) -> None:
    here = world.platform
    before = world.items("directory")
    due = here.leaving_users.leave(HANA)

    assert here.leaving_users.stay(HANA)
    assert not here.leaving_users.stay(HANA)

    assert world.items("directory") == before
    world.clock.now = due + LEAVING_MS
    sweep(world)
    assert user(world)


def test_a_user_who_was_created_anew_is_not_erased(world: World, hana: User) -> None:
    here = world.platform
    due = here.leaving_users.leave(HANA)
    here.user_data.erase(HANA)
    here.users.create(User(HANA, "Another"))

    world.clock.now = due + 1
    sweep(world)

    assert user(world).display_name == "Another"
    assert not any(item["pk"]["S"].startswith("leaving") for item in world.items("directory"))


def test_an_erasure_that_was_interrupted_goes_on(world: World, hana: User) -> None:
    here = world.platform
    due = here.leaving_users.leave(HANA)
    world.clock.now = due + 1
    assert here.users.close(HANA, leaving=due)

    sweep(world)

    assert [item for item in world.items("directory") if HANA in str(item)] == []


def test_a_user_with_a_role_cannot_leave_and_a_leaving_user_gets_none(world: World, hana: User) -> None:
    here = world.platform
    here.leaving_users.leave(HANA)
    with pytest.raises(Conflict, match="deletion"):
        here.roles.give(HANA, Role.MODERATOR)
    here.leaving_users.stay(HANA)
    here.roles.give(HANA, Role.MODERATOR)
    with pytest.raises(Conflict, match="role"):
        here.leaving_users.leave(HANA)
    with pytest.raises(NotFound):
        here.leaving_users.leave(NEW)


def operate(world: World, method: str, path: str, body: object = None) -> Reply:
    token = world.token(None, "admin")
    return world.send(method, f"/admin{path}", body, token=token)


def test_the_operator_makes_links(world: World, hana: User) -> None:
    issuer = world.platform.settings.issuer
    made = operate(world, "POST", f"/users/{HANA}/reset-link")
    assert made.status == 201
    assert made.json["expires"] == world.clock.now + 86_400_000
    head, _, token = made.json["url"].partition("=")
    assert head == f"{issuer}/reset?link"
    assert world.platform.one_time_links.read(LinkKind.RESET, token)

    invited = operate(world, "POST", "/invitations", {"displayName": "陸"})
    assert invited.status == 201
    head, _, token = invited.json["url"].partition("=")
    assert head == f"{issuer}/join?link"
    link = world.platform.one_time_links.read(LinkKind.INVITATION, token)
    assert link
    assert link.display_name == "陸"

    assert operate(world, "POST", "/invitations", {"displayName": "x" * 101}).status == 400
    assert operate(world, "POST", "/invitations", {"name": "x"}).status == 400
    assert operate(world, "POST", "/invitations", []).status == 400
    assert operate(world, "POST", "/invitations").status == 201
    assert operate(world, "POST", f"/users/{NEW}/reset-link").status == 404
    assert operate(world, "POST", f"/users/{KEN}/reset-link").status == 409


def test_the_operator_sees_and_ends_sessions(world: World, hana: User) -> None:
    session = begin(world)
    listed = operate(world, "GET", f"/users/{HANA}/sessions").json
    (entry,) = listed["entry"]
    assert entry == {
        "id": hashed(session),
        "device": "Firefox, Linux",
        "created": world.clock.now,
        "seen": world.clock.now,
        "expires": world.clock.now + 1000 * SESSION_SECONDS,
    }

    one = f"/users/{HANA}/sessions/{entry['id']}"
    assert [operate(world, "DELETE", one).json["changed"] for _ in range(2)] == [True, False]
    assert not lives(world, session)
    session = begin(world)
    assert operate(world, "DELETE", f"/users/{HANA}/sessions").json == {"user": HANA, "changed": True}
    assert not lives(world, session)
    assert operate(world, "DELETE", f"/users/{NEW}/sessions").status == 404
    assert operate(world, "DELETE", f"/users/{HANA}/sessions/zz").status == 404


def test_a_password_by_the_operator_ends_sessions(world: World, hana: User) -> None:
    session = begin(world)

    assert operate(world, "PUT", f"/users/{HANA}/password", {"password": LATER}).status == 200

    assert not lives(world, session)
