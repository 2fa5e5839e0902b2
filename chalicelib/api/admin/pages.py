"""The operator's API for pages: `/admin/pages`, with modules, administrators and followers."""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import (
    changed_answer,
    existing,
    found_part,
    known_id,
    list_answer,
    list_part,
    logged,
    note_changes,
    operator_route,
)
from chalicelib.api.admin.users import named_users
from chalicelib.api.log_of_actions import page_target
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.directory_json import module_json, page_json, read_module, read_page
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import Page, new_page_id
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body

PAGES = "/admin/pages"
PAGE = "/admin/pages/{page}"


face = Face()
route = operator_route(face)


def _need(here: Platform, page: str) -> None:
    """Raise NotFound if there is no such page."""
    existing("page", page, here.pages.get(known_id("page", page)))


@route(PAGES, methods=["GET"])
def list_pages(here: Platform, request: Request, access: Access) -> Response:
    """List pages, in order of id, or those that `find` finds, in order of name. `cursor`, `count`, `find`."""
    pages, following = found_part(request, lambda: here.search.pages, here.pages.list_part)
    return list_answer(map(page_json, pages), following)


@route(PAGES, methods=["POST"])
def create_page(here: Platform, request: Request, access: Access) -> Response:
    """Create a page: `name`; optional: the other fields and `id`. 201 with the page."""
    page = Page(**{"id": new_page_id(), **read_page(json_body(request), new=True)})
    with logged(here, request, access, ActionKind.PAGE_CREATED, page_target(page.id)) as entry:
        made = here.pages.create(page)
        entry.note_new(page_json(made))
    return json_answer(page_json(made), 201)


@route(PAGE, methods=["GET"])
def show_page(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Return a page."""
    return json_answer(page_json(existing("page", page, here.pages.get(known_id("page", page)))))


@route(PAGE, methods=["PATCH"])
def change_page(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Change the fields in the body. Return the changed page."""
    given = read_page(json_body(request), new=False)
    before = existing("page", page, here.pages.get(known_id("page", page)))
    with logged(here, request, access, ActionKind.PAGE_CHANGED, page_target(page)) as entry:
        changed = here.pages.change(page, **given)
        note_changes(entry, page_json(before), page_json(changed))
    return json_answer(page_json(changed))


@route(PAGE, methods=["DELETE"])
def delete_page(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Delete a page with all its data. Its feeds are deleted after the response; only then its id is free again."""
    with logged(here, request, access, ActionKind.PAGE_DELETED, page_target(known_id("page", page))) as entry:
        changed = entry.changed = here.cleanup.delete_page(page)
    return changed_answer(changed, id=page)


@route(PAGE + "/modules", methods=["GET"])
def list_modules(here: Platform, request: Request, access: Access, page: str) -> Response:
    """List a page's modules. `cursor`, `count`."""
    _need(here, page)
    modules, following = here.pages.modules(page, *list_part(request))
    return list_answer(map(module_json, modules), following)


@route(PAGE + "/modules", methods=["POST"])
def add_module(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Install an app on a page: `app`, `name`, and `id` (default: the next number). 201 with the module."""
    given = read_module(json_body(request))
    with logged(here, request, access, ActionKind.MODULE_ADDED, page_target(known_id("page", page))) as entry:
        module = here.pages.add_module(page, given["app"], given["name"], given.get("id"))
        entry.target = page_target(page, f"module:{module.id}")
        entry.after = {"app": given["app"], "name": given["name"]}
    return json_answer(module_json(module), 201)


@route(PAGE + "/modules/{module}", methods=["DELETE"])
def remove_module(here: Platform, request: Request, access: Access, page: str, module: str) -> Response:
    """Remove a module from a page."""
    target = page_target(known_id("page", page), f"module:{known_id('module', module)}")
    with logged(here, request, access, ActionKind.MODULE_REMOVED, target) as entry:
        changed = entry.changed = here.pages.remove_module(page, module)
    return changed_answer(changed, page=page, id=module)


@route(PAGE + "/administrators", methods=["GET"])
def list_administrators(here: Platform, request: Request, access: Access, page: str) -> Response:
    """List a page's administrators, in order of id: `id` and `displayName`. `cursor`, `count`."""
    _need(here, page)
    ids, following = here.pages.members.administrators(page, *list_part(request))
    return list_answer(named_users(here, ids), following)


@route(PAGE + "/administrators/{user}", methods=["PUT"])
def add_administrator(here: Platform, request: Request, access: Access, page: str, user: str) -> Response:
    """Make a user an administrator of a page."""
    target = page_target(known_id("page", page), f"administrator:{known_id('user', user)}")
    with logged(here, request, access, ActionKind.ADMINISTRATOR_ADDED, target) as entry:
        changed = entry.changed = here.pages.members.add_administrator(page, user)
    return changed_answer(changed, page=page, user=user)


@route(PAGE + "/administrators/{user}", methods=["DELETE"])
def remove_administrator(here: Platform, request: Request, access: Access, page: str, user: str) -> Response:
    """Remove an administrator of a page."""
    target = page_target(known_id("page", page), f"administrator:{known_id('user', user)}")
    with logged(here, request, access, ActionKind.ADMINISTRATOR_REMOVED, target) as entry:
        changed = entry.changed = here.pages.members.remove_administrator(page, user)
    return changed_answer(changed, page=page, user=user)


@route(PAGE + "/followers", methods=["GET"])
def list_followers(here: Platform, request: Request, access: Access, page: str) -> Response:
    """List a page's followers, in order of id: `id` and `displayName`. `cursor`, `count`."""
    _need(here, page)
    ids, following = here.pages.members.followers(page, *list_part(request))
    return list_answer(named_users(here, ids), following)


@route(PAGE + "/followers/{user}", methods=["PUT"])
def add_follower(here: Platform, request: Request, access: Access, page: str, user: str) -> Response:
    """Make a user a follower of a page."""
    target = page_target(known_id("page", page), f"follower:{known_id('user', user)}")
    with logged(here, request, access, ActionKind.FOLLOWER_ADDED, target) as entry:
        changed = entry.changed = here.pages.members.add_follower(page, user)
    return changed_answer(changed, page=page, user=user)


@route(PAGE + "/followers/{user}", methods=["DELETE"])
def remove_follower(here: Platform, request: Request, access: Access, page: str, user: str) -> Response:
    """Remove a follower of a page."""
    target = page_target(known_id("page", page), f"follower:{known_id('user', user)}")
    with logged(here, request, access, ActionKind.FOLLOWER_REMOVED, target) as entry:
        changed = entry.changed = here.pages.members.remove_follower(page, user)
    return changed_answer(changed, page=page, user=user)
