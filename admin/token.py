"""`token`: make an access token of an operator or a user for a deployed platform, from its token keys."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from admin.failures import Failure
from admin.session import URL_VARIABLE
from chalicelib.core.ids import is_id
from chalicelib.core.oauth import OPERATOR, USER_SCOPES

CLIENT = "operator"


def _id(kind: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def check(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None and not is_id(kind, value):
            raise click.BadParameter(f"This is not the id of a {kind}.")
        return value

    return check


@click.command(
    epilog="""\b
Example:
  aws secretsmanager get-secret-value --secret-id engawa-prod-token-keys --query SecretString --output text |
    .venv/bin/python -m admin token --url https://api.example.com --output operator.token
  export ENGAWA_ADMIN_URL=https://api.example.com ENGAWA_ADMIN_TOKEN="$(cat operator.token)"

\b
A user's token, in an app whose owner is another user:
  .venv/bin/python -m admin token --url https://api.example.com --keys keys.json --output visitor.token
    --user k3v9x2mtq7ra --app 6d1f0c2ab4e79853 --scope mixi_apps2 --scope r_profile --owner a8d1p0zzk4wn
"""
)
@click.option("--url", metavar="URL", envvar=URL_VARIABLE, required=True, help="The deployment's ENGAWA_ISSUER.")
@click.option("--keys", type=click.File(encoding="utf-8"), default="-", help="The token keys (a JWK Set); else input.")
@click.option(
    "--output", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new file, mode 600."
)
@click.option("--lifetime", type=click.IntRange(1, 30 * 24 * 3600), default=3600, show_default=True, help="Seconds.")
@click.option("--user", metavar="USER", callback=_id("user"), help="Make a token of this user; default: an operator's.")
@click.option("--app", metavar="APP", callback=_id("app"), help="The app that the user's token is for.")
@click.option(
    "--scope", "scopes", metavar="SCOPE", multiple=True, type=click.Choice(USER_SCOPES), help="Can be repeated."
)
@click.option(
    "--owner", metavar="USER", callback=_id("user"), help="The owner, who has installed the app; default: --user."
)
def token(
    url: str,
    keys: TextIO,
    output: Path,
    lifetime: int,
    user: str | None,
    app: str | None,
    scopes: tuple[str, ...],
    owner: str | None,
) -> None:
    """Make an operator's access token, or with --user a user's, from a deployment's token keys, and write it to a file.

    This needs the right to read the token keys. A user's token is for trying out an app: it is not a grant, it installs
    nothing, and it gives access to what the permission model allows. The local platform does not need this command.
    """
    from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys, WrongKeys

    if keys is sys.stdin and sys.stdin.isatty():
        raise click.UsageError("Give --keys a file, or pipe the keys in.")
    if user and not app:
        raise click.UsageError("--user needs --app.")
    if not user and (app or scopes or owner):
        raise click.UsageError("--app, --scope and --owner are for --user.")
    token_keys = TokenKeys(keys.read)
    try:
        token_keys.check()
    except WrongKeys as wrong:
        raise Failure(f"These are not token keys: {wrong}") from None
    # This computer cannot know what events the app asks for: requests with this token read it.
    made = AccessTokens(token_keys, url.rstrip("/")).issue(
        app=app or CLIENT,
        viewer=user,
        owner=owner,
        scopes=scopes if user else [OPERATOR],
        lifetime=lifetime,
        events=None,
    )
    try:
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{made}\n")
    except FileExistsError:
        raise Failure(f"{output} exists already") from None
    click.echo(f"Written to {output}; it is valid for {lifetime} seconds.")
