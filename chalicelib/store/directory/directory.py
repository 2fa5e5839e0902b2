"""The stores of this package together, for stores that need several of them."""

from dataclasses import dataclass

from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users


@dataclass(frozen=True)
class Directory:
    """The users, apps and pages of one deployment, and their relations."""

    users: Users
    apps: Apps
    pages: Pages
    friends_and_installs: FriendsAndInstalls
