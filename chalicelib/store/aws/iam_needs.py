"""The AWS permissions that the functions need: each module lists its calls in `NEEDS`; infra/policies.py collects them.

The module that sends a call declares it. The sender of a transaction also declares the parts that other modules added.
A module that receives its table from others (numbered_lists.py, counted_rows.py) names every table that it receives.
Modules that only pass calls on (such as client.py, objects.py and transactions.py) declare nothing. IAM's rules for
DynamoDB: each part of a transaction is a separate PutItem, UpdateItem, DeleteItem or ConditionCheckItem; an index is a
different resource from its table.
"""

from dataclasses import dataclass

API, SWEEP, CLEAN, CANARY, SEND = "api_handler", "sweep", "clean", "canary", "send"
"""The functions, by their names in Chalice. Most stores work only for the API."""

LISTING = "listing"


@dataclass(frozen=True)
class IamNeed:
    """Actions on one resource, which is named without stage, region and account, and the functions that need them."""

    service: str
    resource: str
    actions: frozenset[str]
    by: tuple[str, ...]
    unseen: str = ""
    """Why no test sees the calls, if AWS makes them on our behalf."""


def on_table(name: str, *actions: str, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Return the need for actions on the items of a table."""
    return IamNeed("dynamodb", f"table/{name}", frozenset(actions), by)


def on_index(name: str, *, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Return the need for queries of the index `listing` of a table."""
    return IamNeed("dynamodb", f"table/{name}/index/{LISTING}", frozenset({"Query"}), by)


def on_objects(prefix: str, *actions: str, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Return the need for actions on objects below a prefix that ends in a slash; ListBucket lists their keys."""
    return IamNeed("s3", prefix, frozenset(actions), by)


def on_queue(name: str, *actions: str, by: tuple[str, ...], unseen: str = "") -> IamNeed:
    """Return the need for actions on a queue."""
    return IamNeed("sqs", name, frozenset(actions), by, unseen)


def on_secret(name: str, *, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Return the need to read a secret."""
    return IamNeed("secretsmanager", name, frozenset({"GetSecretValue"}), by)
