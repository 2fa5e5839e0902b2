"""Bulk import: the limits of a request, and the result of each record.

An existing record is not changed: a second import does not undo the changes that a user made after the first. But the
result of the record reports the difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.core.codecs import checks
from chalicelib.core.codecs.directory_json import read_user
from chalicelib.core.errors import BadRequest, Conflict, ParameterInvalid, Refusal
from chalicelib.core.model.directory import User

MOST_RECORDS = 100
MOST_PASSWORDS = 20
"""Users with a password in one request. A hash takes about 0.25 seconds, by design; 20 take 9 seconds on Lambda."""
KINDS = ("users", "friendships", "installs")
"""The kinds of records, in the order of execution."""


@dataclass(frozen=True)
class RecordResult:
    """The result of one record. `refusal` is the reason why it was not stored."""

    status: str
    refusal: Refusal | None = None

    def told(self) -> dict[str, str]:
        """Return the JSON of the result: `status` is created, unchanged or refused."""
        if self.refusal is None:
            return {"status": self.status}
        return {"status": self.status, "error": self.refusal.error, "error_description": self.refusal.description}


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
        if name not in KINDS:
            raise ParameterInvalid(f"There is no field {name[:64]!r}; the fields are {', '.join(KINDS)}")
        if not isinstance(records, list):
            raise ParameterInvalid(f"{name} must be a list")
    if sum(map(len, body.values())) > MOST_RECORDS:
        raise ParameterInvalid(f"Too many records (max={MOST_RECORDS})")
    if sum(isinstance(user, dict) and "password" in user for user in body.get("users", [])) > MOST_PASSWORDS:
        raise ParameterInvalid(f"Too many records with a password (max={MOST_PASSWORDS})")
    return {kind: body[kind] for kind in KINDS if kind in body}


def read_new_user(record: object) -> tuple[dict[str, Any], str | None]:
    """Return the fields of a user's record, including the required `id`, and the password or None."""
    found = read_user(record, new=True, extra=("password",))
    if "id" not in found:
        raise ParameterInvalid("id is missing")
    if not isinstance(record, dict) or record.get("password") is None:
        return found, None
    if not found.get("login"):
        raise ParameterInvalid("login is missing")
    return found, checks.password("password", record["password"])


def read_pair(record: object, kinds: Mapping[str, str]) -> tuple[str, str]:
    """Return the two ids of a friendship (`user`, `friend`) or an install (`user`, `app`); `kinds` has their kinds."""
    if not isinstance(record, dict):
        raise BadRequest("A record must be a JSON object")
    for name in record:
        if name not in kinds:
            raise ParameterInvalid(f"There is no field {str(name)[:64]!r}; the fields are {', '.join(kinds)}")
    for name in kinds:
        if name not in record:
            raise ParameterInvalid(f"{name} is missing")
    one, other = (checks.check_id(kind)(name, record[name]) for name, kind in kinds.items())
    return one, other


def compare(known: User, given: Mapping[str, Any]) -> RecordResult:
    """Return the result for an existing user: unchanged if all given fields are equal, else refused."""
    for name, value in given.items():
        now = getattr(known, name)
        if name == "publication":
            now = {each: now[each] for each in value}
        if now != value:
            return refused(Conflict(f"The user exists, and has another {name.replace('_', ' ')}"))
    return stored(False)


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
