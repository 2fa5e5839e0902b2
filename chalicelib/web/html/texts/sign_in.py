"""Texts of signing in and out."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "sign_in": ("ログイン", "Sign in"),
    "sign_in_for": ("{app} を利用するには、ログインしてください。", "Sign in to continue to {app}."),
    "sign_in_page": ("このページを見るには、ログインしてください。", "Sign in to see this page."),
    "login": ("ログイン名", "Login name"),
    "password": ("パスワード", "Password"),
    "suspended": (
        "このアカウントは停止されています。心当たりがないときは、運営者にお問い合わせください。",
        "This account is suspended. If you do not know why, ask the operator.",
    ),
    "wrong": (
        "ログイン名かパスワードが違います。もう一度お試しください。",
        "That login name and password do not match. Please try again.",
    ),
    "wrong_password": ("パスワードが違います。もう一度お試しください。", "That password is wrong. Please try again."),
    "slow": (
        "失敗が続いたため、少し間をあけています。{seconds} 秒後にもう一度お試しください。",
        "There have been several failed attempts. Seconds to wait before you try again: {seconds}.",
    ),
    "signed_in_as": ("{name} さんとしてログインしています。", "Signed in as {name}."),
    "sign_out": ("ほかの人としてログイン", "Not you? Sign in as someone else"),
    "leave": ("ログアウト", "Sign out"),
    "done_signed_out": ("ログアウトしました。", "You are signed out."),
    "confirm_password": ("パスワードの確認", "Give your password again"),
    "confirm_password_note": (
        "重要な操作のため、もう一度パスワードを入力してください。そのあと 10 分間は、入力を求められません。",
        "This is an important action. After that, you are not asked again for 10 minutes.",
    ),
    "continue": ("続ける", "Continue"),
}
