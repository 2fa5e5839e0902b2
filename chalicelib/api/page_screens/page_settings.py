"""The settings of a page, for its administrators: `/pages/{page}/settings`.

The form carries a digest of the settings that it was made from. If another administrator has changed them since,
nothing is stored: the form is shown again with what was typed and, beside each field that differs, what is stored now.
"""

from collections.abc import Mapping
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.log_of_actions import page_target
from chalicelib.api.page_screens.shared import (
    PAGE,
    administered,
    origins_of,
    page_path,
    place_line,
    problem_texts,
)
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import Conflict
from chalicelib.core.model.directory import Category, FeedSource, Page
from chalicelib.core.page_forms import (
    PAGE_FIELDS,
    changed_settings,
    read_settings,
    settings_of,
    texts_of,
    version_of,
)
from chalicelib.platform import Platform
from chalicelib.web.face import Face

SETTINGS = f"{PAGE}/settings"
_LOGGED = 100
"""The most characters of a setting in the log."""

face = Face()


@web_route(face, SETTINGS)
def show(here: Platform, request: Request, page: str) -> Response:
    """Show the settings of the page to one of its administrators."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    known = administered(visit, page)
    return _shown(visit, known, settings_of(known))


@web_route(face, SETTINGS, ["POST"])
def save(here: Platform, request: Request, page: str) -> Response:
    """Store the changed settings, named as in the operator's API; redirect to the page, or show what is wrong.

    409 with the form if the settings were changed since the form was made (`version`).
    """
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    known = administered(visit, page)
    texts = texts_of(visit.sent, PAGE_FIELDS)
    try:
        form = visit.form()
    except StaleForm:
        return _shown(visit, known, texts, problem=visit.word("expired"), status=400)
    fields, problems = read_settings(texts)
    if problems:
        told = problem_texts(visit, problems)
        return _shown(visit, known, texts, problems=told, problem=visit.word("not_saved"), status=400)
    if form.get("version") != version_of(known):
        if not changed_settings(known, fields):
            return visit.redirect(page_path(known.id), done="saved")  # The same form, sent twice.
        return _stale(visit, known, texts)
    changes = changed_settings(known, fields)
    if not changes:
        return visit.redirect(page_path(known.id), done="nothing_changed")
    before = {name: _logged(getattr(known, name)) for name in changes}
    try:
        with visit.logged(ActionKind.PAGE_CHANGED, page_target(known.id), before=before) as entry:
            here.pages.change(known.id, instead_of=known, **changes)
            entry.after = {name: _logged(value) for name, value in changes.items()}
    except Conflict:
        return _stale(visit, administered(visit, page), texts)
    return visit.redirect(page_path(known.id), done="page_saved")


def _stale(visit: Visit, page: Page, texts: Mapping[str, str]) -> Response:
    stored = {name: value for name, value in settings_of(page).items() if value != texts[name].strip()}
    return _shown(visit, page, texts, stored=stored, problem=visit.word("page_stale"), status=409)


def _shown(
    visit: Visit,
    page: Page,
    values: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    stored: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    here = visit.here
    place, base = place_line(here, page), here.site.path + page_path(page.id)
    return visit.page(
        "pages/settings",
        images=origins_of([place.picture]),
        place=place,
        base=base,
        action=f"{base}/settings",
        version=version_of(page),
        values=values,
        stored=stored or {},
        problems=problems or {},
        categories=[(each.value, visit.word(f"category_{each.value}")) for each in Category],
        sources=[(each.value, visit.word(f"source_{each.value}")) for each in FeedSource],
        **more,
    )


def _logged(value: Any) -> str:
    return str(getattr(value, "value", value))[:_LOGGED]
