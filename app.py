"""The Chalice app: registers the faces and the scheduled functions, nothing else."""

import os
from collections.abc import Callable

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api.faces import Faces
from chalicelib.api.housekeeping import CLEAN, SWEEP, housekeeping
from chalicelib.bootstrap import Platform
from chalicelib.web.cors import share
from chalicelib.web.errors import reword_framework


def create_app(platform: Callable[[], Platform], *, whole: bool = True) -> Chalice:
    """The app over a platform, which is asked for with the first request that needs it.

    One that is not `whole` has the Persistence API alone, and loads other faces as they are asked for.
    """
    made = Faces(platform)
    made.register_middleware(reword_framework, "http")
    share(made, lambda: platform().origins)
    # API Gateway hands a body of any other type over as text, which an image does not survive.
    made.api.binary_types.append("multipart/form-data")
    made.register_blueprint(housekeeping(platform))
    made.load("" if whole else "/2/apps/")
    return made


# Where Lambda starts instances before there are requests for them, nothing is left for the first one.
app = create_app(bootstrap.platform, whole=os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "on-demand")
# What Lambda calls besides: its name for each is `app.<name>`.
sweep, clean = app.handler_map[SWEEP], app.handler_map[CLEAN]
