"""The numbers of the Persistence API ("Usage limitations" of its page, and docs/internals/decisions.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one user may store in one app, and what one request may carry. Bytes are UTF-8 bytes.

    The defaults are the original's; a deployment may set those that chalicelib/settings.py names.
    """

    pairs: int = 99
    """Key/value pairs one write may carry, and keys one DELETE may name."""
    key_characters: int = 255
    value_bytes: int = 65_535
    request_bytes: int = 3_800_000
    """Sum of the values of one write: what fits one DynamoDB transaction of 4 MB with its overhead."""
    quota_bytes: int = 10_000_000
    """Sum of all values of one user in one app."""
    keys: int = 10_000
    """Keys of one user in one app; empty values cost no quota, so something else must bound them."""
    writes: int = 180
    """Accepted writes and deletes in any `window_ms`, per user and app."""
    window_ms: int = 180_000
    friends_bytes: int = 20_000_000
    """Sum of the values that one read of @friends may have to carry."""
    read_keys: int = 1_000
    """Keys that one read may name."""
    friends_lookups: int = 5_000
    """Values outside of their ledgers that one read of several users may look up, whether they exist or not."""
    friends_pairs: int = 200_000
    """Pairs that it may have to carry: empty values are no bytes, and each pair takes memory."""
