"""The items of endpoints.

An endpoint's item has `u` URL, `k` kinds, `x` sealed secrets (newest first), `c` created, `r` the time of the last
rotation, `off` the reason for which it is switched off with its time `t`, and `f` the time (ms) since which it fails.
"""

from chalicelib.core.events import Endpoint, EventKind
from chalicelib.store.aws.items import Item
from chalicelib.store.directory import keys
from chalicelib.store.directory.secret_sealing import SecretSealing

LIST = "endpoints"

_TIMES = {"disabled": "t", "failing": "f", "rotated": "r"}


class EndpointItems:
    """Converts endpoints to items and back; `seals` encrypts their secrets."""

    def __init__(self, seals: SecretSealing) -> None:
        self._seals = seals

    def to_item(self, one: Endpoint) -> Item:
        """Return the item of an endpoint that was read with its secrets."""
        item = keys.row(keys.of_app(one.app, keys.ENDPOINT, one.id), LIST) | {
            "u": {"S": one.url},
            "k": {"SS": sorted(each.value for each in one.kinds)},
            "x": {"L": [{"S": self._seals.seal(each)} for each in one.secrets]},
            "c": {"N": str(one.created)},
        }
        if one.off:
            item["off"] = {"S": one.off}
        times = {attribute: getattr(one, name) for name, attribute in _TIMES.items()}
        return item | {attribute: {"N": str(time)} for attribute, time in times.items() if time is not None}

    def from_item(self, item: Item, *, with_secrets: bool = True) -> Endpoint:
        """Return the endpoint of an item. Raises Sealed if no key opens its secrets."""
        return Endpoint(
            id=keys.named(item),
            app=keys.named(item, "pk"),
            url=item["u"]["S"],
            kinds=frozenset(map(EventKind, item["k"]["SS"])),
            secrets=tuple(self._seals.open(each["S"]) for each in item["x"]["L"]) if with_secrets else (),
            off=item["off"]["S"] if "off" in item else "",
            created=int(item["c"]["N"]),
            has_old_secret=len(item["x"]["L"]) > 1,
            **{name: int(item[attribute]["N"]) for name, attribute in _TIMES.items() if attribute in item},
        )
