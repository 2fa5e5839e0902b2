"""Requests of the console's pages of apps: what faces.py tries under each fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from chalicelib.api.console.app_endpoints import secrets_version_of
from chalicelib.api.console.app_endpoints import version_of as endpoint_version
from chalicelib.api.console.app_form import version_of
from chalicelib.core.events import EventKind
from chalicelib.core.roles import Role
from local.in_process import APP, HANA, KEN, Reply
from tests.faults.scene import Ids, Operation
from tests.kit.request_stage import RequestStage, outcome_of_reply

APPS = "/console/apps"
ONE = f"{APPS}/{APP}"
ENDPOINT = "0123456789ab"
NEW = "00ff00ff00ff00ff"
URL = "https://93.184.216.34/events"
RANDOM = (
    r'name="(csrf|id|version|made|secrets|event|next)" value="[^"]*"|<code class="secret">[^<]*|whsec_[^<]*'
    r"|\d{4}-\d\d-\d\d( \d\d:\d\d)?|/[a-z0-9]{16}\b|cursor=\w*"
)
"""What is another one in each answer: tokens of forms, ids and secrets that were made, and times."""

DEFAULTS = {"startMethod": "redirect", "dialect": "rfc6750"}

Ask = Callable[[RequestStage], Reply]


def staff(stage: RequestStage, ids: Ids) -> None:
    """Make HANA an operator, and give the app an endpoint that was told of an event."""
    here = stage.platform
    here.roles.give(HANA, Role.OPERATOR)
    here.endpoints.create(APP, URL, EventKind, ENDPOINT)
    app = here.apps.get(APP)
    assert app
    here.user_data.uninstall(APP, KEN)
    here.user_data.install(app, KEN)


def rotated(stage: RequestStage, ids: Ids) -> None:
    """Make HANA an operator, and give the app two secrets."""
    staff(stage, ids)
    stage.platform.app_secrets.rotate(APP, keep_old=True)


def rotated_endpoint(stage: RequestStage, ids: Ids) -> None:
    """Make HANA an operator, and give the endpoint two secrets."""
    staff(stage, ids)
    stage.platform.endpoints.new_secret(APP, ENDPOINT)


def suspended(stage: RequestStage, ids: Ids) -> None:
    """Make HANA an operator, and suspend the app."""
    staff(stage, ids)
    stage.platform.apps.suspend(APP, "It asks for passwords")


def see(path: str) -> Ask:
    """Return a request for a page of the console."""
    return lambda stage: stage.look_at(path, HANA, confirmed=True)


def fill(path: str, **form: Any) -> Ask:
    """Return a request with a form of the console."""
    return lambda stage: stage.fill_in(path, HANA, confirmed=True, **form)


def change(stage: RequestStage) -> Reply:
    """Change the settings of the app as they are now."""
    known = stage.cloud_app(APP)
    fields = {"name": "Other", "startMethod": "redirect", "dialect": "rfc6750", "version": version_of(known)}
    return fill(f"{ONE}/edit", redirectUris=known.redirect_uris[0], **fields)(stage)


def change_developer(stage: RequestStage) -> Reply:
    """Change one setting of the app, which is not its name."""
    known = stage.cloud_app(APP)
    form = {"name": known.name, "redirectUris": known.redirect_uris[0], "startUrl": known.start_url or "", **DEFAULTS}
    form |= {"origins": known.origins[0]} | {f"scope.{scope}": "on" for scope in known.scopes}
    return fill(f"{ONE}/edit", developer="Other", version=version_of(known), **form)(stage)


def rotate(stage: RequestStage) -> Reply:
    """Rotate the app's secret as it is now."""
    return fill(f"{ONE}/secret", made=str(stage.cloud_app(APP).secret_created), keep="on")(stage)


def change_endpoint(stage: RequestStage) -> Reply:
    """Change the endpoint as it is now."""
    known = stage.cloud_endpoint(APP, ENDPOINT)
    form = {"url": URL + "/2", "active": "on", "kind.app.installed": "on", "version": endpoint_version(known)}
    return fill(f"{ONE}/endpoints/{ENDPOINT}", **form)(stage)


def of_secrets(path: str) -> Ask:
    """Return a request with a form that is about the endpoint's secrets as they are now."""
    place = f"{ONE}/endpoints/{ENDPOINT}/{path}"
    return lambda stage: fill(place, secrets=secrets_version_of(stage.cloud_endpoint(APP, ENDPOINT)))(stage)


def resend(stage: RequestStage) -> Reply:
    """Send the events of these days again."""
    return fill(f"{ONE}/events")(stage)


def page(name: str, act: Ask, before: Callable[[RequestStage, Ids], None] = staff, **more: bool) -> Operation:
    """Return an operation that sends one request of the console."""
    return Operation(name, lambda stage, ids: re.sub(RANDOM, "", outcome_of_reply(act(stage))), before, **more)


OPERATIONS = [
    page("console: list apps", see(APPS)),
    page("console: find apps", see(f"{APPS}?q=que")),
    page("console: form of an app", see(f"{APPS}/new")),
    page(
        "console: register an app",
        fill(APPS, name="New", id=NEW, startMethod="redirect", dialect="rfc6750"),
        steps=True,
    ),
    page("console: see an app", see(ONE)),
    page("console: settings of an app", see(f"{ONE}/edit")),
    page("console: change an app", change, steps=True),
    page("console: change a developer", change_developer, steps=True),
    page("console: rotate a secret", rotate, steps=True),
    page("console: end an old secret", fill(f"{ONE}/old-secret", end="old"), rotated, steps=True),
    page("console: suspend an app", fill(f"{ONE}/suspension", reason="why"), steps=True),
    page("console: restore an app", fill(f"{ONE}/restore", end="suspension"), suspended, steps=True),
    page("console: deletion of an app", see(f"{ONE}/delete")),
    page("console: delete an app", fill(f"{ONE}/delete", name="Quest", delete="rest"), steps=True),
    page("console: endpoints", see(f"{ONE}/endpoints")),
    page(
        "console: add an endpoint",
        fill(f"{ONE}/endpoints", url=URL, id="ba9876543210", **{"kind.app.installed": "on"}),
        steps=True,
    ),
    page("console: see an endpoint", see(f"{ONE}/endpoints/{ENDPOINT}")),
    page("console: change an endpoint", change_endpoint, steps=True),
    page("console: new secret of an endpoint", of_secrets("secret"), steps=True),
    page("console: replace an endpoint's new secret", of_secrets("secret"), rotated_endpoint, steps=True),
    page("console: end an endpoint's old secret", of_secrets("old-secret"), rotated_endpoint, steps=True),
    page("console: end no old secret of an endpoint", of_secrets("old-secret"), steps=True),
    page("console: delete an endpoint", fill(f"{ONE}/endpoints/{ENDPOINT}/delete"), steps=True),
    page("console: events", see(f"{ONE}/events")),
    page("console: send events again", resend, steps=True),
]
