"""`endpoints` and `events`: register the URLs of an app that are told of events, list events, and send them again."""

from typing import Any

import click

from admin.fields import given
from admin.session import Session, common, listing, print_list

_KINDS = click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Such as app.installed. Can be repeated.")


@click.group()
def endpoints() -> None:
    """Endpoints: the https URLs of an app that are told of events (Standard Webhooks)."""


@endpoints.command("create")
@click.argument("app")
@click.argument("receiver", metavar="URL")
@_KINDS
@common
def create(session: Session, app: str, receiver: str, kinds: tuple[str, ...]) -> None:
    """Register a URL of an app for events. Its signing secret is printed only here."""
    body = {"url": receiver, "kinds": [*kinds]}
    made = session.client.send("POST", ("apps", app, "endpoints"), body, repeatable=False)
    session.out.one(made)
    session.out.note("Keep the secret: it is not shown again. `endpoints new-secret` makes another.")


@endpoints.command("list")
@click.argument("app")
@listing
@common
def list_endpoints(session: Session, app: str, limit: int, cursor: str | None) -> None:
    """List the endpoints of an app."""
    columns = ("id", "url", "kinds", "active", "reason", "disabled")
    print_list(session, ("apps", app, "endpoints"), columns, limit, cursor)


@endpoints.command("change")
@click.argument("app")
@click.argument("endpoint")
@click.option("--to", "receiver", metavar="URL", help="The https URL.")
@_KINDS
@click.option("--active/--off", default=None, help="Switch it on again, or off.")
@common
def change(session: Session, app: str, endpoint: str, receiver: str | None, **options: Any) -> None:
    """Change an endpoint. Kinds are replaced as a whole."""
    body = given(options | {"url": receiver})
    session.out.one(session.client.send("PATCH", ("apps", app, "endpoints", endpoint), body))


@endpoints.command("new-secret")
@click.argument("app")
@click.argument("endpoint")
@common
def new_secret(session: Session, app: str, endpoint: str) -> None:
    """Give an endpoint a new signing secret, and print it. The old one signs, too, until `end-old-secret`."""
    path = ("apps", app, "endpoints", endpoint, "secret")
    session.out.one(session.client.send("POST", path, repeatable=False))


@endpoints.command("end-old-secret")
@click.argument("app")
@click.argument("endpoint")
@common
def end_old_secret(session: Session, app: str, endpoint: str) -> None:
    """Sign messages only with the newest secret of an endpoint."""
    session.out.one(session.client.send("DELETE", ("apps", app, "endpoints", endpoint, "secret")))


@endpoints.command("delete")
@click.argument("app")
@click.argument("endpoint")
@click.confirmation_option(prompt="Delete the endpoint? What was not delivered yet is not sent.")
@common
def delete(session: Session, app: str, endpoint: str) -> None:
    """Delete an endpoint."""
    session.out.one(session.client.send("DELETE", ("apps", app, "endpoints", endpoint)))


@click.group()
def events() -> None:
    """Events of the last 30 days, and their deliveries to the endpoints of an app."""


@events.command("list")
@click.argument("app")
@listing
@common
def list_events(session: Session, app: str, limit: int, cursor: str | None) -> None:
    """List the events of an app with their deliveries, the oldest first."""
    print_list(session, ("apps", app, "events"), ("id", "type", "subject", "sequence", "deliveries"), limit, cursor)


@events.command("resend")
@click.argument("app")
@click.option("--event", metavar="ID", help="One event.")
@click.option("--since", metavar="MS", type=int, help="All events from this time on, in milliseconds since 1970, and")
@click.option("--until", metavar="MS", type=int, help="before this one.")
@click.option("--endpoint", metavar="ID", help="Only to this endpoint.")
@common
def resend(session: Session, app: str, **options: Any) -> None:
    """Send events again, with the same ids as before."""
    body = given(options)
    numbers = {"events": 0, "deliveries": 0}
    while True:
        told = session.client.send("POST", ("apps", app, "events", "resend"), body, repeatable=False)
        numbers = {name: number + told[name] for name, number in numbers.items()}
        if "nextCursor" not in told:
            break
        body["cursor"] = told["nextCursor"]
    session.out.done(f"{numbers['events']} events are sent again.", {"app": app, **numbers})
