"""Delays after failed sign-ins: for a known browser, otherwise for an account and for an address.

A few failures cause no delay. Each further failure doubles the time until the next attempt is checked, from one second
up to a quarter of an hour. Only failures count. After an hour without a failure, all are forgotten.

A browser in which a user has signed in gets a device cookie (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). Its attempts for that login name have their own counter, so strangers who fail on purpose do not delay it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

ACCOUNT_FREE = 5
ADDRESS_FREE = 20
DEVICE_FREE = 5
DEVICE_MARKS = 4
"""The number of users that a device cookie names: the latest users of the browser."""
LONGEST_SECONDS = 900
FORGET_SECONDS = 3600


@dataclass(frozen=True)
class Failures:
    """The number of failed sign-ins, and the time of the last failure (ms)."""

    count: int = 0
    at: int = 0

    def wait(self, now: int, free: int) -> int:
        """Return the whole seconds until the next attempt is checked; 0 means at once."""
        if self.count < free or self._forgotten(now):
            return 0
        delay: int = min(LONGEST_SECONDS, 2 ** min(self.count - free, 10)) * 1000
        return max(0, -(-(self.at + delay - now) // 1000))

    def one_more(self, now: int) -> "Failures":
        """Return the failures with one more at `now`."""
        return Failures(1 if self._forgotten(now) else self.count + 1, now)

    def _forgotten(self, now: int) -> bool:
        return now - self.at >= FORGET_SECONDS * 1000


@dataclass(frozen=True)
class Device:
    """A browser in which users have signed in: its id, and a mark for each of these users, the latest first."""

    id: str
    marks: tuple[str, ...] = ()

    def knows(self, mark: str) -> bool:
        """Return whether the user with this mark has signed in here."""
        return mark in self.marks

    def with_mark(self, mark: str, instead_of: Iterable[str]) -> "Device":
        """Return the device after a sign-in, without the marks in `instead_of` and the oldest beyond DEVICE_MARKS."""
        rest = [each for each in self.marks if each not in {mark, *instead_of}]
        return Device(self.id, (mark, *rest)[:DEVICE_MARKS])


def mark_of(device: str, login: str, password_hash: str) -> str:
    """Return the mark of a login name and its stored password hash in a device.

    A new password makes the mark invalid, so a person who knew the old one cannot use old cookies to guess the new one.
    Each device has a different mark, and the mark does not reveal the name.
    """
    # None of the three contains a line break.
    return hashlib.sha256(f"{device}\n{login}\n{password_hash}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def network(address: str) -> str:
    """Return the part of an address that one person has: all of IPv4, the first 64 bits of IPv6.

    Return the first 64 characters of a text that is not an address.
    """
    from ipaddress import IPv6Address, ip_address, ip_network

    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else parsed)
