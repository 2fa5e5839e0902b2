"""The records of grants in an export, with the hashes of their refresh tokens, and their reading at an import.

A client whose grant is imported keeps its refresh tokens. Access tokens are signed, and end with the old platform.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.core.bulk_import import check_created
from chalicelib.core.codecs import checks
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.oauth import USER_FAMILIES, Family, Grant, check_scopes

_TEXT = re.compile(r"[\x21-\x7e]{1,256}")
_LATEST_SECOND = LATEST // 1000
_GRANT_FIELDS = ("user", "app", "scopes", "created", "used", "families")
_FAMILY_FIELDS = {
    "id": "id",
    "scopes": "scopes",
    "created": "created",
    "expires": "expires",
    "refresh": "refresh",
    "redirectUri": "redirect_uri",
    "redirectSent": "redirect_sent",
    "challenge": "challenge",
    "salt": "salt",
    "rotated": "rotated",
    "owner": "owner",
}
_NEEDED = ("id", "scopes", "created", "expires", "refresh")


@dataclass(frozen=True)
class GrantRecord:
    """A user's grant and its families, each with a refresh token."""

    user: str
    grant: Grant
    families: Sequence[Family]


def grant_record(grant: Grant, families: Sequence[Family]) -> dict[str, Any]:
    """Return the record of a grant. A family without a refresh token is not in it: its code lives for a minute."""
    return {
        "user": grant.user,
        "app": grant.app,
        "scopes": sorted(grant.scopes),
        "created": grant.created,
        "used": grant.used,
        "families": [_family_record(family) for family in families if family.refresh],
    }


def _family_record(family: Family) -> dict[str, Any]:
    values = {name: getattr(family, attribute) for name, attribute in _FAMILY_FIELDS.items()}
    return {name: value for name, value in values.items() if value or name in _NEEDED} | {
        "scopes": sorted(family.scopes)
    }


def read_grant(record: object) -> GrantRecord:
    """Return the grant of a record. Raises BadRequest and ParameterInvalid."""
    given = checks.check_record(record, _GRANT_FIELDS, _GRANT_FIELDS)
    user, app = _id("user", given), _id("app", given)
    families = given["families"]
    if not isinstance(families, list) or not 1 <= len(families) <= USER_FAMILIES:
        raise ParameterInvalid(f"families must be a list of 1 to {USER_FAMILIES}")
    read = [_read_family(family, user, app) for family in families]
    if len({family.id for family in read}) < len(read):
        raise ParameterInvalid("families must have different ids")
    labels = frozenset(family.label for family in read)
    created, used = check_created(given["created"]), check_created(given["used"])
    return GrantRecord(user, Grant(app, user, _scopes(given["scopes"]), created, used, labels), read)


def _read_family(record: object, user: str, app: str) -> Family:
    given = checks.check_record(record, tuple(_FAMILY_FIELDS), _NEEDED)
    expires, rotated = given["expires"], given.get("rotated") or 0
    for name, value in {"expires": expires, "rotated": rotated}.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST_SECOND * 1000:
            raise ParameterInvalid(f"{name} must be a time")
    if expires > _LATEST_SECOND:
        raise ParameterInvalid("expires must be seconds since 1970")
    return Family(
        id=_text("id", given["id"]),
        app=app,
        user=user,
        scopes=_scopes(given["scopes"]),
        created=check_created(given["created"]),
        expires=expires,
        refresh=_text("refresh", given["refresh"]),
        redirect_uri=checks.redirect_uri("redirectUri", given["redirectUri"]) if given.get("redirectUri") else "",
        redirect_sent=checks.boolean("redirectSent", given.get("redirectSent") or False),
        challenge=_optional("challenge", given),
        salt=_optional("salt", given),
        rotated=rotated,
        owner=_id("owner", given, "user") if given.get("owner") else None,
    )


def _id(name: str, given: Mapping[str, Any], kind: str = "") -> str:
    check: Callable[[str, Any], str] = checks.check_id(kind or name)
    return check(name, given[name])


def _scopes(value: object) -> frozenset[str]:
    scopes: tuple[str, ...] = checks.list_of(checks.scope)("scopes", value)
    check_scopes(scopes)
    return frozenset(scopes)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise ParameterInvalid(f"{name} must be 1 to 256 printable ASCII characters without spaces")
    return value


def _optional(name: str, given: Mapping[str, Any]) -> str | None:
    return _text(name, given[name]) if given.get(name) is not None else None
