"""The texts of the pages and the descriptions of the scopes, in Japanese and English."""

from collections.abc import Mapping
from enum import Enum


class Language(Enum):
    """The languages of the pages."""

    JAPANESE = "ja"
    ENGLISH = "en"

    @property
    def other(self) -> "Language":
        """Return the language to which a page links."""
        return next(each for each in Language if each is not self)


_PAGES: Mapping[str, tuple[str, str]] = {
    "other_language": ("English", "日本語"),
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
    "sign_in": ("ログイン", "Sign in"),
    "sign_in_for": ("{app} を利用するには、ログインしてください。", "Sign in to continue to {app}."),
    "sign_in_settings": ("設定を見るには、ログインしてください。", "Sign in to see your settings."),
    "login": ("ログイン名", "Login name"),
    "password": ("パスワード", "Password"),
    "wrong": (
        "ログイン名かパスワードが違います。もう一度お試しください。",
        "That login name and password do not match. Please try again.",
    ),
    "slow": (
        "失敗が続いたため、少し間をあけています。{seconds} 秒後にもう一度お試しください。",
        "There have been several failed attempts. Please wait {seconds} seconds and try again.",
    ),
    "expired": (
        "ページの有効期限が切れました。もう一度お試しください。",
        "This page has expired. Please try again.",
    ),
    "signed_in_as": ("{name} さんとしてログインしています。", "Signed in as {name}."),
    "sign_out": ("ほかの人としてログイン", "Not you? Sign in as someone else"),
    "leave": ("ログアウト", "Sign out"),
    "asks": ("「{app}」が次の許可を求めています", "{app} would like to"),
    "asks_permission": ("「{app}」が利用の許可を求めています", "{app} asks you to allow it"),
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
    "settings": ("設定", "Settings"),
    "saved": ("保存しました。", "Your changes have been saved."),
    "apps": ("アプリ", "Apps"),
    "no_apps": (
        "許可したアプリも、インストールしたアプリもありません。",
        "You have not allowed or installed any apps.",
    ),
    "unknown_app": ("提供を終了したアプリ", "An app that is no longer offered"),
    "granted": ("許可していること", "It may"),
    "installed": ("インストール済み", "Installed"),
    "since": ("許可した日 {date}", "Allowed on {date}"),
    "end_grant": ("許可を取り消す", "End access"),
    "uninstall": ("アンインストール", "Uninstall"),
    "uninstall_note": (
        "アンインストールすると、許可は取り消され、このアプリに保存されたデータは消去されます。元に戻せません。",
        "Uninstalling ends the app's access and erases what you have stored in it. This cannot be undone.",
    ),
    "privacy": ("プロフィールの公開範囲", "Who can see your profile"),
    "address": ("住所", "Address"),
    "birthday": ("誕生日", "Birthday"),
    "age": ("年齢", "Age"),
    "gender": ("性別", "Gender"),
    "everyone": ("全体に公開", "Everyone"),
    "friendsOfFriends": ("友人の友人まで公開", "Friends of friends"),
    "friends": ("友人まで公開", "Friends"),
    "nobody": ("非公開", "Nobody"),
    "visible": (
        "友人が使っているアプリに、自分がインストールしていなくても公開情報を見せる",
        "Let apps that friends use see what is public about me, even if I have not installed them",
    ),
    "lenient": (
        "インストールしたアプリには、「非公開」以外の項目が渡ります。アプリの利用者があなたの友人でなくても同じです。",
        "An app that you have installed gets every item that is not set to Nobody, "
        "even if the person who uses it is not your friend.",
    ),
    "strict": (
        "「友人まで公開」「友人の友人まで公開」の項目は、アプリの利用者がその間柄のときだけ、アプリに渡ります。",
        "An app gets an item set to Friends or Friends of friends only if the person who uses it is one of them.",
    ),
    "save": ("保存する", "Save"),
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

_SCOPES: Mapping[str, tuple[str, str]] = {
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


def word(language: Language, name: str, /, **values: object) -> str:
    """Return a text of the pages, with its values filled in. Raises KeyError for an unknown name."""
    return _in(language, _PAGES[name]).format(**values)


def scope_words(language: Language, scope: str) -> str:
    """Return what a scope with an API here lets an app do. Raises KeyError for another."""
    return _in(language, _SCOPES[scope])


def preferred(asked: str | None, accepted: str) -> Language:
    """Return a page's language: the one that a link asks for, else the first known of `Accept-Language`, or English."""
    for language in Language:
        if asked == language.value:
            return language
    known: list[tuple[float, int, Language]] = []
    for turn, part in enumerate(accepted.split(",")[:32]):
        tag, _, parameters = part.strip().lower().partition(";")
        for language in Language:
            if tag.partition("-")[0] == language.value and (weight := _weight(parameters)) > 0:
                known.append((-weight, turn, language))
    return min(known, key=lambda each: each[:2])[2] if known else Language.ENGLISH


def _in(language: Language, texts: tuple[str, str]) -> str:
    return texts[0 if language is Language.JAPANESE else 1]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
