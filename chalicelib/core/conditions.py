"""`If-Match` and `If-None-Match` (RFC 9110 §13.1), for the one ETag of a user's data in an app."""

import re
from dataclasses import dataclass

from chalicelib.core.errors import ParameterInvalid, PreconditionFailed

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"(?:[ \t,]|{_TAG}(?=[ \t]*(?:,|\Z)))+")
ANY = "*"


@dataclass(frozen=True)
class Conditions:
    """The conditions of a request on the current data. Each is None (no condition), {"*"}, or a set of entity tags."""

    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None

    def check(self, etag: str, *, has_data: bool) -> None:
        """Raise PreconditionFailed, with the current `etag`, unless a write is allowed.

        "*" means any state in which the user has at least one key (docs/internals/decisions.md).
        """
        if self.if_match is not None and not _matches(self.if_match, etag, has_data, strong=True):
            raise PreconditionFailed(etag=etag)
        if self.if_none_match is not None and _matches(self.if_none_match, etag, has_data, strong=False):
            raise PreconditionFailed(etag=etag)

    def unchanged(self, etag: str, *, has_data: bool) -> bool:
        """Return whether the response to a read may be 304: its `If-None-Match` names the current version."""
        return self.if_none_match is not None and _matches(self.if_none_match, etag, has_data, strong=False)


def parse(if_match: str | None, if_none_match: str | None) -> Conditions:
    """Return the conditions in the two headers. Raises ParameterInvalid if a value is not a list of entity tags."""
    return Conditions(_tags("If-Match", if_match), _tags("If-None-Match", if_none_match))


def _tags(header: str, value: str | None) -> frozenset[str] | None:
    if value is None:
        return None
    value = value.strip()
    if value == ANY:
        return frozenset({ANY})
    tags = re.findall(_TAG, value)
    if not tags or not _LIST.fullmatch(value):
        raise ParameterInvalid(f'{header} must be "*" or a list of quoted entity tags')
    return frozenset(tags)


def _matches(tags: frozenset[str], etag: str, has_data: bool, *, strong: bool) -> bool:
    if ANY in tags:
        return has_data
    return etag in tags or (not strong and f"W/{etag}" in tags)
