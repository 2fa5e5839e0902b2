"""The actions of moderators on posts and reports, for the operator's API and the console. Each is logged."""

from collections.abc import Callable

from chalice.app import Request

from chalicelib.api.log_of_actions import log_action, page_target
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.moderation import Post, PostKind
from chalicelib.core.reports import Case, ReportOutcome
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import Transaction

_HIDDEN = {PostKind.FEED: ActionKind.FEED_HIDDEN, PostKind.COMMENT: ActionKind.COMMENT_HIDDEN}
_SHOWN = {PostKind.FEED: ActionKind.FEED_SHOWN, PostKind.COMMENT: ActionKind.COMMENT_SHOWN}
_DELETED = {PostKind.FEED: ActionKind.FEED_DELETED, PostKind.COMMENT: ActionKind.COMMENT_DELETED}


def post_target(post: Post) -> str:
    """Return a post as the target of an action: `page:12/feed:3/comment:…`."""
    return page_target(post.page, f"feed:{post.feed}" + (f"/comment:{post.comment}" if post.comment else ""))


def hide_post(
    here: Platform,
    request: Request,
    actor: str,
    post: Post,
    reason: str | None,
    also: Callable[[Transaction], None] | None = None,
) -> bool:
    """Hide a post; return whether it was shown before. `also` joins its transaction, if there is one.

    Raises NotFound, ParameterInvalid (reason) and Unavailable, and what `also` raises.
    """

    def hide() -> bool:
        return here.moderated_posts.hide(post, {"by": actor, "re": reason or ""}, also)

    return _change(here, request, actor, _HIDDEN, post, reason, hide, hidden=True)


def show_post(here: Platform, request: Request, actor: str, post: Post, reason: str | None) -> bool:
    """Show a hidden post again; return whether it was hidden. Raises as hide_post."""
    return _change(here, request, actor, _SHOWN, post, reason, lambda: here.moderated_posts.show(post), hidden=False)


def delete_post(
    here: Platform,
    request: Request,
    actor: str,
    post: Post,
    reason: str | None,
    also: Callable[[Transaction], None] | None = None,
) -> None:
    """Delete a post, hidden or not. `also` joins its transaction. Raises as hide_post."""
    with log_action(here, request, actor, _DELETED[post.kind], post_target(post), reason=reason) as entry:
        _, feed, comment = here.stored_posts.get(post)
        entry.before = {"poster": comment.poster if comment else feed.poster}
        here.moderated_posts.delete(post, also)


def handle_case(
    here: Platform, request: Request, actor: str, case: str, outcome: ReportOutcome, word: str, reason: str | None
) -> Case:
    """Do with a reported post what the outcome says, and close its case with a word to those who reported it.

    Both are one transaction: of two moderators at once, one is refused, and nothing of what he wanted is done. If the
    post is gone already, only NOTHING and DELETED are possible. Raises NotFound (case), Conflict (it was handled, or
    the post is gone), ParameterInvalid (reason) and Unavailable.
    """
    post = here.reports.get_open(case).post
    handled: list[Case] = []

    def close(write: Transaction) -> None:
        handled.append(here.reports.close(write, case, outcome, word, actor))

    target = post_target(post)
    with log_action(here, request, actor, ActionKind.REPORT_HANDLED, target, reason=reason) as entry:
        if not _carried_out(here, request, actor, post, outcome, reason, close):
            handled.append(here.reports.handle(case, outcome, word, actor))
        entry.after = {"report": case, "outcome": outcome.value, "reports": handled[-1].reports}
    return handled[-1]


def _carried_out(
    here: Platform,
    request: Request,
    actor: str,
    post: Post,
    outcome: ReportOutcome,
    reason: str | None,
    close: Callable[[Transaction], None],
) -> bool:
    """Do with a post what an outcome says, together with `close`; return False if there was nothing to do."""
    try:
        if outcome is ReportOutcome.HIDDEN:
            return hide_post(here, request, actor, post, reason, close)
        if outcome is ReportOutcome.DELETED:
            delete_post(here, request, actor, post, reason, close)
            return True
    except NotFound:
        if outcome is ReportOutcome.HIDDEN:
            raise Conflict("The post is gone already") from None
    return False


def _change(
    here: Platform,
    request: Request,
    actor: str,
    kinds: dict[PostKind, ActionKind],
    post: Post,
    reason: str | None,
    change: Callable[[], bool],
    *,
    hidden: bool,
) -> bool:
    with log_action(here, request, actor, kinds[post.kind], post_target(post), reason=reason) as entry:
        entry.before, entry.after = {"hidden": not hidden}, {"hidden": hidden}
        changed = entry.changed = change()
    return changed
