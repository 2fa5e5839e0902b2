"""The console's moderation: the newest posts, the hidden ones, and what to do with a post."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.api import moderation
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import user_actor
from chalicelib.api.shown_posts import ShownPost, asked_post, picture_origins, post_query, read_post, shown_post
from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.moderation import PostKind
from chalicelib.core.roles import Action, may_judge
from chalicelib.platform import Platform
from chalicelib.store.contents.newest_posts import SearchedRows
from chalicelib.store.contents.stored_posts import FoundFeed
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

NEWEST, HIDDEN, POST = "/console/moderation", "/console/moderation/hidden", "/console/moderation/post"
POSTS_SHOWN = 20

face = Face()


def _rows(here: Platform, request: Request, *, hidden: bool = False) -> SearchedRows:
    """Return the rows of the list that a request asks for. A page id that cannot be one has none."""
    page, kind = _asked(request)
    if kind not in ("", *(each.value for each in PostKind)):
        raise BadRequest("There is no such kind of posts")
    wanted = page if not page or is_id("page", page) else "0"
    cursor = last_parameter(request, "cursor") or None
    return here.newest_posts.rows(wanted or None, PostKind(kind) if kind else None, cursor, hidden=hidden)


def _asked(request: Request) -> tuple[str, str]:
    page, kind = ((last_parameter(request, name) or "").strip() for name in ("page", "kind"))
    return page, kind


def _feed(here: Platform, request: Request) -> FoundFeed:
    return here.stored_posts.find_feed(asked_post(request))


@console_route(face, NEWEST, action=Action.MODERATE, beside=_rows)
def newest(visit: Visit, rows: Callable[[], SearchedRows]) -> Response:
    """Show the newest posts of all pages, or of `page`, of one `kind` or both."""
    return _list(visit, NEWEST, rows())


@console_route(face, HIDDEN, action=Action.MODERATE, beside=partial(_rows, hidden=True))
def hidden(visit: Visit, rows: Callable[[], SearchedRows]) -> Response:
    """Show the posts that are hidden."""
    return _list(visit, HIDDEN, rows())


@console_route(face, POST, action=Action.MODERATE, beside=_feed)
def show(visit: Visit, feed: Callable[[], FoundFeed]) -> Response:
    """Show a post with what can be done with it."""
    return _post(visit, read_post(visit, asked_post(visit.request), feed()))


@console_route(face, POST, action=Action.MODERATE, methods=["POST"])
def act(visit: Visit) -> Response:
    """Hide a post, show it again, or delete it (`do`), for a `reason`."""
    form = visit.sent
    post, do = asked_post(visit.request, form), form.get("do")
    reason, actor = (form.get("reason") or "").strip(), user_actor(visit.signed_in.id)
    if do not in ("hide", "show", "delete"):
        raise BadRequest("do must be hide, show or delete")
    try:
        if not reason:
            raise ParameterInvalid("reason is missing")
        if do == "delete":
            moderation.delete_post(visit.here, visit.request, actor, post, reason)
            return visit.redirect(NEWEST, done="moderated")
        if do == "hide":
            moderation.hide_post(visit.here, visit.request, actor, post, reason)
            return visit.redirect(f"{POST}?{post_query(post)}", done="post_hidden")
        shown = read_post(visit, post, visit.here.stored_posts.find_feed(post))
        if not may_judge(visit.signed_in.id, visit.signed_in.role, shown.poster_id):
            return _post(visit, shown, problem=visit.word("own_post"), status=403)
        moderation.show_post(visit.here, visit.request, actor, post, reason)
    except ParameterInvalid:
        shown = read_post(visit, post, visit.here.stored_posts.find_feed(post))
        return _post(visit, shown, problem=visit.word("reason_wrong"), status=400)
    return visit.redirect(f"{POST}?{post_query(post)}", done="post_shown")


def _list(visit: Visit, path: str, rows: SearchedRows) -> Response:
    here = visit.here
    page, kind = _asked(visit.request)
    part = here.newest_posts.posts(rows, POSTS_SHOWN)
    posts = [shown_post(visit, entry, part.people, part.pages) for entry in part.entries]
    kept = {name: value for name, value in (("page", page), ("kind", kind)) if value}
    return visit.page(
        "console/moderation",
        problem=visit.word("no_such_page") if page and not is_id("page", page) else None,
        images=picture_origins(posts),
        posts=posts,
        of_hidden=path == HIDDEN,
        newest=here.site.path + NEWEST,
        hidden=here.site.path + HIDDEN,
        reports=here.site.path + "/console/reports",
        action=here.site.path + path,
        post_path=here.site.path + POST,
        page=page,
        kind=kind,
        kinds=[(each, visit.word(f"posts_{each or 'all'}")) for each in ("", *(each.value for each in PostKind))],
        until=w3cdtf(part.until, here.settings.utc_offset) if part.until else None,
        first=f"?{urlencode(kept)}" if last_parameter(visit.request, "cursor") else None,
        following=f"?{urlencode({**kept, 'cursor': part.following})}" if part.following else None,
    )


def _post(visit: Visit, shown: ShownPost, *, problem: str | None = None, status: int = 200) -> Response:
    post = shown.post
    return visit.page(
        "console/post",
        status=status,
        problem=problem,
        images=picture_origins([shown]),
        shown=shown,
        carried={"page": post.page, "feed": post.feed, "comment": post.comment or ""},
        action=visit.here.site.path + POST,
        given=visit.sent.get("reason", ""),
    )
