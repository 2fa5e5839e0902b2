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
    "expired_sign_in": (
        "ログインの有効期限が切れました。ログインすると、入力した内容をもう一度送信できます。",
        "Your session has ended. Sign in, and you can send what you have entered again.",
    ),
    "send_again": ("もう一度送信", "Send again"),
    "send_again_note": (
        "入力した内容はまだ保存されていません。もう一度送信してください。",
        "What you have entered has not been saved yet. Please send it again.",
    ),
    "send": ("送信する", "Send"),
    "open_again": ("ページを開き直す", "Open the page again"),
    "done_saved": ("保存しました。", "Your changes are saved."),
    "reason": ("理由", "Reason"),
    "reason_hint": ("操作の記録に残ります。", "It is kept in the action log."),
    "parts": ("一覧のページ", "Parts of the list"),
    "first_part": ("最初へ", "First"),
    "next_part": ("次へ", "Next"),
}
