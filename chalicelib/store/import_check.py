"""The dry run of a bulk import: the result that each record would have. It stores nothing.

A record whose user, app, page or install is not stored has the result `created`, with the missing things as `needs`: an
earlier record of the same import may create them, which only the client can know. For the same reason a result has what
the record adds to sums with a limit, and its number in a list: the client adds up those of all records. It is in
store/, above the tables' modules: it only calls them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from chalicelib.core.appdata import Balance
from chalicelib.core.bulk_import import (
    PAIRS,
    DataRecord,
    RecordResult,
    compare,
    data_effects,
    friend_additions,
    in_order,
    read_data,
    read_new_app,
    read_new_module,
    read_new_page,
    read_new_user,
    read_pair,
    refused,
    stored,
    would_be_created,
)
from chalicelib.core.contents_records import read_comment_record, read_favorite, read_feed
from chalicelib.core.errors import Conflict, ParameterInvalid, PermissionDenied, Refusal
from chalicelib.core.grant_records import GrantRecord, read_grant
from chalicelib.core.limits import MOST_FRIENDS, Limits
from chalicelib.core.model.directory import Module
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.items import Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.bulk_import import Pair, read_each, run_each
from chalicelib.store.contents.contents_import import ContentsImport
from chalicelib.store.directory.directory import Directory
from chalicelib.store.grants.grants import Grants

T = TypeVar("T")
Results = Sequence[RecordResult]


class ImportCheck:
    """A checker of records for import. Reads may be eventually consistent."""

    def __init__(
        self, directory: Directory, appdata: AppData, contents: ContentsImport, grants: Grants, limits: Limits
    ) -> None:
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._directory = directory.friends_and_installs
        self._appdata = appdata
        self._contents = contents
        self._grants = grants
        self._limits = limits

    def run(self, records: Mapping[str, Sequence[Any]]) -> dict[str, Results]:
        """Return the result that each record would have, by kind and in order."""
        ways: dict[str, Callable[[Sequence[Any]], Results]] = {
            "users": self._check_users,
            "apps": partial(self._check_things, read_new_app, self._apps.get),
            "friendships": self._check_friendships,
            "installs": partial(self._check_pairs, "installs", self._directory.install),
            "data": self._check_data,
            "pages": partial(self._check_things, read_new_page, self._pages.get),
            "modules": self._check_modules,
            "administrators": partial(self._check_pairs, "administrators", self._pages.members.administrator),
            "followers": partial(self._check_pairs, "followers", self._pages.members.follower),
            "feeds": partial(_check_contents, read_feed, self._contents.feed),
            "comments": partial(_check_contents, read_comment_record, self._contents.comment),
            "favorites": partial(_check_contents, read_favorite, self._contents.favorite),
            "grants": partial(_check_contents, read_grant, self._one_grant),
        }
        return {kind: way(records[kind]) for kind, way in ways.items() if kind in records}

    def _check_users(self, records: Sequence[Any]) -> Results:
        read, outcomes = read_each(records, read_new_user)
        known = self._users.get_many(found.fields["id"] for found in read.values())
        logins = {number: found.fields.get("login") for number, found in read.items()}
        owners = self._users.login_owners(login for login in logins.values() if login)
        for number, found in read.items():
            if found.fields["id"] in known:
                outcomes[number] = compare(known[found.fields["id"]], found.fields)
            elif logins[number] in owners:
                outcomes[number] = refused(Conflict(f"The login {logins[number]} is taken"))
            else:
                outcomes[number] = would_be_created()
        return in_order(len(records), outcomes)

    def _check_things(
        self, read_record: Callable[[object], dict[str, Any]], get: Callable[[str], Any], records: Sequence[Any]
    ) -> Results:
        read, outcomes = read_each(records, read_record)
        found = side_by_side([partial(get, fields["id"]) for fields in read.values()])
        for (number, fields), known in zip(read.items(), found, strict=True):
            outcomes[number] = compare(known, fields) if known else would_be_created()
        return in_order(len(records), outcomes)

    def _check_friendships(self, records: Sequence[Any]) -> Results:
        pairs, outcomes = read_each(records, lambda record: read_pair(record, PAIRS["friendships"]))
        users = self._users.get_many({user for pair in pairs.values() for user in pair})
        there = self._directory.there([self._directory.friendship(*pair) for pair in pairs.values()])
        for number, pair in pairs.items():
            if pair[0] == pair[1]:
                outcomes[number] = refused(ParameterInvalid("A user cannot be a friend of themselves"))
            elif self._directory.friendship(*pair) in there:
                outcomes[number] = stored(False)
            elif any(user in users and users[user].friends >= MOST_FRIENDS for user in pair):
                outcomes[number] = refused(ParameterInvalid(f"Too many friends (max={MOST_FRIENDS})"))
            else:
                counts = {user: users[user].friends if user in users else 0 for user in pair}
                missing = (f"user {user}" for user in pair if user not in users)
                outcomes[number] = would_be_created(*missing, adds=friend_additions(counts))
        return in_order(len(records), outcomes)

    def _check_pairs(self, kind: str, place_of: Callable[[str, str], Place], records: Sequence[Any]) -> Results:
        """Check pairs whose place is that of `place_of`, and which need only the things that they name."""
        pairs, outcomes = read_each(records, lambda record: read_pair(record, PAIRS[kind]))
        there = self._directory.there([place_of(*pair) for pair in pairs.values()])
        needs = self._missing(kind, pairs)
        for number, pair in pairs.items():
            outcomes[number] = stored(False) if place_of(*pair) in there else would_be_created(*needs[number])
        return in_order(len(records), outcomes)

    def _missing(self, kind: str, pairs: Mapping[int, Pair]) -> dict[int, list[str]]:
        """Return the users, apps and pages of each pair that do not exist."""
        named = {number: list(zip(PAIRS[kind].values(), pair, strict=True)) for number, pair in pairs.items()}
        return self._missing_of(named)

    def _missing_of(self, named: Mapping[int, Sequence[Pair]]) -> dict[int, list[str]]:
        gets: dict[str, Callable[[str], Any]] = {
            "user": self._users.get,
            "app": self._apps.get,
            "page": self._pages.get,
        }
        things = list({thing for some in named.values() for thing in some})
        found = side_by_side([partial(gets[kind], name) for kind, name in things])
        known = {thing for thing, there in zip(things, found, strict=True) if there}
        return {
            number: [f"{kind} {name}" for kind, name in some if (kind, name) not in known]
            for number, some in named.items()
        }

    def _check_modules(self, records: Sequence[Any]) -> Results:
        read, outcomes = read_each(records, read_new_module)
        found = side_by_side([partial(self._pages.module, module.page, module.id) for module in read.values()])
        needs = self._missing_of({n: [("page", module.page), ("app", module.app)] for n, module in read.items()})
        for (number, module), known in zip(read.items(), found, strict=True):
            outcomes[number] = _module_result(module, known, needs[number])
        return in_order(len(records), outcomes)

    def _check_data(self, records: Sequence[Any]) -> Results:
        read, outcomes = read_each(records, lambda record: read_data(record, self._limits))
        found = side_by_side([partial(self._one_data, record) for record in read.values()])
        return in_order(len(records), outcomes | dict(zip(read, found, strict=True)))

    def _one_grant(self, record: GrantRecord, *, check: bool) -> RecordResult:
        try:
            return stored(self._grants.restore(record.grant, record.families, check=check))
        except PermissionDenied:
            return would_be_created(f"install {record.user} {record.grant.app}")

    def _one_data(self, record: DataRecord) -> RecordResult:
        try:
            new, balance = self._appdata.restorable(record.app, record.user, record.data)
        except PermissionDenied:
            effects = data_effects(record, record.data, Balance(0, 0), self._limits)
            return RecordResult("created", effects=replace(effects, needs=(f"install {record.user} {record.app}",)))
        except Refusal as refusal:
            return refused(refusal)
        if not new:
            return stored(False)
        return RecordResult("created", effects=data_effects(record, new, balance, self._limits))


def _check_contents(read: Callable[[object], T], store: Callable[..., RecordResult], records: Sequence[Any]) -> Results:
    found, outcomes = read_each(records, read)
    jobs = {number: partial(store, record, check=True) for number, record in found.items()}
    return in_order(len(records), outcomes | run_each(jobs))


def _module_result(module: Module, known: Module | None, needs: Sequence[str]) -> RecordResult:
    return compare(known, vars(module)) if known else would_be_created(*needs)
