"""The limits of friends and of the Persistence API (its page, and docs/internals/decisions.md)."""

from dataclasses import dataclass

MOST_FRIENDS = 1_000
"""The maximum number of friends of a user."""


@dataclass(frozen=True)
class Limits:
    """The limits of a user's data in one app, and of one request. Bytes are UTF-8 bytes.

    The defaults are those of the original API. A deployment may set the limits that chalicelib/settings.py names.
    """

    pairs: int = 99
    """Key/value pairs in one write, and keys in one DELETE."""
    key_characters: int = 255
    value_bytes: int = 65_535
    request_bytes: int = 3_800_000
    """Sum of the values in one write. With its overhead, it fits into one DynamoDB transaction of 4 MB."""
    quota_bytes: int = 10_000_000
    """Sum of all values of one user in one app."""
    keys: int = 10_000
    """Keys of one user in one app. Empty values use no quota, so the number of keys needs its own limit."""
    writes: int = 180
    """Accepted writes and deletes in any period of `window_ms`, per user and app."""
    window_ms: int = 180_000
    friends_bytes: int = 20_000_000
    """Sum of the values in the response to one read of @friends."""
    read_keys: int = 1_000
    """Keys in one read."""
    friends_lookups: int = 5_000
    """Values outside of their ledgers that one read of several users may look up, found or not."""
    friends_pairs: int = 200_000
    """Pairs in the response to such a read. Empty values have no bytes, but each pair uses memory."""
