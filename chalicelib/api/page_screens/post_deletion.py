"""The deletion of a feed or a comment on the web: `/pages/{page}/feeds/{feed}/delete`, with `?comment=` for a comment.

A page asks first. A poster deletes their own post; an administrator of the page deletes any, with an optional reason,
and each deletion by an administrator is logged.
"""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.log_of_actions import page_target
from chalicelib.api.page_screens.shared import (
    FEED,
    beside_visit,
    feed_ids,
    feed_path,
    page_path,
    person_line,
    problem_texts,
)
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import NotFound, PermissionDenied
from chalicelib.core.model.page_screens import PostScreen
from chalicelib.core.page_forms import REASON_CHARACTERS, Problem
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

DELETE = f"{FEED}/delete"
_SHOWN = 500
"""The characters of a comment that the question shows."""

face = Face()


@web_route(face, DELETE)
def ask(here: Platform, request: Request, page: str, feed: str) -> Response:
    """Ask whether the feed, or the comment with the id `comment`, is to be deleted."""
    page, feed = feed_ids(page, feed)
    comment = last_parameter(request, "comment") or None
    visit, post = beside_visit(here, request, lambda viewer: here.page_screens.post(page, feed, comment, viewer))
    return _shown(visit, post, feed, comment) if visit.user else visit.sign_in()


@web_route(face, DELETE, ["POST"])
def delete(here: Platform, request: Request, page: str, feed: str) -> Response:
    """Delete the feed, or its comment with the id `comment`; `reason` is kept in the action log.

    If it is already deleted, the answer says so, also for a form that is sent twice.
    """
    page, feed = feed_ids(page, feed)
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    user, comment = visit.user.id, visit.sent.get("comment") or None
    target = feed_path(page, feed) if comment else page_path(page)
    try:
        post = here.page_screens.post(page, feed, comment, lambda: user)
    except NotFound:
        visit.form()
        return visit.redirect(target, done="already_deleted")
    try:
        reason = visit.form().get("reason", "").strip()
    except StaleForm:
        return _shown(visit, post, feed, comment, problem=visit.word("expired"), status=400)
    if len(reason) > REASON_CHARACTERS:
        problems = {"reason": Problem("field_long", {"max": REASON_CHARACTERS})}
        return _shown(visit, post, feed, comment, problems=problem_texts(visit, problems), status=400)
    try:
        _delete(visit, post, feed, comment, reason)
    except NotFound:
        return visit.redirect(target, done="already_deleted")
    if comment:
        return visit.redirect(target, done="comment_deleted")
    return visit.redirect(target, done="post_deleted")


def _delete(visit: Visit, post: PostScreen, feed: str, comment: str | None, reason: str) -> None:
    here, page, user = visit.here, post.page.id, visit.signed_in.id

    def delete_it() -> None:
        if comment:
            here.comments.delete(page, post.content_uri, comment, user)
        else:
            here.feeds.delete(page, post.content_uri, user)

    if not post.member.administers:
        delete_it()  # Their own, or refused.
        return
    kind = ActionKind.COMMENT_DELETED if comment else ActionKind.FEED_DELETED
    part = f"feed:{feed}" + (f"/comment:{comment}" if comment else "")
    before = {"poster": post.poster}
    with visit.logged(kind, page_target(page, part), reason=reason, before=before):
        delete_it()


def _shown(
    visit: Visit, post: PostScreen, feed: str, comment: str | None, *, problems: Any = None, **more: Any
) -> Response:
    own = post.poster == visit.signed_in.id
    if not own and not post.member.administers:
        raise PermissionDenied("Only its poster or an administrator of the page may delete this")
    here, path = visit.here, feed_path(post.page.id, feed)
    text = post.text if len(post.text) <= _SHOWN else post.text[: _SHOWN - 1] + "…"
    poster = person_line(visit, post.user)
    return visit.page(
        "pages/delete",
        images=[],
        title="delete_comment" if comment else "delete_post",
        note="delete_comment_note" if comment else "delete_post_note",
        action=f"{here.site.path}{path}/delete",
        back=here.site.path + path,
        comment=comment,
        poster={"name": poster.name, "picture": None, "href": poster.href},
        text=text,
        with_reason=post.member.administers,
        reason=visit.sent.get("reason", ""),
        problems=problems or {},
        **more,
    )
