"""Texts of the page of a feed."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "through": ("{app} より", "via {app}"),
    "not_of_page": (
        "この投稿は「{page}」によるものではありません。ほかの人が投稿したもので、このページには表示されません。",
        "This post is not by “{page}”. Someone else posted it, and the page does not show it.",
    ),
    "gone": ("退会したユーザー", "Someone who has left"),
    "open_app": ("アプリで見る", "Open in the app"),
    "open_app_pc": ("アプリで見る（PC）", "Open in the app (PC)"),
    "open_app_smartphone": ("アプリで見る（スマートフォン）", "Open in the app (smartphone)"),
    "open_app_mobile": ("アプリで見る（ケータイ）", "Open in the app (feature phone)"),
    "favorites": ("イイネ！ {count}", "Favorites: {count}"),
    "comments": ("コメント", "Comments"),
    "comments_count": ("コメント {count}", "Comments: {count}"),
    "no_comments": ("まだコメントはありません。", "There are no comments yet."),
    "older": ("以前のコメントを見る", "Older comments"),
    "newest": ("最新のコメントに戻る", "Back to the newest comments"),
}
