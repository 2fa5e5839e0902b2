"""The root command with all its subcommands."""

import click

from admin.accounts import invite, sessions
from admin.apps import apps
from admin.data import erase
from admin.events import endpoints, events
from admin.exports import export
from admin.imports import import_
from admin.log import log
from admin.migrate import migrate
from admin.moderation import moderation
from admin.overview import overview, request
from admin.pages import administrators, followers, modules, pages
from admin.relations import friends, grants, installs
from admin.token import token
from admin.users import users


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="""\b
Which platform:
  Without options, the local one that `make serve` runs (on PORT, if set); its address and its operator's token
  are in its demo.json. For any other, set --url or ENGAWA_ADMIN_URL, and ENGAWA_ADMIN_TOKEN (see `token`).

\b
Exit status:
  0 done   1 refused   2 wrong usage   3 platform unreachable or busy   4 imported, with records refused

\b
Examples:
  .venv/bin/python -m admin apps create "Quest" --redirect-uri https://game.example/back --scope mixi_apps2
  .venv/bin/python -m admin users create "花" --login hana --password
  .venv/bin/python -m admin friends add k3v9x2mtq7ra a8d1p0zzk4wn
  .venv/bin/python -m admin import users members.csv
  .venv/bin/python -m admin export platform backup.zip
  .venv/bin/python -m admin users list --json | jq -r .id
""",
)
def cli() -> None:
    """Fill and manage an Engawa platform: users, friends, apps, installs, grants, sessions, pages, posts.

    Every command takes --url, --token and --json; COMMAND --help lists its other options.
    """


for each in (
    users,
    friends,
    installs,
    grants,
    sessions,
    invite,
    apps,
    endpoints,
    events,
    pages,
    modules,
    administrators,
    followers,
    moderation,
    import_,
    export,
    erase,
    log,
    migrate,
    overview,
    request,
    token,
):
    cli.add_command(each)
