"""The console's reports: reported posts, and their handling with a word to those who reported them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.api import moderation
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import user_actor
from chalicelib.api.shown_posts import ShownPost, doer, picture_origins, shown_post
from chalicelib.api.visit import Visit
from chalicelib.core.actions import user_of
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import User
from chalicelib.core.moderation import ListedPost, Post
from chalicelib.core.reports import Case, Report, ReportOutcome, read_words
from chalicelib.core.roles import Action, may_judge
from chalicelib.platform import Platform
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.stored_posts import FoundFeed, StoredPost
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

REPORTS = "/console/reports"
CASES_SHOWN = 7
"""The most cases in a list: each takes up to 3.5 read units, for its post and its poster."""
REPORTS_SHOWN = 10
"""The most reports on the page of a case: each has up to 4 KB of words, and one person."""

face = Face()


def _cases_beside(here: Platform, request: Request) -> tuple[list[Case], str | None]:
    return here.reports.list_part(last_parameter(request, "cursor") or None, CASES_SHOWN, handled=_of_handled(request))


@console_route(face, REPORTS, action=Action.HANDLE_REPORTS, beside=_cases_beside)
def list_reports(visit: Visit, found: Callable[[], tuple[list[Case], str | None]]) -> Response:
    """Show reported posts that are not handled, or with `state=handled` those that are."""
    cases, following = found()
    posts: dict[Post, StoredPost] = {}
    people: dict[str, User] = {}
    side_by_side(
        [
            lambda: posts.update(visit.here.stored_posts.get_many(case.post for case in cases)),
            lambda: people.update(visit.here.users.get_many({case.poster for case in cases if case.poster})),
        ]
    )
    shown = {case.id: _post(visit, posts.get(case.post), people) for case in cases}
    handled = _of_handled(visit.request)
    state = "state=handled&" if handled else ""
    return visit.page(
        "console/reports",
        images=picture_origins([post for post in shown.values() if post]),
        handled=handled,
        cases=[_shown(visit, case) | {"post": shown[case.id], "poster": people.get(case.poster)} for case in cases],
        path=visit.here.site.path + REPORTS,
        moderation=visit.here.site.path + "/console/moderation",
        first=f"?{state}" if last_parameter(visit.request, "cursor") else None,
        following=f"?{state}cursor={following}" if following else None,
    )


def _of_handled(request: Request) -> bool:
    return last_parameter(request, "state") == "handled"


def _case_beside(here: Platform, request: Request, report: str) -> Case:
    return _known(here, report)


@console_route(face, REPORTS + "/{report}", action=Action.HANDLE_REPORTS, beside=_case_beside)
def show(visit: Visit, case: Callable[[], Case], report: str) -> Response:
    """Show a reported post with the reports of it; `after` is the user of the last report of the part before."""
    return _case(visit, case())


@console_route(face, REPORTS + "/{report}", action=Action.HANDLE_REPORTS, methods=["POST"])
def handle(visit: Visit, report: str) -> Response:
    """Handle a reported post: `outcome` is done with it, `word` is for those who reported it."""
    form, case = visit.sent, _known(visit.here, report)
    reason, actor = (form.get("reason") or "").strip(), user_actor(visit.signed_in.id)
    if not may_judge(visit.signed_in.id, visit.signed_in.role, case.poster):
        return _case(visit, case, problem=visit.word("own_post"), status=403)
    try:
        if not reason:
            raise ParameterInvalid("reason is missing")
        outcome, word = _outcome(form.get("outcome")), read_words("word", form.get("word"))
        moderation.handle_case(visit.here, visit.request, actor, case.id, outcome, word, reason)
    except ParameterInvalid:
        return _case(visit, case, problem=visit.word("handling_wrong"), status=400)
    except Conflict:
        known = _known(visit.here, report)
        problem = visit.word("handled_before" if known.outcome else "post_is_gone")
        return _case(visit, known, problem=problem, status=409)
    return visit.redirect(REPORTS, done="handled")


def _outcome(text: str | None) -> ReportOutcome:
    try:
        return ReportOutcome(text)
    except ValueError:
        raise ParameterInvalid("outcome is missing") from None


def _known(here: Platform, report: str) -> Case:
    case = here.reports.get(report)
    if case is None:
        raise NotFound("There is no such report")
    return case


def _shown(visit: Visit, case: Case) -> dict[str, Any]:
    offset = visit.here.settings.utc_offset
    counted = sorted(case.reasons.items(), key=lambda each: -each[1])
    reasons = [(visit.word(f"report_{reason.value}"), count) for reason, count in counted]
    return {
        "id": case.id,
        "kind": visit.word(f"reported_{case.post.kind.value}"),
        "reports": case.reports,
        "reasons": [visit.word("reason_count", reason=reason, count=count) for reason, count in reasons],
        "first": w3cdtf(case.first, offset),
        "latest": w3cdtf(case.latest, offset),
        "outcome": case.outcome and visit.word(f"outcome_{case.outcome.value}"),
        "word": case.word,
        "handled": case.handled and w3cdtf(case.handled, offset),
    }


def _post(visit: Visit, stored: StoredPost | None, people: Mapping[str, User]) -> ShownPost | None:
    """Return a stored post for the templates; None if it is gone."""
    if stored is None:
        return None
    page, feed, comment = stored
    return shown_post(visit, ListedPost(feed, comment), people, {page.id: page})


def _case(visit: Visit, case: Case, *, problem: str | None = None, status: int = 200) -> Response:
    here, offset, sent, own = visit.here, visit.here.settings.utc_offset, visit.sent, visit.signed_in
    after = last_parameter(visit.request, "after") or ""
    after = after if is_id("user", after) else ""
    feeds: list[FoundFeed] = []
    found: list[Report] = []

    def read_feed() -> None:
        with suppress(NotFound):  # Deleted since.
            feeds.append(here.stored_posts.find_feed(case.post))

    def read_reports() -> None:
        # Who posted it does not learn who reported it.
        if own.id != case.poster:
            found.extend(here.reports.of_case(case.id, after, REPORTS_SHOWN + 1))

    side_by_side([read_feed, read_reports])
    reports = found[:REPORTS_SHOWN]
    asked = filter(None, [case.poster, user_of(case.by), *(each.user for each in reports)])
    stored, people = here.stored_posts.with_people(case.post, next(iter(feeds), None), asked)
    post = _post(visit, stored, people)
    return visit.page(
        "console/report",
        status=status,
        problem=problem,
        images=picture_origins([post] if post else []),
        case=_shown(visit, case),
        post=post,
        poster=people.get(case.poster),
        is_own=own.id == case.poster,
        may_judge=may_judge(own.id, own.role, case.poster),
        by=doer(case.by, people) if case.by else None,
        reports=[
            {
                "id": each.user,
                "user": people[each.user].display_name if each.user in people else None,
                "reason": visit.word(f"report_{each.reason.value}"),
                "words": each.words,
                "date": w3cdtf(each.at, offset),
            }
            for each in reports
        ],
        outcomes=_outcomes(visit, post),
        outcome=sent.get("outcome", ""),
        word_given=sent.get("word", ""),
        given=sent.get("reason", ""),
        action=f"{here.site.path}{REPORTS}/{case.id}",
        first="?" if after else None,
        following=f"?{urlencode({'after': reports[-1].user})}" if len(found) > REPORTS_SHOWN else None,
    )


def _outcomes(visit: Visit, post: ShownPost | None) -> list[tuple[str, str]]:
    """Return the outcomes for a post, with their texts; one that is gone was deleted."""
    if post is None:
        return [(ReportOutcome.DELETED.value, visit.word("choose_gone"))]
    return [(each.value, visit.word(f"choose_{each.value}")) for each in ReportOutcome]
