"""`users`: create, show, change and list users; set passwords."""

import sys
from collections.abc import Callable
from typing import Any

import click

from admin.fields import given, settings
from admin.session import Session, common, finding, listing, print_list

_FIELDS = ("address", "birthday", "age", "gender")
_PUBLICATIONS = ("everyone", "friendsOfFriends", "friends", "nobody")


@click.group()
def users() -> None:
    """Users: their profiles, publication settings and passwords."""


def _profile(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the fields of a profile."""
    for option in reversed(
        (
            click.option("--login", metavar="NAME", help="The name to sign in with."),
            click.option("--profile-url", metavar="URL"),
            click.option("--thumbnail-url", metavar="URL"),
            click.option("--blood-type", metavar="TYPE", help="A, B, O or AB."),
            click.option("--address", metavar="TEXT"),
            click.option("--birthday", metavar="DATE", help="YYYY-MM-DD."),
            click.option("--age", metavar="YEARS"),
            click.option("--gender", metavar="GENDER", help="male or female."),
            click.option(
                "--publish",
                metavar="FIELD=WHOM",
                multiple=True,
                help=f"Who can see a field: {', '.join(_FIELDS)}; {', '.join(_PUBLICATIONS)}. "
                "Can be repeated; the default is friends.",
            ),
            click.option(
                "--visible/--hidden",
                default=None,
                help="Whether apps that the user has not installed may see public information.",
            ),
        )
    ):
        command = option(command)
    return command


_password_options = (
    click.option("--password", "ask", is_flag=True, help="Ask for a password."),
    click.option("--password-stdin", "piped", is_flag=True, help="Read a password from the first line of input."),
)


def _passwords(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_password_options):
        command = option(command)
    return command


@users.command(
    "create",
    epilog="""\b
Examples:
  .venv/bin/python -m admin users create "花" --login hana --password
  .venv/bin/python -m admin users create "健" --id a8d1p0zzk4wn --birthday 1990-04-01 --publish birthday=nobody
""",
)
@click.argument("display_name")
@click.option("--id", metavar="ID", help="12 characters of a-z 0-9; random by default.")
@_profile
@_passwords
@common
def create(session: Session, display_name: str, ask: bool, piped: bool, **options: Any) -> None:
    """Create a user with the display name DISPLAY_NAME."""
    body = {"displayName": display_name} | _body(options)
    if ask or piped:
        body["password"] = _read_password(piped)
    made = session.client.send("POST", ("users",), body, repeatable=False)
    session.out.one(made)


@users.command("show")
@click.argument("user")
@common
def show(session: Session, user: str) -> None:
    """Show a user, given by id."""
    session.out.one(session.client.get("users", user))


@users.command("list")
@listing
@common
def list_(session: Session, limit: int, cursor: str | None) -> None:
    """List users, in no particular order."""
    print_list(session, ("users",), ("id", "login", "displayName", "friends", "visible"), limit, cursor)


finding(
    users,
    "users",
    ("id", "login", "displayName", "role", "suspended"),
    "the login or the display name; letter case, width and kana do not matter",
    ("hana", "花", "k3v9x2mtq7ra"),
)


@users.command("suspend")
@click.argument("user")
@common
def suspend(session: Session, user: str) -> None:
    """Suspend a user, for a --reason: no sign-in, no refresh of tokens, no new grants, no posts, at once.

    Access tokens that apps have now work until they expire, at most 15 minutes.
    """
    told = session.client.send("PUT", ("users", user, "suspension"), {"reason": session.required_reason()})
    session.out.done("Suspended." if told["changed"] else "The user was suspended already.", told)


@users.command("restore")
@click.argument("user")
@common
def restore(session: Session, user: str) -> None:
    """End a user's suspension."""
    told = session.client.send("DELETE", ("users", user, "suspension"))
    session.out.done("Restored." if told["changed"] else "The user was not suspended.", told)


@users.command(
    "role",
    epilog="""\b
Examples:
  .venv/bin/python -m admin users role k3v9x2mtq7ra operator
  .venv/bin/python -m admin users role k3v9x2mtq7ra none --reason "left the team"
""",
)
@click.argument("user")
@click.argument("role", type=click.Choice(("operator", "moderator", "none")))
@common
def role(session: Session, user: str, role: str) -> None:
    """Give a user a role in the console, or take it away (none). The last operator keeps the role."""
    told = session.client.send("PUT", ("users", user, "role"), {"role": None if role == "none" else role})
    session.out.done("The role is changed." if told["changed"] else "The user has it already.", told)


@users.command(
    "change",
    epilog="""\b
Examples:
  .venv/bin/python -m admin users change k3v9x2mtq7ra --publish age=everyone --publish address=nobody
  .venv/bin/python -m admin users change k3v9x2mtq7ra --blood-type ""
""",
)
@click.argument("user")
@click.option("--display-name", metavar="TEXT")
@_profile
@common
def change(session: Session, user: str, **options: Any) -> None:
    """Change the given fields of a user; "" empties a field."""
    session.out.one(session.client.send("PATCH", ("users", user), _body(options)))


@users.command("password")
@click.argument("user")
@click.option("--stdin", "piped", is_flag=True, help="Read it from the first line of input instead of asking.")
@common
def password(session: Session, user: str, piped: bool) -> None:
    """Set a user's password."""
    session.client.send("PUT", ("users", user, "password"), {"password": _read_password(piped)})
    session.out.done("The password is set.", {"id": user})


def _body(options: dict[str, Any]) -> dict[str, Any]:
    publish = options.pop("publish")
    body = given(options)
    if "age" in body:
        body["age"] = int(body["age"]) if body["age"].isdecimal() else body["age"] or None
    if publish:
        body["publication"] = settings("--publish", publish)
    return body


def _read_password(piped: bool) -> str:
    if piped:
        return sys.stdin.readline().rstrip("\r\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
