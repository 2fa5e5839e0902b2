"""The navigation of the pages: what a reader may open."""

from collections.abc import Sequence
from urllib.parse import urlencode

from chalicelib.core.model.directory import User
from chalicelib.platform import Platform
from chalicelib.web.html.rendering import MenuItem
from chalicelib.web.html.texts import Language, word

MENU = (
    ("/", "menu_home"),
    ("/apps", "apps"),
    ("/friends", "menu_friends"),
    ("/pages", "menu_pages"),
    ("/settings", "settings"),
)
"""The pages of the navigation for users who are signed in, and their texts."""
CONSOLE = ("/console", "console")


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
