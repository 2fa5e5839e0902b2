"""The checks of values for the templates' parameters, by the templates' own declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from infra import combine
from infra.refusals import Refused

DEFAULTS = {"dev": {"Rollout": combine.AT_ONCE}, "prod": {"Monitoring": "full", "MonthlyBudget": "100"}}
"""The values, by stage, that differ from the defaults of the templates."""
_FOUND_OUT = ("Stage", "ChallengeFunction", "WebAcl", "GatewayLogs", "OwnDomain", "Commit")
"""Parameters that the deployment itself sets."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@cache
def declared(front: str) -> dict[str, Any]:
    """Return the declarations of the parameters that an operator may set."""
    return {name: each for name, each in combine.parameters(front).items() if name not in _FOUND_OUT}


def text(name: str, value: Any, declaration: Mapping[str, Any]) -> str:
    """Return a value as CloudFormation reads it. Raises ValueError with a sentence."""
    allowed = [str(each) for each in declaration.get("AllowedValues", ())]
    if isinstance(value, bool) and set(allowed) == {"yes", "no"}:
        return "yes" if value else "no"
    number = declaration["Type"] == "Number"
    say = "this value" if declaration.get("NoEcho") else shown(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float) if number else str):
        raise ValueError(f"{name} must be {'a number' if number else 'text in quotes'}, not {say}.")
    said = str(value)
    if allowed and said not in allowed:
        raise ValueError(f"{name} must be {' or '.join(allowed)}, not {say}.")
    if number and not _NUMBER.fullmatch(said):
        raise ValueError(f"{name} must be a number, not {say}.")
    least, most = declaration.get("MinValue"), declaration.get("MaxValue")
    if number and least is not None and float(said) < least:
        raise ValueError(f"{name} must be {least} or more, not {said}.")
    if number and most is not None and float(said) > most:
        raise ValueError(f"{name} must be {most} or less, not {said}.")
    if not declaration.get("MinLength", 0) <= len(said) <= declaration.get("MaxLength", len(said)):
        lengths = f"{declaration.get('MinLength', 0)} to {declaration.get('MaxLength', 'any number of')}"
        raise ValueError(f"{name} must have {lengths} characters, not {len(said)}.")
    if "AllowedPattern" in declaration and not re.fullmatch(declaration["AllowedPattern"], said):
        meaning = declaration.get("ConstraintDescription") or declaration.get("Description", "")
        raise ValueError(f"{name} cannot be {say}: it must match {declaration['AllowedPattern']}. {meaning}".rstrip())
    return said


def contradictions(given: Mapping[str, str], front: str, warm: str) -> Iterator[str]:
    """Yield a sentence for each combination of valid values that AWS refuses or that cannot work."""
    if given.get("Domain") and not (given.get("Certificate") or given.get("HostedZone")):
        yield "Domain needs a Certificate, or a HostedZone in which a new one is validated."
    concurrency = float(given.get("ApiConcurrency", "0"))
    if front == combine.URL and not concurrency:
        yield (
            "FRONT=url needs ApiConcurrency, the instances reserved for the API: the function URL accepts ten times as "
            "many requests per second, and nothing else limits it."
        )
    if warm.isdecimal() and 0 < concurrency < int(warm):
        yield (
            f"WARM={warm} keeps more instances than ApiConcurrency={given['ApiConcurrency']} reserves; Lambda refuses "
            f"that."
        )
    if 0 < float(given.get("WafRate", "0")) < 100:
        yield f"WafRate must be 0, for no AWS WAF, or 100 or more, not {given['WafRate']}."


def chosen(words: str) -> dict[str, str]:
    """Parse the environment's PARAMETERS, such as `Domain=api.example.com PlainHttp=yes`. Raises Refused."""
    pairs = [word.partition("=") for word in words.split()]
    for name, sign, _ in pairs:
        if not sign:
            raise Refused(f"PARAMETERS must be Name=value Name=value; {name!r} has no value.")
    return {name: value for name, _, value in pairs}


def shown(value: Any) -> str:
    """Return a value as sentences quote it: text in quotes, true and false as TOML has them."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
