"""The form with which an administrator posts to the page: `/pages/{page}/post`; a title, a text, a picture, a link.

What was typed stays in the form if something is wrong. A form that is sent twice posts one feed. The platform is named
as the feed's source, since no app posts it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.log_of_actions import page_target
from chalicelib.api.oauth.endpoints import form_of
from chalicelib.api.page_screens.shared import (
    PAGE,
    administered,
    busy,
    feed_path,
    new_key,
    origins_of,
    page_path,
    performed_once,
    place_line,
    problem_texts,
)
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import ParameterInvalid, StillRunning, TooLarge, Unavailable
from chalicelib.core.imaging.renditions import ImageBounds, Rendition
from chalicelib.core.model.directory import Page
from chalicelib.core.page_forms import KEY, POST_FIELDS, Problem, read_post, texts_of
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.face import Face
from chalicelib.web.html.rendering import BRANDS
from chalicelib.web.html.texts import Language
from chalicelib.web.multipart import MAX_FILE, is_multipart, read_upload
from chalicelib.web.render_images import render

POST = f"{PAGE}/post"
FIELDS = 8
"""The most fields of the form."""

face = Face()


@web_route(face, POST)
def show(here: Platform, request: Request, page: str) -> Response:
    """Show the empty form to an administrator of the page."""
    visit = Visit.of(here, request)
    return _shown(visit, administered(visit, page)) if visit.user else visit.sign_in()


@web_route(face, POST, ["POST"])
def post(here: Platform, request: Request, page: str) -> Response:
    """Post a feed: `title`, `body`, `link` and a file `picture`; redirect to its page, or show what is wrong."""
    form, picture = read_upload(request, "picture", FIELDS) if is_multipart(request) else (form_of(request), None)
    visit = Visit.of(here, request, form)
    if visit.user is None:
        return visit.sign_in()
    of = administered(visit, page)
    try:
        visit.form()
    except StaleForm:
        return _shown(visit, of, problem=visit.word("expired"), status=400, lost=picture is not None)
    draft, problems = read_post(texts_of(form, POST_FIELDS))
    renditions: tuple[Rendition, ...] = ()
    if picture is not None:
        try:
            renditions = render(picture, _bounds(here))
        except (ParameterInvalid, TooLarge) as refusal:
            problems = {**problems, "picture": _picture_problem(here, refusal)}
    if draft is None or problems:
        texts = problem_texts(visit, problems)
        return _shown(visit, of, problems=texts, status=400, lost=bool(renditions), problem=visit.word("not_posted"))
    user, posted = visit.user.id, draft

    def store(record: AnswerRecord | None) -> str:
        with visit.logged(ActionKind.FEED_POSTED, page_target(of.id)) as entry:
            source = here.settings.name or BRANDS[Language.ENGLISH]
            admission = here.feed_posting.admit_administrator(of.id, user, source)
            feed = here.feed_posting.post(admission, posted, renditions, record)
            entry.target = page_target(of.id, f"feed:{feed.id}")
            return feed.content_uri

    digest = hashlib.sha256(picture).hexdigest() if picture is not None else None
    said = {"page": of.id, "feed": asdict(draft), "image": digest}
    try:
        uri = performed_once(visit, f"POST {POST}", said, store)
    except (Unavailable, StillRunning) as refusal:
        return _shown(visit, of, lost=picture is not None, **busy(visit, refusal))
    return visit.redirect(feed_path(of.id, uri.rpartition("/")[2]), done="posted")


def _shown(
    visit: Visit,
    page: Page,
    *,
    problems: Mapping[str, str] | None = None,
    lost: bool = False,
    **more: Any,
) -> Response:
    """Return the form with what was typed. `lost`: a picture was sent, which browsers do not keep in a form."""
    here, texts = visit.here, dict(problems or {})
    if lost:
        texts.setdefault("picture", visit.word("picture_again"))
    place, base = place_line(here, page), here.site.path + page_path(page.id)
    return visit.page(
        "pages/post",
        images=origins_of([place.picture]),
        place=place,
        base=base,
        action=f"{base}/post",
        key=kept if KEY.fullmatch(kept := visit.sent.get("key", "")) else new_key(),
        values=texts_of(visit.sent, POST_FIELDS),
        problems=texts,
        picture_size=f"{_bounds(here).bytes / 1_000_000:g}",
        **more,
    )


def _bounds(here: Platform) -> ImageBounds:
    """Return the bounds of a picture that the form takes."""
    bounds = here.settings.image_bounds
    return replace(bounds, bytes=min(bounds.bytes, MAX_FILE))


def _picture_problem(here: Platform, refusal: ParameterInvalid | TooLarge) -> Problem:
    if isinstance(refusal, TooLarge):
        return Problem("picture_large", {"size": f"{_bounds(here).bytes / 1_000_000:g}"})
    return Problem("picture_pixels" if "max=" in refusal.description else "picture_wrong")
