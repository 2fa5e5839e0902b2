"""`friends`, `installs` and `grants`: the relations of users to other users and to apps."""

import click

from admin.session import Session, common, listing, print_list


@click.group()
def friends() -> None:
    """Friendships. They are mutual; a user has at most 1,000."""


@friends.command("list")
@click.argument("user")
@listing
@common
def list_friends(session: Session, user: str, limit: int, cursor: str | None) -> None:
    """List a user's friends."""
    print_list(session, ("users", user, "friends"), ("id", "displayName"), limit, cursor)


@friends.command("add")
@click.argument("user")
@click.argument("other")
@common
def add_friend(session: Session, user: str, other: str) -> None:
    """Make two users friends; if they are friends already, nothing changes."""
    told = session.client.send("PUT", ("users", user, "friends", other))
    session.out.done("They are friends now." if told["changed"] else "They were friends already.", told)


@friends.command("remove")
@click.argument("user")
@click.argument("other")
@common
def remove_friend(session: Session, user: str, other: str) -> None:
    """End a friendship, on both sides."""
    told = session.client.send("DELETE", ("users", user, "friends", other))
    session.out.done("They are no longer friends." if told["changed"] else "They were not friends.", told)


@click.group()
def installs() -> None:
    """The apps that users have installed."""


@installs.command("list")
@click.argument("user", required=False)
@click.option("--app", metavar="APP", help="List an app's users instead of a user's apps.")
@listing
@common
def list_installs(session: Session, user: str | None, app: str | None, limit: int, cursor: str | None) -> None:
    """List the apps that USER has installed, or the users of --app."""
    if bool(user) == bool(app):
        raise click.UsageError("Give either USER or --app.")
    if user:
        print_list(session, ("users", user, "installs"), ("id", "name"), limit, cursor)
    elif app:
        print_list(session, ("apps", app, "installs"), ("id", "displayName"), limit, cursor)


@installs.command("add")
@click.argument("user")
@click.argument("app")
@common
def add_install(session: Session, user: str, app: str) -> None:
    """Install an app for a user; if it is installed already, nothing changes."""
    told = session.client.send("PUT", ("users", user, "installs", app))
    session.out.done("Installed." if told["changed"] else "It was installed already.", told)


@installs.command("remove")
@click.argument("user")
@click.argument("app")
@click.confirmation_option(prompt="This erases the user's data in the app. Continue?")
@common
def remove_install(session: Session, user: str, app: str) -> None:
    """Uninstall an app for a user, which erases the user's data in it."""
    told = session.client.send("DELETE", ("users", user, "installs", app))
    session.out.done("Uninstalled." if told["changed"] else "It was not installed.", told)


@click.group()
def grants() -> None:
    """The grants of users to apps."""


@grants.command("list")
@click.argument("user")
@common
def list_grants(session: Session, user: str) -> None:
    """List a user's grants: the apps and their scopes."""
    print_list(session, ("users", user, "grants"), ("app", "scopes", "created"))


@grants.command("end")
@click.argument("user")
@click.argument("app")
@common
def end_grant(session: Session, user: str, app: str) -> None:
    """End a grant: the app's refresh tokens fail at once, its access tokens within 15 minutes."""
    told = session.client.send("DELETE", ("users", user, "grants", app))
    session.out.done("Ended." if told["changed"] else "There was no such grant.", told)
