"""The faces by path. The first request for a path imports its faces, so a cold start imports only what it needs."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalice.app import Chalice, Request

from chalicelib.core.errors import BadRequest, PermissionDenied
from chalicelib.platform import Platform
from chalicelib.web.cors import preflights
from chalicelib.web.face import Face
from chalicelib.web.routing import Router

Load = Callable[[], Sequence[Face]]
"""A function that imports some faces and returns them."""


def _persistence() -> Sequence[Face]:
    from chalicelib.api import persistence

    return [persistence.face]


def _people() -> Sequence[Face]:
    from chalicelib.api import people

    return [people.face]


def _pages() -> Sequence[Face]:
    from chalicelib.api.page import comments, favorites, feeds, pages

    return [pages.face, feeds.face, comments.face, favorites.face]


def _rpc() -> Sequence[Face]:
    from chalicelib.api.opensocial import rpc

    return [rpc.face]


def _opensocial_rest() -> Sequence[Face]:
    from chalicelib.api.opensocial import rest_appdata, rest_people

    return [rest_people.face, rest_appdata.face]


def _scripts() -> Sequence[Face]:
    from chalicelib.api.opensocial import scripts

    return [scripts.face]


def _oauth() -> Sequence[Face]:
    from chalicelib.api.oauth import endpoints

    return [endpoints.face]


def _consent() -> Sequence[Face]:
    from chalicelib.api.oauth import consent_page

    return [consent_page.face]


def _member_lists() -> Sequence[Face]:
    from chalicelib.api import member_lists

    return [member_lists.face]


def _sign_in() -> Sequence[Face]:
    from chalicelib.api import sign_in

    return [sign_in.face]


def _console() -> Sequence[Face]:
    from chalicelib.api.console import home, log_page, overview, pages, user_actions, user_data, users

    people = [users.face, user_actions.face, user_data.face]
    return [home.face, log_page.face, overview.face, pages.face, *people, *_console_apps()]


def _console_apps() -> Sequence[Face]:
    from chalicelib.api.console import app_endpoints, app_ends, app_events, apps

    return [apps.face, app_ends.face, app_endpoints.face, app_events.face]


def _account() -> Sequence[Face]:
    from chalicelib.api.account import app_access, data, join, password, picture, profile, sessions, settings_home

    own = [settings_home.face, profile.face, picture.face, app_access.face]
    return [*own, password.face, sessions.face, data.face, join.face]


def _front() -> Sequence[Face]:
    from chalicelib.api import front

    return [front.face]


def _page_screens() -> Sequence[Face]:
    from chalicelib.api.page_screens import (
        feed_screen,
        page_administrators,
        page_apps,
        page_home,
        page_settings,
        post_deletion,
        post_form,
    )

    administration = [post_form.face, page_settings.face, page_administrators.face, page_apps.face]
    return [page_home.face, feed_screen.face, post_deletion.face, *administration]


def _launch() -> Sequence[Face]:
    from chalicelib.api import launch

    return [launch.face]


def _reference() -> Sequence[Face]:
    from chalicelib.api import reference

    return [reference.face]


def _health() -> Sequence[Face]:
    from chalicelib.api import health

    return [health.face]


def _reports() -> Sequence[Face]:
    from chalicelib.api import report_page

    return [report_page.face]


def _console_moderation() -> Sequence[Face]:
    from chalicelib.api.console import moderation, reports

    return [moderation.face, reports.face]


def _admin() -> Sequence[Face]:
    from chalicelib.api.admin import (
        accounts,
        apps,
        bulk_export,
        bulk_import,
        events,
        logged_actions,
        migrations,
        moderation,
        overview,
        pages,
        standing,
        users,
    )

    imports = [bulk_import.face, bulk_export.face, migrations.face]
    people = [users.face, standing.face, accounts.face]
    others = [pages.face, moderation.face, overview.face, logged_actions.face]
    return [*people, apps.face, events.face, *others, *imports]


FRONT = "/"
ROUTES: Mapping[str, Load] = {
    FRONT: _front,
    "/favicon.ico": _front,
    "/2/apps/": _persistence,
    "/2/people/": _people,
    "/2/pages/": _pages,
    "/rpc": _rpc,
    "/os/": _opensocial_rest,
    "/js/": _scripts,
    "/2/token": _oauth,
    "/2/authorize/": _oauth,
    "/.well-known/": _oauth,
    "/connect_authorize.pl": _consent,
    "/connect_authorize_success.html": _consent,
    "/settings": _account,
    "/join": _account,
    "/reset": _account,
    "/apps": _member_lists,
    "/friends": _member_lists,
    "/people/": _member_lists,
    "/pages": _member_lists,
    "/sign_in": _sign_in,
    "/sign_out": _sign_in,
    "/confirm_password": _sign_in,
    "/console": _console,
    "/pages/": _page_screens,
    "/run_page_app": _launch,
    "/launch/": _launch,
    "/docs": _reference,
    "/llms.txt": _reference,
    "/openapi.json": _reference,
    "/health": _health,
    "/report": _reports,
    "/console/moderation": _console_moderation,
    "/console/reports": _console_moderation,
    "/admin/": _admin,
}
"""The prefixes of paths, and the functions that load their faces; the longest prefix of a path counts. FRONT is the
whole path, not a prefix."""


def prefix_of(path: str) -> str | None:
    """Return the prefix in ROUTES of the face that has a path, or None."""
    prefixes = [each for each in ROUTES if path == each or (each != FRONT and path.startswith(each))]
    return max(prefixes, key=len, default=None)


class EngawaApp(Chalice):
    """A Chalice app that loads faces and registers their routes when they are requested."""

    def __init__(self, platform: Callable[[], Platform]) -> None:
        # Chalice's own messages are logged like all others.
        super().__init__(app_name="engawa", configure_logs=False)
        self._of_thread = threading.local()
        self._platform = platform
        self._loaded: set[Load] = set()
        self._router = Router(())

    @property
    def current_request(self) -> Request | None:
        """The request that this thread answers. On Lambda, a process has one at a time; with `make serve`, several."""
        return getattr(self._of_thread, "request", None)

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        self._of_thread.request = request

    def load(self, path: str = "") -> None:
        """Register the face of the prefix of `path`, unless it is registered; by default, all faces."""
        prefix = prefix_of(path)
        wanted = [load for each, load in ROUTES.items() if not path or each == prefix]
        if self._loaded.issuperset(wanted):
            return
        for load in wanted:
            if load not in self._loaded:
                for face in load():
                    face.register(self, self._platform)
                self._loaded.add(load)
        preflights(self)
        self._router = Router(self.routes)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Answer an event of API Gateway, or of a function URL."""
        if "rawPath" in event:
            return self._answer_url(event, context)
        asked = event.get("requestContext", {})
        path = asked.get("resourcePath")
        if path and path not in self.routes:
            self.load(path)
        answer: dict[str, Any] = super().__call__(event, context)
        return answer

    def _answer_url(self, event: Any, context: Any) -> dict[str, Any]:
        from chalicelib.web import function_url

        if not function_url.has_key(event, self._platform().settings.proxy_keys):
            return function_url.refused(event, PermissionDenied())
        try:
            asked = function_url.rest_event(event, self._match)
        except BadRequest as wrong:
            return function_url.refused(event, wrong)
        return function_url.url_answer(super().__call__(asked, context), asked["headers"].get("accept-encoding", ""))

    def _match(self, segments: Sequence[str]) -> tuple[str | None, dict[str, str]]:
        self.load("/".join(segments) or "/")
        return self._router.match(segments)
