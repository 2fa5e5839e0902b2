"""The rules of Information Sharing, shared by `/rpc` and `/os/0.8`: whom a request names, which fields it asks for.

Both faces read a request the same way and differ in its form alone:

    selection = select_data(users, group, app, access)   # or select_people, or check_writable
    keys = data_keys(fields, limits)                     # or person_fields(fields, access.scopes)

Values come as they are in JSON or in a path: None is absent, a string may be a comma-separated list. What is of another
type raises BadRequest. The stores then say who of those named may be had (AppData.read_named, AppData.read_friends,
People.named, People.friends), and `person` shapes an entry. Sources: the page Information Sharing (selectors, 400 and
403), Available Information, OpenSocial's JSON-RPC and REST protocols, and docs/internals/decisions.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from chalicelib.core import people
from chalicelib.core.appdata import ALL, LOST, check_keys, deletion, named_keys
from chalicelib.core.codecs.checks import is_id
from chalicelib.core.errors import BadRequest, ParameterInvalid, PermissionDenied
from chalicelib.core.limits import Limits
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import User
from chalicelib.core.people import Person, PersonField, Query
from chalicelib.core.permission import AppRun

MOST_IDS = 100
"""Users that one request may name."""
PREFIX = "mixi.jp:"
"""What stands before a user's id where it is written out in full."""

# Atom's form, and the one of before June 2009, in which 40 characters followed the id.
_FULL_ID = re.compile(r"(?:urn:guid:)?mixi\.jp:(?P<id>[a-z0-9]{12})(?:[0-9A-Za-z]{40})?")


class OpenSocialGroup(Enum):
    """The groups of people."""

    SELF = "@self"
    FRIENDS = "@friends"
    ALL = "@all"
    """Everyone a user is connected to: the friends. Of people only, not of data."""


@dataclass(frozen=True)
class OpenSocialSelection:
    """Whom a request names: `users` themselves (SELF), or the friends of the one user in it (FRIENDS).

    `several` says that more than one was named: then who may not be had is absent, else it is a refusal. `users` are
    distinct, in the order named, without what cannot be anyone's id; never empty.
    """

    users: tuple[str, ...]
    group: OpenSocialGroup
    several: bool


@dataclass(frozen=True)
class RequestedFields:
    """The fields of people that a request wants: those of FIELDS, and those that are no field of a user."""

    common: tuple[str, ...]
    own: tuple[str, ...]

    @property
    def profile(self) -> bool:
        """Whether any of them is profile information: only then does it matter whether profiles are strict."""
        return any(FIELDS[name].setting for name in self.common)


def _addresses(user: User) -> people.FieldValue:
    # The unstructured address, by its name in OpenSocial 0.9 and in 0.8.
    return [dict.fromkeys(("formatted", "unstructuredAddress"), user.address)] if user.address else None


FIELDS: Mapping[str, PersonField] = {
    **people.FIELDS,
    "addresses": replace(people.FIELDS["address"], value=_addresses),
    "dateOfBirth": people.FIELDS["birthday"],
}
"""The fields of a user: those of core/people.py, and OpenSocial's names for two of them."""

_OWN_FIELDS: Mapping[str, Callable[[Person, AppRun], str | bool | dict[str, str]]] = {
    "nickname": lambda person, running: person.user.display_name,
    "isViewer": lambda person, running: person.user.id == running.viewer,
    "isOwner": lambda person, running: person.user.id == running.owner,
    "hasApp": lambda person, running: person.installed,
    # By its name in OpenSocial 1.0 and in 0.8. There are no given and family names.
    "name": lambda person, running: dict.fromkeys(("formatted", "unstructured"), person.user.display_name),
}
# Old libraries that are given a name look for its parts.
_OWN_DEFAULTS = tuple(name for name in _OWN_FIELDS if name != "name")


def owner_of(access: Access) -> str:
    """Whose app it is that runs. Raises PermissionDenied for an app's own token."""
    return access.owner or access.user


def select_data(users: object, group: object, app: object, access: Access) -> OpenSocialSelection:
    """Whose data a read speaks of.

    `users` is `@me`, `@viewer`, `@owner`, an id in any of its forms, or a list of these; `group` `@self` (default) or
    `@friends`; `app` `@app` (default) or the app's own id. Raises ParameterInvalid (nobody is named; too many; friends
    of several), BadRequest (no text) and PermissionDenied (another group, another app, nobody's id).
    """
    if _text("appId", app, "@app") not in ("@app", access.app):
        raise PermissionDenied
    return _select(users, group, access, (OpenSocialGroup.SELF, OpenSocialGroup.FRIENDS))


def check_writable(users: object, group: object, app: object, access: Access) -> str:
    """As `select_data`, for updates and deletions: the viewer, the only one whose data may be changed; their id."""
    selection = select_data(users, group, app, access)
    if selection != OpenSocialSelection((access.user,), OpenSocialGroup.SELF, several=False):
        raise PermissionDenied
    return access.user


def select_people(users: object, group: object, access: Access) -> OpenSocialSelection:
    """As `select_data`, of people; `@all` is the friends."""
    return _select(users, group, access, tuple(OpenSocialGroup))


def data_keys(fields: object, limits: Limits) -> frozenset[str] | None:
    """The keys that `fields` names; None for every key: absent, an empty list or string, `*` or `@all` in it.

    In a comma-separated string empty names are passed over; in a list they are no keys. Raises TooLarge for more
    names than one read may have, ParameterInvalid and BadRequest.
    """
    names = _texts("fields", fields)
    return None if not names or ALL & names.keys() else named_keys(names, limits, most=limits.read_keys)


def keys_to_delete(fields: object, keys: object, limits: Limits) -> frozenset[str] | None:
    """Return the keys that a deletion names, or None for every key: an empty list, or `*` or `@all` alone.

    `keys` is JavaScript's word for `fields`. Raises ParameterInvalid if neither names anything, if they differ, if `*`
    stands beside other names, and for a name that cannot be a key; and TooLarge and BadRequest as `data_keys` does.
    """
    given = keys if fields is None else fields
    if given is None or keys not in (None, given):
        raise ParameterInvalid(LOST)
    names = _texts("fields", given)
    if isinstance(given, str):
        return deletion(given.split(","), limits)
    check_keys(names.keys() - ALL, limits)
    return deletion(names, limits) if names else None


def person_fields(fields: object, scopes: Iterable[str]) -> RequestedFields:
    """The fields that `fields` names and the scopes open; by default those that need no scope of their own.

    As in core/people.py `id` is always among them, and names of no field are ignored. Raises InsufficientScope for a
    field asked by name whose scope is missing, and BadRequest.
    """
    names = _texts("fields", fields)
    if not names:
        return RequestedFields(people.DEFAULT_FIELDS, _OWN_DEFAULTS)
    every = bool(ALL & names.keys())
    # `id`, which is always answered, so that the own fields alone do not look like no fields at all.
    common = people.asked_fields(",".join([*names, "id"]), scopes, FIELDS)
    return RequestedFields(common, tuple(name for name in _OWN_FIELDS if every or name in names))


def person_query(parameter: Callable[[str], object]) -> Query:
    """The query that `parameter` gives by name, as core/people.py reads it; numbers may be JSON's.

    Understands OpenSocial's words, too: to sort by `topFriends` is by id, by `name` or `nickname` by display name; the
    filters `all` and `topFriends` let everyone pass. Raises ParameterInvalid and BadRequest.
    """

    def text(name: str) -> str | None:
        value = parameter(name)
        if name in ("startIndex", "count") and isinstance(value, int | float):
            # No number that is longer is in range, and to spell it out takes time.
            value = str(value) if abs(value) < 10**12 else "-"
        read = _text(name, value, "")
        return _WORDS.get(name, {}).get(read, read) or None

    return people.read_query(text)


def person(each: Person, wanted: RequestedFields, running: AppRun, *, strict: bool) -> dict[str, Any]:
    """An obtainable person's entry; `strict` is the profile visibility of that name."""
    own = {name: _OWN_FIELDS[name](each, running) for name in wanted.own}
    return people.view(each, wanted.common, running, strict=strict, known=FIELDS) | own


def full_id(user: str) -> str:
    """A user's id in full, as `/os/0.8` writes it in its map of data."""
    return PREFIX + user


def plain_id(name: str) -> str | None:
    """The id that `name` gives in any of its forms; None where it is nobody's."""
    full = _FULL_ID.fullmatch(name)
    user = full["id"] if full else name
    return user if is_id("user", user) else None


_WORDS: Mapping[str, Mapping[str, str | None]] = {
    "sortBy": {"topFriends": None, "name": "displayName", "nickname": "displayName"},
    "filterBy": {"all": None, "topFriends": None},
}


def _select(users: object, group: object, access: Access, groups: Iterable[OpenSocialGroup]) -> OpenSocialSelection:
    named = _texts("userId", users)
    wanted = _text("groupId", group, OpenSocialGroup.SELF.value)
    if not named:
        raise ParameterInvalid("No user is named: userId is missing")
    if len(named) > MOST_IDS:
        raise ParameterInvalid(f"Too many users are named (max={MOST_IDS})")
    if wanted not in [each.value for each in groups]:
        raise PermissionDenied
    # One and the same user may have been named by different words.
    distinct = dict.fromkeys(_id(name, access) for name in named)
    known = tuple(user for user in distinct if user is not None)
    if not known:
        raise PermissionDenied
    several = len(distinct) > 1
    if wanted == OpenSocialGroup.SELF.value:
        return OpenSocialSelection(known, OpenSocialGroup.SELF, several)
    if several:
        raise ParameterInvalid("Friends can be requested for one user at a time")
    return OpenSocialSelection(known, OpenSocialGroup.FRIENDS, several=False)


def _id(name: str, access: Access) -> str | None:
    """The id of the user that a selector names; None for what cannot be one."""
    if name in ("@me", "@viewer"):
        return access.user
    if name == "@owner":
        return owner_of(access)
    return name if name == access.user else plain_id(name)


def _text(name: str, value: object, default: str) -> str:
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be a string")
    return value or default


def _texts(name: str, value: object) -> dict[str, None]:
    """The distinct strings of a list, or of a comma-separated string, in order."""
    if value is None:
        return {}
    if isinstance(value, str):
        return dict.fromkeys(each for each in value.split(",") if each)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise BadRequest(f"{name} must be a string or a list of strings")
    return dict.fromkeys(value)
