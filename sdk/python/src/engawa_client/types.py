"""The objects that an app sends and receives.

Generated from openapi.yaml by sdk/python/generate.py: do not edit it.
"""

from __future__ import annotations

import builtins
from typing import Literal, NotRequired, TypeAlias, TypedDict

AddChange = TypedDict(
    "AddChange",
    {"add": "str", "atLeast": "NotRequired[str]", "atMost": "NotRequired[str]", "if": "NotRequired[str | None]"},
)


class AddressesItem(TypedDict):
    formatted: str
    unstructuredAddress: str


AppendChange = TypedDict("AppendChange", {"append": "str", "last": "NotRequired[int]", "if": "NotRequired[str | None]"})


class AuthorizationServer(TypedDict):
    issuer: str
    token_endpoint: str
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: list[str]
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    authorization_endpoint: NotRequired[str]
    response_modes_supported: NotRequired[list[str]]
    code_challenge_methods_supported: NotRequired[list[str]]
    ui_locales_supported: NotRequired[list[str]]
    authorization_response_iss_parameter_supported: NotRequired[Literal[True]]


class CallDone(TypedDict):
    jsonrpc: Literal["2.0"]
    id: NotRequired[str | float | None]
    result: SharedPeople | SharedPerson | SharedRanking | dict[str, dict[str, str]] | list[str]
    data: SharedPeople | SharedPerson | SharedRanking | dict[str, dict[str, str]] | list[str]


class CallFailed(TypedDict):
    jsonrpc: Literal["2.0"]
    id: NotRequired[str | float | None]
    error: CallFailedError


class CallFailedError(TypedDict):
    code: Literal[400, 403, 417, 500, -32600, -32601, -32602]
    message: str
    data: NotRequired[CallFailedErrorData]


class CallFailedErrorData(TypedDict):
    error: str
    retryAfter: NotRequired[int]


class Comment(TypedDict):
    id: str
    comment: str
    user: Poster
    created: str


class CommentList(TypedDict):
    startIndex: NotRequired[int]
    itemsPerPage: int
    totalResults: int
    entry: list[Comment]
    nextCursor: NotRequired[str]


class DataChanged(TypedDict):
    entry: list[UserData]


class DataParams(TypedDict):
    userId: NotRequired[str | list[str] | None]
    appId: NotRequired[str | None]
    fields: NotRequired[str | list[str] | None]
    keys: NotRequired[str | list[str] | None]
    groupId: NotRequired[Literal["@self", "@friends", None]]
    sortBy: NotRequired[str | None]
    sortOrder: NotRequired[Literal["ascending", "descending", "", None]]
    includeSelf: NotRequired[bool | None]
    startIndex: NotRequired[int | None]
    count: NotRequired[int | None]


class DataRead(TypedDict):
    entry: list[UserData] | Usage
    self: NotRequired[UserData]
    startIndex: NotRequired[int]
    itemsPerPage: NotRequired[int]
    totalResults: NotRequired[int]


DeleteChange = TypedDict("DeleteChange", {"delete": "Literal[True]", "if": "NotRequired[str | None]"})


class DeleteDataCall(TypedDict):
    id: NotRequired[str | float | None]
    jsonrpc: NotRequired[object]
    method: Literal["appdata.delete"]
    params: NotRequired[DeleteFieldsParams | DeleteKeysParams]


class DeleteFieldsParams(TypedDict):
    userId: NotRequired[str | list[str] | None]
    appId: NotRequired[str | None]
    fields: str | list[str] | None
    keys: NotRequired[str | list[str] | None]
    groupId: NotRequired[Literal["@self", None]]


class DeleteKeysParams(TypedDict):
    userId: NotRequired[str | list[str] | None]
    appId: NotRequired[str | None]
    fields: NotRequired[str | list[str] | None]
    keys: str | list[str] | None
    groupId: NotRequired[Literal["@self", None]]


class FavoriteCount(TypedDict):
    count: int


class Feed(TypedDict):
    contentUri: str
    title: str
    body: str
    urls: Links
    images: list[Sizes]
    user: Poster
    favoriteCount: int
    commentCount: int
    sourceName: str
    created: str


class FeedList(TypedDict):
    startIndex: NotRequired[int]
    itemsPerPage: int
    totalResults: int
    entry: list[Feed]
    nextCursor: NotRequired[str]


class Links(TypedDict):
    pcUrl: NotRequired[str | None]
    mobileUrl: NotRequired[str | None]
    smartphoneUrl: NotRequired[str | None]


class ListMethodsCall(TypedDict):
    id: NotRequired[str | float | None]
    jsonrpc: NotRequired[object]
    method: Literal["system.listMethods"]
    params: NotRequired[dict[str, object] | list[object] | None]


MaxChange = TypedDict("MaxChange", {"max": "str", "if": "NotRequired[str | None]"})

MinChange = TypedDict("MinChange", {"min": "str", "if": "NotRequired[str | None]"})


class NewComment(TypedDict):
    """Other fields are ignored."""

    comment: str


class NewContent(TypedDict):
    contentUri: str


class NewEntry(TypedDict):
    id: str


class NewFeed(TypedDict):
    """Other fields are ignored, and null is the same as absent."""

    title: str
    body: NotRequired[str | None]
    contentUri: NotRequired[str | None]
    urls: NotRequired[Links | None]
    sourceId: NotRequired[str | int | None]
    imageUrls: NotRequired[list[str] | None]


class OneFeed(TypedDict):
    entry: Feed


class OpenSocialData(TypedDict):
    entry: dict[str, dict[str, str]]


class OpenSocialPeople(TypedDict):
    entry: OpenSocialPerson | list[OpenSocialPerson]
    startIndex: int
    totalResults: int


class OpenSocialPerson(TypedDict):
    id: str
    displayName: NotRequired[str]
    thumbnailUrl: NotRequired[str]
    profileUrl: NotRequired[str]
    thumbnailDetails: NotRequired[list[Thumbnail]]
    bloodType: NotRequired[Literal["A", "B", "O", "AB"]]
    address: NotRequired[str]
    location: NotRequired[str]
    birthday: NotRequired[str]
    age: NotRequired[int]
    gender: NotRequired[Literal["male", "female"]]
    nickname: NotRequired[str]
    name: NotRequired[PersonName]
    isViewer: NotRequired[Literal["true", "false"]]
    isOwner: NotRequired[Literal["true", "false"]]
    hasApp: NotRequired[Literal["true", "false"]]
    dateOfBirth: NotRequired[str]
    addresses: NotRequired[list[AddressesItem]]


class PageInformation(TypedDict):
    entry: PageInformationEntry


class PageInformationEntry(TypedDict):
    id: str
    displayName: str
    thumbnailUrls: Sizes
    details: str
    options: PageInformationEntryOptions
    followerCount: int


class PageInformationEntryOptions(TypedDict):
    zipCode: NotRequired[str]
    address: NotRequired[str]
    birthday: NotRequired[str]
    pcUrl: NotRequired[str]
    mobileUrl: NotRequired[str]
    smartphoneUrl: NotRequired[str]


class PatchDataCall(TypedDict):
    id: NotRequired[str | float | None]
    jsonrpc: NotRequired[object]
    method: Literal["appdata.patch"]
    params: NotRequired[PatchParams]


class PatchParams(TypedDict):
    userId: NotRequired[str | list[str] | None]
    appId: NotRequired[str | None]
    fields: NotRequired[str | list[str] | None]
    keys: NotRequired[str | list[str] | None]
    groupId: NotRequired[Literal["@self", None]]
    changes: dict[str, SetChange | DeleteChange | AddChange | MaxChange | MinChange | AppendChange]


class People(TypedDict):
    startIndex: int
    itemsPerPage: int
    totalResults: int
    entry: Person | list[Person]


class PeopleParams(TypedDict):
    userId: NotRequired[str | list[str] | None]
    appId: NotRequired[str | None]
    fields: NotRequired[str | list[str] | None]
    keys: NotRequired[str | list[str] | None]
    groupId: NotRequired[Literal["@self", "@friends", "@all", None]]
    startIndex: NotRequired[int | None]
    count: NotRequired[int | None]
    sortBy: NotRequired[Literal["id", "displayName", "affinity", "topFriends", "name", "nickname", "", None]]
    sortOrder: NotRequired[Literal["ascending", "descending", None]]
    filterBy: NotRequired[Literal["hasApp", "pageId", "all", "topFriends", "", None]]
    filterValue: NotRequired[str | None]


class Person(TypedDict):
    id: str
    displayName: NotRequired[str]
    thumbnailUrl: NotRequired[str]
    profileUrl: NotRequired[str]
    thumbnailDetails: NotRequired[list[Thumbnail]]
    bloodType: NotRequired[Literal["A", "B", "O", "AB"]]
    address: NotRequired[str]
    location: NotRequired[str]
    birthday: NotRequired[str]
    age: NotRequired[int]
    gender: NotRequired[Literal["male", "female"]]


class PersonName(TypedDict):
    """Present if `fields` names it or is `@all`. Both are the display name."""

    formatted: str
    unstructured: str


class Poster(TypedDict):
    """Without name and picture if that user no longer exists."""

    id: str
    displayName: str
    thumbnailUrl: str


class ReadDataCall(TypedDict):
    id: NotRequired[str | float | None]
    jsonrpc: NotRequired[object]
    method: Literal["appdata.get"]
    params: NotRequired[DataParams]


class ReadPeopleCall(TypedDict):
    id: NotRequired[str | float | None]
    jsonrpc: NotRequired[object]
    method: Literal["people.get"]
    params: NotRequired[PeopleParams]


class ServerState(TypedDict):
    server_state: str


SetChange = TypedDict("SetChange", {"set": "str", "if": "NotRequired[str | None]"})


class SharedPeople(TypedDict):
    startIndex: int
    itemsPerPage: int
    totalResults: int
    list: builtins.list[SharedPerson]


class SharedPerson(TypedDict):
    id: str
    displayName: NotRequired[str]
    thumbnailUrl: NotRequired[str]
    profileUrl: NotRequired[str]
    thumbnailDetails: NotRequired[list[Thumbnail]]
    bloodType: NotRequired[Literal["A", "B", "O", "AB"]]
    address: NotRequired[str]
    location: NotRequired[str]
    birthday: NotRequired[str]
    age: NotRequired[int]
    gender: NotRequired[Literal["male", "female"]]
    nickname: NotRequired[str]
    name: NotRequired[PersonName]
    isViewer: NotRequired[bool]
    isOwner: NotRequired[bool]
    hasApp: NotRequired[bool]
    dateOfBirth: NotRequired[str]
    addresses: NotRequired[list[AddressesItem]]


class SharedRanking(TypedDict):
    """For `appdata.get` with `sortBy`."""

    list: builtins.list[UserData]
    self: NotRequired[UserData]
    startIndex: int
    itemsPerPage: int
    totalResults: int


class Sizes(TypedDict):
    large: str
    medium: str
    small: str


class Thumbnail(TypedDict):
    """`value` and `url` are the picture's address; `width` and `height`, in pixels, are the size to show it in,
    not that of the file."""

    value: str
    url: str
    width: int
    height: int


class Tokens(TypedDict):
    refresh_token: str
    expires_in: Literal[900]
    access_token: str
    token_type: NotRequired[Literal["Bearer"]]
    scope: str


class UpdateParams(TypedDict):
    userId: NotRequired[str | list[str] | None]
    appId: NotRequired[str | None]
    fields: NotRequired[str | list[str] | None]
    keys: NotRequired[str | list[str] | None]
    groupId: NotRequired[Literal["@self", None]]
    data: dict[str, str]


class Usage(TypedDict):
    id: str
    bytes: Use
    keys: Use
    window: UsageWindow


class UsageWindow(TypedDict):
    limit: int
    remaining: int
    reset: int
    seconds: int


class Use(TypedDict):
    used: int
    left: int
    max: int


class UserData(TypedDict):
    id: str
    rank: NotRequired[int]
    data: dict[str, str]


class WriteDataCall(TypedDict):
    id: NotRequired[str | float | None]
    jsonrpc: NotRequired[object]
    method: Literal["appdata.update", "appdata.create"]
    params: NotRequired[UpdateParams]


class Written(TypedDict):
    response_code: Literal[200]


Call: TypeAlias = "ReadDataCall | WriteDataCall | PatchDataCall | DeleteDataCall | ReadPeopleCall | ListMethodsCall"
CallAnswer: TypeAlias = "CallDone | CallFailed"
CallResult: TypeAlias = "SharedPeople | SharedPerson | SharedRanking | dict[str, dict[str, str]] | list[str]"
Change: TypeAlias = "SetChange | DeleteChange | AddChange | MaxChange | MinChange | AppendChange"
Data: TypeAlias = "dict[str, str]"
Pairs: TypeAlias = "dict[str, str]"
