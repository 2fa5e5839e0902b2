"""What the model test draws. Some things come more often than others, so that windows, quotas and races are reached."""

from hypothesis import strategies as st

from tests.integration.deeds import noise
from tests.model.answers import Face
from tests.model.contents import BODY, COMMENT, TITLE
from tests.model.people import ALL, BASIC, OWN, PUBLISHED

who = st.sampled_from([0, 0, 0, 1, 1, 2, 3])
which_app = st.sampled_from([0, 0, 0, 0, 1])
which_page = st.sampled_from([0, 0, 1])
some = st.integers(0, 1000)
face = st.sampled_from(Face)
key = st.sampled_from(["level", "score", "a", "b.c", "d-e", "_f", "0"])
keys = st.none() | st.frozensets(key, min_size=1, max_size=3)
value = st.sampled_from(["", "6", "縁側", noise(1_000), noise(2_999, 1), noise(3_500, 2), noise(3_501, 3), "x" * 5_000])
pairs = st.dictionaries(key, value, min_size=1, max_size=3)
bad_pairs = st.sampled_from(
    [{}, [], {"a b": "1"}, {"": "1"}, {"a": 1}, {"a": None}, {"b": "x" * 65_536}]
    + [{f"k{turn}": "" for turn in range(number)} for number in (99, 100)]
)
demand = st.none() | st.none() | st.tuples(st.sampled_from(["If-Match", "If-None-Match"]), some)
field = st.sampled_from([*BASIC, *PUBLISHED, *OWN, ALL, "status"])
fields = st.lists(field, max_size=4, unique=True)
publication = st.sampled_from(["everyone", "friendsOfFriends", "friends", "nobody"])
title = st.sampled_from(["Open today", "題", "t" * TITLE, "", "t" * (TITLE + 1)])
body = st.sampled_from(["", "<b>本文</b>", "b" * BODY, "b" * (BODY + 1)])
text = st.sampled_from(["きれい", "c", " ", "c" * COMMENT, "", "c" * (COMMENT + 1)])
