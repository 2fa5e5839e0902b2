"""Texts of the settings of a user."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "saved": ("保存しました。", "Your changes have been saved."),
    "settings": ("設定", "Settings"),
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
}
