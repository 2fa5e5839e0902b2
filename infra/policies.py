"""The IAM policy of each function by stage: exactly what chalicelib declares (chalicelib/store/aws/iam_needs.py).

`make deploy` writes those of its stage into build/. `python -m infra.policies` writes
.chalice/policies/<stage>/<function>.json for `chalice deploy`, for every stage of .chalice/config.json that is on AWS.
Tests compare these files with the declarations.
A file cannot contain the region and the account. It allows any of them. Every statement, except those for logs and
traces, requires that the resource belongs to the role's own account.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib import bootstrap, store
from chalicelib.store.aws.iam_needs import API, CANARY, CLEAN, SEND, SWEEP, IamNeed

FUNCTIONS = (API, SWEEP, CLEAN, CANARY, SEND)
ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / ".chalice" / "config.json"
LOCAL = "local"

Statement = dict[str, Any]


def declared() -> Iterator[tuple[str, IamNeed]]:
    """Yield every declaration with the file that contains it, such as `store/contents/feeds.py`."""
    prefix = f"{store.__name__}."
    for module in sorted(each.name for each in pkgutil.walk_packages(store.__path__, prefix) if not each.ispkg):
        needs = getattr(importlib.import_module(module), "NEEDS", ())
        file = "store/" + module.removeprefix(prefix).replace(".", "/") + ".py"
        yield from ((file, need) for need in needs)
    yield from (("bootstrap.py", need) for need in bootstrap.NEEDS)


def policy(function: str, stage: str, needs: Iterable[IamNeed], *, traced: bool = False) -> dict[str, Any]:
    """Return the policy document of a function: all that `needs` declare for it, and its own logs."""
    actions: dict[tuple[str, str], set[str]] = {}
    for need in needs:
        if function in need.by:
            actions.setdefault((need.service, need.resource), set()).update(need.actions)
    statements = [each for place, every in sorted(actions.items()) for each in _statements(*place, every, stage)]
    statements.append(_logs(function, stage))
    if traced:
        statements.append(_TRACES)
    return {"Version": "2012-10-17", "Statement": statements}


def of_stage(stage: str, *, traced: bool = False) -> dict[str, dict[str, Any]]:
    """Return the policy of every function of a stage, by function."""
    needs = [need for _, need in declared()]
    return {function: policy(function, stage, needs, traced=traced) for function in FUNCTIONS}


def files() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the path and the policy of every function in every stage of .chalice/config.json that is on AWS."""
    for stage, settings in json.loads(CONFIG.read_text(encoding="utf-8"))["stages"].items():
        if stage != LOCAL:
            for function, document in of_stage(stage, traced=settings.get("xray", False)).items():
                yield CONFIG.parent / "policies" / stage / f"{function}.json", document


def written(document: Mapping[str, Any]) -> str:
    """Return the text of a policy's file."""
    return json.dumps(document, indent=2) + "\n"


def _statements(service: str, resource: str, actions: set[str], stage: str) -> Iterator[Statement]:
    own = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
    if service == "dynamodb":
        name = resource.removeprefix("table/")
        yield _allow(service, name, actions, f"*:*:table/engawa-{stage}-{name}", own)
    elif service == "sqs":
        yield _allow(service, resource, actions, f"*:*:engawa-{stage}-{resource}", own)
    elif service == "secretsmanager":
        # Secrets Manager appends a hyphen and six characters to the name.
        yield _allow(service, resource, actions, f"*:*:secret:engawa-{stage}-{resource}-??????", own)
    elif service == "s3":
        bucket = f"::engawa-{stage}-*"
        if "ListBucket" in actions:
            below = {"StringLike": {"s3:prefix": f"{resource}*"}}
            yield _allow(service, f"{resource} keys", {"ListBucket"}, bucket, own | below)
        if rest := actions - {"ListBucket"}:
            yield _allow(service, resource, rest, f"{bucket}/{resource}*", own)
    else:
        raise ValueError(f"Nobody said what a policy calls {resource} of {service}")


def _allow(service: str, name: str, actions: set[str], arn: str, condition: Mapping[str, Any]) -> Statement:
    words = "".join(letter if letter.isalnum() else " " for letter in f"{service} {name}").split()
    return {
        "Sid": "".join(word[0].upper() + word[1:] for word in words),
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in sorted(actions)],
        "Resource": f"arn:aws:{service}:{arn}",
        "Condition": dict(condition),
    }


def _logs(function: str, stage: str) -> Statement:
    """Return the statement for logs. Lambda writes them with the function's role, to a log group of the stack."""
    name = f"engawa-{stage}" if function == API else f"engawa-{stage}-{function}"
    return {
        "Sid": "Logs",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}:*",
    }


# X-Ray has no resources that a statement could name.
_TRACES: Statement = {
    "Sid": "Traces",
    "Effect": "Allow",
    "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "Resource": "*",
}


def main() -> None:
    """Write the file of every policy."""
    for path, document in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(document), encoding="utf-8")


if __name__ == "__main__":
    main()
