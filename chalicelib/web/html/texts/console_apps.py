"""Texts of the console's pages of apps."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "console_apps": ("アプリ", "Apps"),
    "apps_search": ("ID、または名前のはじめの部分", "Id, or the beginning of the name"),
    "apps_find": ("探す", "Find"),
    "apps_none": ("アプリはありません。", "There is no app."),
    "apps_wrong_search": ("その文字では探せません。", "This search is not valid."),
    "app_new": ("アプリを登録する", "Register an app"),
    "app_edit": ("設定を変更する", "Edit the settings"),
    "app_kind": ("種類", "Kind"),
    "app_confidential": ("シークレットあり（サーバー）", "With a secret (on a server)"),
    "app_public": ("公開（シークレットなし、PKCE）", "Public (no secret, with PKCE)"),
    "app_is_suspended": ("停止中", "Suspended"),
    "app_client_id": ("ID（クライアント ID）", "Id (client id)"),
    "app_created": ("登録日時", "Registered"),
    "app_secrets": ("シークレット", "Secrets"),
    "app_links": ("リンク", "Links"),
    "app_field_name": ("名前", "Name"),
    "app_field_developer": ("開発者", "Developer"),
    "app_field_iconUrl": ("アイコンの URL", "URL of the icon"),
    "app_field_homepageUrl": ("ホームページの URL", "URL of the homepage"),
    "app_field_privacyUrl": ("プライバシーポリシーの URL", "URL of the privacy policy"),
    "app_field_startUrl": ("開始 URL", "Start URL"),
    "app_field_startMethod": ("開始の方法", "How it starts"),
    "app_field_dialect": ("トークンの形式", "Form of token answers"),
    "app_field_redirectUris": ("リダイレクト URI", "Redirect URIs"),
    "app_field_origins": ("ウェブのオリジン", "Web origins"),
    "app_field_scopes": ("スコープ", "Scopes"),
    "app_hint_iconUrl": (
        "https の画像です。許可の画面に表示されます。",
        "An https picture. People see it when the app asks them.",
    ),
    "app_hint_developer": (
        "許可の画面に表示されます。100 文字まで。",
        "People see it when the app asks them. Up to 100 characters.",
    ),
    "app_hint_startUrl": ("ページから開くアプリだけに必要です。", "Only for apps that start from a page."),
    "app_hint_redirectUris": ("1 行に 1 つ、20 まで。", "One a line, up to 20."),
    "app_hint_origins": (
        "1 行に 1 つ。例：https://game.example",
        "One a line. For example: https://game.example",
    ),
    "app_start_redirect": ("リダイレクト（GET）", "Redirect (GET)"),
    "app_start_form": ("フォーム（POST）", "Form (POST)"),
    "app_scope_admin": ("管理 API のすべて", "everything in the operator's API"),
    "app_scope_unserved": ("（ここには API がありません）", "(has no API here)"),
    "app_for_people": ("許可の画面に表示されるもの", "What people see when the app asks"),
    "app_for_sign_in": ("ログインと API", "Sign-in and API"),
    "app_save": ("保存する", "Save"),
    "app_register": ("登録する", "Register"),
    "app_form_wrong": ("入力に誤りがあります。保存していません。", "Something is not right. Nothing is saved."),
    "app_wrong_name": ("1 から 100 文字で入力してください。", "Enter 1 to 100 characters."),
    "app_wrong_developer": ("100 文字までで入力してください。", "Enter up to 100 characters."),
    "app_wrong_iconUrl": ("https の URL を入力してください。", "Enter an https URL."),
    "app_wrong_homepageUrl": ("http か https の URL を入力してください。", "Enter an http or https URL."),
    "app_wrong_privacyUrl": ("http か https の URL を入力してください。", "Enter an http or https URL."),
    "app_wrong_startUrl": ("http か https の URL を入力してください。", "Enter an http or https URL."),
    "app_wrong_startMethod": ("一覧から選んでください。", "Choose one of the list."),
    "app_wrong_dialect": ("一覧から選んでください。", "Choose one of the list."),
    "app_wrong_redirectUris": (
        "http・https か com.example.app: のような URI を 20 まで、# なしで入力してください。",
        "Enter up to 20 URIs: http, https or like com.example.app:, without #.",
    ),
    "app_wrong_origins": (
        "https://game.example のようなオリジンを 20 まで入力してください。",
        "Enter up to 20 origins such as https://game.example.",
    ),
    "app_wrong_scopes": ("スコープは 20 まで選べます。", "Choose up to 20 scopes."),
    "app_name_taken": (
        "このプラットフォームの名前と紛らわしい名前は使えません。",
        "An app cannot have a name that looks like this platform's.",
    ),
    "app_stale": (
        "この画面を開いたあとに、設定が変更されました。まだ保存していません。今の値を確かめて、もう一度保存してください。",
        "These settings were changed after you opened this page. Nothing is saved. "
        "Look at what is stored now, and save again.",
    ),
    "app_stored_now": ("今の値", "Stored now"),
    "app_empty_value": ("（空）", "(empty)"),
    "done_app_registered": ("アプリを登録しました。", "The app is registered."),
    "app_registered_before": (
        "このアプリはもう登録されています。シークレットは最初の画面だけに表示しました。控えていなければ、新しく発行してください。",
        "This app is registered already. Its secret was shown on the first page only. "
        "If you did not keep it, make a new one.",
    ),
    "done_app_changed": ("設定を保存しました。", "The settings are saved."),
    "done_app_unchanged": ("変更はありませんでした。", "Nothing has changed."),
    "secret_once": ("このシークレットは、もう表示されません", "This secret is not shown again"),
    "secret_keep_it": (
        "安全な方法でアプリの開発者に渡してください。ログには残りません。",
        "Give it to the app's developers in a safe way. It is in no log.",
    ),
    "secret_old_until": (
        "古いシークレットは {until} まで使えます。アプリの画面で、それより早く無効にできます。",
        "The old secret works until {until}. You can end it earlier on the app's page.",
    ),
    "app_back": ("アプリの画面へ", "To the app"),
    "secret_made": ("発行日時", "Made"),
    "secret_used": ("最後に使われた日（UTC）", "Last used on (UTC)"),
    "secret_never_used": ("まだ使われていません", "Not used yet"),
    "old_secret": ("古いシークレット", "Old secret"),
    "old_secret_until": ("有効期限", "Works until"),
    "old_secret_end": ("古いシークレットを無効にする", "End the old secret"),
    "old_secret_end_note": (
        "無効にすると、まだ使っているサーバーはすぐに拒否されます。",
        "If you end it, servers that still use it are refused at once.",
    ),
    "done_old_secret_ended": ("古いシークレットを無効にしました。", "The old secret has ended."),
    "done_no_old_secret": ("古いシークレットはありません。", "There is no old secret."),
    "secret_new": ("新しいシークレットを発行する", "Make a new secret"),
    "secret_new_keep": ("古いシークレットを 30 日間使えるようにする", "Keep the old secret for 30 days"),
    "secret_new_note": (
        "漏れたときは、チェックを外してください。古いシークレットはすぐに使えなくなります。",
        "If the secret leaked, clear the box: the old one then stops working at once.",
    ),
    "secret_rotated": ("新しいシークレットを発行しました。", "There is a new secret."),
    "secret_rotated_meanwhile": (
        "この画面を開いたあとに、シークレットが発行されました。今回は発行していません。下の発行日時を確かめてください。"
        "新しいほうを控えていなければ、チェックを付けたまま、もう一度発行してください。"
        "まだ使われていない新しいほうだけが置き換わり、古いほうはそのままです。",
        "A secret was made since you opened this page, and none now. Look at when it was made, below. "
        "If you did not see it, make another one, and leave the box checked: "
        "a new secret that was never used is replaced, and the old one stays.",
    ),
    "secret_two_in_use": (
        "2 つのシークレットがどちらも使われているかもしれません。"
        "古いほうがどのサーバーでも使われなくなったら、無効にしてから、新しく発行してください。",
        "Both secrets may be in use. When no server uses the old one any more, end it, and then make a new one.",
    ),
    "app_suspend": ("アプリを停止する", "Suspend the app"),
    "app_suspend_note": (
        "トークンの発行、新しい許可、署名つきリクエスト、ページからの起動、イベントの送信がすぐに止まります。"
        "発行済みのアクセストークンは、最長 15 分、期限まで使えます。データは消えません。",
        "Tokens, new grants, signed requests, starts from pages and events stop at once. "
        "Access tokens work until they expire, at most 15 minutes. No data is deleted.",
    ),
    "app_suspended_since": ("{since} から停止中：{reason}", "Suspended since {since}: {reason}"),
    "reason_needed": ("理由を 500 文字までで入力してください。", "Enter a reason of up to 500 characters."),
    "done_app_suspended": ("アプリを停止しました。", "The app is suspended."),
    "app_restore": ("停止を解除する", "End the suspension"),
    "done_app_restored": ("停止を解除しました。", "The suspension is over."),
    "app_delete": ("アプリを削除する", "Delete the app"),
    "app_delete_note": (
        "すべての人のインストールと、このアプリに保存されたデータを削除します。元に戻せません。",
        "It is uninstalled for everyone, and all data that people have stored in it is deleted. This cannot be undone.",
    ),
    "app_delete_name": ("確認のため、「{name}」と入力してください", "To confirm, enter “{name}”"),
    "app_delete_other_name": ("名前が違います。何も削除していません。", "That is another name. Nothing was deleted."),
    "app_delete_continue": (
        "{installs} 件のインストールを削除しました。まだ残っています。続けてください。",
        "{installs} installs are deleted, and some are left. Please continue.",
    ),
    "app_delete_go_on": ("続ける", "Continue"),
    "done_app_deleted": ("アプリを削除しました。", "The app is deleted."),
    "endpoints": ("エンドポイント", "Endpoints"),
    "endpoints_note": ("イベントを受け取る URL です。{most} 個まで。", "URLs that receive events, up to {most}."),
    "endpoints_none": ("エンドポイントはありません。", "There is no endpoint."),
    "endpoint_add": ("エンドポイントを追加する", "Add an endpoint"),
    "endpoint": ("エンドポイント", "Endpoint"),
    "endpoint_url": ("URL（https）", "URL (https)"),
    "endpoint_kinds": ("受け取るイベント", "Events that it receives"),
    "endpoint_active": ("イベントを送る", "Send events to it"),
    "endpoint_on": ("有効", "On"),
    "endpoint_off_operator": ("無効（運営者が止めました）", "Off (an operator switched it off)"),
    "endpoint_off_gone": ("無効（410 を返しました）", "Off (it answered 410)"),
    "endpoint_off_dead": ("無効（3 日間失敗しました）", "Off (it failed for three days)"),
    "endpoint_failing": ("{since} から失敗しています", "Failing since {since}"),
    "endpoint_wrong": (
        "公開された https の URL と、1 つ以上のイベントが必要です。",
        "It needs a public https URL, and at least one kind of events.",
    ),
    "endpoint_wrong_id": (
        "フォームが正しく届かなかったので、追加していません。内容を確かめて、もう一度送ってください。",
        "The form did not arrive as it was made, so nothing is added. Check it, and send it again.",
    ),
    "endpoint_id_taken": (
        "このフォームの ID は別のエンドポイントのものなので、追加していません。"
        "新しい ID にしたので、もう一度送ってください。",
        "Another endpoint has the id of this form, so nothing is added. It has a new id now: send it again.",
    ),
    "endpoint_too_many": (
        "エンドポイントは 1 つのアプリに {most} 個までです。追加していません。",
        "An app has at most {most} endpoints. Nothing is added.",
    ),
    "endpoint_added_before": (
        "このエンドポイントはもう追加されています。シークレットは最初の画面だけに表示しました。"
        "控えていなければ、下で新しく発行してください。",
        "This endpoint is added already. Its secret was shown on the first page only. "
        "If you did not keep it, make a new one below.",
    ),
    "endpoint_added": ("エンドポイントを追加しました。", "The endpoint is added."),
    "endpoint_stale": (
        "この画面を開いたあとに、このエンドポイントが変更されました。まだ保存していません。今の値を表示しています。",
        "This endpoint was changed after you opened the page. Nothing is saved. This is what is stored now.",
    ),
    "endpoint_back": ("エンドポイントの画面へ", "To the endpoint"),
    "endpoint_secrets_one": ("署名に使うシークレットは 1 つです。", "Messages are signed with one secret."),
    "endpoint_secrets_two": ("署名に使うシークレットは 2 つです。", "Messages are signed with two secrets."),
    "endpoint_secret_made": ("新しいほうの発行日時：{since}", "The newer one was made: {since}."),
    "endpoint_old_secret_note": (
        "受信側が新しいシークレットを使い始めてから、無効にしてください。無効にすると、新しいほうだけで署名します。",
        "End it after the receiver has the new secret: from then on, only that one signs.",
    ),
    "endpoint_secret_new": ("新しい署名用シークレットを発行する", "Make a new signing secret"),
    "endpoint_secret_note": (
        "古いほうを無効にするまで、両方で署名します。",
        "Messages are signed with both until you end the old one.",
    ),
    "endpoint_secret_replace": ("新しいほうを発行し直す", "Replace the new secret"),
    "endpoint_secret_replace_note": (
        "新しいシークレットを控えていないときは、発行し直せます。今の新しいほうは使われなくなり、古いほうはそのままです。",
        "If nobody has kept the new secret, make another in its place. The new one of now ends; the old one stays.",
    ),
    "endpoint_secrets_changed": (
        "この画面を開いたあとに、シークレットが変更されました。今回は何もしていません。",
        "The secrets were changed after you opened the page. Nothing was done now.",
    ),
    "endpoint_secrets_changed_two": (
        "この画面を開いたあとに、シークレットが変更されました。今回は何もしていません。"
        "新しいシークレットは、発行したときに一度だけ表示しました。控えていなければ、下で発行し直してください。"
        "古いほうは、受信側が新しいほうを使い始めるまで、無効にしないでください。",
        "The secrets were changed after you opened the page. Nothing was done now. "
        "The new secret was shown once, when it was made. If you did not see it, replace it below. "
        "Do not end the old one before the receiver has the new one.",
    ),
    "endpoint_secret_rotated": ("新しい署名用シークレットを発行しました。", "There is a new signing secret."),
    "endpoint_delete": ("エンドポイントを削除する", "Delete the endpoint"),
    "endpoint_delete_note": ("まだ届いていないイベントは送られません。", "What was not delivered yet is not sent."),
    "done_endpoint_deleted": ("エンドポイントを削除しました。", "The endpoint is deleted."),
    "events": ("イベント", "Events"),
    "events_note": ("{keep} 日間保存します。古い順です。", "They are kept for {keep} days. The oldest come first."),
    "events_none": ("この条件のイベントはありません。", "There are no such events."),
    "events_from": ("開始日", "From"),
    "events_to": ("終了日", "To"),
    "events_kind": ("種類", "Kind"),
    "events_state": ("配信の状態", "State of delivery"),
    "events_all": ("すべて", "All"),
    "events_filter": ("絞り込む", "Filter"),
    "events_wrong_filter": ("日付か条件が正しくありません。", "A date or a filter is not valid."),
    "events_time": ("日時", "Time"),
    "events_subject": ("対象", "Subject"),
    "events_deliveries": ("配信", "Deliveries"),
    "events_attempts": ("{count} 回", "attempts: {count}"),
    "events_answer": ("応答 {status}", "answer {status}"),
    "events_send_one": ("もう一度送る", "Send again"),
    "events_send_all": ("この期間をもう一度送る", "Send these days again"),
    "events_send_note": (
        "100 件ずつ送ります。メッセージの ID は前と同じです。",
        "100 at a time. The messages have the same ids as before.",
    ),
    "events_send_more": ("次の 100 件を送る", "Send the next 100"),
    "events_sent": ("{count} 件の配信を予定しました。", "Deliveries that will be sent again: {count}."),
    "events_no_endpoint": (
        "有効なエンドポイントがないか、アプリが停止中です。",
        "The app has no endpoint that is on, or it is suspended.",
    ),
    "state_delivered": ("配信済み", "delivered"),
    "state_waiting": ("待機中", "waiting"),
    "state_failed": ("失敗", "failed"),
}
