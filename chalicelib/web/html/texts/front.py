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
    "menu_friends": ("友人", "Friends"),
    "menu_pages": ("ページ", "Pages"),
    "welcome": ("{name} さんのホーム", "Home of {name}"),
    "my_apps": ("利用中のアプリ", "My apps"),
    "manage_apps": ("アプリの許可を確かめる", "See what each app may do"),
    "no_apps_yet": ("インストールしたアプリはまだありません。", "You have not installed any app yet."),
    "my_friends": ("友人", "My friends"),
    "my_page": ("自分のページ", "My own page"),
    "no_friends_yet": ("友人はまだいません。", "You have no friends here yet."),
    "administered_pages": ("管理しているページ", "Pages I administer"),
    "followed_pages": ("フォローしているページ", "Pages I follow"),
    "no_pages_yet": ("ページはまだありません。", "There are no pages here yet."),
    "followers_count": ("フォロワー {count}", "Followers: {count}"),
    "see_all": ("すべて見る", "See all"),
    "nothing_yet": ("まだありません。", "Nothing here yet."),
    "hint_my_apps": (
        "アプリを開いて許可すると、ここに出ます。",
        "An app is here after you have opened it and allowed what it asks for.",
    ),
    "hint_my_friends": ("友人関係は運営者が登録します。", "An operator of the platform enters friendships."),
    "hint_administered_pages": (
        "ページを作ってほしいときは、運営者に頼んでください。",
        "Ask an operator of the platform if you need a page.",
    ),
    "hint_followed_pages": (
        "ページを開いて「フォローする」を押すと、ここに出ます。",
        "Open a page and choose \u201cFollow\u201d to have it here.",
    ),
    "help": ("使い方", "Help"),
    "help_note": (
        "プロフィール、アプリ、ページ、通報、退会について。",
        "About your profile, apps, pages, reports and leaving.",
    ),
    "further": ("そのほか", "More"),
    "closeness_self": ("あなたのページです", "This is you"),
    "closeness_friend": ("友人", "Your friend"),
    "closeness_friend_of_friend": ("友人の友人", "A friend of a friend"),
    "closeness_stranger": ("友人ではありません", "Not a friend of yours"),
    "no_profile": (
        "あなたに公開しているプロフィールはありません。",
        "No part of the profile is shown to you.",
    ),
    "profile_site": ("ウェブページ", "Web page"),
    "male": ("男性", "Male"),
    "female": ("女性", "Female"),
    "settings_note": (
        "プロフィール、アプリの許可、パスワード、ログイン中のブラウザー、データ、退会。",
        "Your profile, what apps may do, password, sign-ins, data, and leaving.",
    ),
}
