"""The operator's API for moderation: `/admin/moderation/posts`, `/admin/pages/{page}/feeds/…` and `/admin/reports`."""

from chalice.app import Request, Response

from chalicelib.api import moderation
from chalicelib.api.admin.routes import changed_answer, existing, known_id, list_answer, list_part, operator_route
from chalicelib.api.log_of_actions import operator_actor
from chalicelib.core.codecs.moderation_json import case_json, listed_post_json, read_outcome, report_json
from chalicelib.core.model.access import Access
from chalicelib.core.moderation import Post, PostKind
from chalicelib.core.paging import one_of
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body, last_parameter

FEED = "/admin/pages/{page}/feeds/{feed}"
COMMENT = FEED + "/comments/{comment}"
REPORTS = "/admin/reports"


_STATES = ("visible", "hidden")

face = Face()
route = operator_route(face)


@route("/admin/moderation/posts", methods=["GET"])
def list_posts(here: Platform, request: Request, access: Access) -> Response:
    """List the newest posts, or with `state=hidden` those that are hidden. `page`, `kind`, `cursor`, `count`.

    A part may have fewer entries than `count`, even none, although there are more.
    """
    page, hidden = last_parameter(request, "page") or None, one_of("state", last_parameter(request, "state"), _STATES)
    if page is not None:
        existing("page", page, here.pages.get(known_id("page", page)))
    kind = one_of("kind", last_parameter(request, "kind"), [kind.value for kind in PostKind])
    cursor, count = list_part(request)
    read = here.newest_posts.hidden if hidden == "hidden" else here.newest_posts.newest
    part = read(page, PostKind(kind) if kind else None, cursor, count)
    return list_answer([listed_post_json(entry, part.people) for entry in part.entries], part.following)


@route(FEED, methods=["DELETE"])
def delete_feed(here: Platform, request: Request, access: Access, page: str, feed: str) -> Response:
    """Delete a feed with its comments, hidden or not. `reason` is for the log."""
    return _delete(here, request, access, Post(known_id("page", page), feed))


@route(FEED + "/hidden", methods=["PUT"])
def hide_feed(here: Platform, request: Request, access: Access, page: str, feed: str) -> Response:
    """Hide a feed. `reason` is for the log and the list of hidden posts."""
    return _hide(here, request, access, Post(known_id("page", page), feed))


@route(FEED + "/hidden", methods=["DELETE"])
def show_feed(here: Platform, request: Request, access: Access, page: str, feed: str) -> Response:
    """Show a hidden feed again. `reason` is for the log."""
    return _show(here, request, access, Post(known_id("page", page), feed))


@route(COMMENT, methods=["DELETE"])
def delete_comment(here: Platform, request: Request, access: Access, page: str, feed: str, comment: str) -> Response:
    """Delete a comment, hidden or not. `reason` is for the log."""
    return _delete(here, request, access, Post(known_id("page", page), feed, comment))


@route(COMMENT + "/hidden", methods=["PUT"])
def hide_comment(here: Platform, request: Request, access: Access, page: str, feed: str, comment: str) -> Response:
    """Hide a comment. `reason` is for the log and the list of hidden posts."""
    return _hide(here, request, access, Post(known_id("page", page), feed, comment))


@route(COMMENT + "/hidden", methods=["DELETE"])
def show_comment(here: Platform, request: Request, access: Access, page: str, feed: str, comment: str) -> Response:
    """Show a hidden comment again. `reason` is for the log."""
    return _show(here, request, access, Post(known_id("page", page), feed, comment))


@route(REPORTS, methods=["GET"])
def list_reports(here: Platform, request: Request, access: Access) -> Response:
    """List reported posts that are not handled yet, or with `state=handled` those that are. `cursor`, `count`."""
    state = one_of("state", last_parameter(request, "state"), ("open", "handled"))
    cases, following = here.reports.list_part(*list_part(request), handled=state == "handled")
    return list_answer(map(case_json, cases), following)


@route(REPORTS + "/{report}", methods=["GET"])
def show_report(here: Platform, request: Request, access: Access, report: str) -> Response:
    """Return a reported post with the reports of it, at most 100."""
    case = existing("report", report, here.reports.get(report))
    return json_answer(case_json(case) | {"entry": list(map(report_json, here.reports.of_case(case.id)))})


@route(REPORTS + "/{report}/outcome", methods=["POST"])
def handle_report(here: Platform, request: Request, access: Access, report: str) -> Response:
    """Handle a report: `outcome` (nothing, hidden, deleted), which is done with the post; `word` to those who reported.

    `reason` is for the log. Returns the handled report.
    """
    outcome, word, reason = read_outcome(json_body(request))
    actor = operator_actor(request, access)
    return json_answer(case_json(moderation.handle_case(here, request, actor, report, outcome, word, reason)))


def _hide(here: Platform, request: Request, access: Access, post: Post) -> Response:
    actor, reason = operator_actor(request, access), last_parameter(request, "reason")
    return changed_answer(moderation.hide_post(here, request, actor, post, reason), **_ids(post))


def _show(here: Platform, request: Request, access: Access, post: Post) -> Response:
    actor, reason = operator_actor(request, access), last_parameter(request, "reason")
    return changed_answer(moderation.show_post(here, request, actor, post, reason), **_ids(post))


def _delete(here: Platform, request: Request, access: Access, post: Post) -> Response:
    moderation.delete_post(here, request, operator_actor(request, access), post, last_parameter(request, "reason"))
    return changed_answer(True, **_ids(post))


def _ids(post: Post) -> dict[str, str]:
    return {"page": post.page, "feed": post.feed} | ({} if post.comment is None else {"comment": post.comment})
