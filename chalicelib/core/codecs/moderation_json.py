"""The JSON of posts and reports in the operator's API."""

from collections.abc import Mapping
from typing import Any

from chalicelib.core.codecs import checks
from chalicelib.core.codecs.contents_json import poster_json
from chalicelib.core.model.directory import User
from chalicelib.core.moderation import ListedPost, Post
from chalicelib.core.reports import Case, Report, ReportOutcome, read_words

_OUTCOME = checks.one_of(ReportOutcome)


def listed_post_json(entry: ListedPost, people: Mapping[str, User]) -> dict[str, Any]:
    """Return the JSON of a post in a list for moderators. Times are in milliseconds since the epoch."""
    feed, comment = entry.feed, entry.comment
    shown: dict[str, Any] = {
        **post_json(entry.post),
        "contentUri": feed.content_uri,
        "title": feed.title,
        "text": comment.text if comment else feed.body,
        "images": [] if comment else list(feed.images),
        "user": poster_json(entry.poster, people),
        "created": comment.created if comment else feed.created,
    }
    hidden = comment.hidden if comment else feed.hidden
    if hidden is not None:
        shown |= {"hidden": hidden, "hiddenBy": entry.by, "reason": entry.reason}
    return shown


def post_json(post: Post) -> dict[str, Any]:
    """Return the JSON of the ids of a post."""
    comment = {} if post.comment is None else {"comment": post.comment}
    return {"kind": post.kind.value, "page": post.page, "feed": post.feed, **comment}


def case_json(case: Case) -> dict[str, Any]:
    """Return the JSON of a case: the reports of a post until they are handled."""
    shown: dict[str, Any] = {
        "id": case.id,
        "post": post_json(case.post),
        "reports": case.reports,
        "reasons": {reason.value: count for reason, count in case.reasons.items()},
        "first": case.first,
        "latest": case.latest,
    }
    if case.outcome is not None:
        shown |= {"outcome": case.outcome.value, "word": case.word, "handledBy": case.by, "handled": case.handled}
    return shown


def report_json(report: Report) -> dict[str, Any]:
    """Return the JSON of a person's report."""
    return {"user": report.user, "reason": report.reason.value, "words": report.words, "created": report.at}


def own_report_json(report: Report, case: Case) -> dict[str, Any]:
    """Return the JSON of a report for the person who made it, with the outcome and the word if it is handled."""
    shown = post_json(report.post) | report_json(report)
    del shown["user"]
    return shown if case.outcome is None else shown | {"outcome": case.outcome.value, "word": case.word}


def read_outcome(body: object) -> tuple[ReportOutcome, str, str | None]:
    """Return the outcome, the word to those who reported, and the reason for the log. Raises Refusal."""
    given = checks.check_record(body, ("outcome", "word", "reason"), ("outcome",))
    reason = checks.text(500)("reason", given.get("reason"))
    return _OUTCOME("outcome", given["outcome"]), read_words("word", given.get("word")), reason or None
