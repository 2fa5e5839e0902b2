"""Friendships of one import request are carried out in rounds in which no two of them meet."""

from hypothesis import given
from hypothesis import strategies as some

from chalicelib.core.bulk import rounds

USERS = some.sampled_from("abcdef")


@given(some.lists(some.tuples(USERS, USERS), max_size=40))
def test_each_is_in_one_round_and_meets_nobody_there(pairs: list[tuple[str, str]]) -> None:
    made = rounds(enumerate(pairs))

    assert sorted(number for numbers in made for number in numbers) == list(range(len(pairs)))
    for numbers in made:
        users = [user for number in numbers for user in set(pairs[number])]
        assert len(users) == len(set(users))


def test_a_star_takes_a_round_each_and_a_set_of_pairs_one() -> None:
    assert rounds(enumerate([("a", "b"), ("a", "c"), ("d", "a")])) == [[0], [1], [2]]
    assert rounds(enumerate([("a", "b"), ("c", "d"), ("e", "f")])) == [[0, 1, 2]]
