"""`users reset-link`, `sessions` and `invite`: how people get into their accounts."""

import click

from admin.session import Session, common, print_list
from admin.users import users


@users.command("reset-link")
@click.argument("user")
@common
def reset_link(session: Session, user: str) -> None:
    """Print a link with which USER sets a new password: once, within 24 hours.

    Hand it over where only this person can read it.
    """
    session.out.one(session.client.send("POST", ("users", user, "reset-link"), repeatable=False))


@click.command(
    epilog="""\b
Example:
  .venv/bin/python -m admin invite "陸"
"""
)
@click.argument("display_name", required=False, default="")
@common
def invite(session: Session, display_name: str) -> None:
    """Print a link with which a person becomes a user: once, within 14 days.

    DISPLAY_NAME is a suggestion; the person chooses login name, password and display name.
    """
    session.out.one(session.client.send("POST", ("invitations",), {"displayName": display_name}, repeatable=False))


@click.group()
def sessions() -> None:
    """The sessions of users on the web pages."""


@sessions.command("list")
@click.argument("user")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Print at most this many.")
@common
def list_sessions(session: Session, user: str, limit: int) -> None:
    """List a user's sessions, the last used first; at most 100."""
    print_list(session, ("users", user, "sessions"), ("id", "device", "created", "seen"), limit, None)


@sessions.command("end")
@click.argument("user")
@click.argument("id", required=False)
@common
def end_sessions(session: Session, user: str, id: str | None) -> None:
    """End the session with this ID, or all sessions of USER."""
    told = session.client.send("DELETE", ("users", user, "sessions", *([id] if id else [])))
    session.out.done("Ended." if told["changed"] else "There was no such session.", told)
