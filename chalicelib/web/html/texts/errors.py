"""Texts of error pages: one for each status."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "error": ("このページは表示できません", "This page cannot be shown"),
    "error_400": (
        "アプリからのリクエストが正しくないため、先へ進めません。アプリの開発者にお知らせください。",
        "The app sent an invalid request, so this cannot continue. Please tell the app's developer.",
    ),
    "error_404": (
        "お探しのページはありません。",
        "There is no such page.",
    ),
    "error_503": (
        "混み合っています。しばらくしてからもう一度お試しください。",
        "The service is busy. Please try again in a moment.",
    ),
    "error_500": (
        "問題が起きました。しばらくしてからもう一度お試しください。",
        "Something went wrong. Please try again in a moment.",
    ),
}
