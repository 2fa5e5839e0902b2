"""Preparation for Chalice's commands `local` and `deploy`, when they import the app.

app.py imports this module only if Chalice's command line runs, so neither it nor local/ is needed in Lambda.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

import click

from chalicelib.settings import WrongSetting
from infra.refusals import Refused


def prepare() -> None:
    """Prepare the command that imports the app. If it cannot run, print one sentence and end the process."""
    asked = _command()
    if asked is None:
        return
    if asked.command.name == "local":
        from local import reloading

        reloading.watch_sources()

        from local import by_chalice, environment

        try:
            by_chalice.begin(**asked.params, chosen=_is_chosen(asked, "stage"), end=end)
        except (environment.Refused, WrongSetting) as refused:
            end(refused)
    elif asked.command.name == "deploy":
        from infra import deploy_check
        from infra.site import builder

        try:
            named = {name: asked.params[name] for name in ("stage", "profile", "api_gateway_stage")}
            deploy_check.check(**named)
            builder.refresh()
        except Refused as refused:
            end(refused)


def end(reason: object) -> NoReturn:
    """Print why the command cannot run, and end the process with status 1."""
    print(reason, file=sys.stderr, flush=True)
    if threading.current_thread() is threading.main_thread():
        sys.exit(1)
    # With autoreload, Chalice imports the app in another thread, which an exception would end alone.
    os._exit(1)


def _command() -> click.Context | None:
    """Return the command with its options, or None for a group such as `chalice dev`."""
    if (known := click.get_current_context(silent=True)) is not None:
        return known
    # In the thread that serves with autoreload; Click keeps its context in the main thread.
    from chalice.cli import cli

    _, words, _ = cli.make_parser(click.Context(cli)).parse_args(sys.argv[1:])
    command = cli.commands[words[0]]
    return None if isinstance(command, click.Group) else command.make_context(words[0], words[1:])


def _is_chosen(asked: click.Context, name: str) -> bool:
    """Return whether the user has given the option."""
    return asked.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
