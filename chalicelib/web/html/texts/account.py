"""Texts of the settings of a user."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "saved": ("保存しました。", "Your changes have been saved."),
    "settings": ("設定", "Settings"),
    "settings_profile_note": (
        "名前や画像を変更し、公開範囲を選びます。",
        "Change your name, your picture and more, and choose who can see what.",
    ),
    "settings_apps_note": (
        "アプリに許可していることを確かめ、取り消します。",
        "See what each app may do, and end that.",
    ),
    "settings_sessions_note": (
        "見覚えのないブラウザーをログアウトさせます。",
        "Sign out a browser that you do not know.",
    ),
    "settings_reports_note": (
        "通報した投稿と、モデレーターの回答です。",
        "The posts that you have reported, and the moderators' answers.",
    ),
    "settings_data_note": (
        "自分のデータを、一つのファイルで受け取ります。",
        "Get everything of yours as one file.",
    ),
    "settings_delete_note": (
        "14 日以内なら取り消せます。",
        "You can undo it for 14 days.",
    ),
    # Apps and their access.
    "apps": ("アプリ", "Apps"),
    "app_access": ("アプリの許可", "What apps may do"),
    "app_access_note": (
        "利用しているアプリと、それぞれに許可していることです。いつでも取り消せます。",
        "The apps that you use, and what you have allowed each of them. You can end it at any time.",
    ),
    "app_ended": (
        "「{app}」の許可を取り消しました。15 分以内に使えなくなります。",
        "You have ended the access of {app}. It may work for 15 minutes more.",
    ),
    "app_uninstalled": (
        "「{app}」をアンインストールしました。保存されていたデータは消去されました。",
        "{app} is uninstalled. What you had stored in it is erased.",
    ),
    "no_apps": (
        "許可したアプリも、インストールしたアプリもありません。",
        "You have not allowed or installed any apps.",
    ),
    "unknown_app": ("提供を終了したアプリ", "An app that is no longer offered"),
    "granted": ("許可していること", "It may"),
    "installed": ("インストール済み", "Installed"),
    "since": ("許可した日 {date}", "Allowed on {date}"),
    "grant_used": ("最後の利用 {date}", "Last used on {date}"),
    "end_grant": ("許可を取り消す", "End access"),
    "uninstall": ("アンインストール", "Uninstall"),
    "uninstall_note": (
        "アンインストールすると、許可は取り消され、このアプリに保存されたデータは消去されます。元に戻せません。",
        "Uninstalling ends the app's access and erases what you have stored in it. This cannot be undone.",
    ),
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
    "to_settings": ("設定に戻る", "Back to the settings"),
    "account_parts": ("アカウント", "Account"),
    "account_leaving": (
        "このアカウントは削除されます。取り消しはこちら",
        "This account is being deleted. Undo it here",
    ),
    "done_joined": (
        "ようこそ。アカウントができました。ログインしてください。",
        "Welcome. Your account is ready. Please sign in.",
    ),
    # A new password.
    "change_password": ("パスワードの変更", "Change your password"),
    "no_login": (
        "ログイン名がないので、パスワードを確かめられません。運営者に連絡してください。",
        "You have no login name, so your password cannot be checked. Please ask an operator of this platform.",
    ),
    "change_password_note": (
        "変更すると、ほかのブラウザーではすべてログアウトされます。",
        "This signs you out in all other browsers.",
    ),
    "password_now": ("今のパスワード", "Present password"),
    "password_new": ("新しいパスワード", "New password"),
    "password_repeat": ("パスワード（もう一度）", "The password again"),
    "password_rule": (
        "{least} 文字以上。記号や数字は要りません。長い文も使えます。",
        "At least {least} characters. It needs no digits or signs; a sentence is fine.",
    ),
    "password_short": ("短すぎます。{least}〜{most} 文字にしてください。", "Too short: {least} to {most} characters."),
    "password_long": ("長すぎます。{least}〜{most} 文字にしてください。", "Too long: {least} to {most} characters."),
    "password_common": (
        "よく使われる言葉や並びだけでできているので、推測されやすいパスワードです。",
        "It consists of common words or rows of keys, so it is easy to guess.",
    ),
    "password_own_name": (
        "名前、ログイン名、このサイトの名前だけでできているので、推測されやすいパスワードです。",
        "It consists of your name, your login name or the name of this site, so it is easy to guess.",
    ),
    "password_differs": ("二つのパスワードが違います。", "The two passwords differ."),
    "done_password": (
        "パスワードを変更しました。ほかのブラウザーではログアウトされました。",
        "Your password is changed. You are signed out in all other browsers.",
    ),
    "reset_title": ("新しいパスワード", "Set a new password"),
    "reset_note": (
        "このリンクは一度だけ使えます。使うと、ログイン中のブラウザーはすべてログアウトされます。",
        "This link works once. Using it signs you out everywhere.",
    ),
    "reset_button": ("パスワードを設定する", "Set the password"),
    "done_reset": (
        "新しいパスワードを設定しました。ログインしてください。",
        "Your new password is set. Please sign in.",
    ),
    "link_dead": ("このリンクは使えません", "This link does not work"),
    "link_dead_note": (
        "すでに使われたか、期限が切れています。運営者に新しいリンクを頼んでください。",
        "It was used before, or it has expired. Ask the operator for a new one.",
    ),
    "join_title": ("{name} に参加する", "Join {name}"),
    "join_note": (
        "招待を受け取りました。ログイン名とパスワードを決めてください。",
        "You are invited. Choose how you sign in, and the name that others see.",
    ),
    "join_button": ("参加する", "Join"),
    "hint_display_name": ("ほかの人に見える名前です。", "Others see this name."),
    "hint_login": (
        "ログインのときに使います。半角の英数字と . _ @ + - が使えます。",
        "You sign in with it. It may have the characters a-z 0-9 . _ @ + -",
    ),
    "wrong_login": (
        "半角の英数字と . _ @ + - の 1〜64 文字にし、英字か数字で始めてください。",
        "Use 1 to 64 of the characters a-z 0-9 . _ @ + -, and begin with a letter or digit.",
    ),
    "wrong_display_name": ("1〜100 文字の名前を入力してください。", "Give a name of 1 to 100 characters."),
    "login_taken": ("そのログイン名は使われています。", "That login name is taken."),
    # Sessions.
    "sessions": ("ログイン中のブラウザー", "Where you are signed in"),
    "sessions_note": (
        "見覚えのないものがあれば、ログアウトさせてから、パスワードを変更してください。ログインは 14 日間続きます。",
        "If you do not know one of them, sign it out, and change your password. A sign-in lasts 14 days.",
    ),
    "session_own": ("このブラウザー", "This browser"),
    "session_times": ("ログイン {created}、最後の利用 {seen}", "Signed in {created}, last used {seen}"),
    "session_end": ("ログアウトさせる", "Sign out"),
    "sessions_end_others": ("ほかをすべてログアウトさせる", "Sign out all others"),
    "device_unknown": ("不明なブラウザー", "Unknown browser"),
    "done_session": ("そのブラウザーをログアウトさせました。", "That browser is signed out."),
    "done_no_session": ("そのブラウザーは、すでにログアウトしていました。", "That browser was signed out already."),
    "done_sessions": ("ほかのブラウザーをすべてログアウトさせました。", "All other browsers are signed out."),
    # The profile.
    "profile": ("プロフィール", "Your profile"),
    "profile_published": ("公開範囲を選べる項目", "Items that you can publish"),
    "profile_changed": ("変更しました：{fields}", "Changed: {fields}"),
    "profile_wrong": (
        "保存していません。印のある項目を直してください。",
        "Not saved. Please correct the marked fields.",
    ),
    "profile_elsewhere": (
        "ほかの画面でプロフィールが変更されました。入力した内容を確かめて、もう一度保存してください。",
        "Your profile was changed in another tab. Check what you typed, and save again.",
    ),
    "done_unchanged": ("変更はありませんでした。", "Nothing was changed."),
    "edit_kept": (
        "ログインの期限が切れました。ログインすると、入力した内容を続けて確認できます。",
        "You were signed out. Sign in, and what you typed is shown again.",
    ),
    "edit_again": (
        "まだ保存していません。内容を確かめて、保存してください。",
        "Not saved yet. Check what you typed, and save it.",
    ),
    "picture_title": ("画像をアップロードする", "Upload a picture"),
    "picture_file": ("画像ファイル", "Picture file"),
    "picture_hint": (
        "JPEG か PNG、{most} MB まで。撮影場所などの情報は取り除かれます。",
        "JPEG or PNG, at most {most} MB. Where and when it was taken is removed.",
    ),
    "picture_button": ("アップロード", "Upload"),
    "picture_refused": (
        "この画像は使えません。JPEG か PNG を選んでください。",
        "This picture cannot be used. Choose a JPEG or PNG.",
    ),
    "picture_often": (
        "今日はもう {times} 回アップロードしました。{time} から、またアップロードできます。",
        "You have uploaded {times} pictures today. You can again from {time}.",
    ),
    "done_picture": ("画像を変更しました。", "Your picture is changed."),
    "list_comma": ("、", ", "),
    "not_given": ("未記入", "Not given"),
    "publish_of": ("{field}の公開範囲", "Who sees it: {field}"),
    "field_displayName": ("名前", "Name"),
    "field_login": ("ログイン名", "Login"),
    "field_thumbnailUrl": ("画像の URL", "URL of a picture"),
    "field_profileUrl": ("ウェブページの URL", "URL of a web page"),
    "field_bloodType": ("血液型", "Blood type"),
    "field_address": ("住所", "Address"),
    "field_birthday": ("誕生日", "Birthday"),
    "field_age": ("年齢", "Age"),
    "field_gender": ("性別", "Gender"),
    "field_publication": ("公開範囲", "who can see it"),
    "field_visible": ("インストールしていないアプリへの公開", "visibility to apps that you have not installed"),
    "gender_male": ("男性", "Male"),
    "gender_female": ("女性", "Female"),
    "hint_url": ("http:// か https:// で始まるもの", "Beginning with http:// or https://"),
    "hint_birthday": ("例：1990-04-01", "For example 1990-04-01"),
    "wrong_value": ("この値は使えません。", "This value cannot be used."),
    "wrong_url": ("URL の形が正しくありません。", "This is not a URL."),
    "wrong_birthday": ("1990-04-01 の形で入力してください。", "Write it as 1990-04-01."),
    "wrong_age": ("0〜150 の数字を入力してください。", "Give a number from 0 to 150."),
    "wrong_text": ("長すぎるか、使えない文字があります。", "Too long, or it has characters that cannot be used."),
    "seen_title": ("アプリからの見え方", "What apps see"),
    "seen_note": (
        "あなたがインストールしたアプリを、ほかの人が使ったときに、アプリに渡る項目です。",
        "What an app that you have installed gets when someone else uses it.",
    ),
    "seen_friend": ("友人が使うアプリ", "An app that a friend uses"),
    "seen_stranger": ("友人でない人が使うアプリ", "An app that a stranger uses"),
    "seen_field": ("項目", "Item"),
    "seen_value": ("値", "Value"),
    "seen_nothing": ("渡る項目はありません。", "Nothing."),
    # Data, and the end of an account.
    "data_title": ("データのダウンロード", "Download your data"),
    "data_note": (
        "プロフィール、友人、アプリのデータと許可、投稿、コメントなどを、一つの JSON ファイルで受け取れます。",
        "You get your profile, friends, data in apps, grants, pages, posts, comments and favorites as one JSON file.",
    ),
    "data_without": ("パスワードなどの秘密は含まれません。", "It has no password or other secret."),
    "data_often": (
        "今日はもう {times} 回ダウンロードしました。{time} から、またダウンロードできます。",
        "You have downloaded your data {times} times today. You can again from {time}.",
    ),
    "data_button": ("ダウンロードする", "Download"),
    "delete_title": ("アカウントの削除", "Delete your account"),
    "delete_note": (
        "14 日後に、プロフィール、アプリのデータ、投稿など、すべてが消えます。それまでは、取り消せます。",
        "In 14 days everything is erased: your profile, your data in apps, your posts. Until then you can undo it.",
    ),
    "delete_typed": ("確認のため、ログイン名を入力してください", "To be sure, type your login name"),
    "delete_typed_hint": ("ログイン名：{login}", "Login name: {login}"),
    "typed_wrong": ("ログイン名が違います。", "That is not your login name."),
    "delete_role": (
        "役割のある人は削除できません。先に、運営者に役割を取り消してもらってください。",
        "Your account has a role. Ask an operator to take it away first.",
    ),
    "delete_button": ("14 日後に削除する", "Delete it in 14 days"),
    "delete_due": (
        "{date} に消去されます。それまでは、取り消せます。",
        "It is erased on {date}. Until then you can undo it.",
    ),
    "stay_button": ("削除を取り消す", "Keep my account"),
    "done_leaving": (
        "14 日後に削除します。ほかのブラウザーではログアウトされました。",
        "Your account will be deleted in 14 days. You are signed out in all other browsers.",
    ),
    "done_stay": ("削除を取り消しました。", "You keep your account: it will not be deleted."),
}
