"""The data of the demo world. Ids are always the same, so that examples can use them."""

from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import App, Category, Page, User
from chalicelib.core.model.publication import Publication

SITE = "https://people.example"
_PUBLICATION = {
    "E": Publication.EVERYONE,
    "O": Publication.FRIENDS_OF_FRIENDS,
    "F": Publication.FRIENDS,
    "N": Publication.NOBODY,
}


def _user(
    user: str, name: str, shown: str, blood: str, address: str, birthday: str, age: int, gender: str, published: str
) -> User:
    """Return a user. `published`: who may see the address, the birthday, the age and the gender, one letter each."""
    settings = [_PUBLICATION[letter] for letter in published]
    return User(
        id=user,
        display_name=f"{shown} ({name.capitalize()})",
        profile_url=f"{SITE}/{name}",
        thumbnail_url=f"{SITE}/{name}.jpg",
        blood_type=blood,
        address=address,
        birthday=birthday,
        age=age,
        gender=gender,
        publication=dict(zip(("address", "birthday", "age", "gender"), settings, strict=True)),
        # Only Yuki hides from apps that she has not installed.
        visible=name != "yuki",
        login=name,
    )


# fmt: off
PEOPLE = {user.login or "": user for user in (
    _user("k3v9x2mtq7ra", "hana", "花",   "A",  "東京都",   "1991-04-02", 35, "female", "FFFE"),
    _user("a8d1p0zzk4wn", "ken",  "健",   "O",  "神奈川県", "1988-11-23", 37, "male",   "EOFE"),
    _user("m5c2e7uub9fh", "mei",  "芽衣", "B",  "京都府",   "1995-07-07", 30, "female", "FNNF"),
    _user("t6w4j1nnr8sd", "taro", "太郎", "AB", "北海道",   "1979-01-30", 47, "male",   "OFFE"),
    _user("y2b7g5hhv3qx", "yuki", "雪",   "A",  "新潟県",   "2000-12-31", 25, "female", "EEEE"),
)}
# fmt: on
USERS = {name: user.id for name, user in PEOPLE.items()}
FRIENDSHIPS = [("hana", "ken"), ("hana", "mei"), ("hana", "taro"), ("ken", "mei")]

APPS = {"quest": "6d1f0c2ab4e79853", "album": "c07be4915fa2d386"}
RECEIVER = "4f1d2c3b4a59"
"""The endpoint of quest that is told of all events: the receiver of the sample (local/sample/events.py)."""
SCOPES = ("mixi_apps2", "r_profile", "w_pagefeed")
_ALLOWED = (
    *SCOPES,
    "r_page",
    "r_profile_birthday",
    "r_profile_blood_type",
    "r_profile_gender",
    "r_profile_location",
)
INSTALLS = {"quest": ["hana", "ken", "mei", "yuki"], "album": ["ken"]}
DATA = {
    "hana": {"greeting": "こんにちは", "level": "5", "high_score": "4200"},
    "ken": {"greeting": "Yo!", "level": "7", "high_score": "6150"},
    "yuki": {"level": "2", "high_score": "900"},
}
"""The app data of some users in quest."""

CAFE = Page(
    id="20260401000000000001",
    name="カフェ縁側 (Cafe Engawa)",
    category=Category.LOCAL,
    details="A cafe with a veranda. お茶とお菓子。",
    zip_code="150-0001",
    address="東京都渋谷区神宮前1-2-3",
    pc_url="https://cafe.example/",
    mobile_url="https://cafe.example/m/",
    smartphone_url="https://cafe.example/s/",
    thumbnail_large="https://cafe.example/large.jpg",
    thumbnail_medium="https://cafe.example/medium.jpg",
    thumbnail_small="https://cafe.example/small.jpg",
)
MODULE = "3"
ADMINISTRATOR = "mei"
FOLLOWERS = ("hana", "ken")
CONTENT_URI = "http://quest.example/contents/1"
FEED = Draft(
    title="縁側の朝 (Morning on the veranda)",
    body="クエストで描いた絵です。\nDrawn in Quest.",
    pc_url="http://quest.example/contents/1",
    mobile_url="http://quest.example/m/contents/1",
    smartphone_url="http://quest.example/s/contents/1",
    content_uri=CONTENT_URI,
)
POSTER = "mei"
COMMENTS = [("hana", "きれいですね!"), ("ken", "I can almost smell the tea.")]
FAVORITES = ("hana", "ken", "mei")


def app(name: str, redirect_uri: str, secret: str | None) -> App:
    """Return an app of the demo world; without a secret it is a public client."""
    return App(
        id=APPS[name],
        name={"quest": "クエスト (Quest)", "album": "アルバム (Album)"}[name],
        confidential=secret is not None,
        secret=secret,
        redirect_uris=(redirect_uri,),
        start_url=redirect_uri,
        scopes=_ALLOWED,
    )
