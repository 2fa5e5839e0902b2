"""Bulk import: the limits of a request, the records of each kind, and the result of each record.

An existing record is not changed: a second import does not undo the changes that a user made after the first. But the
result of the record reports the difference. Records have the form in which core/bulk_export.py exports them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.core.appdata import Balance, check_pairs, utf8_bytes
from chalicelib.core.codecs import checks
from chalicelib.core.codecs.directory_json import REASON_CHARACTERS, read_app, read_module, read_page, read_user
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import BadRequest, Conflict, NotFound, ParameterInvalid, QuotaExceeded, Refusal
from chalicelib.core.limits import MOST_FRIENDS, Limits
from chalicelib.core.model.directory import App, Module, Page, User
from chalicelib.core.model.publication import DEFAULT_PUBLICATION
from chalicelib.core.passwords import is_hash

MOST_RECORDS = 100
MOST_PASSWORDS = 20
"""Users with a password in one request. A hash takes about 0.25 seconds, by design; 20 take 9 seconds on Lambda."""
KINDS = (
    "users",
    "apps",
    "friendships",
    "installs",
    "data",
    "pages",
    "modules",
    "administrators",
    "followers",
    "feeds",
    "comments",
    "favorites",
    "grants",
)
"""The kinds of records, in the order of execution: a record needs only records of kinds before its own."""
DRY_RUN = "dryRun"
"""The field of a request that is only checked: nothing is stored."""
PAIRS: Mapping[str, Mapping[str, str]] = {
    "friendships": {"user": "user", "friend": "user"},
    "installs": {"user": "user", "app": "app"},
    "administrators": {"page": "page", "user": "user"},
    "followers": {"page": "page", "user": "user"},
}
"""The kinds of records that are pairs of ids: for each field, the kind of its id."""
_SECRET = re.compile(r"[\x21-\x7e]{16,255}")
_APP_EXTRA = ("secret", "oldSecret", "oldSecretUntil", "suspended", "suspensionReason")


@dataclass(frozen=True)
class Addition:
    """An amount that a record adds to a limited sum: "friends k3v9x2mtq7ra". `stored` is the sum without the record."""

    name: str
    stored: int
    adds: int
    most: int


@dataclass(frozen=True)
class Following:
    """A number that a record takes in a list. `last` is the highest number that the list has used, `most` the most
    numbers between them.
    """

    name: str
    last: int
    number: int
    most: int

    def check_order(self, last: int) -> None:
        """Raise Conflict if the list has used the number `last`, and this one is not higher."""
        if self.number <= last:
            raise Conflict("The list has newer entries already; records must be in the order of their ids")

    def check(self, last: int) -> None:
        """Raise Conflict or ParameterInvalid if the number cannot follow the number `last`."""
        self.check_order(last)
        if self.number - last - 1 > self.most:
            raise ParameterInvalid(f"id is too far from the ids before it (max={self.most})")


@dataclass(frozen=True)
class Effects:
    """The effects that a record of a dry run would have, so that a client can add up those of many records.

    `needs` names what the record needs that is not stored: "user k3v9x2mtq7ra". `keys` are the new keys of data.
    """

    needs: tuple[str, ...] = ()
    adds: tuple[Addition, ...] = ()
    keys: tuple[str, ...] = ()
    follows: Following | None = None

    def told(self) -> dict[str, Any]:
        """Return the JSON of the effects; those that there are not are left out."""
        told: dict[str, Any] = {"needs": list(self.needs), "adds": list(map(vars, self.adds)), "keys": list(self.keys)}
        follows = {"follows": vars(self.follows)} if self.follows else {}
        return {name: value for name, value in told.items() if value} | follows


@dataclass(frozen=True)
class RecordResult:
    """The result of one record. `refusal` is the reason why it was not stored. `effects` is set in a dry run."""

    status: str
    refusal: Refusal | None = None
    effects: Effects = Effects()

    def told(self) -> dict[str, Any]:
        """Return the JSON of the result: `status` is created, unchanged or refused."""
        if self.refusal is None:
            return {"status": self.status} | self.effects.told()
        return {"status": self.status, "error": self.refusal.error, "error_description": self.refusal.description}


def over(addition: Addition) -> Refusal:
    """Return the refusal of a record that would exceed the limit of a sum."""
    match addition.name.split()[0]:
        case "bytes":
            return QuotaExceeded(f"Limit exceeded size quota (max={addition.most})")
        case what:
            return ParameterInvalid(f"Too many {what} (max={addition.most})")


def friend_additions(friends: Mapping[str, int]) -> tuple[Addition, ...]:
    """Return the additions of a friendship to the numbers of friends of its users."""
    return tuple(Addition(f"friends {user}", count, 1, MOST_FRIENDS) for user, count in friends.items())


def data_effects(record: "DataRecord", new: Mapping[str, str], balance: Balance, limits: Limits) -> Effects:
    """Return the effects of a record of data with these new values, on a user's balance."""
    whose = f"{record.user} {record.app}"
    return Effects(
        adds=(
            Addition(f"bytes {whose}", balance.total, sum(map(utf8_bytes, new.values())), limits.quota_bytes),
            Addition(f"keys {whose}", balance.keys, len(new), limits.keys),
        ),
        keys=tuple(new),
    )


def stored(created: bool) -> RecordResult:
    """Return the result of a record that is stored, now or before."""
    return RecordResult("created" if created else "unchanged")


def refused(refusal: Refusal) -> RecordResult:
    """Return the result of a record that is not stored."""
    return RecordResult("refused", refusal)


def read_records(body: object) -> dict[str, list[Any]]:
    """Return the records in a request's body by kind. Each record is checked later, before it is stored.

    Raises BadRequest and ParameterInvalid for errors of the request as a whole.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    for name, records in body.items():
        if name == DRY_RUN:
            checks.boolean(name, records)
        elif name not in KINDS:
            raise ParameterInvalid(f"There is no field {name[:64]!r}; the fields are {', '.join((*KINDS, DRY_RUN))}")
        elif not isinstance(records, list):
            raise ParameterInvalid(f"{name} must be a list")
    if sum(len(body.get(kind, [])) for kind in KINDS) > MOST_RECORDS:
        raise ParameterInvalid(f"Too many records (max={MOST_RECORDS})")
    if sum(isinstance(user, dict) and "password" in user for user in body.get("users", [])) > MOST_PASSWORDS:
        raise ParameterInvalid(f"Too many records with a password (max={MOST_PASSWORDS})")
    return {kind: body[kind] for kind in KINDS if kind in body}


def is_dry_run(body: object) -> bool:
    """Return whether a request that `read_records` has checked is a dry run."""
    return isinstance(body, dict) and bool(body.get(DRY_RUN))


@dataclass(frozen=True)
class NewUser:
    """A user's record: the fields for `User(**fields)`, and a password, or its hash as `export` writes it, or none."""

    fields: dict[str, Any]
    password: str | None = None
    password_hash: str | None = None


def read_new_user(record: object) -> NewUser:
    """Return a user's record. `id` is required; `created` is optional. Raises BadRequest and ParameterInvalid."""
    fields = read_user(record, new=True, extra=("password", "passwordHash", "created")) | _created(record)
    _need_id(fields)
    given = _given(record)
    text, hashed = given.get("password"), given.get("passwordHash")
    if text is None and hashed is None:
        return NewUser(fields)
    if not fields.get("login"):
        raise ParameterInvalid("login is missing")
    if text is not None and hashed is not None:
        raise ParameterInvalid("password and passwordHash exclude each other")
    if hashed is None:
        return NewUser(fields, password=checks.password("password", text))
    if not isinstance(hashed, str) or not is_hash(hashed):
        raise ParameterInvalid("passwordHash must be scrypt$n$r$p$salt$key, as an export writes it")
    return NewUser(fields, password_hash=hashed)


def read_new_app(record: object) -> dict[str, Any]:
    """Return the fields of an app's record, for `App(**fields)`. `id` is required, `created` is optional.

    A confidential app without `secret` gets a new one. `oldSecret` needs `oldSecretUntil` and `secret`. A name that
    looks like the platform's is stored: an app of an export must not be lost.
    """
    fields = read_app(record, new=True, extra=("created", *_APP_EXTRA)) | _created(record)
    _need_id(fields)
    return fields | _secrets(_given(record), fields.get("confidential", True)) | _suspended(_given(record))


def _secrets(given: Mapping[str, Any], confidential: bool) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, attribute in (("secret", "secret"), ("oldSecret", "old_secret")):
        if (secret := given.get(name)) is not None:
            if not confidential:
                raise ParameterInvalid("A public app has no secret")
            if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
                raise ParameterInvalid(f"{name} must be 16 to 255 printable ASCII characters without spaces")
            read[attribute] = secret
    until = given.get("oldSecretUntil")
    if "old_secret" not in read and until is None:
        return read
    if until is None or len(read) < len(("secret", "oldSecret")):
        raise ParameterInvalid("oldSecret needs oldSecretUntil and secret")
    return read | {"old_secret_until": checked_time("oldSecretUntil", until)}


def _suspended(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return since when an app is suspended, and why; nothing for an app that is not."""
    if given.get("suspended") is None:
        if given.get("suspensionReason"):
            raise ParameterInvalid("suspensionReason needs suspended")
        return {}
    reason = checks.text(REASON_CHARACTERS)("suspensionReason", given.get("suspensionReason"))
    return {"suspended": checked_time("suspended", given["suspended"]), "suspension_reason": reason}


def read_new_page(record: object) -> dict[str, Any]:
    """Return the fields of a page's record, for `Page(**fields)`. `id` is required, `created` is optional."""
    fields = read_page(record, new=True, extra=("created",)) | _created(record)
    _need_id(fields)
    return fields


def read_new_module(record: object) -> Module:
    """Return the module of a record: `page`, `id`, `app` and `name`."""
    fields = read_module(record, extra=("page",))
    _need_id(fields)
    if "page" not in _given(record):
        raise ParameterInvalid("page is missing")
    return Module(page=checks.check_id("page")("page", _given(record)["page"]), **fields)


@dataclass(frozen=True)
class DataRecord:
    """A record of data: values of a user in an app, at most 99."""

    user: str
    app: str
    data: Mapping[str, str]


def read_data(record: object, limits: Limits) -> DataRecord:
    """Return a record of data: `user`, `app` and `data`, checked as in a write of the Persistence API."""
    given = dict(_given(record))
    data = given.pop("data", None)
    user, app = read_pair(given, PAIRS["installs"])
    return DataRecord(user, app, check_pairs(data, limits, "data"))


def _given(record: object) -> Mapping[str, Any]:
    if not isinstance(record, dict):
        raise BadRequest("A record must be a JSON object")
    return record


def _need_id(fields: Mapping[str, Any]) -> None:
    if "id" not in fields:
        raise ParameterInvalid("id is missing")


def _created(record: object) -> dict[str, int]:
    """Return the time when an imported thing was created, if the record has it."""
    created = _given(record).get("created")
    return {} if created is None else {"created": check_created(created)}


def check_created(value: object) -> int:
    """Return the time when something was created, in milliseconds. Raises ParameterInvalid."""
    return checked_time("created", value)


def checked_time(name: str, value: object) -> int:
    """Return a time in milliseconds since the epoch. Raises ParameterInvalid, which has the field's name."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LATEST:
        raise ParameterInvalid(f"{name} must be milliseconds since 1970, at least 1")
    return value


def read_pair(record: object, kinds: Mapping[str, str]) -> tuple[str, str]:
    """Return the two ids of a friendship (`user`, `friend`) or an install (`user`, `app`); `kinds` has their kinds."""
    given = _given(record)
    checks.check_names(given, kinds)
    for name in kinds:
        if name not in given:
            raise ParameterInvalid(f"{name} is missing")
    one, other = (checks.check_id(kind)(name, given[name]) for name, kind in kinds.items())
    return one, other


def compare(known: User | App | Page | Module, given: Mapping[str, Any]) -> RecordResult:
    """Return the result for a thing that exists: unchanged if all given fields are equal, else refused."""
    for name, value in given.items():
        now = getattr(known, name)
        if name == "publication":
            now = {each: now[each] for each in value}
        if now != value:
            kind = type(known).__name__.lower()
            return refused(Conflict(f"The {kind} exists, and has another {name.replace('_', ' ')}"))
    return stored(False)


THINGS: Mapping[str, Callable[[object], User | App | Page | Module]] = {
    "users": lambda record: _with_publication(read_new_user(record).fields),
    "apps": lambda record: App(**read_new_app(record)),
    "pages": lambda record: Page(**read_new_page(record)),
    "modules": lambda record: read_new_module(record),
}
"""The kinds of records that are compared field by field, and the functions that read them."""


def _with_publication(fields: Mapping[str, Any]) -> User:
    return User(**{**fields, "publication": {**DEFAULT_PUBLICATION, **fields.get("publication", {})}})


def compare_records(kind: str, earlier: object, record: object) -> RecordResult:
    """Return the result for a thing that an earlier record creates. Both records are valid."""
    match kind:
        case "users":
            given = read_new_user(record).fields
        case "apps":
            given = read_new_app(record)
        case "pages":
            given = read_new_page(record)
        case _:
            given = vars(read_new_module(record))
    return compare(THINGS[kind](earlier), given)


def would_be_created(*needs: str, adds: Sequence[Addition] = (), follows: Following | None = None) -> RecordResult:
    """Return the result of a dry run for a record that is not stored and needs these things, which are not stored."""
    return RecordResult("created", effects=Effects(needs, tuple(adds), follows=follows))


def no_install(user: str, app: str) -> NotFound:
    """Return the error for data of a user who has not installed the app."""
    return NotFound(f"The user {user} has not installed the app {app}")


def rounds(pairs: Iterable[tuple[int, tuple[str, str]]]) -> list[list[int]]:
    """Split numbered pairs of users into rounds. No user is twice in a round, so its writes do not collide."""
    made: list[list[int]] = []
    latest: dict[str, int] = {}
    for number, pair in pairs:
        turn = max(latest.get(user, -1) for user in pair) + 1
        if turn == len(made):
            made.append([])
        made[turn].append(number)
        latest |= dict.fromkeys(pair, turn)
    return made


def in_order(count: int, outcomes: Mapping[int, RecordResult]) -> Sequence[RecordResult]:
    """Return the results of `count` records, in the order of their numbers."""
    return [outcomes[number] for number in range(count)]
