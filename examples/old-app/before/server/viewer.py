"""The viewer of a request: mixi adds the id to requests of the gadget (makeRequest), and signs them with RSA-SHA1."""

import base64
import hashlib
import urllib.parse

SERVER = "http://hitokoto.example"
MODULUS = int("c0ffee", 16)  # of the certificate that mixi published
SHA1 = bytes.fromhex("3021300906052b0e03021a05000414")


def escape(text):
    return urllib.parse.quote(text, safe="-._~")


def of(environ, query, session):
    """Return the viewer's id, or None if the signature is wrong."""
    pairs = sorted((escape(name), escape(value)) for name, value in query.items() if name != "oauth_signature")
    url = SERVER + environ["PATH_INFO"]
    text = "&".join(escape(part) for part in ("GET", url, "&".join("%s=%s" % pair for pair in pairs)))
    # PKCS #1 v1.5: padding, the name of the hash, the hash.
    end = SHA1 + hashlib.sha1(text.encode()).digest()
    size = (MODULUS.bit_length() + 7) // 8
    wanted = b"\x00\x01" + b"\xff" * (size - len(end) - 3) + b"\x00" + end
    signature = int.from_bytes(base64.b64decode(query.get("oauth_signature", "")), "big")
    found = pow(signature, 65537, MODULUS).to_bytes(size, "big")
    return query.get("opensocial_viewer_id") if found == wanted else None
