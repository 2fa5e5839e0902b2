"""`endpoints` and `events`: register the URLs of an app that are told of events, list events, and send them again."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from admin.fields import MOMENT, given
from admin.session import Session, common, listing, print_list
from chalicelib.core.events import EventKind

_KINDS = [kind.value for kind in EventKind]


def _kinds(*, required: bool) -> Callable[..., Any]:
    """Return the option for the kinds of an endpoint. Without a required one, the usage error lists them."""
    return click.option(
        "--kind",
        "kinds",
        type=click.Choice(_KINDS),
        metavar="KIND",
        multiple=True,
        required=required,
        help=f"A kind of events; can be repeated. One of {', '.join(_KINDS)}.",
    )


@click.group()
def endpoints() -> None:
    """Endpoints: the https URLs of an app that are told of events (Standard Webhooks)."""


@endpoints.command("create")
@click.argument("app")
@click.argument("receiver", metavar="URL")
@_kinds(required=True)
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
@_kinds(required=False)
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
@click.option("--since", metavar="TIME", type=MOMENT, help=f"Only events from this time on: {MOMENT.form}.")
@click.option("--until", metavar="TIME", type=MOMENT, help="Only events before this time.")
@listing
@common
def list_events(
    session: Session, app: str, since: int | None, until: int | None, limit: int, cursor: str | None
) -> None:
    """List the events of an app, the oldest first, with a line for each delivery.

    `status` is the status of the endpoint's last answer, or empty if there was none.
    """
    query = {name: str(value) for name, value in given({"since": since, "until": until}).items()}
    columns = ("id", "type", "subject", "sequence", "endpoint", "outcome", "attempts", "status", "time")
    print_list(session, ("apps", app, "events"), columns, limit, cursor, query=query, rows=_deliveries)


@events.command("resend")
@click.argument("app")
@click.option("--event", metavar="ID", help="One event.")
@click.option("--since", metavar="TIME", type=MOMENT, help=f"All events from this time on ({MOMENT.form}), and")
@click.option("--until", metavar="TIME", type=MOMENT, help="before this one.")
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


def _deliveries(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a row for each delivery of an event, or one row if there is none."""
    yield from ({**event, **each, "outcome": each["state"]} for each in event["deliveries"])
    if not event["deliveries"]:
        yield {**event, "outcome": "not sent"}
