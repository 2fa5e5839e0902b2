"""Verifies launches of page apps, using only RFC 5849, as an app does."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1


def encoded(text: str) -> str:
    """Return text percent-encoded by RFC 5849 §3.6."""
    return quote(text, safe="~")


def verify(location: str, pem: str, method: str = "GET", fields: Iterable[tuple[str, str]] = ()) -> None:
    """Check the signature of a launch and its form fields (RFC 5849 §3.4.1 and §3.4.3). Raises InvalidSignature."""
    parts = urlsplit(location)
    sent = [*parse_qsl(parts.query, keep_blank_values=True), *fields]
    (signature,) = [value for name, value in sent if name == "oauth_signature"]
    pairs = sorted((encoded(name), encoded(value)) for name, value in sent if name != "oauth_signature")
    port = "" if parts.port in (None, {"https": 443, "http": 80}[parts.scheme]) else f":{parts.port}"
    address = f"{parts.scheme}://{parts.hostname}{port}{parts.path or '/'}"
    base = "&".join(map(encoded, [method, address, "&".join(f"{name}={value}" for name, value in pairs)]))
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(b64decode(signature), base.encode(), padding.PKCS1v15(), SHA1())
