"""Reports of posts: people who are signed in report a feed or a comment, and moderators handle it.

All reports of one post until it is handled are a *case*. A person can report a post once in each case. When the case is
handled, each of them sees the outcome and a word of the moderators; they do not learn who handled it (decision).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from chalicelib.core.codecs import checks
from chalicelib.core.errors import ParameterInvalid, PermissionDenied
from chalicelib.core.moderation import Post

WORDS_CHARACTERS = 1_000
"""The most characters of what a person writes about a report, and of the word to them."""
MOST_A_DAY = 20
"""The most reports of one person in a day (UTC)."""
REPORT_DAYS = 365
"""Reports are kept this long, and handled cases this long after they were handled."""


class ReportReason(Enum):
    """The reasons for a report."""

    SPAM = "spam"
    HARASSMENT = "harassment"
    SEXUAL = "sexual"
    ILLEGAL = "illegal"
    PRIVACY = "privacy"
    """It shows personal information of somebody."""
    RIGHTS = "rights"
    """It infringes a copyright or another right."""
    OTHER = "other"
    """Needs words."""


class ReportOutcome(Enum):
    """What moderators did with a reported post."""

    NOTHING = "nothing"
    HIDDEN = "hidden"
    DELETED = "deleted"


class TooManyReports(PermissionDenied):
    """403: the person has made MOST_A_DAY reports today."""

    default = f"You have made {MOST_A_DAY} reports today; please go on tomorrow"


@dataclass(frozen=True)
class Report:
    """A person's report. `at` is in milliseconds since the epoch. `words` may be empty, except for OTHER."""

    case: str
    post: Post
    user: str
    reason: ReportReason
    words: str
    at: int


@dataclass(frozen=True)
class Case:
    """The reports of one post until they are handled. Times are in milliseconds since the epoch.

    `poster` is who posted it (empty: not known). `reports` is their number, `reasons` their numbers by reason.
    `outcome` is None while the case is open; then `word` is what those who reported are told, and `by` who handled it.
    """

    id: str
    post: Post
    first: int
    latest: int
    reports: int
    reasons: Mapping[ReportReason, int] = field(default_factory=dict)
    outcome: ReportOutcome | None = None
    word: str = ""
    by: str = ""
    handled: int | None = None
    poster: str = ""


_words = checks.text(WORDS_CHARACTERS, lines=True)
_reason = checks.one_of(ReportReason)


def read_words(name: str, value: object) -> str:
    """Return words of a person, with line feeds, trimmed. Raises ParameterInvalid for more than WORDS_CHARACTERS."""
    text = value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
    words: str = _words(name, text)
    return words


def read_report(reason: object, words: object) -> tuple[ReportReason, str]:
    """Return the reason and the words of a report. Raises ParameterInvalid."""
    given: ReportReason = _reason("reason", reason)
    said = read_words("words", words)
    if given is ReportReason.OTHER and not said:
        raise ParameterInvalid("words are needed for the reason other")
    return given, said
