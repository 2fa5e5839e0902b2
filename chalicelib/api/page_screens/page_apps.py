"""The apps of a page, for its administrators: `/pages/{page}/apps`.

An app is added by its id, after its name is confirmed. It may then be started from the page, and its users may post
feeds to it.
"""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.log_of_actions import page_target
from chalicelib.api.page_screens.shared import (
    PAGE,
    administered,
    beside_visit,
    busy,
    check_administers,
    new_key,
    origins_of,
    page_id,
    page_path,
    performed_once,
    place_line,
    problem_texts,
)
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import BadRequest, NotFound, StillRunning, Unavailable
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import Page
from chalicelib.core.model.page_screens import ModulesScreen
from chalicelib.core.page_forms import read_new_module, texts_of
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

APPS = f"{PAGE}/apps"
_FIELDS = ("app", "name")

face = Face()


@web_route(face, APPS)
def show(here: Platform, request: Request, page: str) -> Response:
    """List the apps of the page. With `?remove=` and a module's number, ask whether it is to be removed."""
    cursor, removed = last_parameter(request, "cursor") or None, last_parameter(request, "remove")
    visit, screen = beside_visit(
        here, request, lambda viewer: here.page_administration.modules(page_id(page), cursor, viewer)
    )
    if visit.user is None:
        return visit.sign_in()
    check_administers(screen.member)
    if removed:
        module = here.pages.module(page, removed) if is_id("module", removed) else None
        if module is None:
            raise NotFound("There is no such app on the page")
        return _page(visit, screen.page, removing={"id": module.id, "name": module.name})
    return _listed(visit, screen)


@web_route(face, APPS, ["POST"])
def change(here: Platform, request: Request, page: str) -> Response:
    """`action` is `find` or `add` (with `app`, an id, and `name`), or `remove` (with `module`, a number)."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    known = administered(visit, page)
    try:
        form = visit.form()
    except StaleForm:
        return _again(visit, known, problem=visit.word("expired"))
    match form.get("action"):
        case "find":
            return _find_or_add(visit, known, add=False)
        case "add":
            return _find_or_add(visit, known, add=True)
        case "remove":
            return _remove(visit, known, form.get("module", ""))
    raise BadRequest("action must be find, add or remove")


def _find_or_add(visit: Visit, page: Page, *, add: bool) -> Response:
    here = visit.here
    fields, problems = read_new_module(texts_of(visit.sent, _FIELDS))
    if problems:
        return _again(visit, page, problems=problem_texts(visit, problems))
    app = here.apps.get_many([fields["app"]]).get(fields["app"])
    if app is None or app.suspended is not None:
        return _again(visit, page, problems={"app": visit.word("app_unknown")})
    name = fields["name"] or app.name
    if not add:
        return _page(visit, page, adding={"id": app.id, "app": app.name, "name": name}, key=new_key())
    kind = ActionKind.MODULE_ADDED

    def store(record: AnswerRecord | None) -> str:
        with visit.logged(kind, page_target(page.id)) as entry:
            module = here.pages.add_module(page.id, app.id, name, record=record)
            entry.target, entry.after = page_target(page.id, f"module:{module.id}"), {"app": app.id}
            return module.id

    try:
        performed_once(visit, f"POST {APPS}", {"page": page.id, "app": app.id, "name": name}, store)
    except (Unavailable, StillRunning) as refusal:
        confirmation = {"id": app.id, "app": app.name, "name": name}
        return _page(visit, page, adding=confirmation, key=visit.sent.get("key", ""), **busy(visit, refusal))
    return visit.redirect(page_path(page.id, "/apps"), done="app_added")


def _remove(visit: Visit, page: Page, module: str) -> Response:
    here = visit.here
    if not is_id("module", module):
        raise NotFound("There is no such app on the page")
    kind = ActionKind.MODULE_REMOVED
    with visit.logged(kind, page_target(page.id, f"module:{module}")) as entry:
        entry.changed = here.pages.remove_module(page.id, module)
    return visit.redirect(page_path(page.id, "/apps"), done="app_removed")


def _again(visit: Visit, page: Page, **more: Any) -> Response:
    screen = visit.here.page_administration.modules(page.id, None, lambda: visit.signed_in.id)
    return _listed(visit, screen, status=400, **more)


def _listed(visit: Visit, screen: ModulesScreen, **more: Any) -> Response:
    apps = screen.apps
    modules = [
        {"id": each.id, "name": each.name, "app": apps[each.app].name if each.app in apps else None}
        for each in screen.modules
    ]
    cursor = last_parameter(visit.request, "cursor")
    return _page(
        visit,
        screen.page,
        modules=modules,
        first="?" if cursor else None,
        following=f"?cursor={screen.following}" if screen.following else None,
        **more,
    )


def _page(visit: Visit, page: Page, **values: Any) -> Response:
    here = visit.here
    place, base = place_line(here, page), here.site.path + page_path(page.id)
    empty: dict[str, Any] = {"adding": None, "removing": None, "problems": {}, "key": ""}
    return visit.page(
        "pages/apps",
        images=origins_of([place.picture]),
        place=place,
        base=base,
        action=f"{base}/apps",
        values=texts_of(visit.sent, _FIELDS),
        **{**empty, **values},
    )
