"""The items of the grants table (its layout is in grants.py), and their conditions and updates."""

from collections.abc import Sequence
from typing import Any

from chalicelib.core.oauth import REFRESH_SECONDS, Family, Grant
from chalicelib.store.aws.conditions import ABSENT, Condition, absent, equals, exists
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import Update

_TEXTS = ("app", "user", "code", "refresh", "redirect_uri", "challenge", "server_state", "salt", "owner")
GRANT = "grant#"


def family_key(family: str) -> Key:
    """Return the key of a family."""
    return f"family#{family}", "#"


def grant_key(app: str, user: str | None) -> Key:
    """Return the key of a user's grant to an app, or (None) of the app's own grant."""
    return (f"user#{user}", GRANT + app) if user else (f"app#{app}", GRANT + app)


def lasting(expires: int) -> dict[str, Any]:
    """Return the attributes of an item that expires, and that DynamoDB may delete, at that second since the epoch."""
    return {"expires": {"N": str(expires)}, "ttl": {"N": str(expires)}}


def unchanged(grant: Grant | None) -> Condition:
    """Return the condition that the grant still has the families that it was read with."""
    if grant is None:
        return ABSENT
    if not grant.families:
        return exists() & absent("families")
    return equals("families", frozenset(grant.families))


def grant_update(family: Family, known: Grant | None, families: set[str]) -> Update:
    """Return the update of a grant that adds `family` and so has `families`; `known` is the grant as read."""
    scopes = family.scopes | (known.scopes if known and known.families else frozenset())
    ttl = max(family.expires, family.created // 1000 + REFRESH_SECONDS)
    sets: dict[str, Any] = {
        "families": {"SS": sorted(families)},
        "used": {"N": str(family.created)},
        "ttl": {"N": str(ttl)},
    }
    if scopes:
        sets["scopes"] = {"SS": sorted(scopes)}
    if known is None or not known.families:
        sets["created"] = {"N": str(family.created)}
    return Update(sets)


def grant_item(grant: Grant, families: Sequence[Family]) -> Item:
    """Return the item that stores an imported grant with its families."""
    ttl = max(grant.used // 1000 + REFRESH_SECONDS, *(family.expires for family in families))
    return {
        **typed(grant_key(grant.app, grant.user)),
        "families": {"SS": sorted(grant.families)},
        "created": {"N": str(grant.created)},
        "used": {"N": str(grant.used)},
        "ttl": {"N": str(ttl)},
        **({"scopes": {"SS": sorted(grant.scopes)}} if grant.scopes else {}),
    }


def family_item(family: Family) -> Item:
    """Return the item that stores a family."""
    texts = {name: {"S": value} for name in _TEXTS if (value := getattr(family, name))}
    scopes: dict[str, Any] = {"scopes": {"SS": sorted(family.scopes)}} if family.scopes else {}
    return {
        **typed(family_key(family.id)),
        **texts,
        **scopes,
        **lasting(family.expires),
        **({"rotated": {"N": str(family.rotated)}} if family.rotated else {}),
        "created": {"N": str(family.created)},
        "redirect_sent": {"BOOL": family.redirect_sent},
    }


def to_family(item: Item) -> Family:
    """Return the family that an item stores."""
    texts = {name: item[name]["S"] for name in _TEXTS if name in item}
    return Family(
        id=item["pk"]["S"].removeprefix("family#"),
        scopes=frozenset(item.get("scopes", {}).get("SS", ())),
        created=int(item["created"]["N"]),
        expires=int(item["expires"]["N"]),
        redirect_sent=item["redirect_sent"]["BOOL"],
        rotated=int(item["rotated"]["N"]) if "rotated" in item else 0,
        user=texts.pop("user", None),
        **texts,
    )


def to_grant(item: Item) -> Grant:
    """Return the grant that an item stores."""
    kind, _, holder = item["pk"]["S"].partition("#")
    return Grant(
        app=item["sk"]["S"].removeprefix(GRANT),
        user=holder if kind == "user" else None,
        scopes=frozenset(item.get("scopes", {}).get("SS", ())),
        created=int(item["created"]["N"]),
        used=int(item["used"]["N"]),
        families=frozenset(item.get("families", {}).get("SS", ())),
    )
