"""How failed sign-ins slow the next one down, for an account and for an address.

A few failures are free. After them every further one doubles the time until another try is looked at, from one second
up to a quarter of an hour. Only failures count; an hour without one forgets them all.
"""

from dataclasses import dataclass

ACCOUNT_FREE = 5
ADDRESS_FREE = 20
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
