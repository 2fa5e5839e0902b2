"""Texts of the front page and the lists of a member's things."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "front": ("トップページ", "Front page"),
    "front_what": (
        "{name}は、ソーシャルアプリのために、データと友人関係とページを預かるプラットフォームです。",
        "{name} is a platform for social apps: it keeps their data, and the friends and pages that they build on.",
    ),
    "front_mixi": (
        "mixi のアプリケーション API を備えているので、当時のアプリを移すことも、新しいアプリを作ることもできます。",
        "It speaks the application APIs of mixi: apps of that time can be moved here, and new ones can be built.",
    ),
    "docs": ("ドキュメント", "Documentation"),
    "docs_note": ("アプリを作る人のための API の説明です。", "The API, for people who build apps."),
    "sample": ("サンプルゲーム", "Sample game"),
    "sample_note": (
        "二人の友人のための小さなゲームです。ログインせずに遊べます。",
        "A small game for two friends, to play without signing in.",
    ),
    "settings_note": (
        "利用中のアプリと、プロフィールの公開範囲を確かめ、変更できます。",
        "See and change which apps you use, and who can see your profile.",
    ),
}
