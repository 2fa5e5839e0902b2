"""The operator's API for users: `/admin/users`, with friends, installs, grants, export and erasure."""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.admin.routes import (
    changed_answer,
    existing,
    found_part,
    known_id,
    list_answer,
    list_part,
    logged,
    operator_route,
)
from chalicelib.api.log_of_actions import user_target
from chalicelib.api.page.requests import shown
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs import checks
from chalicelib.core.codecs.contents_json import ContentsFormat
from chalicelib.core.codecs.directory_json import account_json, read_user, user_json
from chalicelib.core.codecs.moderation_json import own_report_json
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import User, new_user_id
from chalicelib.core.model.publication import DEFAULT_PUBLICATION
from chalicelib.core.oauth import Grant
from chalicelib.core.passwords import hash_password
from chalicelib.platform import Platform
from chalicelib.store.contents.posts_of_user import ContentAddress
from chalicelib.store.user_data import UserDataExport
from chalicelib.web.face import Face
from chalicelib.web.json_answers import data_answer, json_answer
from chalicelib.web.requests import json_body

USERS = "/admin/users"
USER = "/admin/users/{user}"


face = Face()
route = operator_route(face)


def _need(here: Platform, user: str) -> None:
    """Raise NotFound if there is no such user."""
    existing("user", user, here.users.get(known_id("user", user)))


@route(USERS, methods=["GET"])
def list_users(here: Platform, request: Request, access: Access) -> Response:
    """List users, in no particular order, or those that `find` finds, in order of name. `cursor`, `count`, `find`."""
    users, following = found_part(request, lambda: here.search.users, here.users.list_part)
    return list_answer(map(account_json, users), following)


@route(USERS, methods=["POST"])
def create_user(here: Platform, request: Request, access: Access) -> Response:
    """Create a user: `displayName`; optional: the other fields, `id` and `password`. 201 with the user."""
    body = json_body(request)
    given = read_user(body, new=True, extra=("password",))
    password = body.get("password")
    hashed = hash_password(checks.password("password", password)) if password is not None else None
    publication = {**DEFAULT_PUBLICATION, **given.pop("publication", {})}
    user = User(**{"id": new_user_id(), **given}, publication=publication)
    with logged(here, request, access, ActionKind.USER_CREATED, user_target(user.id)) as entry:
        made = here.users.create(user, hashed)
        entry.after = {"fields": sorted({*given, *(["password"] if hashed else [])})}
    return json_answer(account_json(made), 201)


@route(USER, methods=["GET"])
def show_user(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Return a user."""
    return json_answer(account_json(existing("user", user, here.users.get(known_id("user", user)))))


@route(USER, methods=["PATCH"])
def change_user(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Change the fields in the body; null or `""` empties a field. Return the changed user."""
    given = read_user(json_body(request), new=False)
    before = existing("user", user, here.users.get(known_id("user", user)))
    with logged(here, request, access, ActionKind.USER_CHANGED, user_target(user)) as entry:
        changed = here.users.change(user, **given)
        entry.after = {"fields": sorted(name for name in given if getattr(before, name) != getattr(changed, name))}
        entry.changed = before != changed
    return json_answer(account_json(changed))


@route(USER, methods=["DELETE"])
def erase_user(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Erase a user everywhere. `removed` has the numbers of removed items. If interrupted, send the request again."""
    with logged(here, request, access, ActionKind.USER_ERASED, user_target(known_id("user", user))) as entry:
        removed = here.user_data.erase(user)
        entry.after = removed
        entry.changed = any(removed.values())
    return json_answer({"id": user, "removed": removed})


@route(USER + "/password", methods=["PUT"])
def set_password(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Set the password: `{"password": …}`, null to remove it. 409 for a user without a login."""
    body = json_body(request)
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    if "password" not in body:
        raise ParameterInvalid("password is missing")
    text = body["password"]
    hashed = None if text is None else hash_password(checks.password("password", text))
    with logged(here, request, access, ActionKind.PASSWORD_SET, user_target(known_id("user", user))) as entry:
        here.users.set_password(user, hashed)
        entry.after = {"password": hashed is not None}
    return changed_answer(True, id=user)


@route(USER + "/friends", methods=["GET"])
def list_friends(here: Platform, request: Request, access: Access, user: str) -> Response:
    """List a user's friends, in order of id: `id` and `displayName`. `cursor`, `count`."""
    _need(here, user)
    ids, following = here.friends_and_installs.friends(user, *list_part(request))
    return list_answer(named_users(here, ids), following)


@route(USER + "/friends/{friend}", methods=["PUT"])
def befriend(here: Platform, request: Request, access: Access, user: str, friend: str) -> Response:
    """Make two users friends of each other."""
    target = user_target(known_id("user", user), f"friend:{known_id('user', friend)}")
    with logged(here, request, access, ActionKind.FRIENDSHIP_MADE, target) as entry:
        changed = entry.changed = here.friends_and_installs.befriend(user, friend)
    return changed_answer(changed, user=user, friend=friend)


@route(USER + "/friends/{friend}", methods=["DELETE"])
def unfriend(here: Platform, request: Request, access: Access, user: str, friend: str) -> Response:
    """End a friendship, on both sides."""
    target = user_target(known_id("user", user), f"friend:{known_id('user', friend)}")
    with logged(here, request, access, ActionKind.FRIENDSHIP_ENDED, target) as entry:
        changed = entry.changed = here.friends_and_installs.unfriend(user, known_id("user", friend))
    return changed_answer(changed, user=user, friend=friend)


@route(USER + "/installs", methods=["GET"])
def list_installs(here: Platform, request: Request, access: Access, user: str) -> Response:
    """List the apps that a user has installed, in order of id: `id` and `name`. `cursor`, `count`."""
    _need(here, user)
    ids, following = here.friends_and_installs.installs(user, *list_part(request))
    known = here.apps.get_many(ids)
    return list_answer(({"id": app, "name": known[app].name if app in known else ""} for app in ids), following)


@route(USER + "/installs/{app}", methods=["PUT"])
def install(here: Platform, request: Request, access: Access, user: str, app: str) -> Response:
    """Install an app for a user."""
    known = existing("app", app, here.apps.get(known_id("app", app)))
    target = user_target(known_id("user", user), f"app:{app}")
    with logged(here, request, access, ActionKind.APP_INSTALLED, target) as entry:
        changed = entry.changed = here.user_data.install(known, user)
    return changed_answer(changed, user=user, app=app)


@route(USER + "/installs/{app}", methods=["DELETE"])
def uninstall(here: Platform, request: Request, access: Access, user: str, app: str) -> Response:
    """Uninstall an app for a user, which erases the user's data in it and ends the user's grant."""
    target = user_target(known_id("user", user), f"app:{known_id('app', app)}")
    with logged(here, request, access, ActionKind.APP_UNINSTALLED, target) as entry:
        changed = entry.changed = here.user_data.uninstall(app, user)
    return changed_answer(changed, user=user, app=app)


@route(USER + "/grants", methods=["GET"])
def list_grants(here: Platform, request: Request, access: Access, user: str) -> Response:
    """List a user's grants, in order of the apps' ids: `app`, `scopes`, `created`, `used` (ms)."""
    _need(here, user)
    return list_answer(map(grant_json, here.grants.of_user(user)), None)


@route(USER + "/grants/{app}", methods=["DELETE"])
def end_grant(here: Platform, request: Request, access: Access, user: str, app: str) -> Response:
    """End a grant: its refresh tokens fail from now on."""
    target = user_target(known_id("user", user), f"app:{known_id('app', app)}")
    with logged(here, request, access, ActionKind.GRANT_ENDED, target) as entry:
        changed = entry.changed = here.grants.end(user, app)
    return changed_answer(changed, user=user, app=app)


@route(USER + "/export", methods=["GET"])
def export(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Return all stored data of a user. If too large for Lambda: 303 to a URL that works for 5 minutes."""
    everything = existing("user", user, here.user_data.export(known_id("user", user)))
    return data_answer(everything_json(everything, shown(here)), {}, here.oversized_answers.keeper(user))


def named_users(here: Platform, ids: list[str]) -> list[dict[str, Any]]:
    """Return users in the form that lists show: `id` and `displayName`."""
    known = here.users.get_many(ids)
    return [{"id": user, "displayName": known[user].display_name if user in known else ""} for user in ids]


def grant_json(grant: Grant) -> dict[str, Any]:
    """Return a grant as JSON."""
    return {"app": grant.app, "scopes": sorted(grant.scopes), "created": grant.created, "used": grant.used}


def everything_json(everything: UserDataExport, show: ContentsFormat) -> dict[str, Any]:
    """Return an export: the profile with login and publication, and all data of the user; posts as in the Page API."""
    posted, poster = everything.posted, {everything.user.id: everything.user}
    return {
        "profile": user_json(everything.user),
        "friends": list(everything.friends),
        "installs": [{"app": app, "data": data} for app, data in everything.data.items()],
        "grants": [grant_json(grant) for grant in everything.grants],
        "pages": {"administers": list(everything.administers), "follows": list(everything.follows)},
        "feeds": [{"page": feed.page} | show.feed(feed, poster) for feed in posted.feeds],
        "comments": [_on(on) | show.comment(comment, poster) for on, comment in posted.comments],
        "favorites": [_on(on) | {"created": show.date(created)} for on, created in posted.favorites],
        "reports": [own_report_json(report, case) for report, case in everything.reports],
    }


def _on(on: ContentAddress) -> dict[str, Any]:
    return {"page": on.page, "contentUri": on.content_uri}
