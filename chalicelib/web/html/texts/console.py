"""Texts of the console's frame and home."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "console": ("管理コンソール", "Console"),
    "console_empty": ("使える項目はまだありません。", "There is nothing here for you yet."),
}
