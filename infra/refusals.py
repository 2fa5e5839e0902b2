"""The error that ends a deployment early: one sentence for the operator, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Refused(Exception):
    """A command that cannot continue. The message is a sentence with the reason and the remedy."""


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Turn errors of AWS's client, such as missing or wrong credentials, into Refused."""
    from botocore import exceptions

    try:
        yield
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
        raise Refused(
            "There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from None
    except exceptions.ProfileNotFound as error:
        raise Refused(f"{error}; set AWS_PROFILE to a profile in ~/.aws/config.") from None
    except exceptions.NoRegionError:
        raise Refused(
            "There is no AWS region: set region in engawa.toml or AWS_DEFAULT_REGION, such as ap-northeast-1."
        ) from None
    except exceptions.EndpointConnectionError as error:
        raise Refused(f"AWS cannot be reached: {error}") from None
    except exceptions.ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"):
            raise Refused(f"AWS does not accept these credentials ({code}): sign in again.") from None
        # AWS's own message also names the action and the resource that the policy does not allow.
        raise Refused(f"AWS refuses {error.operation_name} ({code}): {message}") from None
    except exceptions.BotoCoreError as error:
        raise Refused(f"The AWS client failed: {error}") from None
