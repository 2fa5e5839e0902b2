"""Bulk import: each record is stored by itself; records that do not conflict are stored in parallel.

It is in store/, above the tables' modules: it only calls them, but which calls may run in parallel is store knowledge.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from chalicelib.core.bulk_import import (
    PAIRS,
    DataRecord,
    NewUser,
    RecordResult,
    compare,
    in_order,
    no_install,
    read_data,
    read_new_app,
    read_new_module,
    read_new_page,
    read_new_user,
    read_pair,
    refused,
    rounds,
    stored,
)
from chalicelib.core.contents_records import (
    CommentRecord,
    FavoriteRecord,
    read_comment_record,
    read_favorite,
    read_feed,
)
from chalicelib.core.errors import Conflict, NotFound, PermissionDenied, Refusal, Unavailable
from chalicelib.core.grant_records import GrantRecord, read_grant
from chalicelib.core.limits import Limits
from chalicelib.core.model.directory import App, Module, Page, User
from chalicelib.core.model.publication import DEFAULT_PUBLICATION
from chalicelib.core.passwords import hash_password
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.contents_import import ContentsImport
from chalicelib.store.directory.directory import Directory
from chalicelib.store.grants.grants import Grants
from chalicelib.store.user_data import UserData

T = TypeVar("T")
Pair = tuple[str, str]
Job = Callable[[], RecordResult]


class BulkImport:
    """An importer of records. A repeated import of a record changes nothing."""

    def __init__(
        self,
        directory: Directory,
        user_data: UserData,
        appdata: AppData,
        contents: ContentsImport,
        grants: Grants,
        limits: Limits,
    ) -> None:
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._directory = directory.friends_and_installs
        self._user_data = user_data
        self._appdata = appdata
        self._contents = contents
        self._grants = grants
        self._limits = limits

    def run(self, records: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[RecordResult]]:
        """Import the records; return the result of each (see core/bulk_import.py), by kind and in order.

        If the store is busy, a record is refused with `service_unavailable`; it may be sent again.
        """
        members = self._pages.members
        ways: dict[str, Callable[[Sequence[Any]], Sequence[RecordResult]]] = {
            "users": self._import_users,
            "apps": self._import_apps,
            "friendships": partial(self._import_pairs, "friendships", self._directory.befriend),
            "installs": self._install,
            "data": self._import_data,
            "pages": self._import_pages,
            "modules": self._import_modules,
            "administrators": partial(self._import_pairs, "administrators", members.add_administrator),
            "followers": partial(self._import_pairs, "followers", members.add_follower),
            "feeds": partial(import_contents, read_feed, self._contents.feed, lambda feed: feed.page),
            "comments": partial(import_contents, read_comment_record, self._contents.comment, _content),
            "favorites": partial(import_contents, read_favorite, self._contents.favorite, _content),
            "grants": partial(import_contents, read_grant, self._one_grant, lambda record: record.user),
        }
        return {kind: way(records[kind]) for kind, way in ways.items() if kind in records}

    def _import_users(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        read, outcomes = read_each(records, read_new_user)
        known = self._users.get_many(found.fields["id"] for found in read.values())
        jobs: dict[int, Job] = {}
        for number, found in read.items():
            if found.fields["id"] in known:
                outcomes[number] = compare(known[found.fields["id"]], found.fields)
            else:
                # In sequence: a hash takes 32 MB.
                hashed = hash_password(found.password) if found.password else found.password_hash
                jobs[number] = partial(self._create, found, hashed)
        return in_order(len(records), outcomes | run_each(jobs))

    def _create(self, record: NewUser, password_hash: str | None) -> RecordResult:
        found = record.fields
        publication = {**DEFAULT_PUBLICATION, **found.get("publication", {})}
        try:
            self._users.create(User(**{**found, "publication": publication}), password_hash)
        except Conflict as taken:
            known = self._users.get(found["id"])
            return compare(known, found) if known else refused(taken)
        return stored(True)

    def _import_apps(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        read, outcomes = read_each(records, read_new_app)
        return in_order(len(records), outcomes | run_each({n: partial(self._one_app, read[n]) for n in read}))

    def _one_app(self, fields: dict[str, Any]) -> RecordResult:
        try:
            self._apps.create(App(**fields))
        except Conflict as taken:
            known = self._apps.get(fields["id"])
            return compare(known, fields) if known else refused(taken)
        return stored(True)

    def _import_pages(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        read, outcomes = read_each(records, read_new_page)
        return in_order(len(records), outcomes | run_each({n: partial(self._one_page, read[n]) for n in read}))

    def _one_page(self, fields: dict[str, Any]) -> RecordResult:
        try:
            self._pages.create(Page(**fields))
        except Conflict as taken:
            known = self._pages.get(fields["id"])
            return compare(known, fields) if known else refused(taken)
        return stored(True)

    def _import_modules(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        read, outcomes = read_each(records, read_new_module)
        # A page has its highest number, an app counts its modules: writes to one of them would collide.
        busy = {number: (module.page, module.app) for number, module in read.items()}
        jobs = {number: partial(self._one_module, module) for number, module in read.items()}
        return in_order(len(records), outcomes | _run_in_rounds(busy, jobs))

    def _one_module(self, module: Module) -> RecordResult:
        try:
            self._pages.add_module(module.page, module.app, module.name, module.id)
        except Conflict as taken:
            known = self._pages.module(module.page, module.id)
            return compare(known, vars(module)) if known else refused(taken)
        return stored(True)

    def _import_pairs(
        self, kind: str, add: Callable[[str, str], bool], records: Sequence[Any]
    ) -> Sequence[RecordResult]:
        """Import pairs of things that count them: both are written, so those of one thing would collide."""
        pairs, outcomes = read_each(records, lambda record: read_pair(record, PAIRS[kind]))
        jobs = {number: partial(_add, add, *pair) for number, pair in pairs.items()}
        return in_order(len(records), outcomes | _run_in_rounds(pairs, jobs))

    def _install(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        pairs, outcomes = read_each(records, lambda record: read_pair(record, PAIRS["installs"]))
        names = list(dict.fromkeys(app for _, app in pairs.values()))
        found = side_by_side([partial(self._apps.get, app) for app in names])
        apps = {app: known for app, known in zip(names, found, strict=True) if known}
        jobs: dict[int, Job] = {}
        for number, (user, app) in pairs.items():
            if app in apps:
                jobs[number] = partial(self._one_install, apps[app], user)
            else:
                outcomes[number] = refused(NotFound(f"There is no app {app}"))
        return in_order(len(records), outcomes | run_each(jobs))

    def _one_install(self, app: App, user: str) -> RecordResult:
        return stored(self._user_data.install(app, user))

    def _import_data(self, records: Sequence[Any]) -> Sequence[RecordResult]:
        read, outcomes = read_each(records, lambda record: read_data(record, self._limits))
        busy = {number: (f"{found.app} {found.user}",) * 2 for number, found in read.items()}
        jobs = {number: partial(self._one_data, found) for number, found in read.items()}
        return in_order(len(records), outcomes | _run_in_rounds(busy, jobs))

    def _one_grant(self, record: GrantRecord) -> RecordResult:
        try:
            return stored(self._grants.restore(record.grant, record.families))
        except PermissionDenied:
            return refused(no_install(record.user, record.grant.app))

    def _one_data(self, record: DataRecord) -> RecordResult:
        try:
            return stored(self._appdata.restore(record.app, record.user, record.data))
        except PermissionDenied:
            return refused(no_install(record.user, record.app))


def import_contents(
    read: Callable[[object], T],
    store: Callable[[T], RecordResult],
    list_of: Callable[[T], str],
    records: Sequence[Any],
) -> Sequence[RecordResult]:
    """Import records whose lists are in the order of the records: those of a list one after the other."""
    found, outcomes = read_each(records, read)
    lists = {number: list_of(record) for number, record in found.items()}
    stuck: set[str] = set()
    for numbers in rounds((number, (name, name)) for number, name in lists.items()):
        # After a busy record, later ones of its list would take its place for good. All of them are sent again.
        waiting = [number for number in numbers if lists[number] in stuck]
        outcomes |= dict.fromkeys(waiting, refused(Unavailable()))
        done = run_each({n: partial(store, found[n]) for n in numbers if lists[n] not in stuck})
        outcomes |= done
        stuck |= {lists[n] for n, outcome in done.items() if isinstance(outcome.refusal, Unavailable)}
    return in_order(len(records), outcomes)


def _content(record: CommentRecord | FavoriteRecord) -> str:
    return f"{record.page} {record.content_uri}"


def _add(add: Callable[[str, str], bool], one: str, other: str) -> RecordResult:
    return stored(add(one, other))


def read_each(records: Sequence[Any], read: Callable[[Any], T]) -> tuple[dict[int, T], dict[int, RecordResult]]:
    """Return the valid records, and the refusals of the others, both by number."""
    found: dict[int, T] = {}
    outcomes: dict[int, RecordResult] = {}
    for number, record in enumerate(records):
        try:
            found[number] = read(record)
        except Refusal as refusal:
            outcomes[number] = refused(refusal)
    return found, outcomes


def run_each(jobs: Mapping[int, Job]) -> dict[int, RecordResult]:
    def outcome(job: Job) -> RecordResult:
        try:
            return job()
        except Refusal as refusal:
            return refused(refusal)

    return dict(zip(jobs, side_by_side([partial(outcome, job) for job in jobs.values()]), strict=True))


def _run_in_rounds(pairs: Mapping[int, Pair], jobs: Mapping[int, Job]) -> dict[int, RecordResult]:
    """Run jobs so that none of a round has an id in common with another."""
    outcomes: dict[int, RecordResult] = {}
    for numbers in rounds(pairs.items()):
        outcomes |= run_each({number: jobs[number] for number in numbers})
    return outcomes
