"""The Chalice app. This module only registers the faces and the functions that run without a request."""

import gc
import os
from collections.abc import Callable
from functools import partial

if "AWS_CHALICE_CLI_MODE" in os.environ:
    # Set by Chalice's command line alone; the module is not in the zip.
    from infra import chalice_cli

    chalice_cli.prepare()

from chalice.app import Chalice, Request, Response

from chalicelib import bootstrap
from chalicelib.api.base_url import named
from chalicelib.api.route_table import EngawaApp
from chalicelib.api.scheduled import CANARY, CLEAN, SEND, SWEEP, housekeeping
from chalicelib.api.time_limit import bounded
from chalicelib.bootstrap import Platform
from chalicelib.core.errors import Refusal
from chalicelib.web.cors import share
from chalicelib.web.error_answers import help_links, reword_framework
from chalicelib.web.telemetry import Recording, Telemetry


def create_app(
    platform: Callable[[], Platform], *, whole: bool = True, named_by_api: bool = False, recorded: bool = False
) -> Chalice:
    """Return the app for a platform; the first request that needs the platform creates it.

    With `whole` False, only the Persistence API is loaded; the app loads each other face at its first request. With
    `named_by_api`, the issuer is the URL of the API that calls it. With `recorded`, refused requests and the runs of
    functions are recorded in a table.
    """
    made = EngawaApp(platform)
    telemetry = Telemetry(
        lambda: platform().settings.stage,
        lambda: platform().settings.commit,
        lambda: platform().settings.metrics,
        lambda: platform().keys,
        (lambda: _recording(platform())) if recorded else None,
    )
    made.register_middleware(telemetry.of_request, "http")
    if named_by_api:
        made.register_middleware(named(platform), "http")
    made.register_middleware(bounded, "http")
    made.register_middleware(reword_framework(partial(_error_page, platform)), "http")
    made.register_middleware(help_links(lambda: platform().settings.issuer), "http")
    share(made, lambda: platform().origins)
    # API Gateway passes bodies of all other types as text, which would damage an image.
    made.api.binary_types.append("multipart/form-data")
    made.register_blueprint(housekeeping(platform, telemetry))
    made.load("" if whole else "/2/apps/")
    return made


def _error_page(platform: Callable[[], Platform], request: Request, refusal: Refusal) -> Response:
    # Only browsers need it.
    from chalicelib.api.error_pages import error_page

    return error_page(request, refusal, platform())


def _recording(here: Platform) -> Recording:
    # A cold start needs it only if its request is refused.
    from chalicelib.api.request_recording import RequestRecording

    return RequestRecording(here)


COLLECT_AFTER = 50_000
"""New objects before Python looks for reference cycles; an answer about 1,000 friends makes ten thousands of them."""
ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
if ON_LAMBDA:
    # None of the objects created now becomes garbage; garbage collection would take a fifth of a cold start.
    gc.disable()
# If Lambda starts an instance before a request needs it, everything is loaded now, not at the first request.
app = create_app(
    bootstrap.platform,
    whole=os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "on-demand",
    named_by_api=not os.environ.get("ENGAWA_ISSUER"),
    recorded=True,
)
# The other functions that Lambda calls, by the name `app.<name>`.
sweep, clean, canary, send = (app.handler_map[name] for name in (SWEEP, CLEAN, CANARY, SEND))
if ON_LAMBDA:
    bootstrap.start()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()
