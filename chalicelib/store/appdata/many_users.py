"""Collecting what several users have in one app, within bounds on the bytes and the pairs of one answer."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.errors import TooLarge
from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.appdata.snapshot import AskedKeys, Values, asked_bytes, is_vague, lookups, unlisted_keys
from chalicelib.store.aws.side_by_side import WORKERS, side_by_side


def gather(
    values: Values,
    ledgers: Iterable[Ledger],
    keys: AskedKeys,
    *,
    most: int,
    most_pairs: int,
    most_lookups: int,
    reread: Callable[[str], dict[str, str] | None],
) -> dict[str, dict[str, str]]:
    """The asked values of the users with these ledgers, each user's as of one moment.

    `reread` reads one user's again where other writes tore them apart; None: they have uninstalled the app meanwhile,
    and are absent. Raises TooLarge for more than `most` bytes of values, for more than `most_pairs`, of which empty
    values make no bytes, and for more than `most_lookups` read units to find keys that ledgers do not list.
    """
    known = _within(ledgers, keys, most_pairs)

    def check(size: int) -> None:
        if size > most:
            raise TooLarge(f"The users' data are too large for one answer (max={most})")

    def collect(ledger: Ledger) -> dict[str, str] | None:
        data = values.collect(ledger, keys, consistent=False)
        return data if data is not None else reread(ledger.user)

    check(sum(asked_bytes(ledger, keys) for ledger in known))
    if sum(lookups(ledger, keys) for ledger in known) > most_lookups:
        raise TooLarge(f"Too many keys are to be looked up for so many users (max={most_lookups}); name fewer")
    values.prefetch(known, keys)
    data: dict[str, dict[str, str]] = {}

    def keep(found: Iterable[tuple[str, dict[str, str] | None]]) -> None:
        data.update((user, each) for user, each in found if each is not None)

    keep((ledger.user, collect(ledger)) for ledger in known if not is_vague(ledger, keys))
    vague = [ledger for ledger in known if is_vague(ledger, keys)]
    for start in range(0, len(vague), WORKERS):
        # Such a ledger cannot tell how much is coming: a few users at a time, and count.
        part = vague[start : start + WORKERS]
        found = side_by_side([partial(collect, ledger) for ledger in part])
        keep(zip((ledger.user for ledger in part), found, strict=True))
        check(sum(utf8_bytes(value) for each in data.values() for value in each.values()))
    return data


def _within(ledgers: Iterable[Ledger], keys: AskedKeys, most_pairs: int) -> list[Ledger]:
    """The ledgers with what is asked of them, unpacked one by one, so that too many pairs are never there at once."""
    known, pairs = [], 0
    for ledger in ledgers:
        unlisted = ledger.unlisted
        if keys is not None:
            unlisted = min(unlisted, len(unlisted_keys(ledger, keys)))
            inline = {key: value for key, value in ledger.inline.items() if key in keys}
            listed = {key: value for key, value in ledger.listed.items() if key in keys}
            pairs += len(inline) + len(listed) + unlisted
            # Whoever reads all at once compares their number with what the ledger lists.
            ledger = replace(ledger, inline=inline, listed=ledger.listed if unlisted else listed)
        else:
            pairs += len(ledger.inline) + len(ledger.listed) + unlisted
        if pairs > most_pairs:
            raise TooLarge(f"The users' data are too many pairs for one answer (max={most_pairs})")
        known.append(ledger)
    return known
