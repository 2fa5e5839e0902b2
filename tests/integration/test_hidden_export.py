"""Hidden posts in an export and an import: they stay hidden, keep their places, and can be shown again."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core.contents_records import read_comment_record, read_feed
from chalicelib.core.errors import Conflict
from chalicelib.core.moderation import Post
from chalicelib.store.contents.contents_export import ContentsExport
from tests.kit.stage import PAGE, URI, Stage, one_after_the_other

NOTE = {"by": "a moderator"}


def exported(stage: Stage) -> ContentsExport:
    here = stage.platform
    return ContentsExport(here._dynamo, here._tables, here.images, here.settings.utc_offset)


@pytest.mark.parametrize("count", [1, 100])
def test_hidden_posts_stay_hidden_when_a_page_moves(count: int) -> None:
    with one_after_the_other():
        old = Stage().populate()
        for turn in range(4):
            old.post(URI if turn == 0 else f"http://a.example/{turn}")
        said = [old.comment(str(turn)) for turn in range(4)]
        posts = old.platform.moderated_posts
        for post in (Post(PAGE, "2"), Post(PAGE, "4"), Post(PAGE, "1", said[1]), Post(PAGE, "1", said[3])):
            posts.hide(post, NOTE)
        new = Stage().populate()
        export, imports = exported(old), new.platform._contents_import
        moves: list[Any] = [
            (export.feeds, imports.feed, read_feed),
            (export.comments, imports.comment, read_comment_record),
        ]
        for read, store, parse in moves:
            cursor: str | None = None
            while True:
                records, cursor = read(PAGE, cursor, count)
                for record in records:
                    assert store(parse(record)).status == "created"
                    assert store(parse(record)).status == "unchanged"
                    if "hidden" in record:
                        with pytest.raises(Conflict, match="moderator"):
                            store(parse({name: value for name, value in record.items() if name != "hidden"}))
                if cursor is None:
                    break
        for stage in (old, new):
            assert [feed.id for feed in stage.feeds().entries] == ["3", "1"]
            assert stage.texts() == ["2", "0"]
        assert new.wrongs() == []
        for post in (Post(PAGE, "4"), Post(PAGE, "1", said[3])):
            assert new.platform.moderated_posts.show(post)
        assert [feed.id for feed in new.feeds().entries] == ["4", "3", "1"]
        assert new.texts() == ["3", "2", "0"]
        assert new.post("http://a.example/next").id == "5"
        assert new.wrongs() == []
