"""Collection of the data of several users in one app, with limits on the bytes and pairs of one response."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.errors import TooLarge
from chalicelib.store.appdata.ledger import AskedKeys, Ledger
from chalicelib.store.appdata.snapshot import (
    Values,
    asked_bytes,
    inline_values,
    is_vague,
    listed_keys,
    lookups,
    unlisted_bytes,
    unlisted_keys,
)
from chalicelib.store.aws.side_by_side import side_by_side


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
    """Return the requested values of the users with these ledgers, by user, each user's as of one moment.

    The ledgers may be unpacked for these keys only. `reread` reads one user's values again if concurrent writes made
    them inconsistent; if it returns None, the user has uninstalled the app meanwhile and is left out. Raises TooLarge
    for more than `most` bytes of values, for more than `most_pairs` pairs (empty values have no bytes), and for more
    than `most_lookups` own values to look up, whether they exist or not.
    """
    data, others = _within(ledgers, keys, most_pairs)

    def check(size: int) -> None:
        if size > most:
            raise TooLarge(f"The users' data are too large for one answer (max={most})")

    check(_bytes(data) + sum(asked_bytes(ledger, keys) for ledger in others))
    if sum(lookups(ledger, keys) for ledger in others) > most_lookups:
        raise TooLarge(f"Too many keys for so many users (max={most_lookups} lookups); name fewer")
    for part in _parts(others, keys, most):
        users, found = [ledger.user for ledger in part], values.collect_all(part, keys, consistent=False)
        torn = [user for user, each in zip(users, found, strict=True) if each is None]
        again = dict(zip(torn, side_by_side([partial(reread, user) for user in torn]), strict=True))
        read = {user: again.get(user) if each is None else each for user, each in zip(users, found, strict=True)}
        data.update((user, each) for user, each in read.items() if each is not None)
        check(_bytes(data))
    return data


def _parts(ledgers: Iterable[Ledger], keys: AskedKeys, most: int) -> Iterator[list[Ledger]]:
    """Yield groups of ledgers to read in parallel: first those that list all requested values, then the others.

    The size of the others' values is not known beforehand. The bytes that one group can have are limited, so that they
    fit into memory before they are counted.
    """
    known: list[Ledger] = []
    part: list[Ledger] = []
    coming = 0
    vague: list[Ledger] = []
    for ledger in ledgers:
        (vague if is_vague(ledger, keys) else known).append(ledger)
    if known:
        yield known
    for ledger in vague:
        size = unlisted_bytes(ledger, keys)
        if part and coming + size > most:
            yield part
            part, coming = [], 0
        part.append(ledger)
        coming += size
    if part:
        yield part


def _within(
    ledgers: Iterable[Ledger], keys: AskedKeys, most_pairs: int
) -> tuple[dict[str, dict[str, str]], list[Ledger]]:
    """Return the values of the users whose ledgers contain all requested ones, and the other users' ledgers.

    The ledgers are unpacked one by one to limit the pairs in memory.
    """
    data: dict[str, dict[str, str]] = {}
    others: list[Ledger] = []
    pairs = 0
    for ledger in ledgers:
        inline, listed = inline_values(ledger, keys), listed_keys(ledger, keys)
        pairs += len(inline) + len(listed)
        if ledger.unlisted:
            pairs += ledger.unlisted if keys is None else min(ledger.unlisted, len(unlisted_keys(ledger, keys)))
        if pairs > most_pairs:
            raise TooLarge(f"The users' data have too many pairs for one answer (max={most_pairs})")
        if listed or ledger.unlisted:
            others.append(ledger)
        else:
            data[ledger.user] = inline
    return data, others


def _bytes(data: Mapping[str, Mapping[str, str]]) -> int:
    return sum(utf8_bytes(value) for each in data.values() for value in each.values())
