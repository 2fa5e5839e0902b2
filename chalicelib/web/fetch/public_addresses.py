"""The addresses that the server may connect to on behalf of others: only those of the public Internet.

Sources: IANA's special-purpose address registries (RFC 6890), and the addresses of cloud metadata services.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

LOOPBACK: frozenset[Address] = frozenset((IPv4Address("127.0.0.1"), IPv6Address("::1")))
"""The addresses that a local platform may also fetch from."""

_GLOBAL_V6 = IPv6Network("2000::/3")
"""All global unicast addresses; mapped, compatible, NAT64, local and multicast addresses are outside."""
_FORBIDDEN_V6 = [
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]
_FORBIDDEN_V4 = [
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT; a metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a metadata service with a public address
        "169.254.0.0/16",  # link-local; metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; a metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]


def parsed(text: str) -> Address:
    """Return the address in a text of the resolver. Raises ValueError."""
    return ip_address(text)


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public Internet."""
    if isinstance(address, IPv4Address):
        return not any(address in each for each in _FORBIDDEN_V4)
    return address in _GLOBAL_V6 and address.scope_id is None and not any(address in each for each in _FORBIDDEN_V6)
