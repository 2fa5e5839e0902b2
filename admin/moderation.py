"""`moderation`: the newest posts, hide and delete posts, and handle reports."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from admin.fields import given
from admin.session import Session, common, listing, print_list
from chalicelib.core.moderation import PostKind
from chalicelib.core.reports import ReportOutcome

_KINDS = [kind.value for kind in PostKind]
_OUTCOMES = [outcome.value for outcome in ReportOutcome]


def _of_post(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments that name a post."""
    for name, required in (("comment", False), ("feed", True), ("page", True)):
        command = click.argument(name, required=required)(command)
    return command


@click.group()
def moderation() -> None:
    """Posts and reports. A post is named by PAGE FEED, or by PAGE FEED COMMENT for a comment."""


@moderation.command("posts")
@click.option("--page", metavar="PAGE", help="Only posts of this page.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only feeds, or only comments.")
@click.option("--hidden", is_flag=True, help="The hidden posts instead of the newest.")
@listing
@common
def list_posts(
    session: Session, page: str | None, kind: str | None, hidden: bool, limit: int, cursor: str | None
) -> None:
    """List the newest posts of the platform or of a page."""
    query = given({"page": page, "kind": kind, "state": "hidden" if hidden else None})
    columns = ("page", "feed", "comment", "user", "created", "text")
    print_list(session, ("moderation", "posts"), columns, limit, cursor, query=query, rows=_posts)


@moderation.command("hide")
@_of_post
@common
def hide(session: Session, page: str, feed: str, comment: str | None) -> None:
    """Hide a post: in the API it is absent, and not counted. `show` undoes it."""
    _send(session, "PUT", (*_path(page, feed, comment), "hidden"))


@moderation.command("show")
@_of_post
@common
def show(session: Session, page: str, feed: str, comment: str | None) -> None:
    """Show a hidden post again."""
    _send(session, "DELETE", (*_path(page, feed, comment), "hidden"))


@moderation.command("delete")
@_of_post
@click.confirmation_option(prompt="Delete the post? A feed is deleted with its comments and favorites")
@common
def delete(session: Session, page: str, feed: str, comment: str | None) -> None:
    """Delete a post."""
    _send(session, "DELETE", _path(page, feed, comment))


@moderation.command("reports")
@click.option("--handled", is_flag=True, help="Those that were handled instead of those that were not.")
@listing
@common
def list_reports(session: Session, handled: bool, limit: int, cursor: str | None) -> None:
    """List reported posts; the one whose first report is the newest is at the top."""
    query = {"state": "handled"} if handled else {}
    columns = ("id", "page", "feed", "comment", "reports", "first", "outcome")
    print_list(session, ("reports",), columns, limit, cursor, query=query, rows=_reports)


@moderation.command("report")
@click.argument("report")
@common
def show_report(session: Session, report: str) -> None:
    """Print a reported post and its reports."""
    found, out = session.client.get("reports", report), session.out
    if out.as_json:
        out.line(found)
        return
    out.one({name: value for name, value in found.items() if name != "entry"})
    click.echo()
    out.many(found["entry"], ("user", "created", "reason", "words"))


@moderation.command("handle")
@click.argument("report")
@click.option("--outcome", type=click.Choice(_OUTCOMES), required=True, help="What to do with the post.")
@click.option("--word", help="What those who reported it are told; at most 1,000 characters.")
@common
def handle(session: Session, report: str, **options: Any) -> None:
    """Handle a reported post: hide it, delete it, or do nothing, and tell those who reported it."""
    body = given({**options, "reason": session.reason})
    session.out.one(session.client.send("POST", ("reports", report, "outcome"), body, repeatable=False))


def _path(page: str, feed: str, comment: str | None) -> tuple[str, ...]:
    return ("pages", page, "feeds", feed, *(("comments", comment) if comment else ()))


def _send(session: Session, method: str, path: tuple[str, ...]) -> None:
    session.out.one(session.client.send(method, path))


def _posts(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the row of a post; its poster is an id there, and a feed's text is its title."""
    yield {**entry, "user": entry["user"]["id"], "text": entry["text"] if "comment" in entry else entry["title"]}


def _reports(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the row of a reported post."""
    yield {**entry, **entry["post"]}
