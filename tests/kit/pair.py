"""A comparison of the served platform with its model: users, pages and their relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.kit.asking import Asker, Fault
from tests.kit.crowd import Crowd
from tests.model.answers import Refused
from tests.model.community import Limits
from tests.model.platform import Platform

T = TypeVar("T")
E = TypeVar("E")
F = TypeVar("F")
LIMITS = Limits(quota=10_000, keys=5, writes=6, seconds=2, strict=True)
SHARDS = 3
SETTINGS = {
    "ENGAWA_QUOTA_BYTES": str(LIMITS.quota),
    "ENGAWA_MAX_KEYS": str(LIMITS.keys),
    "ENGAWA_RATE_WRITES": str(LIMITS.writes),
    "ENGAWA_RATE_SECONDS": str(LIMITS.seconds),
    "ENGAWA_PROFILE_VISIBILITY": "strict",
    "ENGAWA_FAVORITE_SHARDS": str(SHARDS),
}
"""Settings with limits so low that a random sequence reaches them."""
ROLES = ("administrators", "followers")


def outcome(ask: Callable[[], T]) -> T | Refused:
    """Return the result of a call, or its refusal."""
    try:
        return ask()
    except Refused as refused:
        return refused


def same(expected: object, found: object) -> bool:
    """Return whether the server's answer agrees with the model's."""
    if not (isinstance(expected, Refused) and isinstance(found, Refused)):
        return bool(expected == found)
    told = (found.code, found.error) if isinstance(found, Fault) else (found.status, found.error)
    meant = (expected.code if isinstance(found, Fault) else expected.status, expected.error)
    return told == meant and expected.text in (None, found.text)


@dataclass
class Pair:
    """A served platform and its model, which must agree."""

    crowd: Crowd
    asker: Asker
    model: Platform = field(default_factory=lambda: Platform(LIMITS))

    def agree(self, expected: object, found: object) -> None:
        """Check that the server's answer agrees with the model's."""
        assert same(expected, found), f"\nmodel:  {expected}\nserver: {found}"

    def both(self, send: Callable[[], object], meant: Callable[[], object]) -> None:
        """Ask the server and then the model, and compare the outcomes."""
        found = outcome(send)
        self.agree(outcome(meant), found)

    def answers(self, expected: E | Refused, found: F | Refused) -> tuple[E, F] | None:
        """Return both answers, or None if the request was refused. Both must refuse it with the same error."""
        if not (isinstance(expected, Refused) or isinstance(found, Refused)):
            return expected, found
        self.agree(expected, found)
        return None

    def befriend(self, one: str, other: str, *, there: bool) -> None:
        meant = self.model.befriend if there else self.model.unfriend
        self._relate(f"users/{one}/friends/{other}", there, lambda: meant(one, other))

    def install(self, app: str, user: str, *, there: bool) -> None:
        meant = self.model.install if there else self.model.uninstall
        self._relate(f"users/{user}/installs/{app}", there, lambda: meant(app, user))

    def _relate(self, path: str, there: bool, meant: Callable[[], bool]) -> None:
        """Send PUT or DELETE for a relation, and compare whether it was a change."""
        self.both(lambda: self.asker.admin("PUT" if there else "DELETE", path)["changed"], meant)

    def add_module(self, page: str, app: str, module: str) -> None:
        told = {"app": app, "name": f"Module {module}", "id": module}

        def add() -> str:
            self.model.add_module(page, app, told["name"], module)
            return module

        self.both(
            lambda: self.asker.admin("POST", f"pages/{page}/modules", told)["id"],
            add,
        )

    def change_user(self, user: str, told: dict[str, Any]) -> None:
        def change() -> bool:
            self.model.change_user(user, told)
            return True

        self.both(lambda: bool(self.asker.admin("PATCH", f"users/{user}", told)), change)

    def set_role(self, role: str, page: str, user: str, *, there: bool) -> None:
        """Add a user to a page, or remove the user; `role` is administrators or followers."""
        if there or page in self.model.pages:
            # A page that is being deleted may still have members that the model no longer has.
            path = f"pages/{page}/{role}/{user}"
            self._relate(path, there, lambda: self.model.set_role(role, page, user, there=there))

    def set_module(self, page: str, app: str, module: str, *, there: bool) -> None:
        if there:
            self.add_module(page, app, module)
        elif page in self.model.pages:
            path = f"pages/{page}/modules/{module}"
            self._relate(path, there, lambda: self.model.remove_module(page, module))

    def show(self, page: str, source: str) -> None:
        """Set whose posts a page shows."""
        self.both(
            lambda: self.asker.admin("PATCH", f"pages/{page}", {"feedSource": source})["feedSource"],
            lambda: self.model.show(page, source),
        )

    def erase(self, user: str) -> None:
        """Erase a user. The counts may include items of deleted feeds and pages that are not cleared yet."""
        removed = self.asker.admin("DELETE", f"users/{user}")["removed"]
        expected = self.model.erase(user)
        for kind in ("posts", "page roles"):
            assert removed.pop(kind) >= expected.pop(kind)
        self.agree({**expected, "grants": 0, "reports": 0}, removed)

    def delete_page(self, page: str) -> None:
        """Delete a page, also from the model."""
        there = page in self.model.pages
        told = self.asker.admin("DELETE", f"pages/{page}")["changed"]
        assert told or not there
        self.model.delete_page(page)
