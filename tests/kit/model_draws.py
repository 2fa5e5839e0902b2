"""The strategies of the model test. They draw valid values more often than values that are refused.

People, apps and pages are small numbers. `some` picks among the things that exist at that moment.
"""

from hypothesis import strategies as st

from tests.kit.noise import noise
from tests.model.answers import Face
from tests.model.contents import BODY, COMMENT, TITLE
from tests.model.people import ALL, BASIC, OWN, PUBLISHED, SHARED


class Text(str):
    """A text with a short `repr`."""

    def __repr__(self) -> str:
        return super().__repr__() if len(self) < 20 else f"<{len(self)} of {self[:4]}>"


who = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3])
which_app = st.sampled_from([0] * 9 + [1])
which_page = st.sampled_from([0, 0, 0, 1])
token = st.tuples(who, which_app, who)
"""Viewer, app and owner."""
own_token = st.tuples(who, which_app)
"""Viewer and app."""
some = st.integers(0, 1000)
seldom = st.sampled_from([False, False, False, True])
mostly = st.sampled_from([True, True, True, False])
face = st.sampled_from(Face)
not_rpc = st.sampled_from([Face.TWO, Face.OS])
whose = st.sampled_from(["viewer", "viewer", "viewer", "owner", "owner", 0, 1])
several = st.lists(who, min_size=1, max_size=3, unique=True)

_key = st.sampled_from(["level", "score", "a", "b.c", "d-e", "_f", "0"])
keys = st.none() | st.frozensets(_key, min_size=1, max_size=3)
_values = ["", "6", "縁側", noise(1_000), noise(3_000, 1), noise(3_501, 2), noise(3_500, 3), "x" * 5_000]
_pairs = st.dictionaries(_key, st.sampled_from([*map(Text, _values)]), min_size=1, max_size=3)
_bad_pairs = st.sampled_from(
    [{}, [], {"a b": "1"}, {"": "1"}, {"a": 1}, {"a": None}, {"b": Text("x" * 65_536)}]
    + [{f"k{turn}": "" for turn in range(number)} for number in (99, 100)]
)
pairs = st.integers(0, 9).flatmap(lambda dice: _pairs if dice else _bad_pairs)
writes = st.lists(pairs, min_size=1, max_size=4)
_number = st.sampled_from(["0", "1", "-7", "12", "9" * 17])
_change: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.fixed_dictionaries({"set": st.sampled_from(["", "6", "縁側", "[]"])}),
    st.just({"delete": True}),
    st.fixed_dictionaries(
        {"add": st.sampled_from(["1", "-7", "12"])}, optional={"atLeast": st.just("-9"), "atMost": _number}
    ),
    st.fixed_dictionaries({"max": _number}),
    st.fixed_dictionaries({"min": _number}),
    st.fixed_dictionaries({"append": st.sampled_from(["", "花"])}, optional={"last": st.integers(1, 3)}),
).flatmap(lambda change: st.just(change) | st.sampled_from([{**change, "if": each} for each in (None, "6", "1")]))
changes = st.dictionaries(_key, _change, min_size=1, max_size=3)
demand = st.tuples(
    st.sampled_from(["If-Match", "If-None-Match"]), st.sampled_from(["current", "current", "any", "old", "never"]), some
)

fields = st.lists(st.sampled_from([*BASIC, *PUBLISHED, *SHARED, *OWN, ALL, "status"]), max_size=4, unique=True)
publication = st.dictionaries(
    st.sampled_from(["address", "birthday", "age", "gender"]),
    st.sampled_from(["everyone", "friendsOfFriends", "friends", "nobody"]),
)
title = st.sampled_from(["Open today", "題"] * 4 + [Text("t" * TITLE), "", Text("t" * (TITLE + 1))])
body = st.sampled_from(["", "<b>本文</b>"] * 4 + [Text("b" * BODY), Text("b" * (BODY + 1))])
text = st.sampled_from(["きれい", "c"] * 4 + [" ", Text("c" * COMMENT), "", Text("c" * (COMMENT + 1))])
which_uri = st.sampled_from([0, 0, 0, 1, 2])
"""Indexes into URIS, mostly of the same one, so that feeds of different users collide."""
uri = st.sampled_from([0, 0, 0, 1, 2, 3, 4])
