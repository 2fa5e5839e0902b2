"""The Chalice app: registers the faces and the scheduled functions, nothing else."""

import gc
import os
from collections.abc import Callable

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api.route_table import EngawaApp
from chalicelib.api.scheduled import CLEAN, SWEEP, housekeeping
from chalicelib.api.time_limit import bounded
from chalicelib.bootstrap import Platform
from chalicelib.web.cors import share
from chalicelib.web.error_answers import reword_framework
from chalicelib.web.telemetry import Telemetry


def create_app(platform: Callable[[], Platform], *, whole: bool = True) -> Chalice:
    """Return the app over a platform; the first request that needs the platform makes it.

    One that is not `whole` has the Persistence API alone, and loads other faces as they are asked for.
    """
    made = EngawaApp(platform)
    telemetry = Telemetry(lambda: platform().settings.stage, lambda: platform().keys)
    made.register_middleware(telemetry.of_request, "http")
    made.register_middleware(bounded, "http")
    made.register_middleware(reword_framework, "http")
    share(made, lambda: platform().origins)
    # API Gateway hands a body of any other type over as text, which an image does not survive.
    made.api.binary_types.append("multipart/form-data")
    made.register_blueprint(housekeeping(platform, telemetry))
    made.load("" if whole else "/2/apps/")
    return made


ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
if ON_LAMBDA:
    # Nothing of what is made now ever becomes garbage; looking for it would take a fifth of a cold start.
    gc.disable()
# Where Lambda starts instances before there are requests for them, nothing is left for the first one.
app = create_app(bootstrap.platform, whole=os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "on-demand")
# What Lambda calls besides: its name for each is `app.<name>`.
sweep, clean = app.handler_map[SWEEP], app.handler_map[CLEAN]
if ON_LAMBDA:
    bootstrap.start()
    gc.freeze()
    gc.enable()
