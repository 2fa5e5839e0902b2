"""Texts around all pages: the frame, notices, lists and forms."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "other_language": ("English", "日本語"),
    "skip": ("本文へ", "Skip to content"),
    "menu": ("メニュー", "Menu"),
    "menu_home": ("ホーム", "Home"),
    "expired": (
        "ページの有効期限が切れました。もう一度お試しください。",
        "This page has expired. Please try again.",
    ),
    "done_saved": ("保存しました。", "Your changes are saved."),
    "reason": ("理由", "Reason"),
    "reason_hint": ("操作の記録に残ります。", "It is kept in the log of actions."),
    "parts": ("一覧のページ", "Parts of the list"),
    "first_part": ("最初へ", "First"),
    "next_part": ("次へ", "Next"),
}
