"""The upload of the pages of `/docs` to the bucket of a stage, from which CloudFront serves them.

Each state of the pages has its own folder, named after its content: a release shows its pages at once, and a rollback
shows the earlier ones. Old folders stay, each with a few megabytes.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from infra.site import builder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PATHS = "/docs/"
"""CloudFront takes what is below this path from the bucket; other addresses of the pages come from the zip."""
KEPT = "public, max-age=300"
_WHOLE = "whole"
"""The object that is written last, so that an interrupted upload is repeated."""
_AT_A_TIME = 8


def folder() -> str:
    """Return the folder of the present pages in the bucket, without slashes at its ends."""
    return f"sites/{hashlib.sha256(builder.ARCHIVE.read_bytes()).hexdigest()[:32]}"


def upload(s3: S3Client, bucket: str) -> None:
    """Store the present pages, unless they are there already."""
    base = folder()
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{base}/{_WHOLE}", MaxKeys=1)
    if listed["KeyCount"]:
        return
    pages = builder.archived()

    def put(url: str) -> None:
        media_type, content = pages[url]
        s3.put_object(Bucket=bucket, Key=f"{base}{url}", Body=content, ContentType=media_type, CacheControl=KEPT)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        list(pool.map(put, [url for url in pages if url.startswith(PATHS)]))
    s3.put_object(Bucket=bucket, Key=f"{base}/{_WHOLE}", Body=b"")
