"""The construction of a platform from settings. Tests construct theirs with their own clients."""

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
from chalicelib.store.aws.iam_needs import API, CANARY, SEND, on_secret
from chalicelib.web.auth.access_tokens import WrongKeys

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

__all__ = ["NEEDS", "Platform", "platform", "start", "wire"]

# Functions that only clean up check no tokens and decrypt no secrets. The canary makes itself a token; the sending of
# events decrypts the secrets that sign them.
NEEDS = (on_secret("token-keys", by=(API, CANARY)), on_secret("secret-keys", by=(API, SEND)), on_secret("launch-keys"))
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
    """Return a platform with these clients. By default, the clock is the machine's, and the other clients are AWS's."""
    read_keys = partial(_keys, secrets or (lambda: client("secretsmanager")))
    return Platform(settings, dynamo, s3, clock or _now, sqs or (lambda: client("sqs")), read_keys)


@cache
def platform() -> Platform:
    """Return the platform for this process's environment, constructed once. Raises WrongSetting."""
    settings = settings_module.read()
    return wire(settings, Dynamo(client("dynamodb")), lambda: client("s3"))


def start(environment: Mapping[str, str] = os.environ) -> None:
    """Initialize a function on Lambda: read its settings, start its logs and, for the API, read the token keys.

    Raises WrongSetting, with a sentence that names the missing or wrong setting. Lambda then sends no requests here.
    """
    from chalicelib.web import logs

    logs.start()
    here = platform()
    # Functions that only clean up have no permission to read keys.
    if environment.get("_HANDLER") == "app.app":
        name = f"ENGAWA_TOKEN_KEYS_{'FILE' if here.settings.token_keys_file else 'SECRET'}"
        try:
            here.keys.check()
        except WrongKeys as wrong:
            raise WrongSetting(f"{name} does not hold the token keys: {wrong}") from None
        except Unavailable as failed:
            raise WrongSetting(f"{name} cannot be read: {_reason(failed.__cause__)}") from None


@cache
def session() -> "Session":
    """Return the session of all clients. boto3 adds nothing that we use, and makes a cold start a sixth longer."""
    from chalicelib.store.aws.botocore_session import lean_session

    return lean_session()


def client(service: str) -> Any:
    """Return a new client of a service of AWS, in the region and with the endpoint of the environment."""
    from botocore.config import Config

    from chalicelib.store.aws.botocore_session import LEAN

    # A client waits for the whole request, and API Gateway waits for 29 seconds. A write without a response and the
    # read that checks its result must both time out before then.
    config = Config(
        connect_timeout=1,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=64,
        s3={"addressing_style": "path"},
        signature_version="s3v4" if service == "s3" else None,
    )
    if service == "dynamodb":
        config = config.merge(LEAN)
    # Clients of one session must not be created concurrently.
    with _making:
        made: Any = session().create_client(service, config=config)
    if service == "dynamodb":
        # botocore takes the result of the first handler of this event alone: there must be no other.
        made.meta.events.register("provide-client-params.dynamodb", _ask_for_capacity)
    return made


def _ask_for_capacity(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """Ask DynamoDB to return the consumed capacity; every operation in use supports it."""
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


def _keys(secrets: "Callable[[], SecretsManagerClient]", name: str, file: str | None, secret: str | None) -> str:
    """Return the text of keys. Their settings begin with `name`.

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
        text: str = secrets().get_secret_value(SecretId=str(secret))["SecretString"]
    except (BotoCoreError, ClientError, KeyError) as failed:
        log.error("%s_SECRET cannot be read: %s", name, _reason(failed))
        raise Unavailable from failed
    return text


def _reason(failed: BaseException | None) -> str:
    """Return why a fetch failed, without any of its content."""
    # If there was no response, botocore sets it to None.
    response: Any = getattr(failed, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(failed).__name__)


def _now() -> int:
    return time.time_ns() // 1_000_000
