"""What runs without a request: clearing what deletions left behind, by schedule and by queue.

Chalice has Lambda look for these functions in app.py, under their names, which is where app.py puts them.
"""

from collections.abc import Callable

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from chalicelib.api.time_limit import seconds_left
from chalicelib.platform import Platform
from chalicelib.settings import cleaning_queue
from chalicelib.store.aws import deadline
from chalicelib.web.telemetry import Telemetry

SWEEP, CLEAN = "sweep", "clean"
SWEEP_SECONDS = 40
"""How long one sweep works, under the function's timeout of 60 seconds; the next goes on where it ended."""
CLEAN_SECONDS = 40
"""How long one message is worked on, likewise; what is left then is told to the queue again."""
CLEANERS = 5
"""How many messages are worked on at once at most: cleaning can wait, the requests that share the tables cannot."""


def housekeeping(platform: Callable[[], Platform], telemetry: Telemetry) -> Blueprint:
    """The scheduled function and that of the queue, over a platform. Both raise RunFailed for whatever goes wrong."""
    blueprint = Blueprint("app")

    @blueprint.schedule(Rate(5, unit=Rate.MINUTES), name=SWEEP)
    def sweep(event: CloudWatchEvent) -> int:
        """Delete own values that no ledger counts any more, and see that messages which were lost are sent; how many
        values went."""
        with deadline.within(seconds_left(event.context)):
            return telemetry.of_run(SWEEP, event.context, lambda: platform().sweep(SWEEP_SECONDS))

    # A message that fails comes again when its visibility timeout ends, five times, and then goes to the dead letters.
    @blueprint.on_sqs_message(cleaning_queue(), batch_size=1, name=CLEAN, maximum_concurrency=CLEANERS)
    def clean(event: SQSEvent) -> None:
        """Go on with the work that the message names."""

        def work() -> None:
            here = platform()
            for message in event:
                if not here.cleanup.work(message.body, CLEAN_SECONDS):
                    here.queue.tell(message.body)

        with deadline.within(seconds_left(event.context)):
            telemetry.of_run(CLEAN, event.context, work)

    return blueprint
