"""Bodies of forms with a file."""

from __future__ import annotations

from collections.abc import Mapping


def multipart(fields: Mapping[str, str], name: str, content: bytes) -> tuple[str, bytes]:
    """Return the content type and the body of a form with fields and one file."""
    boundary = "boundary-of-a-test"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{each}"\r\n\r\n{value}\r\n'.encode()
        for each, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'.encode()
    return f"multipart/form-data; boundary={boundary}", b"".join(
        [*parts, head, content, f"\r\n--{boundary}--\r\n".encode()]
    )
