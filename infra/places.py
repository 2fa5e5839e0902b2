"""The bucket from which CloudFormation reads the zip and the template.

Old files stay: a stack that rolls back reads them again, however old they are.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def taken_by_another(s3: S3Client, bucket: str) -> bool:
    """Return whether another account owns a bucket of this name."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] in (301, 403)
    return False


def exists(s3: S3Client, bucket: str) -> bool:
    """Return whether this account has a bucket of this name. Raises Refused if the name is taken."""
    if taken_by_another(s3, bucket):
        raise Refused(f"The bucket name {bucket} is already taken.")
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def ensure_bucket(s3: S3Client, bucket: str, region: str) -> None:
    """Create the bucket if it does not exist, private and for TLS only. Raises Refused if the name is taken."""
    taken = Refused(f"The bucket name {bucket} is already taken; DEPLOY_BUCKET=… make deploy uses another.")
    if taken_by_another(s3, bucket):
        raise taken
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass
    except s3.exceptions.BucketAlreadyExists:
        raise taken from None
    # Each time, so that the next run completes a run that was interrupted here.
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)  # type: ignore[arg-type]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_only_tls(bucket)))


def upload(s3: S3Client, bucket: str, path: Path, stage: str) -> str:
    """Upload a file under a key derived from its content; return the key. The same content has the same key."""
    body = path.read_bytes()
    key = f"{stage}/{path.stem}-{hashlib.sha256(body).hexdigest()[:32]}{path.suffix}"
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return key


def _only_tls(bucket: str) -> dict[str, Any]:
    partition = "arn:aws:s3:::"
    statement = {
        "Sid": "OnlyTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"{partition}{bucket}", f"{partition}{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
