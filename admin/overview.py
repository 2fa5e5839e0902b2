"""`overview` and `request`: how the platform does, and what became of a request."""

from typing import Any

import click

from admin.session import Session, common


@click.command(
    epilog="""\b
Examples:
  .venv/bin/python -m admin overview
  .venv/bin/python -m admin overview --json | jq .counts
"""
)
@common
def overview(session: Session) -> None:
    """Show version, health, counts, jobs, and refusals and errors of the last days by kind."""
    known = session.client.get("overview")
    out = session.out
    if out.as_json:
        out.line(known)
        return
    waiting = {kind: _waiting(each) for kind, each in known["waiting"].items()}
    lists = ("functions", "waiting", "work", "refusals")
    out.one({name: value for name, value in known.items() if name not in lists} | {"waiting": waiting})
    click.echo()
    out.many(known["functions"], ("function", "state", "time", "done", "milliseconds", "error"))
    if known["work"]:
        click.echo()
        out.many(known["work"], ("job", "day", "time", "requests", "items", "refused"))
    if known["refusals"]:
        click.echo()
        counted = [each | {"number": sum(each["days"].values())} for each in known["refusals"]]
        out.many(counted, ("status", "kind", "number"))


@click.command(
    "request",
    epilog="""\b
Examples:
  .venv/bin/python -m admin request 5f1c6a52-0d0f-4f4e-9d35-0c2f3a5b7a10
""",
)
@click.argument("id")
@common
def request(session: Session, id: str) -> None:
    """Show route, app and cause of a refused or failed request, by its X-Request-Id."""
    session.out.one(session.client.get("requests", id))


def _waiting(each: dict[str, Any]) -> str:
    return f"{each['number']}{' or more' if each['more'] else ''}"
