"""Texts of the console's frame and home."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "console": ("管理コンソール", "Console"),
    "console_help_posts": ("投稿と通報の手引き", "Help with posts and reports"),
    "console_help_users": ("ユーザーの手引き", "Help with users"),
    "console_empty": ("使える項目はまだありません。", "There is nothing here for you yet."),
}
