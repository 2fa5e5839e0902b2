"""The functions that run without a request: two clear what deletions left, one sends events, and one is the canary.

Chalice configures Lambda to look for these functions in app.py under their names, so app.py puts them there.
"""

from collections.abc import Callable

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from chalicelib.api.time_limit import seconds_left
from chalicelib.platform import Platform
from chalicelib.settings import cleaning_queue
from chalicelib.store.aws import deadline
from chalicelib.web.telemetry import Telemetry

SWEEP, CLEAN, CANARY, SEND = "sweep", "clean", "canary", "send"
SWEEP_SECONDS = 40
"""The time of one sweep, under the function's timeout of 60 seconds; the next sweep continues where it ended."""
CLEAN_SECONDS = 40
"""The time for one message, likewise; if work is left then, another message continues it."""
SEND_SECONDS = 40
"""The time in which one run sends events, likewise. So the next run begins after this one has ended."""
CLEANERS = 5
"""The maximum number of messages at once: cleanup can wait, but the requests that share the tables cannot."""


def housekeeping(platform: Callable[[], Platform], telemetry: Telemetry) -> Blueprint:
    """Return the scheduled functions and the queue's function. Each raises RunFailed for any error."""
    blueprint = Blueprint("app")

    @blueprint.schedule(Rate(5, unit=Rate.MINUTES), name=SWEEP)
    def sweep(event: CloudWatchEvent) -> int:
        """Delete own values that no ledger counts any more, and send lost messages again; return the number of deleted
        values."""
        with deadline.within(seconds_left(event.context)):
            return telemetry.of_run(SWEEP, event.context, lambda: platform().sweep(SWEEP_SECONDS))

    @blueprint.schedule(Rate(5, unit=Rate.MINUTES), name=CANARY)
    def canary(event: CloudWatchEvent) -> None:
        """Write, read and delete a value through the public URL."""
        # The other functions need no client of HTTP.
        from chalicelib.api.canary import check

        with deadline.within(seconds_left(event.context)):
            telemetry.of_run(CANARY, event.context, lambda: check(platform()))

    @blueprint.schedule(Rate(1, unit=Rate.MINUTES), name=SEND)
    def send(event: CloudWatchEvent) -> int:
        """Send the events that are new or due to the endpoints of apps; return the number of attempts."""
        with deadline.within(seconds_left(event.context)):
            work = lambda: platform().event_sending.run(SEND_SECONDS)  # noqa: E731
            # It mostly finds nothing to send, and its line would be the largest part of its price.
            return telemetry.of_run(SEND, event.context, work, idle=False)

    # A failed message is delivered again after its visibility timeout, five times, then moved to the dead letters.
    @blueprint.on_sqs_message(cleaning_queue(), batch_size=1, name=CLEAN, maximum_concurrency=CLEANERS)
    def clean(event: SQSEvent) -> None:
        """Continue the work that the message names."""

        def work() -> None:
            here = platform()
            for message in event:
                here.cleanup.process(message.body, CLEAN_SECONDS)

        with deadline.within(seconds_left(event.context)):
            telemetry.of_run(CLEAN, event.context, work)

    return blueprint
