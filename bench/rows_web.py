"""The pages of members and of the console: what they cost when their lists are full."""

from collections.abc import Callable
from functools import partial

from bench.flood import put_all, user
from bench.row import Row
from bench.rows_pages import COMMENTS, PAGE, POSTERS, URI
from bench.rows_people import mark, person
from bench.rows_screens import MEMBER, SCREEN, screen
from chalicelib.core.actions import ActionKind, Outcome
from chalicelib.core.model.directory import App
from chalicelib.core.moderation import Post
from chalicelib.core.oauth import Family, Grant
from chalicelib.core.overview import JobRun
from chalicelib.core.paging import Paging
from chalicelib.core.reports import ReportReason
from chalicelib.core.request_records import RequestRecord, Sampling
from chalicelib.core.roles import Role
from chalicelib.store.directory.user_items import to_item
from chalicelib.store.grants.grant_items import grant_item
from local.in_process import APP, HANA, KEN, World

FRIENDS, APPS = 100, 30
PEOPLE = "/console/users"


def _member(world: World) -> None:
    """Give the member 100 friends and 30 apps with grants, and let them follow the cafe and administer it."""
    directory, members = world.platform.friends_and_installs, world.platform.pages.members
    friends = [user(turn) for turn in range(FRIENDS)]
    apps = [f"{turn:016}" for turn in range(APPS)]
    for app in apps:
        known = App(app, f"ゲーム (Game) {app}", developer="星ゲームス", privacy_url="https://game.example/privacy")
        world.platform.apps.create(known)
    put_all(
        world,
        "directory",
        [
            *(to_item(person(each)) for each in friends),
            *(mark(directory.friendship(MEMBER, each)) for each in friends),
            *(mark(directory.install(MEMBER, app)) for app in apps),
        ],
    )
    scopes, now = frozenset({"r_profile", "mixi_apps2"}), world.clock.now
    grants = [Grant(app, MEMBER, scopes, now, now, frozenset({"one"})) for app in apps]
    family = Family("0" * 32, APP, MEMBER, scopes, now, now // 1000 + 86_400)
    put_all(world, "grants", [grant_item(grant, [family]) for grant in grants])
    members.add_follower(PAGE, MEMBER)
    members.add_administrator(PAGE, MEMBER)


def _operator(world: World, make: Callable[[World], str | None] | None = None) -> str | None:
    world.platform.roles.give(MEMBER, Role.OPERATOR)
    return make(world) if make else None


def _busy(world: World) -> None:
    """Post 40 comments by 20 people, and let moderators hide eight of them."""
    posted = []
    for turn in range(40):
        world.clock.now += 1_000 if turn % 5 else 900_000
        posted.append(world.platform.comments.post(PAGE, URI, user(turn % POSTERS), "お茶" * 200).id)
    for each in posted[:8]:
        world.platform.moderated_posts.hide(Post(PAGE, "1", each), {"by": f"user:{HANA}", "re": "spam" * 20})


def _comment(world: World) -> str:
    comment = world.platform.comments.post(PAGE, URI, KEN, "お茶" * 200)
    return f"?page={PAGE}&feed=1&comment={comment.id}"


def _reported(world: World) -> str:
    """Let 100 people report a comment; return the rest of the path of its case."""
    comment = world.platform.comments.post(PAGE, URI, KEN, "お茶" * 200).id
    cases = [
        world.platform.reports.report(
            Post(PAGE, "1", comment), f"r{turn:011}", ReportReason.OTHER, "広告です。" * 60, KEN
        ).case
        for turn in range(100)
    ]
    return f"/{cases[0]}"


def _cases(world: World) -> None:
    """Report a comment on each of 30 feeds."""
    feeds = world.platform.feeds.part(PAGE, Paging(count=30)).entries
    for turn, feed in enumerate(feeds):
        poster, reporter = user(turn % POSTERS), HANA if turn < 20 else KEN
        comment = world.platform.comments.post(PAGE, feed.content_uri, poster, "お茶" * 200).id
        world.platform.reports.report(Post(PAGE, feed.id, comment), reporter, ReportReason.SPAM, "", poster)


def _data(world: World) -> str:
    """Store 1,000 keys of Hana in an app; return the rest of the path of the page that lists them."""
    app = world.platform.apps.get(APP)
    if app is None:
        raise AssertionError("the cafe has no app")
    world.platform.user_data.install(app, HANA)
    for part in range(11):
        keys = range(part * 99, min(1_000, (part + 1) * 99))
        world.send("POST", "/2/apps/appdata/@me/@self", {f"key{key:05}": "x" * 200 for key in keys}, user=HANA)
    return f"/{HANA}/apps/{APP}"


def _actions(world: World) -> None:
    log = world.platform.action_log
    for turn in range(100):
        changed = {"before": {"details": "x" * 90}, "after": {"details": "y" * 90}}
        action = log.new(f"user:{HANA}", ActionKind.PAGE_CHANGED, f"page:{PAGE}", f"{turn}-1", **changed)
        log.begin(action)
        log.finish(action, Outcome.DONE)


def _failures(world: World) -> None:
    """Record 50 failed requests, and a run of each function."""
    for turn in range(50):
        found = Sampling()
        id, at = f"5f1c6a52-0d0f-4f4e-9d35-{turn:012}", world.clock.now - turn
        found.add(RequestRecord(id, at, COMMENTS, 500, "internal_error", "x" * 200, APP, "0.2.0", 12))
        world.platform.request_log.write(found)
    for name in ("sweep", "send", "clean"):
        world.platform.job_log.ran(JobRun(name, world.clock.now, 81, 1_234))


def _console(name: str, path: str, make: Callable[[World], str | None] | None = None, feeds: int = 1) -> Row:
    return Row(f"console: {name}", SCREEN, screen(path, feeds=feeds, before=partial(_operator, make=make)))


def _own(name: str, path: str) -> Row:
    return Row(f"member: {name}", SCREEN, screen(path, before=_member))


ROWS = [
    _own("front page", "/"),
    _own("my apps", "/apps"),
    _own("my friends, 100", "/friends"),
    _own("pages that I follow", "/pages"),
    _own("a friend's page", f"/people/{user(1)}"),
    _own("settings", "/settings"),
    _own("access of 30 apps", "/settings/apps"),
    _own("profile", "/settings/profile"),
    _own("sessions", "/settings/sessions"),
    Row("member: report a comment, the form", SCREEN, screen("/report", before=_comment)),
    _console("overview", "/console", _failures),
    _console("requests of a kind", "/console/errors?kind=internal_error", _failures),
    _console("newest posts", "/console/moderation", _busy),
    _console("newest posts of a page", f"/console/moderation?page={PAGE}", _busy),
    _console("hidden posts", "/console/moderation/hidden", _busy),
    _console("a comment", "/console/moderation/post", _comment),
    _console("reports, 7 of 30", "/console/reports", _cases, feeds=30),
    _console("a comment with 100 reports", "/console/reports", _reported),
    _console("users by the beginning of their names", f"{PEOPLE}?q=user"),
    _console("a person with 100 friends and 30 apps", f"{PEOPLE}/{MEMBER}", _member),
    *(_console(f"{name} of a person", f"{PEOPLE}/{MEMBER}/list/{name}", _member) for name in ("friends", "apps")),
    _console("feeds of a person", f"{PEOPLE}/{user(1)}/list/feeds", feeds=200),
    _console("comments of a person", f"{PEOPLE}/{user(1)}/list/comments"),
    _console("1,000 keys of a person in an app", PEOPLE, _data),
    _console("apps", "/console/apps", _member),
    _console("an app", f"/console/apps/{APP}"),
    _console("events of an app", f"/console/apps/{APP}/events"),
    _console("the log, 20 of 100", "/console/log", _actions),
]
