"""What runs without a request: clearing what deletions left behind."""

from collections.abc import Callable

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.bootstrap import Platform

SWEEP_SECONDS = 40
"""How long one sweep works, under the function's timeout of 60 seconds; the next goes on where it ended."""


def housekeeping(platform: Callable[[], Platform]) -> Blueprint:
    """The scheduled functions over a platform."""
    blueprint = Blueprint(__name__)

    @blueprint.schedule(Rate(5, unit=Rate.MINUTES), name="sweep")
    def sweep(event: CloudWatchEvent) -> int:
        """Delete own values that no ledger counts any more; how many went."""
        return platform().sweep(SWEEP_SECONDS)

    return blueprint
