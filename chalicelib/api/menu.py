"""What surrounds each page: the navigation, with the pages that a reader may open, and a link to the other language."""

from collections.abc import Sequence
from urllib.parse import urlencode

from chalice.app import Request

from chalicelib.core.model.directory import User
from chalicelib.platform import Platform
from chalicelib.web.html.rendering import Frame, MenuItem
from chalicelib.web.html.texts import Language, word
from chalicelib.web.own_paths import opened_url, path_of

MENU = (
    ("/", "menu_home"),
    ("/apps", "apps"),
    ("/friends", "menu_friends"),
    ("/pages", "menu_pages"),
    ("/settings", "settings"),
)
"""The pages of the navigation for users who are signed in, and their texts."""
CONSOLE = ("/console", "console")
NOT_KEPT = ("lang", "done")
"""The parameters of a page that links to it leave out."""


def page_url(request: Request, **more: str) -> str:
    """Return where links to the page of a request lead: opened_url without language and notice, and with more."""
    return opened_url(request, NOT_KEPT, **more)


def frame(here: Platform, request: Request, user: User | None, csrf: str | None, language: Language) -> Frame:
    """Return the frame of a page for a user (None: signed out); `csrf` is for the form of signing out."""
    return Frame(
        menu=menu(here, user, path_of(request), page_url(request), language),
        other_url=here.site.path + page_url(request, lang=language.other.value),
        csrf=csrf,
    )


def menu(here: Platform, user: User | None, path: str, url: str, language: Language) -> Sequence[MenuItem]:
    """Return the navigation for a user (None: signed out) on the page with this path. Signing in leads to `url`."""
    base = here.site.path
    if user is None:
        if here.settings.openid_issuer or path == "/sign_in":
            return []
        return [MenuItem(f"{base}/sign_in?{urlencode({'to': url})}", word(language, "sign_in"))]
    items = [*MENU, CONSOLE] if user.role else MENU
    return [MenuItem(base + target, word(language, name), _is_in(path, target)) for target, name in items]


def _is_in(path: str, target: str) -> bool:
    return path == target or (target != "/" and path.startswith(f"{target}/"))
