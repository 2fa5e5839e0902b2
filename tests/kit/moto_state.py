"""The state of moto's AWS in this process, saved once and restored for each test that begins with the same data."""

from copy import deepcopy
from threading import Condition
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

_BACKENDS: tuple[Any, ...] = (dynamodb_backends, s3_backends, sqs_backends)


class MotoState:
    """A copy of the current tables, buckets and queues."""

    def __init__(self) -> None:
        self._parts = [
            (backends, account, region, _copied(vars(backend)))
            for backends in _BACKENDS
            for account, regions in backends.items()
            for region, backend in regions.items()
        ]
        self._bucket_accounts = dict(s3_backends.bucket_accounts)

    def restore(self) -> None:
        """Restore the copy into an empty AWS."""
        for backends, account, region, state in self._parts:
            vars(backends[account][region]).update(_copied(state))
        s3_backends.bucket_accounts.update(self._bucket_accounts)


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    # A lock cannot be copied: each copy of a queue gets a new one.
    locks = {id(queue._messages_lock): Condition() for queue in state.get("queues", {}).values()}
    return deepcopy(state, locks)
