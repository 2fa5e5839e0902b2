"""The failures of calls to DynamoDB that a caller can handle."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import formats
from chalicelib.store.aws.items import Item

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
    """A write that failed or may have failed. The store catches it; a face never sees it."""


class Lost(StoreFailure):
    """A failed condition: another write came first, or an earlier try of this write whose response was lost.

    `resent` says that the SDK sent the request more than once, so that it may have met its own first try.
    """

    def __init__(self, stored: Mapping[str, Item | None], *, resent: bool) -> None:
        """`stored` has what is stored now for each part whose condition failed (None: nothing, or not returned)."""
        super().__init__("condition failed")
        self._stored = stored
        self.resent = resent

    def failed(self, part: str) -> bool:
        """Return whether the condition of that part of the transaction failed."""
        return part in self._stored

    def stored(self, part: str) -> Item | None:
        """Return the item that is stored instead; None if there is none, or if the condition of that part held."""
        return self._stored.get(part)

    @property
    def item(self) -> Item | None:
        """The item that is stored instead, for a write with one condition."""
        return next(iter(self._stored.values()))


class TransactionConflict(StoreFailure):
    """Another transaction held an item at that moment; nothing was written."""


class Uncertain(StoreFailure):
    """No answer: the write may have happened."""


def sort_out(error: ClientError, parts: Sequence[str] = ("",)) -> Exception:
    """Return the failure that a ClientError stands for; the error itself if it is none of the expected ones.

    `parts` are the names of the parts of a transaction in the order in which they were sent.
    """
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ConditionalCheckFailedException":
        return Lost({parts[0]: _old_item(error.response)}, resent=_resent(error))
    if code == "TransactionCanceledException":
        return _cancelled(error, parts)
    if code == "TransactionConflictException":
        return TransactionConflict(code)
    if code in _THROTTLED:
        return Unavailable()
    if code in _UNANSWERED or status >= 500:
        return Uncertain(code)
    return error


def _cancelled(error: ClientError, parts: Sequence[str]) -> Exception:
    """Return the failure that decides among the reasons of a cancelled transaction (one reason a part)."""
    reasons: list[Any] = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code", "None") for reason in reasons}
    if "ConditionalCheckFailed" in codes:
        stored = {
            part: _old_item(reason)
            for part, reason in zip(parts, reasons, strict=True)
            if reason.get("Code") == "ConditionalCheckFailed"
        }
        return Lost(stored, resent=_resent(error))
    if "TransactionConflict" in codes:
        return TransactionConflict("TransactionConflict")
    if not codes & _THROTTLED:
        log.error("transaction cancelled: %s", sorted(codes))
    return Unavailable()


def _old_item(holder: Any) -> Item | None:
    item: Item | None = holder.get("Item") or None
    formats.check([item] if item else [])
    return item


def _resent(error: ClientError) -> bool:
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
