"""`/settings/picture`: a picture for the profile, encoded anew without any metadata of the file."""

from collections.abc import Mapping
from dataclasses import replace

from chalice.app import Request, Response

from chalicelib.api.account.forms import refused_until_tomorrow
from chalicelib.api.account.profile import PATH, profile_page
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.errors import ParameterInvalid, TooLarge
from chalicelib.core.imaging.renditions import picture_folder
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.multipart import MAX_FILE, is_multipart, read_upload
from chalicelib.web.render_images import render

MOST_FIELDS = 10
EDGES = (180, 76, 40)
"""The longest edges of a feed's pictures: the first is stored."""

face = Face()


@web_route(face, "/settings/picture", ["POST"])
def upload(here: Platform, request: Request) -> Response:
    """Store the file `picture` (jpeg or png) as the picture of the profile; at most 10 a day."""
    form, picture = read_upload(request, "picture", MOST_FIELDS) if is_multipart(request) else ({}, None)
    visit = Visit.of(signing_in(here), request, form)
    user = visit.user
    if user is None:
        return visit.sign_in(PATH)
    try:
        visit.form()
    except StaleForm:
        return profile_page(visit, problem=visit.word("expired"))
    if often := refused_until_tomorrow(visit, "picture", "picture_often", counts=False):
        return _often(visit, *often)
    bounds = here.settings.image_bounds
    bounds = replace(bounds, edges=EDGES, bytes=min(bounds.bytes, MAX_FILE))
    try:
        renditions = render(picture or b"", bounds)
    except TooLarge:
        size = f"{bounds.bytes / 1_000_000:g}"
        return profile_page(visit, problem=visit.word("picture_large", size=size), status=413)
    except ParameterInvalid:
        return profile_page(visit, problem=visit.word("picture_refused"))
    if often := refused_until_tomorrow(visit, "picture", "picture_often"):
        return _often(visit, *often)
    (key,) = here.images.keep(picture_folder(user.id), renditions[:1])
    own = f"{here.settings.images_url}/{picture_folder(user.id)}/"
    here.users.change(user.id, thumbnail_url=own + key.rpartition("/")[2])
    earlier = user.thumbnail_url.removeprefix(own)
    if earlier != user.thumbnail_url and not key.endswith(earlier):
        here.images.remove([f"images/{picture_folder(user.id)}/{earlier}"])
    return visit.redirect(PATH, done="picture")


def _often(visit: Visit, problem: str, later: Mapping[str, str | list[str]]) -> Response:
    return profile_page(visit, problem=problem, status=429, headers=later)
