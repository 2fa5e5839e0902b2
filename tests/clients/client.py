"""Writes, reads, posts a feed with an image, comments, and lists, with the client made by openapi-python-client.

Runs in .local/clients-venv with the generated package on PYTHONPATH; takes its inputs from the variable ASKED, and
prints the values of the typed responses as JSON.
"""

import base64
import json
import os
from io import BytesIO
from typing import Any, TypeVar

from generated_client import AuthenticatedClient
from generated_client.api.pages import delete_feed, post_comment, post_feed, read_comments, read_feeds
from generated_client.api.people import read_people
from generated_client.api.persistence import delete_data, read_data, write_data
from generated_client.models.comment_list import CommentList
from generated_client.models.data_read import DataRead
from generated_client.models.feed_list import FeedList
from generated_client.models.new_comment import NewComment
from generated_client.models.new_content import NewContent
from generated_client.models.new_entry import NewEntry
from generated_client.models.new_feed import NewFeed
from generated_client.models.pairs import Pairs
from generated_client.models.people import People
from generated_client.models.post_feed_files_body import PostFeedFilesBody
from generated_client.models.request_refused import RequestRefused
from generated_client.models.written import Written
from generated_client.types import File

Answer = TypeVar("Answer")
ASKED = json.loads(os.environ["ASKED"])


def of(kind: type[Answer], answer: Any) -> Answer:
    """Return the response; exit with an error if it is not of that class."""
    if not isinstance(answer, kind):
        raise SystemExit(f"{answer!r} is no {kind.__name__}")
    return answer


def main() -> None:
    client = AuthenticatedClient(base_url=ASKED["baseUrl"], token=ASKED["token"], raise_on_unexpected_status=True)
    page, key = ASKED["page"], "generated_python"

    pairs = Pairs.from_dict({key: ASKED["text"]})
    of(Written, write_data.sync("@me", "@self", client=client, body=pairs))
    data = of(DataRead, read_data.sync("@me", "@self", client=client, fields=key))
    refused = of(RequestRefused, write_data.sync("@me", "@self", client=client, body=Pairs.from_dict({"bad key": ""})))

    image = File(payload=BytesIO(base64.b64decode(ASKED["image"])), file_name="x.png", mime_type="image/png")
    sent = PostFeedFilesBody(request=NewFeed(title=ASKED["text"]), image1=image)
    content_uri = of(NewContent, post_feed.sync(page, client=client, body=sent)).content_uri
    comment = NewComment(comment=ASKED["text"])
    made = of(NewEntry, post_comment.sync(page, client=client, body=comment, content_uri=content_uri))
    comments = of(CommentList, read_comments.sync(page, client=client, content_uri=content_uri))
    feeds = of(FeedList, read_feeds.sync(page, client=client))
    friends = of(People, read_people.sync("@me", "@friends", client=client))

    removed = delete_feed.sync_detailed(page, client=client, content_uri=content_uri).status_code
    of(Written, delete_data.sync("@me", "@self", client=client, fields=key))
    mine = [feed for feed in feeds.entry if feed.content_uri == content_uri]
    print(
        json.dumps(
            {
                "data": data.entry[0].data[key],
                "refused": refused.error.value,
                "title": mine[0].title,
                "images": len(mine[0].images),
                "comments": [[each.id == made.id, each.comment, each.user.id] for each in comments.entry],
                "friends": sorted(each.id for each in friends.entry),
                "removed": removed,
            }
        )
    )


if __name__ == "__main__":
    main()
