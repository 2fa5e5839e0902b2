"""The console's moderation: the newest posts, the hidden ones, and what to do with a post."""

from urllib.parse import urlencode

from chalice.app import Response

from chalicelib.api import moderation
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import user_actor
from chalicelib.api.shown_posts import ShownPost, asked_post, picture_origins, post_query, read_post, shown_post
from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.moderation import Post, PostKind
from chalicelib.core.roles import Action
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

NEWEST, HIDDEN, POST = "/console/moderation", "/console/moderation/hidden", "/console/moderation/post"
POSTS_SHOWN = 20

face = Face()


@console_route(face, NEWEST, action=Action.MODERATE)
def newest(visit: Visit) -> Response:
    """Show the newest posts of all pages, or of `page`, of one `kind` or both."""
    return _list(visit, NEWEST)


@console_route(face, HIDDEN, action=Action.MODERATE)
def hidden(visit: Visit) -> Response:
    """Show the posts that are hidden."""
    return _list(visit, HIDDEN)


@console_route(face, POST, action=Action.MODERATE)
def show(visit: Visit) -> Response:
    """Show a post with what can be done with it."""
    return _post(visit, asked_post(visit))


@console_route(face, POST, action=Action.MODERATE, methods=["POST"])
def act(visit: Visit) -> Response:
    """Hide a post, show it again, or delete it (`do`), for a `reason`."""
    form = visit.sent
    post, do = asked_post(visit, form), form.get("do")
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
        moderation.show_post(visit.here, visit.request, actor, post, reason)
    except ParameterInvalid:
        return _post(visit, post, problem=visit.word("reason_wrong"), status=400)
    return visit.redirect(f"{POST}?{post_query(post)}", done="post_shown")


def _list(visit: Visit, path: str) -> Response:
    request, here = visit.request, visit.here
    page, kind = ((last_parameter(request, name) or "").strip() for name in ("page", "kind"))
    cursor, problem = last_parameter(request, "cursor") or None, None
    wanted = {"page": page, "kind": kind}
    if page and not is_id("page", page):
        problem, page = visit.word("no_such_page"), "0"
    if kind not in ("", *(each.value for each in PostKind)):
        raise BadRequest("There is no such kind of posts")
    read = here.newest_posts.newest if path == NEWEST else here.newest_posts.hidden
    part = read(page or None, PostKind(kind) if kind else None, cursor, POSTS_SHOWN)
    posts = [shown_post(visit, entry, part.people, part.pages) for entry in part.entries]
    kept = {name: value for name, value in wanted.items() if value}
    return visit.page(
        "console/moderation",
        problem=problem,
        images=picture_origins(posts),
        posts=posts,
        of_hidden=path == HIDDEN,
        newest=here.site.path + NEWEST,
        hidden=here.site.path + HIDDEN,
        reports=here.site.path + "/console/reports",
        action=here.site.path + path,
        post_path=here.site.path + POST,
        page=wanted["page"],
        kind=kind,
        kinds=[(each, visit.word(f"posts_{each or 'all'}")) for each in ("", *(each.value for each in PostKind))],
        until=w3cdtf(part.until, here.settings.utc_offset) if part.until else None,
        first=f"?{urlencode(kept)}" if cursor else None,
        following=f"?{urlencode({**kept, 'cursor': part.following})}" if part.following else None,
    )


def _post(visit: Visit, post: Post, *, problem: str | None = None, status: int = 200) -> Response:
    shown: ShownPost = read_post(visit, post)
    return visit.page(
        "console/post",
        status=status,
        problem=problem,
        images=picture_origins([shown]),
        shown=shown,
        carried={"page": post.page, "feed": post.feed, "comment": post.comment or ""},
        action=visit.here.site.path + POST,
        back=visit.here.site.path + (HIDDEN if shown.hidden else NEWEST),
        given=visit.sent.get("reason", ""),
    )
