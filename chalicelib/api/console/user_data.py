"""A person's data in an app, in the console: keys and sizes, quota and window; values on demand; deletion of keys."""

from chalice.app import Response

from chalicelib.api.admin.routes import known_id
from chalicelib.api.console.frame import console_route
from chalicelib.api.console.users import USER, permissions
from chalicelib.api.log_of_actions import user_target
from chalicelib.api.visit import Visit
from chalicelib.core.actions import ActionKind
from chalicelib.core.conditions import Conditions
from chalicelib.core.errors import NotFound, PermissionDenied, TooFrequent
from chalicelib.core.events import EventKind
from chalicelib.core.roles import Action
from chalicelib.store.appdata.events import DataEvents
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

DATA = USER + "/apps/{app}"
COUNT = 50
MOST_SHOWN = 20_000
"""The most characters of a value that the page shows."""

face = Face()


@console_route(face, DATA, action=Action.SEE_DATA)
def show_data(visit: Visit, user: str, app: str) -> Response:
    """Show the keys of a person in an app with their sizes, and how much of quota and window is used: `after`.

    With a key as `delete`, ask whether it is to be deleted.
    """
    return _data_page(visit, user, app)


@console_route(face, f"{DATA}/value", action=Action.SEE_VALUES, methods=["POST"])
def show_value(visit: Visit, user: str, app: str) -> Response:
    """Show the value of a `key`. Logged."""
    known, found, key = known_id("user", user), known_id("app", app), visit.sent.get("key", "")
    kind, target = ActionKind.DATA_SHOWN, user_target(known, f"app:{found}")
    try:
        with visit.logged(kind, target) as entry:
            value = (visit.here.appdata.read(found, known, frozenset({key})).data or {}).get(key)
            entry.after = {"key": key}
            entry.changed = value is not None
    except PermissionDenied:
        raise NotFound("The app is not installed") from None
    if value is None:
        return _data_page(visit, known, found, status=404, problem=visit.word("data_no_key"))
    return _data_page(visit, known, found, key=key, value=value)


@console_route(face, f"{DATA}/delete", action=Action.DELETE_DATA, methods=["POST"])
def delete_keys(visit: Visit, user: str, app: str) -> Response:
    """Delete a `key` of a person. Logged."""
    known, found, key = known_id("user", user), known_id("app", app), visit.sent.get("key", "")
    kind, target = ActionKind.DATA_DELETED, user_target(known, f"app:{found}")
    if not key:
        return _data_page(visit, known, found, status=400, problem=visit.word("data_no_key"))
    try:
        with visit.logged(kind, target) as entry:
            entry.after = {"key": key}
            visit.here.appdata.write(found, known, {key: None}, Conditions(), _told(visit, found))
    except PermissionDenied:
        raise NotFound("The app is not installed") from None
    except TooFrequent:
        return _data_page(visit, known, found, status=409, problem=visit.word("data_window_full"))
    return visit.redirect(f"/console/users/{known}/apps/{found}", done="data_deleted")


def _told(visit: Visit, app: str) -> DataEvents | None:
    """Return what tells an app of the change, if it asked for events of changed data."""
    known = visit.here.apps.get_many([app]).get(app)
    return DataEvents(visit.here.event_log) if known and EventKind.DATA_CHANGED in known.events else None


def _data_page(
    visit: Visit,
    user: str,
    app: str,
    *,
    status: int = 200,
    problem: str | None = None,
    key: str = "",
    value: str | None = None,
) -> Response:
    person, known = visit.here.user_overviews.user_and_app(known_id("user", user), known_id("app", app))
    try:
        stored = visit.here.appdata.stored_keys(app, user)
    except PermissionDenied:
        raise NotFound("The app is not installed") from None
    after, doomed = last_parameter(visit.request, "after"), last_parameter(visit.request, "delete")
    names = [name for name in stored.sizes if after is None or name > after]
    limits, usage = visit.here.settings.limits, stored.usage
    return visit.page(
        "console/user_data",
        status=status,
        problem=problem,
        user=person,
        app=app,
        app_name=known.name if known else app,
        rows=[(name, stored.sizes[name]) for name in names[:COUNT]],
        following=names[COUNT - 1] if len(names) > COUNT else None,
        after=after,
        unlisted=stored.unlisted,
        doomed=doomed if doomed in stored.sizes else None,
        bars=[
            ("data_bytes", usage.balance.total, limits.quota_bytes),
            ("data_keys", usage.balance.keys, limits.keys),
            ("data_window", usage.rate.limit - usage.rate.remaining, usage.rate.limit),
        ],
        window_seconds=limits.window_ms // 1000,
        key=key,
        value=None if value is None else value[:MOST_SHOWN],
        is_cut=value is not None and len(value) > MOST_SHOWN,
        may=permissions(visit),
    )
