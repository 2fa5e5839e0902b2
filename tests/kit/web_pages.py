"""The web pages that tests walk, in the demo world (local/demo.py). Each new page adds a row to PAGES.

tests/integration/test_web_pages.py reads them in both languages and checks their markup, size and cost;
tests/system/test_browser_web_pages.py opens them in a browser. This file has no more than the rows, so that rows of
several branches can be merged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.bootstrap import Platform
from chalicelib.core.actions import ActionKind, Outcome
from chalicelib.core.model.directory import User
from chalicelib.core.moderation import Post, PostKind
from chalicelib.core.overview import JobRun
from chalicelib.core.reports import ReportReason
from chalicelib.core.request_records import RequestRecord, Sampling
from chalicelib.core.roles import Role
from local.demo_data import APPS, CAFE, CONTENT_URI, USERS


@dataclass(frozen=True)
class WebPage:
    """A page: its path, or a function that makes in the demo world what the page shows and returns the path.

    `user` is the login of who opens it (None: signed out), `role` the role that they have. `status` is the status of
    the answer. `confirmed`: the user has given the password again before.
    """

    name: str
    path: str | Callable[[Platform], str]
    user: str | None = None
    role: Role | None = None
    status: int = 200
    confirmed: bool = False

    def made(self, platform: Platform) -> str:
        """Return the path, after making what the page shows."""
        return self.path if isinstance(self.path, str) else self.path(platform)


def _of_cafe(part: str = "", administrator: str | None = None) -> Callable[[Platform], str]:
    """Return a function that makes a user (a login) an administrator of the cafe; the path is below that page."""

    def make(platform: Platform) -> str:
        if administrator:
            platform.pages.members.add_administrator(CAFE.id, USERS[administrator])
        return f"/pages/{CAFE.id}{part}"

    return make


def _own_comment(platform: Platform) -> str:
    comment = platform.comments.post(CAFE.id, CONTENT_URI, USERS["ken"], "c" * 600)
    return f"/pages/{CAFE.id}/feeds/1/delete?comment={comment.id}"


def _leaving(platform: Platform) -> str:
    """Return the page on which the administrator Mei leaves."""
    return _of_cafe("/administrators", "mei")(platform) + f"?remove={USERS['mei']}"


ENDPOINT = "0123456789ab"


def _app(path: str, *, rotated: bool = False, suspended: bool = False) -> Callable[[Platform], str]:
    """Return a function that gives an app an endpoint with an event, and returns a path of the app in the console."""
    quest = APPS["quest"]

    def make(platform: Platform) -> str:
        from chalicelib.core.events import EventKind

        if not any(each.id == ENDPOINT for each in platform.endpoints.of_app(quest)):
            platform.endpoints.create(quest, "https://game.example/events", EventKind, ENDPOINT)
        platform.apps.change(
            quest,
            developer="星ゲームス",
            icon_url="https://game.example/icon.png",
            privacy_url="https://game.example/privacy",
        )
        app = platform.apps.get(quest)
        assert app
        platform.user_data.uninstall(quest, USERS["taro"])
        platform.user_data.install(app, USERS["taro"])
        if rotated:
            platform.app_secrets.rotate(quest, keep_old=True)
            platform.endpoints.new_secret(quest, ENDPOINT)
        else:
            platform.endpoints.end_old_secret(quest, ENDPOINT)
        if suspended:
            platform.apps.suspend(quest, "It asks for passwords")
        return f"/console/apps/{quest}{path}"

    return make


def _reported(platform: Platform) -> str:
    """Let Ken report the feed; return the path of the case."""
    report = platform.reports.report(
        Post(CAFE.id, "1"), USERS["ken"], ReportReason.OTHER, "広告です " + "長" * 100, USERS["mei"]
    )
    return f"/console/reports/{report.case}"


def _case(platform: Platform) -> str:
    cases, _ = platform.reports.list_part(None, 1)
    return f"/console/reports/{cases[0].id}" if cases else _reported(platform)


def _reported_comment(platform: Platform) -> str:
    """Let all report a comment that Taro has posted, and let the case be on two pages."""
    comment = platform.comments.post(CAFE.id, CONTENT_URI, USERS["taro"], "c" * 600)
    post, case = Post(CAFE.id, "1", comment.id), ""
    for turn in range(12):
        user = USERS["ken"] if turn == 0 else f"reporter{turn:04}"
        case = platform.reports.report(post, user, ReportReason.SPAM, "長" * 1_000, USERS["taro"]).case
    return f"/console/reports/{case}"


def _list_of_cases(platform: Platform) -> str:
    _case(platform)
    return "/console/reports"


def _own_reports(platform: Platform) -> str:
    _case(platform)
    return "/reports"


def _hidden(platform: Platform) -> str:
    """Hide a comment of the feed."""
    part = platform.newest_posts.newest(None, PostKind.COMMENT, None, 20)
    if part.entries:
        platform.moderated_posts.hide(part.entries[0].post, {"by": "user:" + USERS["taro"], "re": "spam"})
    return "/console/moderation/hidden"


def _suspended(platform: Platform) -> str:
    user = "susp00000001"
    if platform.users.get(user) is None:
        platform.users.create(User(user, "\u202e" + "م" * 20 + "a" * 60, login="suspended"))
        platform.roles.suspend(user)
    return f"/console/users/{user}"


def _log(platform: Platform) -> str:
    """Make entries of the action log, with a reason from right to left and one without a space."""
    log = platform.action_log
    for reason in ("مكرر", "x" * 100, "<script>alert(1)</script>"):
        before, after = {"name": "Cafe"}, {"name": reason}
        action = log.new(f"user:{USERS['mei']}", ActionKind.PAGE_CHANGED, f"page:{CAFE.id}", "1-2", before=before)
        log.begin(replace(action, reason=reason))
        log.finish(replace(action, reason=reason, after=after), Outcome.DONE)
    log.begin(log.new("cli:operator", ActionKind.USER_ERASED, f"user:{USERS['ken']}", "1-3"))
    return "/console/log"


def _busy_platform(platform: Platform) -> str:
    """Record runs of functions, imports and requests that were refused and failed."""
    now = platform.clock()
    kinds = [(503, "service_unavailable"), (500, "internal_error"), (403, "permission_denied"), (404, "not_found")]
    for turn, (status, kind) in enumerate(kinds * 5):
        found = Sampling()
        app = APPS["quest"] if status < 500 else None
        route, cause = "GET /2/pages/{page}/comments/{comment}", f"NotFound ({'x' * 200})"
        id = f"5f1c6a52-0d0f-4f4e-9d35-{turn:012}"
        found.add(RequestRecord(id, now - turn, route, status, kind, cause, app, "0.2.0+unknown", 12))
        platform.request_log.write(found)
    platform.job_log.ran(JobRun("sweep", now, 81, 1_234))
    platform.job_log.ran(JobRun("send", now, 40_001, 0, "Unavailable"))
    platform.job_log.worked("import", 100, 2)
    return "/console"


def _failed_requests(platform: Platform) -> str:
    _busy_platform(platform)
    return "/console/errors?kind=internal_error"


def _failed_request(platform: Platform) -> str:
    _busy_platform(platform)
    return "/console/requests?id=5f1c6a52-0d0f-4f4e-9d35-000000000002"


def _invited(platform: Platform) -> str:
    token, _ = platform.one_time_links.make_invitation("陸 (Riku)")
    return f"/join?link={token}"


def _reset(platform: Platform) -> str:
    token, _ = platform.one_time_links.make_reset(USERS["hana"])
    return f"/reset?link={token}"


def _leaving_user(platform: Platform) -> str:
    platform.leaving_users.leave(USERS["ken"])
    return "/settings/delete"


PAGES = [
    # The frame.
    WebPage("front, signed out", "/"),
    WebPage("front", "/", "hana"),
    WebPage("my apps", "/apps", "hana"),
    WebPage("my apps, signed out", "/apps"),
    WebPage("my friends", "/friends", "hana"),
    WebPage("pages that I follow", "/pages", "hana"),
    WebPage("pages that I administer", "/pages?list=administered", "mei"),
    WebPage("my own page", f"/people/{USERS['hana']}", "hana"),
    WebPage("a friend's page", f"/people/{USERS['ken']}", "hana"),
    WebPage("the page of a friend of a friend", f"/people/{USERS['taro']}", "mei"),
    WebPage("a stranger's page", f"/people/{USERS['yuki']}", "hana"),
    WebPage("sign in", "/sign_in"),
    WebPage("settings, signed out", "/settings"),
    WebPage("settings", "/settings", "hana"),
    WebPage("apps and their access", "/settings/apps", "hana"),
    WebPage("console", "/console", "hana", Role.OPERATOR),
    WebPage("console of a moderator", "/console", "hana", Role.MODERATOR),
    WebPage("console, without a role", "/console", "hana", status=404),
    WebPage("console, signed out", "/console"),
    # Apps.
    WebPage("apps", "/console/apps", "hana", Role.OPERATOR),
    WebPage("apps, of a moderator", "/console/apps", "hana", Role.MODERATOR),
    WebPage("app", _app("", rotated=True), "hana", Role.OPERATOR),
    WebPage("app, of a moderator", _app(""), "hana", Role.MODERATOR),
    WebPage("app, suspended", _app("", suspended=True), "hana", Role.OPERATOR),
    WebPage("app, new", "/console/apps/new", "hana", Role.OPERATOR),
    WebPage("app, its form", _app("/edit"), "hana", Role.OPERATOR),
    WebPage("app, deletion", _app("/delete"), "hana", Role.OPERATOR, confirmed=True),
    WebPage("app, endpoints", _app("/endpoints"), "hana", Role.OPERATOR),
    WebPage("app, an endpoint", _app(f"/endpoints/{ENDPOINT}"), "hana", Role.OPERATOR),
    WebPage("app, an endpoint with two secrets", _app(f"/endpoints/{ENDPOINT}", rotated=True), "hana", Role.OPERATOR),
    WebPage("app, events", _app("/events"), "hana", Role.OPERATOR),
    # Pages in the console.
    WebPage("console: pages", "/console/pages", "hana", Role.OPERATOR),
    WebPage("console: no page found", "/console/pages?q=zzz", "hana", Role.MODERATOR),
    WebPage("console: a page", f"/console/pages/{CAFE.id}", "hana", Role.OPERATOR),
    WebPage("console: a page, of a moderator", f"/console/pages/{CAFE.id}", "hana", Role.MODERATOR),
    WebPage("feed, of a moderator", _of_cafe("/feeds/1"), "hana", Role.MODERATOR),
    # Moderation and reports.
    WebPage("report", f"/report?page={CAFE.id}&feed=1", "hana"),
    WebPage("report of nothing", f"/report?page={CAFE.id}&feed=99", "hana", status=404),
    WebPage("my reports", _own_reports, "ken"),
    WebPage("newest posts", "/console/moderation", "hana", Role.MODERATOR),
    WebPage("newest comments", "/console/moderation?kind=comment", "hana", Role.OPERATOR),
    WebPage("hidden posts", _hidden, "hana", Role.MODERATOR),
    WebPage("a post", f"/console/moderation/post?page={CAFE.id}&feed=1", "hana", Role.MODERATOR),
    WebPage("newest posts, without a role", "/console/moderation", "hana", status=404),
    WebPage("reports", _list_of_cases, "hana", Role.MODERATOR),
    WebPage("a report", _case, "hana", Role.MODERATOR),
    WebPage("a report of a comment", _reported_comment, "hana", Role.MODERATOR),
    # Users in the console.
    WebPage("console: users", "/console/users", "hana", Role.OPERATOR),
    WebPage("console: users found", "/console/users?q=k", "hana", Role.MODERATOR),
    WebPage("console: no user found", "/console/users?q=zzz", "hana", Role.OPERATOR),
    WebPage("console: a person", f"/console/users/{USERS['ken']}", "hana", Role.OPERATOR),
    WebPage("console: a person, for a moderator", f"/console/users/{USERS['ken']}", "hana", Role.MODERATOR),
    WebPage("console: a person who is suspended", _suspended, "hana", Role.OPERATOR),
    *(
        WebPage(f"console: {name} of a person", f"/console/users/{USERS['ken']}/list/{name}", "hana", Role.OPERATOR)
        for name in ("friends", "apps", "administers", "follows", "feeds", "comments")
    ),
    WebPage("console: edit a person", f"/console/users/{USERS['ken']}/edit", "hana", Role.OPERATOR),
    WebPage("console: erase a person", f"/console/users/{USERS['ken']}/erase", "hana", Role.OPERATOR, confirmed=True),
    WebPage(
        "console: erase, for a moderator", f"/console/users/{USERS['ken']}/erase", "hana", Role.MODERATOR, status=403
    ),
    WebPage("console: data", f"/console/users/{USERS['ken']}/apps/{APPS['quest']}", "hana", Role.OPERATOR),
    WebPage("console: invitation", "/console/invitations", "hana", Role.OPERATOR),
    # The account.
    WebPage("profile", "/settings/profile", "hana"),
    WebPage("password", "/settings/password", "hana"),
    WebPage("sessions", "/settings/sessions", "hana"),
    WebPage("data", "/settings/data", "hana"),
    WebPage("delete", "/settings/delete", "hana"),
    WebPage("delete, leaving", _leaving_user, "ken"),
    WebPage("profile, signed out", "/settings/profile"),
    WebPage("invitation", _invited),
    WebPage("reset link", _reset),
    WebPage("dead link", "/reset?link=none", status=404),
    # The action log.
    WebPage("log", _log, "hana", Role.OPERATOR),
    WebPage("log, narrowed", "/console/log?kind=user&from=2026-01-01&to=2030-01-01", "hana", Role.OPERATOR),
    WebPage("log, wrong date", "/console/log?from=yesterday", "hana", Role.OPERATOR, status=400),
    # Pages.
    WebPage("page, signed out", _of_cafe()),
    WebPage("page", _of_cafe(), "hana"),
    WebPage("page of an administrator", _of_cafe("", "mei"), "mei"),
    WebPage("page, done", _of_cafe("?done=followed"), "hana"),
    WebPage("feed, signed out", _of_cafe("/feeds/1")),
    WebPage("feed", _of_cafe("/feeds/1"), "hana"),
    WebPage("feed, done", _of_cafe("/feeds/1?done=commented"), "hana"),
    WebPage("feed of an administrator", _of_cafe("/feeds/1", "mei"), "mei"),
    WebPage("deletion of a feed", _of_cafe("/feeds/1/delete", "mei"), "mei"),
    WebPage("deletion of a comment", _own_comment, "ken"),
    WebPage("deletion of a feed of another", _of_cafe("/feeds/1/delete"), "hana", status=403),
    WebPage("new post", _of_cafe("/post", "mei"), "mei"),
    WebPage("page settings", _of_cafe("/settings", "mei"), "mei"),
    WebPage("page settings of another", _of_cafe("/settings"), "hana", status=403),
    WebPage("page administrators", _of_cafe("/administrators", "mei"), "mei"),
    WebPage("last page administrator", _leaving, "mei"),
    WebPage("page apps", _of_cafe("/apps", "mei"), "mei"),
    WebPage("page that is not there", "/pages/1", "hana", status=404),
    # The overview.
    WebPage("overview with something in it", _busy_platform, "hana", Role.OPERATOR),
    WebPage("overview of a moderator", _busy_platform, "hana", Role.MODERATOR),
    WebPage(
        "recorded failures, the next part",
        lambda platform: _failed_requests(platform) + "&cursor=OTk5OTk5OTk5OTk5OQ",
        "hana",
        Role.OPERATOR,
    ),
    WebPage("kinds of refusals", "/console/errors", "hana", Role.OPERATOR),
    WebPage("requests of a kind", _failed_requests, "hana", Role.OPERATOR),
    WebPage("requests of a moderator", "/console/requests", "hana", Role.MODERATOR, status=403),
    WebPage("look up a request", "/console/requests", "hana", Role.OPERATOR),
    WebPage("a failed request", _failed_request, "hana", Role.OPERATOR),
    WebPage("a request without a record", "/console/requests?id=none", "hana", Role.OPERATOR, status=404),
]
