"""The Persistence API: the bounds of its requests, from the table in the project's design."""

from collections.abc import Mapping
from functools import partial

from bench.noise import ascii_noise, key_noise, noise
from bench.row import Allowance, Bound, Requests, Row, Scenario
from bench.scenes import (
    FRIENDS,
    asking,
    cleaning,
    friend,
    friends,
    friends_list,
    full_ledger,
    ledger_fits,
    ledger_is_full,
    pairs,
    reading_own_values,
    window_is_full,
)
from bench.seed import Seeder
from chalicelib.core.limits import Limits
from local.in_process import HANA, ME, World

QUOTA = Limits.quota_bytes

_WRITE = Bound(calls=2, rru=1, wru=4, transactions=False)
_OWN = Bound(calls=1, rru=1, wru=0)
_OVERWRITE = Bound(calls=2, rru=1, wru=138)

_ASCII = pairs(99, 3600, ascii_noise)
_TIGHT = pairs(99, 3600)
_SMALL = {"level": "5", "greeting": "こんにちは"}
_LEFT = {"large": "縁側" * 600}
"""A value that the ledger does not store itself."""
_BLOB, _OTHER = noise(65_535, "one"), noise(65_535, "other")
_AROUND = {"blob": _BLOB} | full_ledger()
_RECORDS = '[{"id":%d,"name":"花子","score":%d,"items":["sword","shield"],"seen":"2010-11-02T10:42:57+09:00"},'
_JSON = "".join(_RECORDS % (turn, turn * 7919) for turn in range(1000)).encode()[:65_535].decode(errors="ignore")
"""A value as compressible as values of 64 KB usually are."""


def _mine(world: World, data: Mapping[str, str]) -> Seeder:
    """Install the app for Hana, with `data`."""
    seeder = Seeder(world)
    seeder.install(HANA)
    seeder.store(HANA, data)
    return seeder


def _write(data: Mapping[str, str], before: Mapping[str, str] | None = None, *, late: bool = False) -> Scenario:
    """Return a scenario: Hana stores `data`; `late`: as the last write that her window admits."""

    def scenario(world: World) -> Requests:
        seeder = _mine(world, before or {})
        if late:
            seeder.fill_window(HANA, but=1)
        return asking(world, "POST", body=data)

    return scenario


def _patch(world: World) -> Requests:
    _mine(world, pairs(20, 440) | {"coins": "100", "best": "5000", "log": '["lost"]'})
    changes = {"coins": {"add": "-30", "atLeast": "0"}, "best": {"max": "6150"}, "log": {"append": "won", "last": 10}}
    return asking(world, "PATCH", body=changes)


def _matched_write(world: World) -> Requests:
    _mine(world, _SMALL)
    etag = world.send("GET", ME).headers["etag"]
    return asking(world, "POST", body=_SMALL, headers={"If-Match": etag})


def _delete_all(world: World) -> Requests:
    """Delete all: the ledger has a list of the large values, small values and the longest window."""
    _mine(world, _values(153, 9_990_000) | {"one": noise(2500)}).fill_window(HANA, but=1)
    return asking(world, "DELETE")


def _sweep(world: World) -> Requests:
    _mine(world, _values(153, QUOTA))
    world.send("DELETE", ME)
    return partial(world.platform.appdata.sweep, 60)


def _read(data: Mapping[str, str], path: str = ME, *, status: int = 200) -> Scenario:
    """Return a scenario: Hana reads the part of her own data that `path` names."""

    def scenario(world: World) -> Requests:
        _mine(world, data)
        return asking(world, "GET", path, status=status)

    return scenario


def _read_full_ledger(world: World) -> Requests:
    _mine(world, full_ledger()).fill_window(HANA)
    return asking(world, "GET")


def _read_friend(world: World) -> Requests:
    friends(world, 1, _SMALL)
    return asking(world, "GET", f"/2/apps/appdata/{friend(0)}/@self")


def _read_friends(count: int, data: Mapping[str, str], fields: str = "") -> Scenario:
    def scenario(world: World) -> Requests:
        friends(world, count, data)
        return asking(world, "GET", FRIENDS, fields=fields)

    return scenario


def _rank_friends(count: int) -> Scenario:
    def scenario(world: World) -> Requests:
        friends(world, count, _SMALL)
        return asking(world, "GET", FRIENDS, fields="level", sortBy="level", includeSelf="true")

    return scenario


def _own_and_ledger(world: World) -> float:
    """Return the RRU of the ledger and the own values."""
    return 1 + reading_own_values(world)


def _friends(count: int, *, left: bool = False) -> Bound:
    """Return the bound: half a unit per friend, the list, and with `left` the values outside of the ledger."""

    def rru(world: World) -> float:
        return count * 0.5 + friends_list(world) + (reading_own_values(world) if left else 0)

    return Bound(calls=3 if left else 2, rru=rru, wru=0)


def _ranked(count: int) -> Bound:
    """Return the bound of a ranking: the read of the friends, and one strongly consistent read beside it."""
    return Bound(calls=2, rru=lambda world: count * 0.5 + friends_list(world) + 1, wru=0)


def _values(count: int, total: int) -> dict[str, str]:
    """Return `count` incompressible values of `total` bytes in all."""
    size, more = divmod(total, count)
    return {f"key{turn}": noise(size + (turn < more), turn) for turn in range(count)}


def _read_quota(count: int) -> Scenario:
    """Return a scenario: Hana reads `count` values that use up her quota."""

    def scenario(world: World) -> Requests:
        _mine(world, _values(count, QUOTA))
        return asking(world, "GET", status=303)

    return scenario


_MANY = 2_000
_ABSENT = ",".join(f"k{turn}" for turn in range(Limits.read_keys))


def _long_keys(count: int, size: int) -> dict[str, str]:
    """Return `count` values of `size` bytes, with keys so long that a ledger cannot list them."""
    return {key_noise(Limits.key_characters, turn): noise(size, turn) for turn in range(count)}


def _read_absent(count: int, size: int, names: int) -> Scenario:
    """Return a scenario: Hana, who has `count` unlisted values, reads `names` keys that she does not have."""

    def scenario(world: World) -> Requests:
        _mine(world, _long_keys(count, size))
        return asking(world, "GET", fields=",".join(_ABSENT.split(",")[:names]))

    return scenario


def _write_unlisted(world: World) -> Requests:
    """Delete as many keys as one request may name; each may be one that the ledger does not list."""
    _mine(world, _long_keys(40, 3_100))
    return asking(world, "DELETE", fields=",".join(_ABSENT.split(",")[: Limits.pairs]))


def _read_absent_of_friends(count: int, names: int) -> Scenario:
    """Return a scenario: each friend has unlisted values; reading all costs more than 4 look-ups and less than 100."""

    def scenario(world: World) -> Requests:
        friends(world, count, _long_keys(24, 3_100))
        return asking(world, "GET", FRIENDS, fields=",".join(_ABSENT.split(",")[:names]))

    return scenario


def _one_pass(world: World) -> float:
    """Return the RRU of the ledger and of one read of all own values: no more than reading each by itself."""
    return 1 + 2 * reading_own_values(world)


def _friends_and(count: int, units: float) -> Allowance:
    """Return the RRU of the list, a ledger per friend, `units` for look-ups, and a second read of the ledgers."""
    return lambda world: friends_list(world) + count * 0.5 + units + count


def _write_among(count: int, total: int) -> Scenario:
    """Return a scenario: Hana changes one key of `count - 1` and adds the next one."""

    def scenario(world: World) -> Requests:
        _mine(world, _values(count - 1, total))
        size = total // count
        return asking(world, "POST", body={"key7": noise(size, "new"), "next": noise(size, "next")})

    return scenario


ROWS = [
    Row(
        "check a token (refused at the selector)", Bound(0, 0, 0), _read({}, "/2/apps/appdata/@me/@nobody", status=403)
    ),
    Row("write 1 small pair, fresh", _WRITE, _write({"level": "5"}), (ledger_fits,)),
    Row("write 2 of 20 small pairs", _WRITE, _write(pairs(2, 44), pairs(20, 440)), (ledger_fits,)),
    Row("write 99 pairs of 20 bytes", _WRITE, _write(pairs(99, 1980)), (ledger_fits,)),
    Row("write 99 pairs, 3,600 bytes of ASCII", _WRITE, _write(_ASCII), (ledger_fits,)),
    Row(
        "write 99 pairs, 3,600 bytes of ASCII, full window",
        _WRITE,
        _write(_ASCII, late=True),
        (ledger_fits, window_is_full),
    ),
    Row("write 99 pairs, 3,600 bytes undeflatable", _WRITE, _write(_TIGHT), (ledger_fits,)),
    Row(
        "write 99 pairs, 3,600 bytes undeflatable, full window",
        _WRITE,
        _write(_TIGHT, late=True),
        (ledger_fits, window_is_full),
    ),
    Row("change 3 of 20 small values by PATCH", _WRITE, _patch, (ledger_fits,)),
    Row("write with If-Match", _WRITE, _matched_write, (ledger_fits,)),
    Row("read own data", _OWN, _read(_SMALL)),
    Row("read own data, full ledger", _OWN, _read_full_ledger, (ledger_is_full, window_is_full)),
    Row("read @usage", _OWN, _read(_SMALL, "/2/apps/appdata/@me/@usage")),
    Row("read a friend's @self", Bound(1, 1.5, 0), _read_friend),
    Row("read 100 friends", _friends(100), _read_friends(100, _SMALL)),
    Row("read 100 friends, one key", _friends(100), _read_friends(100, _SMALL, fields="level")),
    Row("read 100 friends, full ledgers", _friends(100), _read_friends(100, full_ledger())),
    Row("read 100 friends, a value that left the ledger", _friends(100, left=True), _read_friends(100, _SMALL | _LEFT)),
    Row("rank 100 friends and oneself", _ranked(100), _rank_friends(100)),
    Row("read 1,000 friends", _friends(1000), _read_friends(1000, _SMALL)),
    Row("read 1,000 friends, one key", _friends(1000), _read_friends(1000, _SMALL, fields="level")),
    Row(
        "read 1,000 friends, a value that left the ledger",
        _friends(1000, left=True),
        _read_friends(1000, _SMALL | _LEFT),
    ),
    Row("overwrite 64 KB", _OVERWRITE, _write({"blob": _OTHER}, {"blob": _BLOB}), (ledger_fits,)),
    Row(
        "overwrite 64 KB, full ledger",
        _OVERWRITE,
        _write({"blob": _OTHER}, _AROUND, late=True),
        (ledger_is_full, window_is_full),
    ),
    Row("overwrite 64 KB of JSON", Bound(), _write({"blob": _JSON}, {"blob": _JSON})),
    Row("delete everything, 10 MB", Bound(calls=2, rru=1, wru=10), _delete_all),
    Row("sweep after deleting 10 MB", Bound(wru=cleaning), _sweep),
    Row("read 10 MB in 153 values", Bound(3, _own_and_ledger, 0), _read_quota(153)),
    Row("read 10 MB in 5,000 values", Bound(), _read_quota(5000)),
    Row("read 1,000 keys that are not there", Bound(3, _one_pass, 0), _read_absent(40, 3_100, Limits.read_keys)),
    Row(
        "read 100 keys that are not there, beside 2,000 empty values",
        Bound(3, 100 + 2, 0),
        _read_absent(_MANY, 0, 100),
    ),
    Row(
        "read 3 keys that are not there, of 20 friends",
        Bound(4, _friends_and(20, 60), 0),
        _read_absent_of_friends(20, 3),
    ),
    Row(
        "read 1,000 keys that are not there, of 20 friends",
        Bound(3, lambda world: friends_list(world) + 10 + 2 * reading_own_values(world), 0),
        _read_absent_of_friends(20, Limits.read_keys),
    ),
    Row("delete 99 keys that are not there", Bound(calls=3, rru=_one_pass, wru=4), _write_unlisted, (ledger_fits,)),
    Row("write 2 of 5,000 keys of 2 KB", Bound(), _write_among(5000, 9_990_000), (ledger_fits,)),
    Row("write 2 of 10,000 keys of 20 bytes", Bound(), _write_among(10_000, 200_000), (ledger_fits,)),
]
