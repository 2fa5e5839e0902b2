"""What the functions ask of AWS: every module says in its `NEEDS` what it sends, and infra/policies.py adds them up.

Who sends a call declares it: a transaction is declared where it is sent, elements that other modules made for it
included, and a module that others give a table to (numbered.py, counted.py) names every table it is given. What only
passes calls on (dynamo.py, transactions.py, fanout.py, rows.py) declares nothing. IAM's rules for DynamoDB: each
element of a transaction is a PutItem, UpdateItem, DeleteItem or ConditionCheckItem of its own; an index is another
resource than its table.
"""

from dataclasses import dataclass

API, SWEEP, CLEAN = "api_handler", "sweep", "clean"
"""The functions, by the names that Chalice has for them. Most stores work for the API alone."""

LISTING = "listing"


@dataclass(frozen=True)
class IamNeed:
    """Actions on one resource, which is named without stage, region and account, and the functions that need them."""

    service: str
    resource: str
    actions: frozenset[str]
    by: tuple[str, ...]
    unseen: str = ""
    """Why no test shows the calls, for those that AWS makes in our name."""


def on_table(name: str, *actions: str, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Actions on the items of a table."""
    return IamNeed("dynamodb", f"table/{name}", frozenset(actions), by)


def on_index(name: str, *, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Queries of the index `listing` of a table."""
    return IamNeed("dynamodb", f"table/{name}/index/{LISTING}", frozenset({"Query"}), by)


def on_objects(prefix: str, *actions: str, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Actions on the objects of the bucket below a prefix that ends in a slash; ListBucket tells their keys."""
    return IamNeed("s3", prefix, frozenset(actions), by)


def on_queue(name: str, *actions: str, by: tuple[str, ...], unseen: str = "") -> IamNeed:
    """Actions on a queue."""
    return IamNeed("sqs", name, frozenset(actions), by, unseen)


def on_secret(name: str, *, by: tuple[str, ...] = (API,)) -> IamNeed:
    """Reading a secret."""
    return IamNeed("secretsmanager", name, frozenset({"GetSecretValue"}), by)
