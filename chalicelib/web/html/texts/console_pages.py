"""Texts of the console's pages of pages."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "console_pages": ("ページ", "Pages"),
    "pages_search": ("ID、または名前のはじめの部分", "Id, or the beginning of the name"),
    "pages_find": ("探す", "Find"),
    "pages_none": ("ページは見つかりませんでした。", "No page was found."),
    "pages_more_parts": (
        "この部分にはありません。次へ進んでください。",
        "None in this part. Go on to the next.",
    ),
    "pages_wrong_search": (
        "その文字では探せません。目に見える文字を 1 文字以上、255 文字まで入力してください。",
        "That cannot be searched for. Enter at least one visible character, at most 255.",
    ),
    "pages_made_by": (
        "ページはコマンドラインか API で作ります：python -m admin pages create",
        "Pages are made by the command line or the API: python -m admin pages create",
    ),
    "page_number": ("ID", "Id"),
    "page_followers": ("フォロワー", "Followers"),
    "page_created": ("作成日時", "Created"),
    "page_open": ("ページを開く", "Open the page"),
    "page_without_administrators": (
        "管理者がいません。コマンドラインで追加できます：python -m admin administrators add",
        "There are none. Add one by the command line: python -m admin administrators add",
    ),
    "page_first_only": ("はじめの {count} 件です。", "These are the first {count}."),
}
