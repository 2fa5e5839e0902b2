"""Bulk import: each record is stored by itself; records that do not conflict are stored in parallel.

It is in store/, above the tables' modules: it only calls them, but which calls may run in parallel is store knowledge.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from chalicelib.core.bulk_import import (
    RecordResult,
    compare,
    in_order,
    read_new_user,
    read_pair,
    refused,
    rounds,
    stored,
)
from chalicelib.core.errors import Conflict, NotFound, Refusal
from chalicelib.core.model.directory import App, User
from chalicelib.core.model.publication import DEFAULT_PUBLICATION
from chalicelib.core.passwords import hash_password
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.users import Users
from chalicelib.store.user_data import UserData

T = TypeVar("T")
_FRIENDSHIP = {"user": "user", "friend": "user"}
_INSTALL = {"user": "user", "app": "app"}


class BulkImport:
    """An importer of records. A repeated import of a record changes nothing."""

    def __init__(self, users: Users, apps: Apps, directory: FriendsAndInstalls, user_data: UserData) -> None:
        self._users = users
        self._apps = apps
        self._directory = directory
        self._user_data = user_data

    def run(self, records: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[RecordResult]]:
        """Import the records; return the result of each (see core/bulk_import.py), by kind and in order.

        If the store is busy, a record is refused with `service_unavailable`; it may be sent again.
        """
        ways = {"users": self._import_users, "friendships": self._befriend, "installs": self._install}
        return {kind: way(records[kind]) for kind, way in ways.items() if kind in records}

    def _import_users(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        read, outcomes = _read(records, read_new_user)
        known = self._users.get_many(found["id"] for found, _ in read.values())
        jobs: dict[int, Callable[[], RecordResult]] = {}
        for number, (found, password) in read.items():
            if found["id"] in known:
                outcomes[number] = compare(known[found["id"]], found)
            else:
                # In sequence: a hash takes 32 MB.
                jobs[number] = partial(self._create, found, hash_password(password) if password else None)
        return in_order(len(records), outcomes | _run(jobs))

    def _create(self, found: dict[str, Any], password_hash: str | None) -> RecordResult:
        publication = {**DEFAULT_PUBLICATION, **found.get("publication", {})}
        try:
            self._users.create(User(**{**found, "publication": publication}), password_hash)
        except Conflict as taken:
            known = self._users.get(found["id"])
            return compare(known, found) if known else refused(taken)
        return stored(True)

    def _befriend(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        pairs, outcomes = _read(records, lambda record: read_pair(record, _FRIENDSHIP))
        for numbers in rounds(pairs.items()):
            jobs = {number: partial(self._one_friendship, *pairs[number]) for number in numbers}
            outcomes |= _run(jobs)
        return in_order(len(records), outcomes)

    def _one_friendship(self, one: str, other: str) -> RecordResult:
        return stored(self._directory.befriend(one, other))

    def _install(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        pairs, outcomes = _read(records, lambda record: read_pair(record, _INSTALL))
        names = list(dict.fromkeys(app for _, app in pairs.values()))
        found = side_by_side([partial(self._apps.get, app) for app in names])
        apps = {app: known for app, known in zip(names, found, strict=True) if known}
        jobs: dict[int, Callable[[], RecordResult]] = {}
        for number, (user, app) in pairs.items():
            if app in apps:
                jobs[number] = partial(self._one_install, apps[app], user)
            else:
                outcomes[number] = refused(NotFound(f"There is no app {app}"))
        return in_order(len(records), outcomes | _run(jobs))

    def _one_install(self, app: App, user: str) -> RecordResult:
        return stored(self._user_data.install(app, user))


def _read(records: Sequence[Any], read: Callable[[Any], T]) -> tuple[dict[int, T], dict[int, RecordResult]]:
    """Return the valid records, and the refusals of the others, both by number."""
    found: dict[int, T] = {}
    outcomes: dict[int, RecordResult] = {}
    for number, record in enumerate(records):
        try:
            found[number] = read(record)
        except Refusal as refusal:
            outcomes[number] = refused(refusal)
    return found, outcomes


def _run(jobs: Mapping[int, Callable[[], RecordResult]]) -> dict[int, RecordResult]:
    def outcome(job: Callable[[], RecordResult]) -> RecordResult:
        try:
            return job()
        except Refusal as refusal:
            return refused(refusal)

    return dict(zip(jobs, side_by_side([partial(outcome, job) for job in jobs.values()]), strict=True))
