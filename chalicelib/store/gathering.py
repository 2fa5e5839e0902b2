"""Collecting what several users have in one app, within a bound on the bytes of one answer."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.errors import TooLarge
from chalicelib.store.fanout import WORKERS, side_by_side
from chalicelib.store.ledger import Ledger
from chalicelib.store.values import Keys, Values, asked_bytes, is_vague


def gather(
    values: Values,
    ledgers: Mapping[str, Ledger],
    keys: Keys,
    *,
    most: int,
    reread: Callable[[str], dict[str, str] | None],
) -> dict[str, dict[str, str]]:
    """The asked values of the users with these ledgers, each user's as of one moment.

    `reread` reads one user's again where other writes tore them apart; None: they have uninstalled the app meanwhile,
    and are absent. Raises TooLarge for more than `most` bytes.
    """

    def check(size: int) -> None:
        if size > most:
            raise TooLarge(f"The users' data are too large for one answer (max={most})")

    def collect(ledger: Ledger) -> dict[str, str] | None:
        data = values.collect(ledger, keys, consistent=False)
        return data if data is not None else reread(ledger.user)

    check(sum(asked_bytes(ledger, keys) for ledger in ledgers.values()))
    values.prefetch(ledgers.values(), keys)
    data: dict[str, dict[str, str]] = {}

    def keep(found: Iterable[tuple[str, dict[str, str] | None]]) -> None:
        data.update((user, each) for user, each in found if each is not None)

    keep((user, collect(ledger)) for user, ledger in ledgers.items() if not is_vague(ledger, keys))
    vague = [ledger for ledger in ledgers.values() if is_vague(ledger, keys)]
    for start in range(0, len(vague), WORKERS):
        # Such a ledger cannot tell how much is coming: a few users at a time, and count.
        part = vague[start : start + WORKERS]
        found = side_by_side([partial(collect, ledger) for ledger in part])
        keep(zip((ledger.user for ledger in part), found, strict=True))
        check(sum(utf8_bytes(value) for each in data.values() for value in each.values()))
    return data
