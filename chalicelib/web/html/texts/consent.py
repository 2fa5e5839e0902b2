"""Texts of consent to an app, of starting an app, and of the scopes."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "asks": ("「{app}」が次の許可を求めています", "{app} would like to"),
    "asks_permission": ("「{app}」が利用の許可を求めています", "{app} asks you to allow it"),
    "foreign_app": (
        "{brand}の公式アプリではありません。{host} のアプリです。",
        "This app is not made by {brand}. It belongs to {host}.",
    ),
    "made_by": ("開発者：", "By"),
    "app_homepage": ("ホームページ", "Homepage"),
    "app_privacy": ("プライバシーポリシー", "Privacy policy"),
    "installs": (
        "許可すると、このアプリがインストールされます。",
        "Allowing this installs the app for you.",
    ),
    "goes_to": ("このあと {host} に移動します。", "You will then go to {host}."),
    "take_back": (
        "許可は設定ページでいつでも取り消せます。",
        "You can end this access at any time on your settings page.",
    ),
    "starting": ("「{app}」を開いています", "Opening {app}"),
    "start": ("開く", "Open"),
    "finished": ("完了しました", "Finished"),
    "finished_allowed": (
        "許可されました。アプリに戻ってください。このページは閉じてかまいません。",
        "You have allowed the app. Go back to it; you can close this page.",
    ),
    "finished_denied": (
        "許可されませんでした。アプリに戻ってください。このページは閉じてかまいません。",
        "You have not allowed the app. Go back to it; you can close this page.",
    ),
    "allow": ("許可する", "Allow"),
    "deny": ("許可しない", "Don't allow"),
}

SCOPES: Mapping[str, tuple[str, str]] = {
    "mixi_apps2": (
        "アプリのデータを保存し、友人が保存したデータを見る",
        "keep data for you, and see what your friends keep in it",
    ),
    "r_profile": (
        "あなたと友人のプロフィールと友人一覧を見る",
        "see your profile, your friends and their profiles",
    ),
    "r_profile_gender": ("性別を見る", "see your gender"),
    "r_profile_birthday": ("誕生日と年齢を見る", "see your birthday and age"),
    "r_profile_blood_type": ("血液型を見る", "see your blood type"),
    "r_profile_location": ("住所を見る", "see your address"),
    "r_page": ("ページを見る", "see pages and what is posted there"),
    "w_pagefeed": ("ページに投稿、コメント、イイネ！をする", "post, comment and add favorites on pages as you"),
}
"""What each scope with an API lets an app do."""
