"""`python -m local.token`: print one more access token for the demo world."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.oauth import check_scopes, scopes_in
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from local.demo import FILE
from local.environment import Environment, Refused

DEFAULT_LIFETIME = 900


def issue(directory: Path, arguments: argparse.Namespace) -> str:
    """Return the token that the arguments describe, signed with the keys in `directory`. Raises Refused."""
    try:
        demo: dict[str, Any] = json.loads((directory / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"There is no {directory / FILE}; run make serve first, or name its port with PORT=.") from None
    scopes = scopes_in(arguments.scope)
    try:
        check_scopes(scopes)
    except ParameterInvalid as wrong:
        raise Refused(f"{wrong.description}.") from None
    keys = TokenKeys((directory / "token-keys.json").read_text)
    return AccessTokens(keys, demo["baseUrl"]).issue(
        app=_id(demo, "apps", arguments.app),
        viewer=_id(demo, "users", arguments.user) if arguments.user else None,
        scopes=scopes,
        lifetime=arguments.lifetime,
        owner=_id(demo, "users", arguments.owner) if arguments.owner else None,
        # This process does not know what events the app asks for: requests with the token read it.
        events=None,
    )


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the arguments of the command line."""
    parser = argparse.ArgumentParser(prog=".venv/bin/python -m local.token", description=__doc__)
    holder = parser.add_mutually_exclusive_group(required=True)
    holder.add_argument("--user", metavar="NAME", help="a token of this user: hana, ken, mei, taro, yuki")
    holder.add_argument("--client", action="store_true", help="a token of the app itself")
    parser.add_argument("--app", metavar="NAME", required=True, help="the app: quest or album")
    parser.add_argument("--scope", default="", help='scopes, separated by spaces: "mixi_apps2 r_profile"')
    parser.add_argument("--owner", metavar="NAME", help="the owner (the user whose app it is), if it is not --user")
    parser.add_argument(
        "--lifetime",
        metavar="SECONDS",
        type=int,
        default=DEFAULT_LIFETIME,
        help="seconds until it expires; negative: it has already expired (default: %(default)s)",
    )
    return parser.parse_args(words)


def _id(demo: dict[str, Any], kind: str, name: str) -> str:
    if name not in demo[kind]:
        raise Refused(f"The demo world has no {name} among its {kind}: {', '.join(demo[kind])}.")
    found: str = demo[kind][name]["id"]
    return found


def main() -> int:
    """Print a token; if that fails, print one line that says why and return exit status 1."""
    arguments = parse(sys.argv[1:])
    try:
        print(issue(Environment.read().directory, arguments))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
