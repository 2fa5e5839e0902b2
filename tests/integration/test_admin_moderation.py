"""Moderation by the operator's API and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.actions import ActionFilter
from chalicelib.core.moderation import Post
from chalicelib.core.reports import MOST_A_DAY, ReportReason
from tests.kit.admin_world import AdminWorld
from tests.kit.page_api import FEEDS, PAGE, URI, ask, asked, comment, nothing_changes, populated, post
from tests.kit.worlds import HANA, KEN, MEI, TARO, World

ACTOR = "operator-token:operator"
THE_FEED = Post(PAGE, "1")
NOWHERE = "0mng8s5u07xk2abc"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return a world with a page and one feed, posted by Mei."""
    made = make_world(populated)
    post(made, contentUri=URI)
    made.calls.clear()
    return made


def send(world: World, method: str, path: str, body: Any = None, **query: Any) -> Any:
    return world.send(method, f"/admin{path}", body, token=world.token(None, "admin", app="operator"), **query)


def did(world: World, method: str, path: str, body: Any = None, **query: str) -> Any:
    reply = send(world, method, path, body, **query)
    assert reply.status == 200, reply
    return reply.json


def logged(world: World) -> list[tuple[str, str, str]]:
    """Return kind, target and reason of the logged actions; all have the same time."""
    entries, _ = world.platform.action_log.part(ActionFilter(0, 10**15), None, 100)
    return sorted((entry.kind, entry.target, entry.reason) for entry in entries)


FEED = f"/pages/{PAGE}/feeds/1"


def test_a_feed_is_hidden_and_shown_again(world: World):
    assert did(world, "PUT", f"{FEED}/hidden", reason="spam") == {"page": PAGE, "feed": "1", "changed": True}
    assert ask(world, contentUri=URI).status == 404
    assert asked(world)["totalResults"] == 0
    assert world.send("GET", f"/pages/{PAGE}/feeds/1", token=None).status == 404
    (hidden,) = did(world, "GET", "/moderation/posts", state="hidden")["entry"]
    assert (hidden["feed"], hidden["hiddenBy"], hidden["reason"]) == ("1", ACTOR, "spam")
    assert did(world, "GET", "/moderation/posts")["entry"] == []
    assert did(world, "PUT", f"{FEED}/hidden")["changed"] is False
    assert did(world, "DELETE", f"{FEED}/hidden")["changed"] is True
    assert did(world, "DELETE", f"{FEED}/hidden")["changed"] is False
    assert asked(world)["totalResults"] == 1
    assert logged(world) == [
        ("feed.hidden", f"page:{PAGE}/feed:1", "spam"),
        ("feed.shown", f"page:{PAGE}/feed:1", ""),
    ]


def test_an_administrator_s_post_replaces_a_hidden_one_that_the_page_does_not_show(world: World):
    uri = post(world, user=KEN, contentUri=f"{URI}/of-ken")
    assert did(world, "PUT", f"/pages/{PAGE}/feeds/{world.platform.feeds.get(PAGE, uri)[0].id}/hidden")["changed"]
    post(world, user=MEI, contentUri=uri)
    assert did(world, "GET", "/moderation/posts", state="hidden")["entry"] == []
    assert world.platform.feeds.get(PAGE, uri)[0].poster == MEI


def test_a_comment_is_hidden_shown_and_deleted(world: World):
    one = comment(world, "きれい", HANA)
    path = f"{FEED}/comments/{one}"
    assert did(world, "PUT", f"{path}/hidden")["changed"] is True
    assert asked(world, contentUri=URI)["entry"]["commentCount"] == 0
    assert did(world, "DELETE", f"{path}/hidden")["changed"] is True
    assert asked(world, contentUri=URI)["entry"]["commentCount"] == 1
    assert did(world, "DELETE", path, reason="rude") == {"page": PAGE, "feed": "1", "comment": one, "changed": True}
    assert send(world, "DELETE", path).status == 404
    assert ("comment.deleted", f"page:{PAGE}/feed:1/comment:{one}", "rude") in logged(world)


def test_a_feed_is_deleted(world: World):
    assert did(world, "DELETE", FEED)["changed"] is True
    assert send(world, "DELETE", FEED).status == 404
    assert asked(world)["totalResults"] == 0
    assert [kind for kind, *_ in logged(world)] == ["feed.deleted"]


def test_the_newest_posts_are_listed(world: World):
    one = comment(world, "きれい", HANA)
    listed = did(world, "GET", "/moderation/posts")["entry"]
    assert {each["kind"]: each.get("comment") for each in listed} == {"comment": one, "feed": None}
    (said,) = did(world, "GET", "/moderation/posts", page=PAGE, kind="comment")["entry"]
    assert (said["text"], said["title"], said["user"]["displayName"]) == ("きれい", "title", f"name of {HANA}")
    part = did(world, "GET", "/moderation/posts", count="1")
    assert len(part["entry"]) == 1
    rest = did(world, "GET", "/moderation/posts", count="1", cursor=part["nextCursor"])
    assert "nextCursor" not in rest
    assert {each["kind"] for each in part["entry"] + rest["entry"]} == {"comment", "feed"}


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("PUT", f"/pages/{PAGE}/feeds/2/hidden", {}, 404),
        ("PUT", f"/pages/{PAGE}/feeds/{'x' * 60}/hidden", {}, 404),
        ("PUT", f"/pages/{PAGE}/feeds/1%2F2/hidden", {}, 404),
        ("PUT", "/pages/1/feeds/1/hidden", {}, 404),
        ("PUT", "/pages/cafe/feeds/1/hidden", {}, 404),
        ("PUT", f"{FEED}/comments/nothing/hidden", {}, 404),
        ("PUT", f"{FEED}/comments/000001ABCDEFG-20260401090000/hidden", {}, 404),
        ("DELETE", f"{FEED}/comments/1", {}, 404),
        ("PUT", f"{FEED}/hidden", {"reason": "x" * 501}, 400),
        ("PUT", f"{FEED}/hidden", {"reason": "a\nb"}, 400),
        ("GET", "/moderation/posts", {"kind": "favorite"}, 400),
        ("GET", "/moderation/posts", {"state": "gone"}, 400),
        ("GET", "/moderation/posts", {"cursor": "cafe"}, 400),
        ("GET", "/moderation/posts", {"page": "1"}, 404),
        ("GET", "/moderation/posts", {"count": "101"}, 400),
        ("GET", "/reports", {"state": "gone"}, 400),
        ("GET", "/reports", {"cursor": "!"}, 400),
        ("GET", "/reports/nothing", {}, 404),
        ("GET", f"/reports/{NOWHERE}", {}, 404),
    ],
)
def test_refused(world: World, method: str, path: str, query: dict[str, str], status: int):
    with nothing_changes(world):
        assert send(world, method, path, **query).status == status
    assert logged(world) == []


def test_the_longest_reason(world: World):
    assert did(world, "PUT", f"{FEED}/hidden", reason="縁" * 500)["changed"] is True


def test_only_operators(world: World):
    for token in (None, world.token(MEI, "w_pagefeed"), world.token(None, "any")):
        assert world.send("PUT", f"/admin{FEED}/hidden", token=token).status in (401, 403)


# Reports.


def report(world: World, user: str = HANA, words: str = "", on: Post = THE_FEED) -> str:
    return world.platform.reports.report(on, user, ReportReason.SPAM, words).case


def test_reports_of_a_post_are_one_entry(world: World):
    case = report(world, HANA, "広告です")
    assert report(world, KEN) == case
    one = comment(world, "きれい", HANA)
    other = report(world, KEN, on=Post(PAGE, "1", one))
    listed = did(world, "GET", "/reports")["entry"]
    assert {each["id"]: (each["reports"], each["post"].get("comment")) for each in listed} == {
        case: (2, None),
        other: (1, one),
    }
    told = did(world, "GET", f"/reports/{case}")
    assert told["reasons"] == {"spam": 2}
    assert {each["user"]: each["words"] for each in told["entry"]} == {HANA: "広告です", KEN: ""}


@pytest.mark.parametrize("outcome", ["nothing", "hidden", "deleted"])
def test_a_report_is_handled_once(world: World, outcome: str):
    case = report(world)
    body = {"outcome": outcome, "word": "ありがとうございます", "reason": "as reported"}
    told = did(world, "POST", f"/reports/{case}/outcome", body)
    assert (told["outcome"], told["word"], told["handledBy"]) == (outcome, "ありがとうございます", ACTOR)
    assert ask(world, contentUri=URI).status == (200 if outcome == "nothing" else 404)
    assert send(world, "POST", f"/reports/{case}/outcome", {"outcome": "nothing"}).status == 409
    assert did(world, "GET", "/reports")["entry"] == []
    assert did(world, "GET", "/reports", state="handled")["entry"] == [told]
    assert did(world, "GET", f"/reports/{case}") == told | {"entry": [*did(world, "GET", f"/reports/{case}")["entry"]]}
    kinds = {"nothing": [], "hidden": ["feed.hidden"], "deleted": ["feed.deleted"]}[outcome]
    assert [kind for kind, *_ in logged(world)] == [*kinds, "report.handled"]
    ((mine, of_mine),) = world.platform.reports.of_user(HANA, None, 10)[0]
    assert (mine.case, of_mine.outcome and of_mine.outcome.value, of_mine.word) == (case, outcome, body["word"])


def test_a_post_that_is_gone_cannot_be_hidden(world: World):
    case = report(world)
    did(world, "DELETE", FEED)
    assert send(world, "POST", f"/reports/{case}/outcome", {"outcome": "hidden"}).status == 409
    assert did(world, "POST", f"/reports/{case}/outcome", {"outcome": "deleted"})["outcome"] == "deleted"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"outcome": "burned"},
        {"outcome": "nothing", "word": "x" * 1001},
        {"outcome": "nothing", "reason": "x" * 501},
        {"outcome": "nothing", "to": "x"},
    ],
)
def test_a_wrong_outcome_is_refused(world: World, body: Any):
    case = report(world)
    with nothing_changes(world):
        assert send(world, "POST", f"/reports/{case}/outcome", body).status == 400


def test_a_handled_post_can_be_reported_again(world: World):
    case = report(world)
    did(world, "POST", f"/reports/{case}/outcome", {"outcome": "nothing"})
    world.clock.now += 1
    again = report(world)
    assert again != case
    assert [mine.case for mine, _ in world.platform.reports.of_user(HANA, None, 10)[0]] == [again, case]
    part, following = world.platform.reports.of_user(HANA, None, 1)
    assert following is not None
    rest, end = world.platform.reports.of_user(HANA, following, 1)
    assert ([mine.case for mine, _ in part + rest], end) == ([again, case], None)


def test_a_person_reports_a_post_once_and_some_posts_a_day(world: World):
    from chalicelib.core.errors import Conflict
    from chalicelib.core.reports import TooManyReports

    report(world)
    with pytest.raises(Conflict):
        report(world)
    for turn in range(MOST_A_DAY - 1):
        report(world, on=Post(PAGE, "1", f"comment {turn}"))
    with pytest.raises(TooManyReports):
        report(world, on=Post(PAGE, "2"))
    report(world, TARO, on=Post(PAGE, "2"))
    world.clock.now += 86_400_000
    report(world, on=Post(PAGE, "2"))


def test_the_reports_of_an_erased_user_are_erased(world: World):
    case = report(world, HANA, "with words")
    report(world, KEN)
    world.platform.user_data.erase(HANA)
    assert [each.user for each in world.platform.reports.of_case(case)] == [KEN]
    assert not [item for item in world.items("records") if HANA in json.dumps(item, default=str)]


# The command line.


def test_the_command_line(world: World):
    line = AdminWorld(world)
    one = comment(world, "きれい", HANA)
    listed = line.admin("moderation", "posts", "--json")
    assert {json.loads(each)["kind"] for each in listed.output.splitlines()} == {"feed", "comment"}
    assert "きれい" in line.admin("moderation", "posts", "--page", PAGE, "--kind", "comment").output
    assert line.admin("moderation", "hide", PAGE, "1", one, "--reason", "rude").exit_code == 0
    hidden = line.admin("moderation", "posts", "--hidden", "--json")
    assert [(each["text"], each["reason"]) for each in map(json.loads, hidden.stdout.splitlines())] == [
        ("きれい", "rude")
    ]
    assert asked(world, contentUri=URI)["entry"]["commentCount"] == 0
    assert line.admin("moderation", "show", PAGE, "1", one).exit_code == 0
    case = report(world, KEN)
    assert case in line.admin("moderation", "reports").output
    assert KEN in line.admin("moderation", "report", case).output
    handled = ("handle", case, "--outcome", "hidden", "--word", "Thank you", "--reason", "spam")
    assert line.admin("moderation", *handled).exit_code == 0
    assert '"reason": "spam"' in line.admin("moderation", "posts", "--hidden", "--json").stdout
    assert case in line.admin("moderation", "reports", "--handled").output
    assert line.admin("moderation", "delete", PAGE, "1", "--yes").exit_code == 0
    assert line.admin("moderation", "delete", PAGE, "1", "--yes").exit_code == 1
    assert asked(world, FEEDS)["totalResults"] == 0
