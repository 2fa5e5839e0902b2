"""A worker that does what Lambda does for a queue: take a message, call the function with it, delete the message.

A message is hidden while the function runs. If the function fails, the message is delivered again, until the queue's
redrive policy moves it to the dead-letter queue. Lambda uses the visibility timeout of the queue; this worker uses a
few seconds, so a platform that was killed continues its work soon after the next start.

Messages that the function sends while it runs belong to the chain of its own message, as with Lambda's recursive loop
detection: after CHAIN calls in a chain, the function is not called, and the message goes to the dead-letter queue. The
trace header (AWSTraceHeader) has the number of calls before it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import botocore
from chalice.local import LambdaContext

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

HIDDEN_SECONDS = 12
"""How long a message stays hidden after its worker last extended the time."""

CHAIN = 16
"""The maximum number of calls in a chain of messages."""

_KEEP_SECONDS = HIDDEN_SECONDS / 3
_WAIT_SECONDS = 1
_RETRY_SECONDS = 1
_TIMEOUT_MS = 60_000
_log = logging.getLogger(__name__)

Function = Callable[[dict[str, Any], LambdaContext], object]


_calls: ContextVar[int] = ContextVar("calls", default=0)
"""How many calls the running chain has, or 0 outside the function."""
_SEND = "before-parameter-build.sqs.SendMessage"


def _in_chain(**request: Any) -> None:
    """Add the trace header of its chain to a message that the function sends."""
    if calls := _calls.get():
        header = {"DataType": "String", "StringValue": f"Root=1-0-0;Lineage=0:{calls}"}
        request["params"]["MessageSystemAttributes"] = {"AWSTraceHeader": header}


# On Lambda, botocore itself adds the header for every client, but from the environment, which all threads share here.
botocore.register_initializer(lambda session: session.register(_SEND, _in_chain))


class Worker:
    """A worker that calls `function` with the messages of the queue `name`, one at a time.

    `function` takes an event and a context, as in Lambda.
    """

    def __init__(self, sqs: SQSClient, name: str, function: Function) -> None:
        self._sqs = sqs
        self._name = name
        self._function = function
        self._url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        # This client's session may be older than this module.
        sqs.meta.events.register(_SEND, _in_chain, unique_id=_SEND)

    def run(self, ended: threading.Event) -> None:
        """Work until `ended`. Log errors and try again."""
        while not ended.is_set():
            try:
                self._round(ended)
            except Exception:
                # During a shutdown the emulator may stop first; the message is delivered again after the next start.
                if not ended.wait(_RETRY_SECONDS):
                    _log.exception("the queue %s cannot be worked off; trying again", self._name)

    def one(self) -> bool:
        """Process the next message; return False if there is none. Errors of the function are passed on."""
        if message := self._take(0):
            self._work(message)
        return message is not None

    def _round(self, ended: threading.Event) -> None:
        message = self._take(_WAIT_SECONDS)
        if message is None or ended.is_set():
            return
        try:
            self._work(message)
        except Exception:
            if ended.is_set():
                return
            _log.exception("the message %r failed; it comes again, or goes to the dead letters", message["Body"])
            self._hide(message, _RETRY_SECONDS)

    def _take(self, seconds: int) -> MessageTypeDef | None:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=seconds,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["All"],
        )
        return next(iter(answer.get("Messages", [])), None)

    def _work(self, message: MessageTypeDef) -> None:
        found = re.search(r"Lineage=0:(\d+)", message.get("Attributes", {}).get("AWSTraceHeader", ""))
        calls = int(found[1]) if found else 0
        if calls >= CHAIN:
            self._drop(message)
        else:
            token = _calls.set(calls + 1)
            try:
                with self._hidden(message):
                    self._function(self._event(message), LambdaContext(f"engawa-local-{self._name}", 1024, _TIMEOUT_MS))
            finally:
                _calls.reset(token)
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _drop(self, message: MessageTypeDef) -> None:
        _log.error("recursive loop: %r would be call %d of its chain: a dead letter", message["Body"], CHAIN + 1)
        found = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
        dead = json.loads(found["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"].split(":")[-1]
        url = self._sqs.get_queue_url(QueueName=dead)["QueueUrl"]
        self._sqs.send_message(QueueUrl=url, MessageBody=message["Body"])

    @contextmanager
    def _hidden(self, message: MessageTypeDef) -> Iterator[None]:
        """Keep a message hidden while the block runs."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(_KEEP_SECONDS):
                try:
                    self._hide(message, HIDDEN_SECONDS)
                except Exception:
                    # The message may be delivered twice; the function can handle that.
                    _log.debug("a message could not be kept hidden", exc_info=True)

        threading.Thread(target=keep, daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def _hide(self, message: MessageTypeDef, seconds: int) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def _event(self, message: MessageTypeDef) -> dict[str, Any]:
        region = self._sqs.meta.region_name
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{region}:{self._url.split('/')[-2]}:{self._name}",
            "awsRegion": region,
        }
        return {"Records": [record]}
