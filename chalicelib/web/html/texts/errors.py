"""Texts of error pages: a title and what to do, for each status."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "error_app": (
        "アプリからのリクエストが正しくないため、先へ進めません。アプリの開発者にお知らせください。",
        "The app sent an invalid request, so this cannot continue. Please tell the app's developer.",
    ),
    "error_400": ("この内容では先へ進めません", "This cannot be carried out"),
    "error_400_help": (
        "入力した内容を確かめて、もう一度お試しください。何も変更されていません。",
        "Please check what you have entered, and try again. Nothing has changed.",
    ),
    "error_403": ("この操作は許可されていません", "You are not allowed to do this"),
    "error_403_help": (
        "必要な権限があるか、別の人としてログインしていないかを確かめてください。",
        "Please check that you are signed in as the right person, and that you may do this.",
    ),
    "error_404": ("ページが見つかりません", "Page not found"),
    "error_404_help": (
        "お探しのページはありません。移動したか、削除された可能性があります。",
        "There is no such page. It may have been moved or deleted.",
    ),
    "error_405": ("この開き方はできません", "This page cannot be opened in this way"),
    "error_405_help": (
        "このページは、フォームのボタンなどから開きます。",
        "It is only opened by its own links and buttons.",
    ),
    "error_409": ("ほかの変更と重なりました", "Something else has changed in the meantime"),
    "error_409_help": (
        "ページを開き直して、今の内容を確かめてから、もう一度お試しください。",
        "Please open the page again, see what it says now, and try again.",
    ),
    "error_413": ("送信した内容が大きすぎます", "This is too large"),
    "error_413_help": (
        "文章を短くするか、小さい画像を選んで、もう一度お試しください。",
        "Please shorten the text or choose a smaller picture, and try again.",
    ),
    "error_415": ("この形式は受け付けていません", "This format is not accepted"),
    "error_415_help": (
        "別の形式で、もう一度お試しください。",
        "Please try again with another format.",
    ),
    "error_429": ("回数が多すぎます", "Too many attempts"),
    "error_429_help": (
        "しばらく待ってから、もう一度お試しください。",
        "Please wait a moment, and try again.",
    ),
    "error_500": ("問題が起きました", "Something went wrong"),
    "error_500_help": (
        "しばらくしてからもう一度お試しください。続くときは、下のリクエスト ID を運営者にお知らせください。",
        "Please try again in a moment. If it happens again, tell the operator the request id below.",
    ),
    "error_503": ("混み合っています", "The service is busy"),
    "error_503_help": (
        "しばらくしてからもう一度お試しください。",
        "Please try again in a moment.",
    ),
    "try_again": ("もう一度試す", "Try again"),
    "back": ("前のページに戻る", "Back to the page before"),
    "go_home": ("トップページへ", "Go to the front page"),
    "request_id": ("リクエスト ID", "Request id"),
}
