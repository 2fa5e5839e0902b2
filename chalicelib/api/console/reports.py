"""The console's reports: reported posts, and their handling with a word to those who reported them."""

from contextlib import suppress
from typing import Any

from chalice.app import Response

from chalicelib.api import moderation
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import user_actor
from chalicelib.api.shown_posts import ShownPost, picture_origins, shown_post
from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.directory import Page
from chalicelib.core.moderation import ListedPost
from chalicelib.core.reports import Case, Report, ReportOutcome, read_words
from chalicelib.core.roles import Action
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

REPORTS = "/console/reports"
CASES_SHOWN = 20

face = Face()


@console_route(face, REPORTS, action=Action.HANDLE_REPORTS)
def list_reports(visit: Visit) -> Response:
    """Show reported posts that are not handled, or with `state=handled` those that are."""
    handled = last_parameter(visit.request, "state") == "handled"
    cursor = last_parameter(visit.request, "cursor") or None
    cases, following = visit.here.reports.list_part(cursor, CASES_SHOWN, handled=handled)
    state = "state=handled&" if handled else ""
    return visit.page(
        "console/reports",
        handled=handled,
        cases=[_shown(visit, case) for case in cases],
        path=visit.here.site.path + REPORTS,
        moderation=visit.here.site.path + "/console/moderation",
        first=f"?{state}" if cursor else None,
        following=f"?{state}cursor={following}" if following else None,
    )


@console_route(face, REPORTS + "/{report}", action=Action.HANDLE_REPORTS)
def show(visit: Visit, report: str) -> Response:
    """Show a reported post with the reports of it."""
    return _case(visit, _known(visit, report))


@console_route(face, REPORTS + "/{report}", action=Action.HANDLE_REPORTS, methods=["POST"])
def handle(visit: Visit, report: str) -> Response:
    """Handle a reported post: `outcome` is done with it, `word` is for those who reported it."""
    form, case = visit.sent, _known(visit, report)
    reason, actor = (form.get("reason") or "").strip(), user_actor(visit.signed_in.id)
    try:
        if not reason:
            raise ParameterInvalid("reason is missing")
        outcome, word = _outcome(form.get("outcome")), read_words("word", form.get("word"))
        moderation.handle_case(visit.here, visit.request, actor, case.id, outcome, word, reason)
    except ParameterInvalid:
        return _case(visit, case, problem=visit.word("handling_wrong"), status=400)
    except Conflict:
        known = _known(visit, report)
        problem = visit.word("handled_before" if known.outcome else "post_is_gone")
        return _case(visit, known, problem=problem, status=409)
    return visit.redirect(REPORTS, done="handled")


def _outcome(text: str | None) -> ReportOutcome:
    try:
        return ReportOutcome(text)
    except ValueError:
        raise ParameterInvalid("outcome is missing") from None


def _known(visit: Visit, report: str) -> Case:
    case = visit.here.reports.get(report)
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
        "by": case.by,
        "handled": case.handled and w3cdtf(case.handled, offset),
    }


def _case(visit: Visit, case: Case, *, problem: str | None = None, status: int = 200) -> Response:
    here, offset, sent = visit.here, visit.here.settings.utc_offset, visit.sent
    found: list[tuple[Page, Feed, Comment | None]] = []
    reports: list[Report] = []

    def read_post() -> None:
        with suppress(NotFound):  # Deleted since.
            found.append(here.moderated_posts.get(case.post))

    side_by_side([read_post, lambda: reports.extend(here.reports.of_case(case.id))])
    posters = [comment.poster if comment else feed.poster for _, feed, comment in found]
    people = here.users.get_many([*posters, *(each.user for each in reports)])
    post = next(
        (shown_post(visit, ListedPost(feed, said), people, {page.id: page}) for page, feed, said in found), None
    )
    return visit.page(
        "console/report",
        status=status,
        problem=problem,
        images=picture_origins([post] if post else []),
        case=_shown(visit, case),
        post=post,
        reports=[
            {
                "user": people[each.user].display_name if each.user in people else None,
                "reason": visit.word(f"report_{each.reason.value}"),
                "words": each.words,
                "date": w3cdtf(each.at, offset),
            }
            for each in reports
        ],
        outcomes=[(each.value, visit.word(f"choose_{each.value}")) for each in _possible(post)],
        outcome=sent.get("outcome", ""),
        word_given=sent.get("word", ""),
        given=sent.get("reason", ""),
        action=f"{here.site.path}{REPORTS}/{case.id}",
        back=here.site.path + REPORTS,
    )


def _possible(post: ShownPost | None) -> list[ReportOutcome]:
    """Return the outcomes for a post; one that is gone cannot be hidden."""
    return [each for each in ReportOutcome if post is not None or each is not ReportOutcome.HIDDEN]
