"""Reports by people, and moderation in the console: what the pages show, and what their forms do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.actions import ActionFilter
from chalicelib.core.model.contents import Feed
from chalicelib.core.moderation import Post
from chalicelib.core.reports import MOST_A_DAY, Case, ReportOutcome, ReportReason
from chalicelib.core.roles import Role
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.records.reports import Reports
from local import demo
from local.demo_data import CAFE, USERS
from tests.kit.memory import Cloud
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.worlds import MemoryWorld, World

HOME = "http://127.0.0.1:8000"
HANA, KEN, MEI = USERS["hana"], USERS["ken"], USERS["mei"]
LONG = "長" * 1_000
RTL = "\u202eمرحبا <b>&"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = MemoryWorld(tmp_path, Cloud())
    demo.load(made.platform, HOME, tmp_path)
    return made


@pytest.fixture
def open_as(world: World) -> Callable[..., Browser]:
    """Return a function that returns the browser of a user, with a role."""
    path = Path(str(world.platform.settings.token_keys_file)).with_name(demo.FILE)
    users = json.loads(path.read_text())["users"]

    def sign_in(login: str, role: Role | None = None) -> Browser:
        browser = browser_at(world.gateway)
        browser.headers["Accept-Language"] = "en"
        if role:
            world.platform.roles.give(USERS[login], role)
        assert browser.sign_in(browser.open("/sign_in"), login, users[login]["password"]).status == 303
        return browser

    return sign_in


def comment(world: World, user: str = KEN, text: str = "きれい") -> str:
    return world.platform.comments.post(CAFE.id, uri(world), user, text).id


def feed(world: World) -> Feed:
    return world.platform.page_screens.feed(CAFE.id, "1", None, lambda: None, consistent=True).feed


def uri(world: World) -> str:
    return feed(world).content_uri


def report_path(one: str = "") -> str:
    return f"/report?page={CAFE.id}&feed=1" + (f"&comment={one}" if one else "")


def logged(world: World) -> set[tuple[str, str, str]]:
    entries, _ = world.platform.action_log.part(ActionFilter(0, 10**15), None, 100)
    return {(entry.actor, entry.kind, entry.reason) for entry in entries}


def sent(browser: Browser, shown: Page, **values: str) -> Page:
    """Send the form of the page; the form of signing out has no language."""
    return browser.submit(shown.form("lang"), **values)


def test_a_person_reports_a_comment_and_sees_the_answer(world: World, open_as: Callable[..., Browser]) -> None:
    one = comment(world, KEN, RTL)
    hana = open_as("hana")
    asked = hana.open(report_path(one))
    assert asked.status == 200
    assert "مرحبا" in asked.text
    assert asked.form("reason").fields["reason"] == ""
    assert sent(hana, asked).status == 400
    done = sent(hana, asked, reason="harassment", words=LONG)
    assert (done.status, done.headers["location"]) == (303, "/reports?done=reported")
    mine = hana.open("/reports?done=reported")
    assert "Harassment" in mine.text
    assert "have not answered yet" in mine.text

    mei = open_as("mei", Role.MODERATOR)
    listed = mei.open("/console/reports")
    assert "Reports: 1" in listed.text
    (case,) = world.platform.reports.list_part(None, 10)[0]
    shown = mei.open(f"/console/reports/{case.id}")
    assert LONG in shown.text
    done = sent(mei, shown, outcome="hidden", word="ありがとう", reason="rude")
    assert (done.status, done.headers["location"]) == (303, "/console/reports?done=handled")
    assert {("user:" + MEI, "comment.hidden", "rude"), ("user:" + MEI, "report.handled", "rude")} <= logged(world)
    mine = hana.open("/reports")
    assert "The post was hidden" in mine.text
    assert "ありがとう" in mine.text
    assert hana.open(report_path(one)).status == 404
    again = sent(mei, shown, outcome="nothing", word="", reason="again")
    assert again.status == 409
    assert "handled already" in again.text


def test_a_report_needs_a_session(world: World, open_as: Callable[..., Browser]) -> None:
    stranger = open_as("hana")
    page = stranger.open(report_path())
    form = page.form("lang")
    stranger.cookies.clear()
    assert "Sign in" in stranger.open(report_path()).text
    assert "Sign in" in stranger.open("/reports").text
    stranger.submit(form, reason="spam")
    assert world.platform.reports.list_part(None, 10)[0] == []


def test_refused_reports_change_nothing(world: World, open_as: Callable[..., Browser]) -> None:
    hana = open_as("hana")
    page = hana.open(report_path())
    for values in ({"reason": "other", "words": ""}, {"reason": "burned"}, {"reason": "spam", "words": "x" * 1_001}):
        answer = sent(hana, page, **values)
        assert answer.status == 400
        assert "Choose what is wrong" in answer.text
    assert "x" * 1_001 in answer.text
    assert sent(hana, page, csrf="x" * 32, reason="spam").status == 400
    assert sent(hana, page, reason="spam", feed="99").status == 404
    assert sent(hana, page, reason="spam", page="cafe").status == 404
    assert sent(hana, page, reason="spam", feed="1/../2").status == 404
    assert world.platform.reports.list_part(None, 10)[0] == []
    own = comment(world, HANA)
    mine = sent(hana, hana.open(report_path(own)), reason="spam")
    assert (mine.status, "your own post" in mine.text) == (400, True)


def test_a_second_report_says_so(world: World, open_as: Callable[..., Browser]) -> None:
    hana = open_as("hana")
    page = hana.open(report_path())
    assert sent(hana, page, reason="spam").status == 303
    again = sent(hana, page, reason="spam")
    assert (again.status, "have reported this post already" in again.text) == (409, True)
    for turn in range(MOST_A_DAY - 1):
        world.platform.reports.report(Post(CAFE.id, "9", str(turn)), HANA, ReportReason.SPAM, "")
    one = comment(world)
    more = sent(hana, hana.open(report_path(one)), reason="spam")
    assert (more.status, "tomorrow" in more.text) == (403, True)


def test_a_report_leads_back_within_this_site_only(world: World, open_as: Callable[..., Browser]) -> None:
    hana = open_as("hana")
    for back in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        assert "evil" not in hana.open(f"{report_path()}&back={back}").html.replace("hreflang", "").split("<main", 1)[1]


def test_a_moderator_hides_and_shows_a_post(world: World, open_as: Callable[..., Browser]) -> None:
    one = comment(world, KEN, "A" * 100)
    mei = open_as("mei", Role.MODERATOR)
    listed = mei.open(f"/console/moderation?page={CAFE.id}&kind=comment")
    assert "A" * 100 in listed.text
    path = f"/console/moderation/post?page={CAFE.id}&feed=1&comment={one}"
    assert path.replace("&", "&amp;") in listed.html
    shown = mei.open(path)
    assert sent(mei, shown, do="hide", reason="").status == 400
    assert sent(mei, shown, do="hide", reason="x" * 501).status == 400
    assert sent(mei, shown, do="burn", reason="x").status == 400
    assert sent(mei, shown, csrf="0" * 32, do="hide", reason="spam").status == 400
    assert "A" * 100 in open_as("ken").open(f"/pages/{CAFE.id}/feeds/1").text
    done = sent(mei, shown, do="hide", reason="spam")
    assert (done.status, done.headers["location"]) == (303, f"{path}&done=post_hidden")
    assert "A" * 100 not in mei.open("/console/moderation").text
    assert "spam" in mei.open("/console/moderation/hidden").text
    # Another moderator with an old form: it is hidden already, and the page says so.
    assert sent(mei, shown, do="hide", reason="again").status == 303
    hidden = mei.open(path)
    assert sent(mei, hidden, do="show", reason="a mistake").status == 303
    assert "A" * 100 in mei.open("/console/moderation").text
    assert sent(mei, hidden, do="delete", reason="spam").headers["location"].endswith("done=moderated")
    assert sent(mei, hidden, do="delete", reason="spam").status == 404
    actor = "user:" + MEI
    assert logged(world) >= {
        (actor, "comment.hidden", "spam"),
        (actor, "comment.shown", "a mistake"),
        (actor, "comment.deleted", "spam"),
    }


def test_moderators_do_not_judge_their_own_posts(world: World, open_as: Callable[..., Browser]) -> None:
    post = Post(CAFE.id, "1", comment(world, MEI, "mine"))
    case = world.platform.reports.report(post, HANA, ReportReason.SPAM, "", MEI).case
    mei = open_as("mei", Role.MODERATOR)
    path = f"/console/moderation/post?page={CAFE.id}&feed=1&comment={post.comment}"
    world.platform.moderated_posts.hide(post, {"by": "user:" + HANA, "re": "spam"})
    of_ken = Post(CAFE.id, "1", comment(world, KEN))
    other = world.platform.reports.report(of_ken, HANA, ReportReason.SPAM, "", KEN).case
    form = mei.open(f"/console/reports/{other}").form("word")
    form.action = form.action.replace(other, case)

    for answer in (
        sent(mei, mei.open(path), do="show", reason="a mistake"),
        mei.submit(form, outcome="nothing", word="", reason="fine"),
    ):
        assert (answer.status, "Leave the decision to somebody else." in answer.text) == (403, True)
    assert logged(world) == set()

    hana = open_as("hana", Role.MODERATOR)
    assert sent(hana, hana.open(path), do="show", reason="a mistake").status == 303
    assert sent(hana, hana.open(f"/console/reports/{case}"), outcome="nothing", word="", reason="fine").status == 303


def test_an_operator_may_be_alone(world: World, open_as: Callable[..., Browser]) -> None:
    case = world.platform.reports.report(Post(CAFE.id, "1", comment(world, MEI)), HANA, ReportReason.SPAM, "", MEI).case
    mei = open_as("mei", Role.OPERATOR)
    assert sent(mei, mei.open(f"/console/reports/{case}"), outcome="nothing", word="", reason="fine").status == 303


def test_the_list_of_posts_is_paged(world: World, open_as: Callable[..., Browser]) -> None:
    for turn in range(45):
        comment(world, KEN, f"number {turn}.")
    mei = open_as("mei", Role.MODERATOR)
    found: list[str] = []
    path = "/console/moderation?kind=comment"
    while path:
        page = mei.open(path)
        found += [each for each in page.text.split() if each.rstrip(".").isdecimal() and each.endswith(".")]
        following = re.findall(r'href="([^"]*)" rel="next"', page.html)
        path = f"/console/moderation{following[0]}".replace("&amp;", "&") if following else ""
    assert [each for each in found if int(each[:-1]) < 45] == [f"{turn}." for turn in range(44, -1, -1)]


def test_who_may_moderate(world: World, open_as: Callable[..., Browser]) -> None:
    hana = open_as("hana")
    for path in ("/console/moderation", "/console/moderation/hidden", "/console/reports"):
        assert hana.open(path).status == 404
    operator = open_as("taro", Role.OPERATOR)
    assert operator.open("/console/moderation").status == 200
    assert operator.open("/console/reports?state=handled").status == 200
    assert operator.open("/console/reports/0mng8s5u07xk2abc").status == 404
    assert operator.open("/console/moderation?kind=cake").status == 400
    assert "up to 20 digits" in operator.open("/console/moderation?page=cafe").text


def test_a_post_that_is_gone_cannot_be_hidden(world: World, open_as: Callable[..., Browser]) -> None:
    one = comment(world)
    case = world.platform.reports.report(Post(CAFE.id, "1", one), HANA, ReportReason.SPAM, "").case
    mei = open_as("mei", Role.MODERATOR)
    shown = mei.open(f"/console/reports/{case}")
    world.platform.moderated_posts.delete(Post(CAFE.id, "1", one))
    answer = sent(mei, shown, outcome="hidden", word="", reason="spam")
    assert (answer.status, "no longer exists" in answer.text) == (409, True)
    assert sent(mei, answer, outcome="deleted", word="", reason="spam").status == 303


def test_the_reports_of_a_post_are_shown_in_parts(world: World, open_as: Callable[..., Browser]) -> None:
    one = comment(world, KEN)
    users = [f"reporter{turn:04}" for turn in range(12)]
    reports = [
        world.platform.reports.report(Post(CAFE.id, "1", one), user, ReportReason.SPAM, f"words of {user}", KEN)
        for user in users
    ]
    mei = open_as("mei", Role.MODERATOR)
    path = f"/console/reports/{reports[0].case}"
    first = mei.open(path)
    assert [user for user in users if f"words of {user}" in first.text] == users[:10]
    (following,) = set(re.findall(r'href="(\?after=[^"]+)"', first.html))
    assert [user for user in users if f"words of {user}" in mei.open(path + following).text] == users[10:]
    for wrong in ("~", "x" * 3_000, "%00"):
        assert "words of reporter0000" in mei.open(f"{path}?after={wrong}").text


def test_a_case_without_its_poster_or_post_is_shown(world: World, open_as: Callable[..., Browser]) -> None:
    one = comment(world, KEN, "spam and more spam")
    case = world.platform.reports.report(Post(CAFE.id, "1", one), HANA, ReportReason.SPAM, "look").case
    mei = open_as("mei", Role.MODERATOR)
    shown = mei.open(f"/console/reports/{case}").text
    assert "spam and more spam" in shown
    assert "Ken" in shown
    world.platform.moderated_posts.delete(Post(CAFE.id, "1", one))
    page = mei.open(f"/console/reports/{case}")
    assert "spam and more spam" not in page.text
    assert "look" in page.text
    assert re.findall(r'<option value="([a-z]+)"', page.html) == ["deleted"]
    assert sent(mei, page, outcome="deleted", word="", reason="gone").status == 303
    assert "The post was deleted" in open_as("hana").open("/reports").text


def test_the_list_of_reports_shows_the_posts(world: World, open_as: Callable[..., Browser]) -> None:
    spam, hidden, gone = (comment(world, KEN, text) for text in ("spam and more spam", "a rude word", "gone by now"))
    for each in (None, spam, hidden, gone):
        world.clock.now += 1_000
        world.platform.reports.report(Post(CAFE.id, "1", each), HANA, ReportReason.SPAM, "", KEN)
    world.platform.moderated_posts.hide(Post(CAFE.id, "1", hidden), {"by": f"user:{MEI}", "re": "rude"})
    world.platform.moderated_posts.delete(Post(CAFE.id, "1", gone))

    listed = open_as("mei", Role.MODERATOR).open("/console/reports")

    of_gone, of_hidden, of_spam, of_feed = listed.html.split('<article class="reported">')[1:]
    assert "gone by now" not in of_gone
    assert "The post no longer exists. · <bdi>健 (Ken)</bdi>" in of_gone
    assert "a rude word" in of_hidden
    assert "Hidden" in of_hidden
    assert "spam and more spam" in of_spam
    assert "Hidden" not in of_spam
    assert feed(world).title in of_feed
    assert feed(world).body in of_feed


def test_who_posted_it_does_not_learn_who_reported_it(world: World, open_as: Callable[..., Browser]) -> None:
    mine, boss = comment(world, MEI), comment(world, USERS["taro"])
    cases = [
        world.platform.reports.report(Post(CAFE.id, "1", one), HANA, ReportReason.OTHER, "my words", poster).case
        for one, poster in ((mine, MEI), (boss, USERS["taro"]))
    ]
    for login, role, case in (("mei", Role.MODERATOR, cases[0]), ("taro", Role.OPERATOR, cases[1])):
        shown = open_as(login, role).open(f"/console/reports/{case}")
        assert shown.status == 200
        assert "Something else: 1" in shown.text
        assert not [each for each in ("Hana", HANA, "my words") if each in shown.html]
        assert ('name="outcome"' in shown.html) is (role is Role.OPERATOR)
        assert ("Leave the decision to somebody else" in shown.text) is (role is Role.MODERATOR)


def test_two_moderators_at_once_undo_nothing_and_see_what_was_done(
    world: World, open_as: Callable[..., Browser]
) -> None:
    one = comment(world, KEN)
    path = f"/console/moderation/post?page={CAFE.id}&feed=1&comment={one}"
    mei, taro = open_as("mei", Role.MODERATOR), open_as("taro", Role.OPERATOR)
    of_mei, of_taro = mei.open(path), taro.open(path)
    assert sent(mei, of_mei, do="hide", reason="rude").status == 303
    again = sent(taro, of_taro, do="hide", reason="also rude")
    assert again.status == 303
    assert "hd" in world.platform.stored_posts.find(Post(CAFE.id, "1", one)).item
    (entry,) = world.platform.newest_posts.hidden(None, None, None, 20).entries
    assert (entry.by, entry.reason) == (f"user:{MEI}", "rude")
    assert sent(taro, taro.open(path), do="delete", reason="illegal").status == 303
    for browser, page, do in ((mei, of_mei, "show"), (mei, of_mei, "hide"), (taro, of_taro, "delete")):
        late = sent(browser, page, do=do, reason="late")
        assert late.status == 404
        assert "csrf" not in late.headers.get("location", "")
    assert feed(world).comments == 2


@pytest.mark.parametrize("outcome", ["hidden", "deleted"])
@pytest.mark.parametrize("of_feed", [False, True], ids=["comment", "feed"])
@pytest.mark.parametrize("before", [True, False], ids=["before the read", "after the read"])
def test_of_two_answers_at_once_one_counts_and_the_other_changes_nothing(
    world: World,
    open_as: Callable[..., Browser],
    monkeypatch: pytest.MonkeyPatch,
    before: bool,
    of_feed: bool,
    outcome: str,
) -> None:
    post = Post(CAFE.id, "1", None if of_feed else comment(world, KEN))
    case = world.platform.reports.report(post, HANA, ReportReason.SPAM, "", KEN).case
    mei = open_as("mei", Role.MODERATOR)
    page = mei.open(f"/console/reports/{case}")
    close = Reports.close

    def other_answers(reports: Reports, write: Transaction, *how: Any) -> Case:
        """Let another moderator leave the post, before or after the open case is read."""
        monkeypatch.undo()
        closed = None if before else close(reports, write, *how)
        reports.handle(case, ReportOutcome.NOTHING, "fine", f"user:{HANA}")
        return closed or close(reports, write, *how)

    monkeypatch.setattr(Reports, "close", other_answers)
    answer = sent(mei, page, outcome=outcome, word="", reason="spam")

    assert answer.status == 409
    assert "handled already" in answer.text
    known = world.platform.reports.get(case)
    assert known
    assert (known.outcome, known.by) == (ReportOutcome.NOTHING, f"user:{HANA}")
    assert "hd" not in world.platform.stored_posts.find(post).item
    assert world.platform.newest_posts.hidden(None, None, None, 20).entries == []
    assert logged(world) == set()


def test_a_form_in_a_second_tab_is_still_good(world: World, open_as: Callable[..., Browser]) -> None:
    one, other = comment(world, KEN), comment(world, KEN)
    mei = open_as("mei", Role.MODERATOR)
    tabs = [mei.open(f"/console/moderation/post?page={CAFE.id}&feed=1&comment={each}") for each in (one, other)]
    for tab, each in zip(tabs, (one, other), strict=True):
        assert sent(mei, tab, do="hide", reason="spam").status == 303
        assert "hd" in world.platform.stored_posts.find(Post(CAFE.id, "1", each)).item


def test_the_list_of_reports_that_changes_while_it_is_paged_repeats_and_loses_nothing(
    world: World, open_as: Callable[..., Browser]
) -> None:
    def report(turn: int) -> str:
        world.clock.now += 1_000
        user = HANA if turn % 2 else KEN
        return world.platform.reports.report(Post(CAFE.id, str(turn)), user, ReportReason.SPAM, "").case

    cases = [report(turn) for turn in range(1, 19)]
    mei = open_as("mei", Role.MODERATOR)
    part = mei.open("/console/reports")
    seen = re.findall(r'href="/console/reports/([^"?]+)"', part.html)
    assert seen == cases[:10:-1]
    report(30)
    sent(mei, mei.open(f"/console/reports/{seen[-1]}"), outcome="nothing", word="", reason="fine")
    for rest in (cases[10:3:-1], cases[3::-1]):
        (following,) = set(re.findall(r'href="(\?cursor=[^"]+)"', part.html))
        part = mei.open("/console/reports" + following)
        assert re.findall(r'href="/console/reports/([^"?]+)"', part.html) == rest
