"""`token`: an operator's access token for a deployed platform, made from its token keys."""

import os
import sys
from pathlib import Path
from typing import TextIO

import click

from admin.failures import Failure
from admin.session import URL_VARIABLE

CLIENT = "operator"


@click.command(
    epilog="""\b
Example:
  aws secretsmanager get-secret-value --secret-id engawa-prod-token-keys --query SecretString --output text |
    python -m admin token --url https://api.example.com --output operator.token
  export ENGAWA_ADMIN_URL=https://api.example.com ENGAWA_ADMIN_TOKEN="$(cat operator.token)"
"""
)
@click.option("--url", metavar="URL", envvar=URL_VARIABLE, required=True, help="The deployment's ENGAWA_ISSUER.")
@click.option("--keys", type=click.File(encoding="utf-8"), default="-", help="The token keys (a JWK Set); else input.")
@click.option(
    "--output", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A file to make, mode 600."
)
@click.option("--lifetime", type=click.IntRange(1, 30 * 24 * 3600), default=3600, show_default=True, help="Seconds.")
def token(url: str, keys: TextIO, output: Path, lifetime: int) -> None:
    """Make an operator's access token, from a deployment's token keys, and keep it in a file.

    Whoever may read the token keys may do this; nobody else can. The local platform needs none of it.
    """
    from chalicelib.web.tokens import Keys, Tokens, WrongKeys

    if keys is sys.stdin and sys.stdin.isatty():
        raise click.UsageError("Give --keys a file, or pipe the keys in.")
    token_keys = Keys(keys.read)
    try:
        token_keys.check()
    except WrongKeys as wrong:
        raise Failure(f"These are not token keys: {wrong}") from None
    made = Tokens(token_keys, url.rstrip("/")).issue(app=CLIENT, viewer=None, scopes=["admin"], lifetime=lifetime)
    try:
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{made}\n")
    except FileExistsError:
        raise Failure(f"{output} exists already") from None
    click.echo(f"Written to {output}; it lives {lifetime} seconds.")
