"""The JSON of users, apps, pages and modules in the operator's API: the dataclasses' fields, named in camelCase.

The `read_…` functions take a JSON object, check its fields and return them under the dataclasses' names, for
`User(**fields)` or `Users.change(id, **fields)`. All raise ParameterInvalid, which names the field, if a field is out
of its bounds or unknown, or if a required field is missing (only with `new=True`).
"""

from collections.abc import Sequence
from typing import Any

from chalicelib.core.codecs import checks
from chalicelib.core.codecs.checks import Rules, read_fields
from chalicelib.core.model.directory import (
    App,
    AppDialect,
    BloodType,
    Category,
    FeedSource,
    Gender,
    Module,
    Page,
    StartMethod,
    User,
)
from chalicelib.core.model.publication import DEFAULT_PUBLICATION
from chalicelib.core.oauth import check_scopes

REASON_CHARACTERS = 500
"""The length of an operator's reason, such as that of a suspension."""


def _scope(name: str, value: Any) -> str:
    scope = checks.scope(name, value)
    check_scopes([scope])
    return scope


_USER: Rules = {
    "displayName": ("display_name", checks.text(checks.NAME_CHARACTERS, required=True)),
    "profileUrl": ("profile_url", checks.url),
    "thumbnailUrl": ("thumbnail_url", checks.url),
    "bloodType": ("blood_type", checks.value_of(BloodType)),
    "address": ("address", checks.optional(checks.text(checks.ADDRESS_CHARACTERS))),
    "birthday": ("birthday", checks.optional(checks.day)),
    "age": ("age", checks.optional(checks.age)),
    "gender": ("gender", checks.value_of(Gender)),
    "publication": ("publication", checks.publication),
    "visible": ("visible", checks.boolean),
    "login": ("login", checks.optional(checks.login)),
}
_APP: Rules = {
    "name": ("name", checks.text(checks.NAME_CHARACTERS, required=True)),
    "confidential": ("confidential", checks.boolean),
    "redirectUris": ("redirect_uris", checks.list_of(checks.redirect_uri)),
    "startUrl": ("start_url", lambda name, value: checks.url(name, value) or None),
    "scopes": ("scopes", checks.list_of(_scope)),
    "origins": ("origins", checks.list_of(checks.origin)),
    "dialect": ("dialect", checks.one_of(AppDialect)),
    "startMethod": ("start_method", checks.one_of(StartMethod)),
    "iconUrl": ("icon_url", checks.https_url),
    "developer": ("developer", checks.text(checks.NAME_CHARACTERS)),
    "homepageUrl": ("homepage_url", checks.url),
    "privacyUrl": ("privacy_url", checks.url),
}
_SUSPENSION: Rules = {"reason": ("reason", checks.text(REASON_CHARACTERS, required=True))}
_ROTATION: Rules = {"keepOld": ("keep_old", checks.boolean)}
_PAGE: Rules = {
    "name": ("name", checks.text(checks.NAME_CHARACTERS, required=True)),
    "category": ("category", checks.one_of(Category)),
    "details": ("details", checks.text(checks.DETAILS_CHARACTERS, lines=True)),
    "zipCode": ("zip_code", checks.text(16)),
    "address": ("address", checks.text(checks.ADDRESS_CHARACTERS)),
    "pcUrl": ("pc_url", checks.url),
    "mobileUrl": ("mobile_url", checks.url),
    "smartphoneUrl": ("smartphone_url", checks.url),
    "birthday": ("birthday", lambda name, value: checks.optional(checks.day)(name, value) or ""),
    "thumbnailLarge": ("thumbnail_large", checks.url),
    "thumbnailMedium": ("thumbnail_medium", checks.url),
    "thumbnailSmall": ("thumbnail_small", checks.url),
    "feedSource": ("feed_source", checks.one_of(FeedSource)),
}
_MODULE: Rules = {
    "app": ("app", checks.check_id("app")),
    "name": ("name", checks.text(checks.NAME_CHARACTERS, required=True)),
}


def read_user(body: object, *, new: bool, extra: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a user. `publication` has only the settings in the body.

    With `new`, `displayName` is required, `id` is allowed, and the other settings get their defaults. The caller reads
    the names in `extra` (such as `password`).
    """
    read = read_fields(body, _USER | _own_id("user", new), ("displayName",) if new else (), extra)
    if new:
        read["publication"] = {**DEFAULT_PUBLICATION, **read.get("publication", {})}
    return read


def read_app(body: object, *, new: bool, extra: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of an app. With `new`, `name` is required; only then are `id` and `confidential` allowed.

    The caller reads the names in `extra`.
    """
    known = _APP | _own_id("app", new)
    if not new:
        known = {name: rule for name, rule in known.items() if name != "confidential"}
    return read_fields(body, known, ("name",) if new else (), extra)


def read_suspension(body: object) -> str:
    """Return the `reason` of a suspension, which is required: at most 500 characters."""
    return str(read_fields(body, _SUSPENSION, ("reason",))["reason"])


def read_rotation(body: object) -> bool:
    """Return `keepOld` (default false): whether the old secret stays valid for a while. None stands for no body."""
    return bool(read_fields({} if body is None else body, _ROTATION).get("keep_old", False))


def read_page(body: object, *, new: bool, extra: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a page. With `new`, `name` is required and `id` is allowed. The caller reads `extra`."""
    return read_fields(body, _PAGE | _own_id("page", new), ("name",) if new else (), extra)


def read_module(body: object, *, extra: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a module: `app` and `name` (required), and `id` (optional). The caller reads `extra`."""
    return read_fields(body, _MODULE | _own_id("module", True), ("app", "name"), extra)


def user_json(user: User) -> dict[str, Any]:
    """Return the JSON of a user with every field, for operators."""
    publication = {name: setting.value for name, setting in user.publication.items()}
    return _json(user, _USER) | {"publication": publication, "created": user.created, "friends": user.friends}


def account_json(user: User) -> dict[str, Any]:
    """Return the JSON of a user with role and suspension, which exports do not have."""
    return user_json(user) | {"role": user.role.value if user.role else None, "suspended": user.suspended}


def app_json(app: App) -> dict[str, Any]:
    """Return the JSON of an app for operators, without the secrets; it says when they were made and last used."""
    return _stored_app(app) | {
        "secretCreated": (app.secret_created or app.created) if app.confidential else None,
        "secretUsed": app.secret_used,
        "oldSecretUntil": app.old_secret_until,
        "oldSecretUsed": app.old_secret_used,
    }


def app_record(app: App, *, secret: bool) -> dict[str, Any]:
    """Return the record of an app in an export, with its secrets if `secret`. Days of use are not part of it."""
    secrets: dict[str, Any] = {}
    if secret and app.secret:
        secrets["secret"] = app.secret
        if app.old_secret:
            secrets |= {"oldSecret": app.old_secret, "oldSecretUntil": app.old_secret_until}
    return _stored_app(app) | secrets


def _stored_app(app: App) -> dict[str, Any]:
    enums = {"dialect": app.dialect.value, "startMethod": app.start_method.value}
    more = {"created": app.created, "suspended": app.suspended, "suspensionReason": app.suspension_reason}
    return _json(app, _APP) | enums | more


def page_json(page: Page) -> dict[str, Any]:
    """Return the JSON of a page with every field."""
    enums = {"category": page.category.value, "feedSource": page.feed_source.value}
    return _json(page, _PAGE) | enums | {"followers": page.followers, "created": page.created}


def module_json(module: Module) -> dict[str, Any]:
    """Return the JSON of a module."""
    return {"id": module.id, "page": module.page, "app": module.app, "name": module.name}


def _own_id(kind: str, new: bool) -> Rules:
    return {"id": ("id", checks.check_id(kind))} if new else {}


def _json(holder: User | App | Page, known: Rules) -> dict[str, Any]:
    return {"id": holder.id} | {name: getattr(holder, attribute) for name, (attribute, _) in known.items()}
