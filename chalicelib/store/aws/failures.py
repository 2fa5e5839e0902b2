"""What can become of a call to DynamoDB, as far as a caller can act on it."""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws.item_size import Item

log = logging.getLogger(__name__)

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
}
_UNANSWERED = {"InternalServerError", "ServiceUnavailable", "TransactionInProgressException"}


class StoreFailure(Exception):
    """A write that did not plainly succeed. Caught inside the store; a face never sees one."""


class Lost(StoreFailure):
    """A condition did not hold: someone else's write came first, or this one did on a try whose answer was lost.

    `item` is what is stored now (None: nothing, or not told); `resent` says that the SDK sent the request more than
    once, so that its own first try may be what it met. `failed` has the stored item of every condition that failed,
    by the position of its write in the transaction (0 outside of one).
    """

    def __init__(self, item: Item | None, *, resent: bool, failed: Mapping[int, Item | None] | None = None) -> None:
        super().__init__("condition failed")
        self.item = item
        self.resent = resent
        self.failed = {0: item} if failed is None else failed


class Conflict(StoreFailure):
    """Another transaction held an item at that moment; nothing was written."""


class Uncertain(StoreFailure):
    """No answer: the write may have happened."""


def sort_out(error: ClientError) -> Exception:
    """The failure that a ClientError stands for; the error itself where it is none of the expected ones."""
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ConditionalCheckFailedException":
        return Lost(_old_item(error.response), resent=_resent(error))
    if code == "TransactionCanceledException":
        return _cancelled(error)
    if code == "TransactionConflictException":
        return Conflict(code)
    if code in _THROTTLED:
        return Unavailable()
    if code in _UNANSWERED or status >= 500:
        return Uncertain(code)
    return error


def _cancelled(error: ClientError) -> Exception:
    """The one failure that decides among the reasons of a cancelled transaction (one reason for each item)."""
    reasons: list[Any] = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code", "None") for reason in reasons}
    if "ConditionalCheckFailed" in codes:
        failed = {
            position: _old_item(reason)
            for position, reason in enumerate(reasons)
            if reason.get("Code") == "ConditionalCheckFailed"
        }
        return Lost(next(iter(failed.values())), resent=_resent(error), failed=failed)
    if "TransactionConflict" in codes:
        return Conflict("TransactionConflict")
    if not codes & _THROTTLED:
        log.error("transaction cancelled: %s", sorted(codes))
    return Unavailable()


def _old_item(holder: Any) -> Item | None:
    item: Item | None = holder.get("Item") or None
    return item


def _resent(error: ClientError) -> bool:
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
