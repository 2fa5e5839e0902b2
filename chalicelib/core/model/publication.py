"""The publication settings of profile information (source: Available Information)."""

from collections.abc import Mapping
from enum import Enum


class Publication(Enum):
    """The people to whom a user shows a field of profile information."""

    EVERYONE = "everyone"
    FRIENDS_OF_FRIENDS = "friendsOfFriends"
    FRIENDS = "friends"
    NOBODY = "nobody"


PROFILE_FIELDS = ("address", "birthday", "age", "gender")
"""The profile information: each field has a publication setting. All other fields are basic information."""

DEFAULT_PUBLICATION: Mapping[str, Publication] = dict.fromkeys(PROFILE_FIELDS, Publication.FRIENDS)
