"""`/settings/profile`: what a person says about themselves, who may see it, and what apps get of it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.account.forms import signed_in_again
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.profile_form import FIELDS, LENGTHS, choices, read_profile, values_of
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.codecs.directory_json import user_json
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.people import as_seen
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.html.links import origin_of
from chalicelib.web.multipart import MAX_FILE
from chalicelib.web.requests import parameters

PATH = "/settings/profile"
PUBLISHED = {name: f"publish_{name}" for name in PROFILE_FIELDS}
"""The fields that are published, and the names of their choices in the form."""
NAMES = (*FIELDS, *PUBLISHED.values(), "visible", "version", "save")

face = Face()


@web_route(face, PATH)
def show(here: Platform, request: Request) -> Response:
    """Show the user's profile, who may see each field, and how apps of friends and of strangers see it."""
    visit = Visit.of(signing_in(here), request)
    if visit.user is None:
        return visit.sign_in()
    changed = [name for name in parameters(request, "changed") if name in (*FIELDS, "publication", "visible")]
    names = [visit.word(f"field_{name}") for name in dict.fromkeys(changed)]
    notice = visit.word("profile_changed", fields=visit.word("list_comma").join(names)) if names else None
    return profile_page(visit, notice=notice)


@web_route(face, PATH, ["POST"])
def change(here: Platform, request: Request) -> Response:
    """Change the profile. 409 if it was changed elsewhere since the form was made; the edit is kept."""
    visit = Visit.of(signing_in(here), request)
    again = signed_in_again(
        visit, NAMES, lambda now, edit: profile_page(now, edit=edit, problem=now.word("edit_again"), status=200)
    )
    if again:
        return again
    try:
        form = visit.form()
    except StaleForm:
        return profile_page(visit, edit=visit.sent, problem=visit.word("expired"))
    user = visit.signed_in
    if form.get("version") != version_of(user):
        return profile_page(visit, edit=form, problem=visit.word("profile_elsewhere"), status=409)
    fields, wrong = read_profile(visit, _asked(form))
    if wrong:
        return profile_page(visit, edit=form, wrong=wrong)
    publication = fields.pop("publication", {})
    different = {name: value for name, value in fields.items() if getattr(user, name) != value}
    settings = {name: value for name, value in publication.items() if user.publication[name] is not value}
    if settings:
        different["publication"] = settings
    if not different:
        return visit.redirect(PATH, done="unchanged")
    here.users.change(user.id, **different)
    query = "&".join(f"changed={_API.get(name, name)}" for name in different)
    return visit.redirect(f"{PATH}?{query}")


_API = {
    "display_name": "displayName",
    "profile_url": "profileUrl",
    "thumbnail_url": "thumbnailUrl",
    "blood_type": "bloodType",
}
"""The names in the operator's API of the fields that have another one in User."""


def _asked(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the form as a change in the operator's API: an empty text empties a field."""
    # A form that is read has no empty fields.
    asked: dict[str, Any] = {name: form.get(name, "").strip() for name in FIELDS}
    if any(name in form for name in PUBLISHED.values()):
        asked["publication"] = {name: form[field] for name, field in PUBLISHED.items() if field in form}
    asked["visible"] = "visible" in form
    return asked


def version_of(user: User) -> str:
    """Return a value that changes with the profile, so that a form tells whether it is stale."""
    told = user_json(user)
    told.pop("friends", None)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def profile_page(
    visit: Visit,
    *,
    edit: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] = {},
    notice: str | None = None,
    problem: str | None = None,
    status: int = 400,
    headers: Mapping[str, str | list[str]] | None = None,
) -> Response:
    """Return the page of the profile, with an `edit` that was not saved."""
    user = visit.signed_in
    values = values_of(user)
    chosen = {name: user.publication[name].value for name in PROFILE_FIELDS}
    visible = user.visible
    if edit is not None:
        values |= {name: edit.get(name, "") for name in FIELDS}
        chosen |= {name: edit[field] for name, field in PUBLISHED.items() if field in edit}
        visible = "visible" in edit
    strict = visit.here.settings.strict_profiles
    kinds = ("friend", "stranger")
    seen = {kind: _seen(visit, as_seen(user, by_friend=kind == "friend", strict=strict)) for kind in kinds}
    picture = origin_of(user.thumbnail_url)
    return visit.page(
        "account/profile",
        status=status if problem or wrong else 200,
        headers=headers,
        notice=notice,
        problem=problem or (visit.word("profile_wrong") if wrong else None),
        images=[picture] if picture else [],
        action=visit.here.site.path + PATH,
        values=values,
        chosen=chosen,
        published=PUBLISHED,
        publications=[(each.value, visit.word(each.value)) for each in Publication],
        choices=choices(visit),
        lengths=LENGTHS,
        visible=visible,
        version=version_of(user),
        wrong=wrong,
        user=user,
        picture=user.thumbnail_url if picture else "",
        strict=strict,
        picture_most=f"{min(visit.here.settings.image_bounds.bytes, MAX_FILE) / 1_000_000:g}",
        seen=seen,
    )


def _seen(visit: Visit, entry: Mapping[str, Any]) -> Mapping[str, str]:
    """Return a person's entry as rows of a table: the fields of the form that an app gets."""
    rows = {name: str(entry[name]) for name in FIELDS if entry.get(name) not in (None, "")}
    if "gender" in rows:
        rows["gender"] = visit.word(f"gender_{rows['gender']}")
    return rows
