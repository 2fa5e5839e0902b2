"""`apps`: create, show, change, list, suspend and delete; secrets."""

from collections.abc import Callable
from typing import Any

import click

from admin.fields import given
from admin.session import Session, common, finding, listing, print_list


@click.group()
def apps() -> None:
    """Apps: the clients of OAuth 2, confidential (with a secret) or public (with PKCE)."""


def _settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the fields of an app."""
    for option in reversed(
        (
            click.option("--redirect-uri", "redirect_uris", metavar="URI", multiple=True, help="Can be repeated."),
            click.option("--start-url", metavar="URL", help="The URL at which the app starts on a page."),
            click.option(
                "--start-method",
                type=click.Choice(["redirect", "form"]),
                help="How the app starts there: by a redirect (GET, default), or by a form that submits itself (POST).",
            ),
            click.option(
                "--scope", "scopes", metavar="SCOPE", multiple=True, help="A scope it may request. Can be repeated."
            ),
            click.option(
                "--origin",
                "origins",
                metavar="ORIGIN",
                multiple=True,
                help="A web origin that may call the API from its pages. Can be repeated.",
            ),
            click.option("--icon-url", metavar="URL", help="An https picture that people see when they are asked."),
            click.option("--developer", metavar="TEXT", help="The name of whoever makes the app, for them."),
            click.option("--homepage-url", metavar="URL", help="A page about the app, for them."),
            click.option("--privacy-url", metavar="URL", help="What the app does with their data."),
            click.option(
                "--dialect",
                type=click.Choice(["rfc6750", "draft10"]),
                help="draft10: token answers without token_type.",
            ),
        )
    ):
        command = option(command)
    return command


@apps.command(
    "create",
    epilog="""\b
Examples:
  .venv/bin/python -m admin apps create "Quest" --redirect-uri https://game.example/back --scope mixi_apps2
  .venv/bin/python -m admin apps create "Album" --public --redirect-uri com.example.album:/back --scope mixi_apps2
""",
)
@click.argument("name")
@click.option("--id", metavar="ID", help="16 hexadecimal digits; random by default.")
@click.option("--confidential/--public", default=None, help="With a secret (default), or with PKCE and no secret.")
@_settings
@common
def create(session: Session, **options: Any) -> None:
    """Create an app. Its id is its client id; a confidential app's secret is printed only here."""
    made = session.client.send("POST", ("apps",), given(options), repeatable=False)
    session.out.one(made)
    if "secret" in made:
        session.out.note("Keep the secret: it is not shown again. `apps new-secret` makes another.")


@apps.command("show")
@click.argument("app")
@common
def show(session: Session, app: str) -> None:
    """Show an app, given by id, without its secret."""
    session.out.one(session.client.get("apps", app))


@apps.command("list")
@listing
@common
def list_(session: Session, limit: int, cursor: str | None) -> None:
    """List apps, in order of id."""
    print_list(session, ("apps",), ("id", "name", "confidential", "scopes", "redirectUris"), limit, cursor)


finding(apps, "apps", ("id", "name", "confidential", "scopes"), "the name", ("quest", "6d1f0c2ab4e79853"))


@apps.command("change")
@click.argument("app")
@click.option("--name", metavar="TEXT")
@_settings
@common
def change(session: Session, app: str, **options: Any) -> None:
    """Change the given fields of an app. A list is replaced as a whole; --scope "" empties it."""
    session.out.one(session.client.send("PATCH", ("apps", app), given(options)))


@apps.command("new-secret")
@click.argument("app")
@click.option("--keep-old", is_flag=True, help="The current secret stays valid for 30 days.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@common
def new_secret(session: Session, app: str, keep_old: bool, yes: bool) -> None:
    """Give a confidential app a new secret, and print it. Without --keep-old, the current one stops working at once."""
    if not (keep_old or yes):
        click.confirm("The current secret stops working at once. Continue?", abort=True)
    body = {"keepOld": True} if keep_old else None
    session.out.one(session.client.send("POST", ("apps", app, "secret"), body, repeatable=False))


@apps.command("end-old-secret")
@click.argument("app")
@click.confirmation_option(prompt="Servers of the app that still use the old secret will be refused. Continue?")
@common
def end_old_secret(session: Session, app: str) -> None:
    """End the old secret that `new-secret --keep-old` left valid. `apps show` says when it was last used."""
    told = session.client.send("DELETE", ("apps", app, "old-secret"))
    session.out.done("The old secret has ended." if told["changed"] else "There was no valid old secret.", told)


@apps.command("suspend")
@click.argument("app")
@common
def suspend(session: Session, app: str) -> None:
    """Suspend an app, for a --reason: no tokens, grants, signed requests, starts or events.

    Access tokens that it has now work until they expire, at most 15 minutes. Operators see the reason.
    """
    told = session.client.send("PUT", ("apps", app, "suspension"), {"reason": session.required_reason()})
    session.out.done("Suspended." if told["changed"] else "It was suspended already.", told)


@apps.command("restore")
@click.argument("app")
@common
def restore(session: Session, app: str) -> None:
    """End the suspension of an app."""
    told = session.client.send("DELETE", ("apps", app, "suspension"))
    session.out.done("It works again." if told["changed"] else "It was not suspended.", told)


@apps.command("delete")
@click.argument("app")
@click.confirmation_option(prompt="Delete the app and all data that its users have stored in it?")
@common
def delete(session: Session, app: str) -> None:
    """Delete an app, and uninstall it for all its users; their data in it are erased.

    If it is interrupted, run it again to finish.
    """
    installs = 0
    while True:
        told = session.client.send("DELETE", ("apps", app))
        installs += told["installs"]
        if told["done"]:
            break
        session.out.note(f"{installs} installs deleted, continuing ...")
    session.out.done(f"Deleted, with {installs} installs.", {"id": app, "installs": installs})
