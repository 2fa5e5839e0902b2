"""Reports by people who are signed in: `/report` reports a post, `/reports` shows what became of one's reports."""

from chalice.app import Request, Response

from chalicelib.api.shown_posts import ShownPost, asked_post, picture_origins, post_query, read_post
from chalicelib.api.visit import Visit, web_route
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, Refusal
from chalicelib.core.moderation import Post
from chalicelib.core.reports import WORDS_CHARACTERS, ReportReason, TooManyReports, read_report
from chalicelib.platform import Platform
from chalicelib.store.contents.items import hidden_at
from chalicelib.store.contents.stored_posts import FoundFeed
from chalicelib.web.face import Face
from chalicelib.web.own_paths import own_path
from chalicelib.web.requests import last_parameter

REPORTS_SHOWN = 20

face = Face()


@web_route(face, "/report", methods=["GET"])
def ask(here: Platform, request: Request) -> Response:
    """Show a form to report the feed or comment that `page`, `feed` and `comment` name."""
    visit, feed = Visit.beside(here, request, lambda: here.stored_posts.find_feed(asked_post(request)))
    if visit.user is None:
        return visit.sign_in()
    post = asked_post(request)
    back = own_path(last_parameter(request, "back") or f"/pages/{post.page}/feeds/{post.feed}")
    return _form(visit, _visible(visit, post, feed()), back)


@web_route(face, "/report", methods=["POST"])
def report(here: Platform, request: Request) -> Response:
    """Store a report, and redirect to one's reports; or show the form again (400, 403, 409)."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in("/reports")
    form = visit.sent
    post, back = asked_post(request, form), own_path(form.get("back"))
    shown = _visible(visit, post, here.stored_posts.find_feed(post))
    try:
        visit.form()
        if shown.poster_id == visit.user.id:
            raise ParameterInvalid("One's own post")
        reason, words = read_report(form.get("reason"), form.get("words"))
        here.reports.report(post, visit.user.id, reason, words, shown.poster_id)
    except Refusal as refusal:
        if refusal.status >= 500:
            raise
        return _form(visit, shown, back, refusal)
    return visit.redirect("/reports", done="reported")


@web_route(face, "/reports", methods=["GET"])
def own_reports(here: Platform, request: Request) -> Response:
    """Show the reports of the user who is signed in, with the answers of the moderators."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    cursor = last_parameter(request, "cursor") or None
    done = bool(last_parameter(request, "done"))
    found, following = here.reports.of_user(visit.user.id, cursor, REPORTS_SHOWN, consistent=done)
    offset = here.settings.utc_offset
    entries = [
        {
            "kind": visit.word(f"reported_{mine.post.kind.value}"),
            "href": f"{here.site.path}/pages/{mine.post.page}/feeds/{mine.post.feed}",
            "reason": visit.word(f"report_{mine.reason.value}"),
            "words": mine.words,
            "date": w3cdtf(mine.at, offset),
            "outcome": case.outcome and visit.word(f"outcome_{case.outcome.value}"),
            "word": case.word,
            "handled": case.handled and w3cdtf(case.handled, offset),
        }
        for mine, case in found
    ]
    return visit.page(
        "moderation/own_reports",
        entries=entries,
        first="?" if cursor else None,
        following=f"?cursor={following}" if following else None,
    )


def _visible(visit: Visit, post: Post, feed: FoundFeed) -> ShownPost:
    """Return the post. Raises NotFound; also for a hidden one, since moderators know it already."""
    shown = read_post(visit, post, feed)
    if shown.hidden is not None or hidden_at(feed.feed) is not None:
        raise NotFound("There is no such post")
    return shown


def _form(visit: Visit, shown: ShownPost, back: str, refusal: Refusal | None = None) -> Response:
    post, sent, problem = shown.post, visit.sent, None
    if isinstance(refusal, Conflict):
        problem = visit.word("report_again")
    elif isinstance(refusal, TooManyReports):
        problem = visit.word("reports_too_many")
    elif isinstance(refusal, ParameterInvalid):
        own = visit.user is not None and shown.poster_id == visit.user.id
        problem = visit.word("report_own" if own else "report_wrong", most=f"{WORDS_CHARACTERS:,}")
    elif refusal is not None:
        problem = visit.word("expired")
    return visit.page(
        "moderation/report",
        status=refusal.status if refusal else 200,
        problem=problem,
        images=picture_origins([shown]),
        shown=shown,
        carried={"page": post.page, "feed": post.feed, "comment": post.comment or "", "back": back},
        action=f"{visit.here.site.path}/report",
        back=visit.here.site.path + back,
        reasons=[(each.value, visit.word(f"report_{each.value}")) for each in ReportReason],
        reason=sent.get("reason", ""),
        words=sent.get("words", ""),
        query=post_query(post),
    )
