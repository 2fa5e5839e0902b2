"""The parts of a local platform that `make serve` (local/__main__.py) and `chalice local` (local/by_chalice.py) share.

Most imports are in the functions, since the app's modules must be imported after `Environment.apply`.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Protocol

from infra.site import builder
from local import keys
from local.environment import STAGE, Environment, Refused
from local.gateway import Gateway
from local.timing import TimedGateway, watch_all

if TYPE_CHECKING:
    from chalice.app import Chalice

    from chalicelib.platform import Platform

_SWEEP_SECONDS = 5
_SEND_SECONDS = 5
_log = logging.getLogger("local")


def is_timed() -> bool:
    """Return whether the calls to AWS of each request are measured."""
    return os.environ.get("ENGAWA_SERVER_TIMING") == "1"


class Sweeping(Protocol):
    """A platform that removes the remains of deleted data."""

    def sweep(self) -> object:
        """Do one round."""


def apply(environment: Environment) -> None:
    """Set the process's environment, and create the keys that are missing and the pages of /docs."""
    environment.apply()
    keys.ensure(environment.token_keys)
    keys.ensure_secret(environment.secret_keys)
    keys.ensure_launch(environment.launch_keys)
    builder.refresh()
    if is_timed():
        # Before the first client of AWS is made, since it counts the calls.
        watch_all()


def create_stack() -> None:
    """Create the tables, the bucket and the queues that are missing. Raises Refused."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from local import stack

    try:
        stack.create(boto3.client("dynamodb"), boto3.client("s3"), boto3.client("sqs"), STAGE)
    except (BotoCoreError, ClientError) as failed:
        raise Refused(f"The tables, the bucket and the queues cannot be created: {failed}") from failed


def make_gateway(made: Chalice, platform: Platform, environment: Environment) -> Gateway:
    """Return the gateway of an app, with the stored images, the sample game and the demo tokens beside it."""
    import boto3

    from local.demo_tokens import DemoTokens
    from local.images import StoredImages
    from local.sample import Sample
    from local.sample.events import EventReceiver

    settings = platform.settings
    images = StoredImages(boto3.client("s3"), settings.bucket, settings.images_url)
    kind = TimedGateway if is_timed() else Gateway
    base_url = environment.base_url
    sample = Sample(platform.tokens, base_url, EventReceiver(platform.endpoints))
    return kind(made, images, sample, DemoTokens(platform.tokens, base_url))


def clean_up(made: Chalice, platform: Platform, ended: threading.Event) -> threading.Thread:
    """Sweep, send events, and work through the queue, each in a thread, until `ended` is set.

    Return the thread of the queue.
    """
    import boto3

    from chalicelib.api.scheduled import CLEAN
    from local.worker import Worker

    threading.Thread(target=sweep, args=(platform, ended), daemon=True).start()
    threading.Thread(target=send_events, args=(platform, ended), daemon=True).start()
    worker = Worker(boto3.client("sqs"), platform.settings.cleaning_queue, made.handler_map[CLEAN])
    thread = threading.Thread(target=worker.run, args=(ended,), daemon=True)
    thread.start()
    return thread


def sweep(platform: Sweeping, ended: threading.Event) -> None:
    """Sweep every few seconds until `ended` is set."""
    while not ended.wait(_SWEEP_SECONDS):
        try:
            platform.sweep()
        except Exception:
            # During a shutdown the emulator may stop first; the next run does the rest of the round.
            if not ended.is_set():
                _log.exception("sweeping failed; the next round tries again")


def send_events(platform: Platform, ended: threading.Event) -> None:
    """Send events to apps every few seconds until `ended` is set."""
    while not ended.wait(_SEND_SECONDS):
        try:
            platform.event_sending.run(_SEND_SECONDS)
        except Exception:
            if not ended.is_set():
                _log.exception("sending events failed; the next round tries again")
