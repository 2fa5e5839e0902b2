"""The faces by their paths, each imported with the first request for one of them: a cold start pays for its own."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from chalice.app import Chalice

from chalicelib.platform import Platform
from chalicelib.web.cors import preflights

FACES: Mapping[str, tuple[str, ...]] = {
    "/2/apps/": ("persistence",),
    "/2/people/": ("people",),
    "/2/pages/": ("pages", "feeds", "comments", "favorites"),
    "/rpc": ("rpc",),
    "/os/": ("os_people", "os_appdata"),
    "/js/": ("scripts",),
    "/2/token": ("oauth",),
    "/2/authorize/": ("oauth",),
    "/.well-known/": ("oauth",),
    "/connect_authorize.pl": ("consent",),
    "/connect_authorize_success.html": ("consent",),
    "/settings": ("settings_page",),
    "/pages/": ("feed_page",),
    "/run_page_app": ("launch",),
    "/launch/": ("launch",),
    "/docs": ("reference",),
    "/openapi.json": ("reference",),
    "/health": ("health",),
    "/admin/": ("admin_users", "admin_apps", "admin_pages", "admin_import"),
}
"""What paths begin with, and the modules of `api/` that have them; in each, the function of its name makes the face."""


class Faces(Chalice):
    """A Chalice app that has the routes of those faces that are loaded, and loads what it is asked for."""

    def __init__(self, platform: Callable[[], Platform]) -> None:
        # What Chalice would log goes the way of all that is logged.
        super().__init__(app_name="engawa", configure_logs=False)
        self._platform = platform
        self._loaded: set[str] = set()

    def load(self, path: str = "") -> None:
        """Register the faces whose paths begin as `path` does, where they are not yet; by default all."""
        for beginning, names in FACES.items():
            if not path or path.startswith(beginning):
                for name in names:
                    if name not in self._loaded:
                        make = getattr(import_module(f"chalicelib.api.{name}"), name.rpartition(".")[2])
                        self.register_blueprint(make(self._platform))
                        self._loaded.add(name)
        preflights(self)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Answer what API Gateway hands over."""
        asked = event.get("requestContext", {})
        path = asked.get("resourcePath")
        if path and path not in self.routes:
            self.load(path)
        answer: dict[str, Any] = super().__call__(event, context)
        if asked.get("httpMethod") == "HEAD" and "multiValueHeaders" not in event:
            # Chalice's own server (`chalice local`), which sends the body that it gets.
            answer["body"] = ""
        return answer
