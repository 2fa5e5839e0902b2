"""The commands `pages`, `modules`, `administrators` and `followers`."""

from collections.abc import Callable
from typing import Any

import click

from admin.fields import given
from admin.session import Session, common, finding, listing, print_list

_TEXTS = (
    ("details", "The page's description of itself."),
    ("zip-code", None),
    ("address", "Shown on pages of a category that has one."),
    ("birthday", "YYYY-MM-DD; shown on pages of a category that has one."),
    ("pc-url", None),
    ("mobile-url", None),
    ("smartphone-url", None),
    ("thumbnail-large", None),
    ("thumbnail-medium", None),
    ("thumbnail-small", None),
)


@click.group()
def pages() -> None:
    """Pages."""


def _settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the fields of a page."""
    for name, told in reversed(_TEXTS):
        command = click.option(f"--{name}", metavar="TEXT", help=told)(command)
    source = click.Choice(["administrators", "everyone"])
    command = click.option("--feed-source", type=source, help="The users whose posts the page shows.")(command)
    return click.option(
        "--category",
        metavar="WORD",
        help="brand, event, entertainment, media, local, organization, celebrity or other.",
    )(command)


@pages.command(
    "create",
    epilog="""\b
Example:
  .venv/bin/python -m admin pages create "Cafe Engawa" --category local --address "1-2-3 Shibuya, Tokyo"
""",
)
@click.argument("name")
@click.option("--id", metavar="ID", help="Up to 20 digits; random by default.")
@_settings
@common
def create(session: Session, **options: Any) -> None:
    """Create a page."""
    session.out.one(session.client.send("POST", ("pages",), given(options), repeatable=False))


@pages.command("show")
@click.argument("page")
@common
def show(session: Session, page: str) -> None:
    """Show a page, given by id."""
    session.out.one(session.client.get("pages", page))


@pages.command("list")
@listing
@common
def list_(session: Session, limit: int, cursor: str | None) -> None:
    """List pages, in order of id."""
    print_list(session, ("pages",), ("id", "name", "category", "followers", "feedSource"), limit, cursor)


finding(pages, "pages", ("id", "name", "category", "followers"), "the name", ("カフェ", "cafe"))


@pages.command("change")
@click.argument("page")
@click.option("--name", metavar="TEXT")
@_settings
@common
def change(session: Session, page: str, **options: Any) -> None:
    """Change the given fields of a page; "" empties a field."""
    session.out.one(session.client.send("PATCH", ("pages", page), given(options)))


@pages.command("delete")
@click.argument("page")
@click.confirmation_option(prompt="Delete the page with everything that belongs to it, including its feeds?")
@common
def delete(session: Session, page: str) -> None:
    """Delete a page with everything that belongs to it; its feeds are deleted in the background."""
    told = session.client.send("DELETE", ("pages", page))
    session.out.done("Deleted." if told["changed"] else "There was no such page.", told)


@click.group()
def modules() -> None:
    """Modules: apps installed on a page."""


@modules.command("list")
@click.argument("page")
@common
def list_modules(session: Session, page: str) -> None:
    """List a page's modules."""
    print_list(session, ("pages", page, "modules"), ("id", "app", "name"))


@modules.command("add")
@click.argument("page")
@click.argument("app")
@click.argument("name")
@click.option("--id", metavar="NUMBER", help="The module's id; the next free number by default.")
@common
def add_module(session: Session, page: str, **options: Any) -> None:
    """Install an app on a page, under a name."""
    session.out.one(session.client.send("POST", ("pages", page, "modules"), given(options), repeatable=False))


@modules.command("remove")
@click.argument("page")
@click.argument("module")
@common
def remove_module(session: Session, page: str, module: str) -> None:
    """Remove a module from a page."""
    told = session.client.send("DELETE", ("pages", page, "modules", module))
    session.out.done("Removed." if told["changed"] else "There was no such module.", told)


def _members(role: str, doc: str) -> click.Group:
    """Return the commands for the administrators or the followers of a page."""
    group = click.Group(f"{role}s", help=doc)

    @group.command("list", help=f"List a page's {role}s.")
    @click.argument("page")
    @listing
    @common
    def list_members(session: Session, page: str, limit: int, cursor: str | None) -> None:
        print_list(session, ("pages", page, f"{role}s"), ("id", "displayName"), limit, cursor)

    @group.command("add", help=f"Make a user {role} of a page.")
    @click.argument("page")
    @click.argument("user")
    @common
    def add(session: Session, page: str, user: str) -> None:
        told = session.client.send("PUT", ("pages", page, f"{role}s", user))
        session.out.done(f"Now {role}." if told["changed"] else f"{role.capitalize()} already.", told)

    @group.command("remove", help=f"Remove a user as {role} of a page.")
    @click.argument("page")
    @click.argument("user")
    @common
    def remove(session: Session, page: str, user: str) -> None:
        told = session.client.send("DELETE", ("pages", page, f"{role}s", user))
        session.out.done(f"No longer {role}." if told["changed"] else f"The page had no such {role}.", told)

    return group


administrators = _members("administrator", "The administrators of a page.")
followers = _members("follower", "The followers of a page.")
