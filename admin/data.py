"""`users export` and `erase`: print or erase everything that is stored about one user."""

import os
from pathlib import Path

import click

from admin.failures import Failure
from admin.output import as_json
from admin.session import Session, common
from admin.users import users


@users.command(
    epilog="""\b
Examples:
  .venv/bin/python -m admin users export k3v9x2mtq7ra --output hana.json
  .venv/bin/python -m admin users export k3v9x2mtq7ra | jq .installs
"""
)
@click.argument("user")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this new file instead.")
@common
def export(session: Session, user: str, output: Path | None) -> None:
    """Print everything stored about a user, as JSON: the answer to a user who requests their own data.

    Profile, publication settings, login name, friends, installed apps with the data in each, grants, roles on pages.
    The password's hash is not part of it.
    """
    text = as_json(session.client.get("users", user, "export"), indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        # Personal data: only the owner of the file may read it.
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Failure(f"{output} exists already") from None
    session.out.done(f"Written to {output}.", {"id": user, "output": str(output)})


@click.command(
    epilog="""\b
Example:
  .venv/bin/python -m admin erase k3v9x2mtq7ra --yes
"""
)
@click.argument("user")
@click.confirmation_option(prompt="Erase the user everywhere? This cannot be undone.")
@common
def erase(session: Session, user: str) -> None:
    """Erase a user everywhere: profile, login, friendships, installs with their data, grants, roles on pages, posts.

    If it is interrupted, run it again to finish. Large values, and what belonged to the user's feeds, are deleted
    within minutes after it.
    """
    told = session.client.send("DELETE", ("users", user))
    removed = {name: count for name, count in told["removed"].items() if count}
    what = ", ".join(f"{count} {name}" for name, count in removed.items())
    session.out.done(f"Erased: {what}." if what else "There was nothing stored about this user.", told)
