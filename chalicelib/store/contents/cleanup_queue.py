"""The queue for cleanup work; its consumer is the function `clean` (api/scheduled.py).

A message only says that there is work; the work itself is recorded in a table. So a lost message costs only time (the
scheduled sweep sends it again), and one that arrives twice or late does no harm.
"""

import logging
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import deadline
from chalicelib.store.aws.iam_needs import API, CLEAN, SWEEP, on_queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

NEEDS = (
    on_queue("cleaning", "GetQueueUrl", "SendMessage", by=(API, SWEEP, CLEAN)),
    on_queue(
        "cleaning",
        *("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
        by=(CLEAN,),
        unseen="Lambda itself takes messages from the queue, with the role of the function that they are for",
    ),
)

_log = logging.getLogger(__name__)


class CleanupQueue:
    """An SQS queue with a name. `client` creates the SQS client; it and the queue's URL are fetched on first use.

    Thread-safe.
    """

    def __init__(self, client: "Callable[[], SQSClient]", name: str) -> None:
        self._make = client
        self._name = name
        self._lock = Lock()
        self._found: tuple[SQSClient, str] | None = None

    def tell(self, message: str) -> bool:
        """Send a message of 1 to 1,048,576 bytes; return whether it was sent.

        A failure is only logged, because the work that the message names is already committed.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            deadline.check()
            client, url = self._find()
            deadline.check()
            client.send_message(QueueUrl=url, MessageBody=message)
        except (BotoCoreError, ClientError, Unavailable) as failed:
            _log.warning("%s could not be told of %s, the sweep will: %s", self._name, message, failed)
            return False
        return True

    def _find(self) -> "tuple[SQSClient, str]":
        with self._lock:
            if self._found is None:
                client = self._make()
                self._found = client, client.get_queue_url(QueueName=self._name)["QueueUrl"]
            return self._found
