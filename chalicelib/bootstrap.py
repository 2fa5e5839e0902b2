"""Wires a platform from settings. Tests wire their own from clients of theirs."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import settings as settings_module
from chalicelib.core.errors import Unavailable
from chalicelib.platform import Platform
from chalicelib.settings import Settings, WrongSetting
from chalicelib.store.aws import deadline
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_secret
from chalicelib.web.auth.access_tokens import WrongKeys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

__all__ = ["NEEDS", "Platform", "platform", "start", "wire"]

# Those who only clear away check no token and open no secret.
NEEDS = (on_secret("token-keys"), on_secret("secret-keys"), on_secret("launch-keys"))
_making = threading.Lock()

log = logging.getLogger(__name__)


def wire(
    settings: Settings,
    dynamo: Dynamo,
    s3: "Callable[[], S3Client]",
    clock: Callable[[], int] | None = None,
    sqs: "Callable[[], SQSClient] | None" = None,
    secrets: "Callable[[], SecretsManagerClient] | None" = None,
) -> Platform:
    """Return a platform over these clients; without `clock`, `sqs` and `secrets`, over the machine's and AWS's."""
    read_keys = partial(_keys, secrets or (lambda: _client("secretsmanager")))
    return Platform(settings, dynamo, s3, clock or _now, sqs or (lambda: _client("sqs")), read_keys)


@cache
def platform() -> Platform:
    """Return the platform of this process's environment, wired once. Raises WrongSetting."""
    settings = settings_module.read()
    return wire(settings, Dynamo(_client("dynamodb")), lambda: _client("s3"))


def start(environment: Mapping[str, str] = os.environ) -> None:
    """Begin a function's work on Lambda: with its settings, its logs, and for the API with what every request needs.

    Raises WrongSetting, a sentence that names what is missing or wrong; Lambda then starts no request here.
    """
    from chalicelib.web import logs

    logs.start()
    here = platform()
    if here.settings.tracing:
        from aws_lambda_powertools import Tracer

        # Calls to AWS become parts of the trace that Lambda has begun.
        Tracer(service="engawa", patch_modules=["botocore"])
    # The functions that only clear away may not read keys.
    if environment.get("_HANDLER") == "app.app":
        name = f"ENGAWA_TOKEN_KEYS_{'FILE' if here.settings.token_keys_file else 'SECRET'}"
        try:
            here.keys.check()
        except WrongKeys as wrong:
            raise WrongSetting(f"{name} does not hold the token keys: {wrong}") from None
        except Unavailable as failed:
            raise WrongSetting(f"{name} cannot be read: {_reason(failed.__cause__)}") from None


@cache
def _session() -> Any:
    # botocore's own: boto3 adds nothing that is used here, and a sixth to a cold start.
    from botocore.session import get_session

    return get_session()


def _client(service: str) -> Any:
    from botocore.config import Config

    # A client waits for the whole request, and API Gateway for 29 seconds: a write without an answer and the read that
    # looks for it must both have given up by then.
    config = Config(
        connect_timeout=1,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=64,
        s3={"addressing_style": "path"},
        signature_version="s3v4" if service == "s3" else None,
    )
    # Clients of one session must not be made side by side.
    with _making:
        client = _session().create_client(service, config=config)
    if service == "dynamodb":
        client.meta.events.register("provide-client-params.dynamodb", _ask_for_capacity)
    return client


def _ask_for_capacity(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """Ask DynamoDB to return the consumed capacity; every operation in use supports it."""
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


def _keys(client: "Callable[[], SecretsManagerClient]", name: str, file: str | None, secret: str | None) -> str:
    """The text of keys; `name` is what their settings begin with.

    Raises WrongSetting if the file does not exist, and Unavailable if the secret cannot be fetched.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if file:
            return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failed:
        reason = failed.strerror if isinstance(failed, OSError) else "it is not UTF-8"
        raise WrongSetting(f"{name}_FILE cannot be read: {reason}") from None
    deadline.check()
    try:
        text: str = client().get_secret_value(SecretId=str(secret))["SecretString"]
    except (BotoCoreError, ClientError, KeyError) as failed:
        log.error("%s_SECRET cannot be read: %s", name, _reason(failed))
        raise Unavailable from failed
    return text


def _reason(failed: BaseException | None) -> str:
    """Return why a fetch failed, without any of its content."""
    # Where there was no answer, botocore has None for it.
    response: Any = getattr(failed, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(failed).__name__)


def _now() -> int:
    return time.time_ns() // 1_000_000
