"""How failed sign-ins slow the next one down: for a browser that is known, else for an account and for an address.

A few failures are free. After them every further one doubles the time until another try is looked at, from one second
up to a quarter of an hour. Only failures count; an hour without one forgets them all.

A browser in which a user has signed in keeps a device cookie (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). Its tries for that login name have a counter of their own, so strangers who fail on purpose do not slow it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

ACCOUNT_FREE = 5
ADDRESS_FREE = 20
DEVICE_FREE = 5
DEVICE_MARKS = 4
"""How many people of one browser a device cookie names: the latest."""
LONGEST_SECONDS = 900
FORGET_SECONDS = 3600


@dataclass(frozen=True)
class Failures:
    """How many sign-ins have failed, and when the last one did (ms)."""

    count: int = 0
    at: int = 0

    def wait(self, now: int, free: int) -> int:
        """Whole seconds until the next try is looked at; 0: at once."""
        if self.count < free or self._forgotten(now):
            return 0
        delay: int = min(LONGEST_SECONDS, 2 ** min(self.count - free, 10)) * 1000
        return max(0, -(-(self.at + delay - now) // 1000))

    def one_more(self, now: int) -> "Failures":
        """With a failure now."""
        return Failures(1 if self._forgotten(now) else self.count + 1, now)

    def _forgotten(self, now: int) -> bool:
        return now - self.at >= FORGET_SECONDS * 1000


@dataclass(frozen=True)
class Device:
    """A browser in which people have signed in: an id of its own, and a mark of each of them, the latest first."""

    id: str
    marks: tuple[str, ...] = ()

    def knows(self, mark: str) -> bool:
        """Whether the one with that mark has signed in here."""
        return mark in self.marks

    def with_mark(self, mark: str, instead_of: Iterable[str]) -> "Device":
        """The device after a sign-in; marks that it replaces are dropped, and the oldest beyond DEVICE_MARKS."""
        rest = [each for each in self.marks if each not in {mark, *instead_of}]
        return Device(self.id, (mark, *rest)[:DEVICE_MARKS])


def mark_of(device: str, login: str, password_hash: str) -> str:
    """The mark of a login name and its stored password hash in a device.

    It ends with the password: who has known an older one cannot go on guessing by cookies of that time. It is no two
    devices' own, and tells nobody the name.
    """
    # None of the three has a line break in it.
    return hashlib.sha256(f"{device}\n{login}\n{password_hash}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def network(address: str) -> str:
    """The part of an address that one person has: all of IPv4, the first 64 bits of IPv6; other text as it is."""
    from ipaddress import IPv6Address, ip_address, ip_network

    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else parsed)
