"""The operator's values for the templates' parameters: parameters.yaml by stage, and the environment for one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from infra import combine
from infra.refusals import Refused

FILE = combine.INFRA / "parameters.yaml"
_FOUND_OUT = ("Stage", "ChallengeFunction", "WebAcl", "GatewayLogs", "OwnDomain", "Commit")
"""Parameters that the deployment itself sets."""


def of(stage: str, over: Mapping[str, str], front: str = combine.REST) -> dict[str, str]:
    """Return the parameters of both templates: the stage's in parameters.yaml, overridden by `over`. Raises Refused."""
    of_stage: Mapping[str, Any] = (yaml.safe_load(FILE.read_text(encoding="utf-8")) or {}).get(stage) or {}
    given = {**of_stage, **over}
    declared = combine.parameters(front)
    for name in given:
        if name not in declared or name in _FOUND_OUT:
            behind = "" if front == combine.REST else f" with FRONT={front}"
            raise Refused(f"There is no parameter {name!r} to set{behind}; infra/*.yaml declares the parameters.")
    # YAML reads yes and no as true and false.
    said = {name: ("no", "yes")[value] if isinstance(value, bool) else value for name, value in given.items()}
    words = {name: str(value) for name, value in said.items()}
    if words.get("Domain") and not (words.get("Certificate") or words.get("HostedZone")):
        raise Refused("Domain needs a Certificate, or a HostedZone in which a new one is validated.")
    if front == combine.URL and words.get("ApiConcurrency", "0") == "0":
        raise Refused(
            "FRONT=url needs ApiConcurrency, the instances reserved for the API: the function URL accepts ten times as "
            "many requests per second, and nothing else limits it."
        )
    return words | {"Stage": stage}


def chosen(text: str) -> dict[str, str]:
    """Parse the environment's PARAMETERS, such as `Domain=api.example.com PlainHttp=yes`. Raises Refused."""
    pairs = [word.partition("=") for word in text.split()]
    for name, sign, _ in pairs:
        if not sign:
            raise Refused(f"PARAMETERS must be Name=value Name=value; {name!r} has no value.")
    return {name: value for name, _, value in pairs}
