"""Answers that Lambda cannot carry: who has the URL may read it, for five minutes, and nobody can guess it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config

from chalicelib.store.answers import Answers
from tests.integration.conftest import BUCKET, World


def test_an_answer_is_at_a_signed_url_of_its_own(world: World) -> None:
    client = boto3.client("s3", region_name="ap-northeast-1", config=Config(signature_version="s3v4"))
    one, other = (Answers(lambda: client, BUCKET).keep(b"{}", "application/json; charset=utf-8") for _ in range(2))
    parts = urlsplit(one)
    signed = parse_qs(parts.query)

    assert signed["X-Amz-Expires"] == ["300"]
    assert signed["X-Amz-Signature"]
    # 24 random bytes: nobody finds another's by trying.
    folder, _, name = parts.path.rpartition("/")
    assert folder.endswith("/answers")
    assert len(name) == 32
    assert parts.path != urlsplit(other).path
    stored = world.s3.get_object(Bucket=BUCKET, Key=f"answers/{name}")
    assert (stored["ContentType"], stored["CacheControl"]) == ("application/json; charset=utf-8", "private, no-store")
